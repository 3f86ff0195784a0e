// Topic triggers and schedules with several gateways, on Kafka.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals'
import { openKafkaBus, type Bus } from '@baton/bus'
import { decodeEvent, TOPICS, topicManifest, type MessageOf, type TopicSpec } from '@baton/contracts'
import { start } from '@baton/gateway'
import { readEnvironment, type Platform, type RunningService } from '@baton/service'
import { openPglite, openStore } from '@baton/store'
import { openTelemetry } from '@baton/telemetry'
import { describeWithKafka } from '@baton/testing/suite'
import { until } from './system.ts'

const FLOW = `
flow: demo/tickets@1.0.0
triggers:
  - { topic: tickets, key: =event.id }
  - every: 1s
steps:
  - reply: { set: { done: true } }
output: =reply
`
const WAIT_MS = 60_000
const MANIFEST = topicManifest({ eventsPartitions: 3 })
const TICKETS: TopicSpec = {
  name: 'tickets',
  partitions: 2,
  retentionMs: 86_400_000,
  compacted: false,
  logAppendTime: false,
  about: 'suite',
}

jest.setTimeout(180_000)
describeWithKafka('triggers on Kafka', (kafka) => {
  const topicPrefix = `t${Date.now()}.`
  const open = (topics: readonly TopicSpec[]): Promise<Bus> =>
    openKafkaBus({ brokers: kafka.brokers, clientId: 'spec', topicPrefix, topics, ensureTopics: true })
  const closing: (() => Promise<unknown>)[] = []
  const gateways: RunningService[] = []
  let platform: Platform

  beforeAll(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'baton-triggers-'))
    const flowsDir = join(dir, 'flows')
    await mkdir(join(flowsDir, 'tickets'), { recursive: true })
    await writeFile(join(flowsDir, 'tickets', 'flow.yaml'), FLOW)
    const bus = await open(MANIFEST)
    const db = await openPglite()
    const { config } = readEnvironment({ BATON_TOPIC_PREFIX: topicPrefix, BATON_DATA_DIR: dir, BATON_FLOWS_DIR: flowsDir })
    platform = {
      bus,
      db,
      stores: await openStore(db),
      telemetry: openTelemetry({ service: 'spec', level: 'silent' }),
      config,
      nowMs: Date.now,
      call: () => Promise.resolve({ status: 404, body: '{}', contentType: 'application/json' }),
    }
    closing.push(
      () => bus.close(),
      () => db.close(),
      () => rm(dir, { recursive: true, force: true }),
    )
    gateways.push(...(await Promise.all([start(platform, {}), start(platform, {})])))
  })
  afterAll(async () => {
    await Promise.all(gateways.map((gateway) => gateway.close({ graceMs: 2_000 })))
    for (const close of closing) await close()
  })

  const requested = async (): Promise<readonly MessageOf<'run.requested'>[]> => {
    const { partitions } = await platform.bus.describe(TOPICS.events)
    const filled = partitions.filter(({ first, next }) => first < next)
    const records = await Promise.all(
      filled.map(({ partition, first, next }) =>
        platform.bus.read({ topic: TOPICS.events, partition, offset: first, limit: next - first }),
      ),
    )
    return records
      .flat()
      .map(decodeEvent)
      .flatMap((event) => (event.name === 'run.requested' ? [event.data] : []))
  }
  const ofSource = async (source: string) => (await requested()).filter((run) => run.source === source)

  it('E4, E1: a topic that comes later is heard from its beginning; each key starts one run, whichever gateway hears of it', async () => {
    const producer = await open([TICKETS])
    closing.unshift(() => producer.close())
    const ids = Array.from({ length: 20 }, (_, n) => `K-${n % 10}`)
    await producer.publish(ids.map((id) => ({ topic: 'tickets', key: id, value: Buffer.from(JSON.stringify({ id })), headers: {} })))
    const runs = await until(
      'all tickets',
      async () => {
        const found = await ofSource('topic:tickets/demo/tickets')
        return found.length < ids.length ? undefined : found
      },
      WAIT_MS,
    )
    expect(new Set(runs.filter(({ repeat }) => !repeat).map(({ requestId }) => requestId))).toEqual(new Set(ids))
    expect(new Set(runs.map(({ runId }) => runId)).size).toBe(10)
    expect(runs[0]).toMatchObject({ trigger: 'topic tickets', input: { id: runs[0]?.requestId } })
  })

  it('C1: two gateways start each due time once', async () => {
    const runs = await until(
      'three due times',
      async () => {
        const found = await ofSource('schedule:demo/tickets')
        return found.length < 3 ? undefined : found
      },
      WAIT_MS,
    )
    const first = runs.filter(({ repeat }) => !repeat).map(({ requestId }) => requestId)
    expect(new Set(first).size).toBe(first.length)
    expect(new Set(runs.map(({ requestId }) => requestId)).size).toBe(first.length)
  })
})
