// A platform for specs: the real embedded bus in a temporary directory, the real store in memory.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedBus } from '@baton/bus'
import type { BusRecord } from '@baton/bus/bus'
import { decodeEvent, topicManifest, type Event } from '@baton/contracts'
import { openPglite, openStore } from '@baton/store'
import { openTelemetry } from '@baton/telemetry'
import type { Platform, ServiceConfig } from './platform.ts'

export type TestPlatform = Platform & {
  /** Everything on a topic, by partition and place. */
  records(topic: string): Promise<readonly BusRecord[]>
  /** The same, decoded. */
  events(topic: string): Promise<readonly Event[]>
  /** Waits until a topic holds `count` events; the jest timeout ends a wait in vain. */
  waitForEvents(topic: string, count: number): Promise<readonly Event[]>
  close(): Promise<void>
}

/** Opens it. `config` replaces defaults. */
export const openTestPlatform = async (config: Partial<ServiceConfig> = {}): Promise<TestPlatform> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'baton-service-'))
  const bus = await openEmbeddedBus({ dir: join(dataDir, 'log'), topics: topicManifest({ eventsPartitions: 3 }), segmentBytesMax: 8 << 20 })
  const db = await openPglite()
  const stores = await openStore(db)
  const records = async (topic: string): Promise<readonly BusRecord[]> => {
    const { partitions } = await bus.describe(topic)
    const read = await Promise.all(partitions.map(({ partition, first }) => bus.read({ topic, partition, offset: first, limit: 10_000 })))
    return read.flat()
  }
  const events = async (topic: string): Promise<readonly Event[]> => (await records(topic)).map((record) => decodeEvent(record))
  const waitForEvents = async (topic: string, count: number): Promise<readonly Event[]> => {
    for (;;) {
      const found = await events(topic)
      if (found.length >= count) return found
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  return {
    bus,
    db,
    stores,
    telemetry: openTelemetry({ service: 'spec', level: 'silent' }),
    config: {
      topicPrefix: '',
      flowsDir: join(dataDir, 'flows'),
      configDir: join(dataDir, 'config'),
      dataDir,
      embedded: true,
      drainMs: 1_000,
      requestBytesMax: 65_536,
      inlineBytesMax: 4_096,
      ...config,
    },
    nowMs: Date.now,
    call: () => Promise.resolve({ status: 404, body: '{}', contentType: 'application/json' }),
    records,
    events,
    waitForEvents,
    close: async () => {
      await bus.close()
      await db.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
