// The bus inside one process: one write-ahead log on disk for all topics, everything else in memory. Promises as in `bus.ts`.
import { Fault } from '@baton/contracts/fault'
import { partitionOf } from '@baton/contracts/ids'
import { deadLetterTopic, SERVICES, type TopicSpec } from '@baton/contracts/topics'
import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus, OutgoingRecord } from '../bus.ts'
import { Catalog, holdEntry } from './catalog.ts'
import { ConsumerGroups } from './consumer-groups.ts'
import { lockDirectory } from './data-lock.ts'
import { openLogReader } from './log-reader.ts'
import type { Keeping, PartitionLog } from './partition-log.ts'
import { readRecords } from './partition-reader.ts'
import { createReclaimer, type Reclaimer } from './reclaim.ts'
import { recover } from './recovery.ts'
import { openTableReader } from './table-reader.ts'
import { Wal, type Place } from './wal.ts'

const SEGMENT_BYTES_MAX = 64 << 20
const DISK_BYTES_MAX = 1 << 30
/** Space is freed by whole segments, so a small log needs small ones. */
const SEGMENTS_MIN = 8
const CACHE_BYTES_MAX = 16 << 20
const RECORD_BYTES_MAX = 8 << 20
const CLOSE_GRACE_MS = 5_000
/** Of a topic that is not in the manifest. */
const FOUND_PARTITIONS = 3

export type EmbeddedBusOptions = {
  /** Directory of the log; made when missing. One process at a time. */
  readonly dir: string
  readonly topics: readonly TopicSpec[]
  /** In front of every topic name in the log. Default empty. */
  readonly topicPrefix?: string
  /** A segment file is closed above it. Default 64 MiB. */
  readonly segmentBytesMax?: number
  /** Size of the whole log. From a quarter of it on, what nobody needs is deleted before its retention is over. Default 1 GiB. */
  readonly diskBytesMax?: number
  /** Newest records kept in memory. Default 16 MiB. */
  readonly cacheBytesMax?: number
  /** Largest value of a record. Default 8 MiB. */
  readonly recordBytesMax?: number
  /** Topics whose records are never given up for space, only for age. Default: the dead-letter topics. */
  readonly keepTopics?: readonly string[]
  readonly nowMs?: () => number
  /** The log cannot be read or written any more; the process should end and start again. */
  readonly onFault?: (fault: Fault) => void
}

/** What the embedded bus can do beyond the port. */
export type EmbeddedBus = Bus & Required<Pick<Bus, 'trim' | 'usage'>>

/**
 * Opens the log in `dir` and everything in it. Faults: `config.invalid` when another process has it, `log.corrupt` when it is damaged.
 * The number of partitions of a topic is the one it was made with, whatever `topics` says now.
 */
export const openEmbeddedBus = async (options: EmbeddedBusOptions): Promise<EmbeddedBus> => {
  mkdirSync(options.dir, { recursive: true })
  const unlock = lockDirectory(options.dir)
  try {
    return await openLocked(options, unlock)
  } catch (error) {
    unlock()
    throw error
  }
}

const openLocked = async (options: EmbeddedBusOptions, unlock: () => void): Promise<EmbeddedBus> => {
  const { dir, topics, nowMs = Date.now, diskBytesMax = DISK_BYTES_MAX, onFault = () => {} } = options
  const catalog = new Catalog({ prefix: options.topicPrefix ?? '', keeping: keepingOf(options) })
  const recovered = recover(dir, catalog)
  for (const { name, partitions } of topics) if (!catalog.has(name)) catalog.add({ name, id: randomUUID(), partitions })
  const wal: Wal = new Wal(
    {
      dir,
      diskBytesMax,
      segmentBytesMax: Math.min(options.segmentBytesMax ?? SEGMENT_BYTES_MAX, diskBytesMax / SEGMENTS_MIN),
      cacheBytesMax: options.cacheBytesMax ?? CACHE_BYTES_MAX,
      nowMs,
      onFault,
      onRoll: () => void reclaim(),
      neededBy: () => reclaimer.neededBy(),
    },
    catalog,
    recovered,
  )
  const reclaimer = createReclaimer({ wal, catalog, diskBytesMax, nowMs })
  const reclaim = async (): Promise<void> =>
    reclaimer.run().catch((error: unknown) => {
      const fault = error instanceof Fault ? error : new Fault('log.corrupt', `the log cannot be tidied: ${String(error)}`)
      if (fault.code !== 'bus.draining' && fault.code !== 'disk.full') onFault(fault) // Those two are met again by whoever publishes.
    })
  await wal.flushed() // The topics themselves, before anything is built on them.
  await reclaim()
  return new EmbeddedBusAdapter({
    wal,
    catalog,
    reclaimer,
    reclaim,
    unlock,
    nowMs,
    onFault,
    diskBytesMax,
    recordBytesMax: options.recordBytesMax ?? RECORD_BYTES_MAX,
  })
}

const keepingOf = ({ topics, keepTopics = SERVICES.map(deadLetterTopic) }: EmbeddedBusOptions): ReadonlyMap<string, Keeping> =>
  new Map(topics.map(({ name, compacted, retentionMs }) => [name, { compacted, retentionMs, carried: keepTopics.includes(name) }]))

type Parts = {
  readonly wal: Wal
  readonly catalog: Catalog
  readonly reclaimer: Reclaimer
  readonly reclaim: () => Promise<void>
  readonly unlock: () => void
  readonly nowMs: () => number
  readonly onFault: (fault: Fault) => void
  readonly diskBytesMax: number
  readonly recordBytesMax: number
}

class EmbeddedBusAdapter implements EmbeddedBus {
  private readonly parts: Parts
  private readonly groups: ConsumerGroups
  private readonly readers = new Set<{ close: () => Promise<void> }>()
  private closing: Promise<void> | undefined

  constructor(parts: Parts) {
    this.parts = parts
    const { wal, catalog, nowMs, onFault } = parts
    this.groups = new ConsumerGroups({ wal, catalog, nowMs, onFault, publish: async (records) => this.publish(records) })
  }

  publish(records: readonly OutgoingRecord[]): Promise<readonly Place[]> {
    try {
      return this.parts.wal.append(
        records,
        records.map((record) => this.logOf(record)),
      )
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async lanes(options: Parameters<Bus['lanes']>[0]): ReturnType<Bus['lanes']> {
    this.checkOpen()
    return this.groups.join(options)
  }

  async log(options: Parameters<Bus['log']>[0]): ReturnType<Bus['log']> {
    this.checkOpen()
    const { catalog, wal } = this.parts
    const topic = catalog.topic(options.topic)
    for (const log of topic.partitions) {
      if (log.hold !== undefined) continue
      log.hold = log.first
      wal.note([holdEntry(log, log.hold)])
    }
    return this.remember(openLogReader(topic, options, (reader) => this.readers.delete(reader)))
  }

  async table(options: Parameters<Bus['table']>[0]): ReturnType<Bus['table']> {
    this.checkOpen()
    return this.remember(openTableReader(this.parts.catalog.topic(options.topic), options, (reader) => this.readers.delete(reader)))
  }

  async describe(name: string): ReturnType<Bus['describe']> {
    const { id, partitions } = this.parts.catalog.topic(name)
    return { topicId: id, partitions: partitions.map(({ partition, first, next }) => ({ partition, first, next })) }
  }

  async read({ topic, partition, offset, limit }: Parameters<Bus['read']>[0]): ReturnType<Bus['read']> {
    const log = this.parts.catalog.topic(topic).partitions[partition]
    if (log === undefined) throw noPartition(topic, partition)
    const records = []
    for (let from = offset; records.length < limit;) {
      const more = await readRecords(log, from, limit - records.length)
      const last = more.at(-1)
      if (last === undefined) break
      records.push(...more)
      from = last.offset + 1
    }
    return records
  }

  partitions(topic: string): number {
    return this.parts.catalog.topic(topic).partitions.length
  }

  async findTopic(name: string): Promise<boolean> {
    this.checkOpen()
    const { catalog, wal } = this.parts
    if (catalog.has(name)) return true
    wal.note([catalog.declaration(catalog.add({ name, id: randomUUID(), partitions: FOUND_PARTITIONS }))])
    await wal.flushed()
    return true
  }

  trim(topic: string, partition: number, before: number): void {
    const { catalog, wal, reclaimer, reclaim } = this.parts
    const log = catalog.topic(topic).partitions[partition]
    if (log === undefined) throw noPartition(topic, partition)
    if (before <= (log.hold ?? -1)) return
    log.hold = Math.min(before, log.next)
    wal.note([holdEntry(log, log.hold)])
    if (reclaimer.isPressed()) void reclaim()
  }

  usage(): { readonly usedBytes: number; readonly diskBytesMax: number } {
    const { wal, diskBytesMax } = this.parts
    return { usedBytes: wal.usedBytes, diskBytesMax }
  }

  async close(): Promise<void> {
    this.closing ??= this.shut()
    return this.closing
  }

  /** B7: consumers first, as what they still have to say needs the log. */
  private async shut(): Promise<void> {
    const { wal, unlock } = this.parts
    try {
      await this.groups.close({ graceMs: CLOSE_GRACE_MS })
      // A reader's batch that hangs must not keep the process from ending.
      const late = sleep(CLOSE_GRACE_MS, undefined, { ref: false })
      await Promise.race([late, Promise.all([...this.readers].map(async (reader) => reader.close()))])
      await wal.flushed()
    } finally {
      wal.close()
      unlock()
    }
  }

  private logOf({ topic: name, key, value, headers, partition }: OutgoingRecord): PartitionLog {
    const topic = this.parts.catalog.topic(name)
    const chosen = partition ?? partitionOf(key, topic.partitions.length)
    const log = topic.partitions[chosen]
    if (log === undefined) throw noPartition(name, chosen)
    const { recordBytesMax } = this.parts
    if (value.length > recordBytesMax) {
      throw new Fault('request.too_large', `a record of ${value.length} bytes is larger than ${recordBytesMax}`, {
        bytes: value.length,
        recordBytesMax,
      })
    }
    for (const header of Object.keys(headers)) {
      if (typeof headers[header] !== 'string') throw new Fault('message.undecodable', `the header ${header} is not text`, { header })
    }
    return log
  }

  private remember<Reader extends { close: () => Promise<void> }>(reader: Reader): Reader {
    this.readers.add(reader)
    return reader
  }

  private checkOpen(): void {
    if (this.closing !== undefined) throw new Fault('bus.draining', 'the bus is closed')
  }
}

const noPartition = (topic: string, partition: number): Fault =>
  new Fault('config.invalid', `the topic ${topic} has no partition ${partition}`, { topic, partition })
