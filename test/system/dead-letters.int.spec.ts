// Dead letters on Kafka, from the request that cannot be taken to the run it becomes, with two gateways (F4, R8).
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals'
import { encodeFailure, openKafkaBus } from '@baton/bus'
import { commandTopic, deadLetterTopic, decodeEvent, runIdOf, TOPICS, topicManifest, type Event } from '@baton/contracts'
import { start } from '@baton/gateway'
import { readEnvironment, type Platform, type RunningService } from '@baton/service'
import { openPglite, openStore } from '@baton/store'
import { openTelemetry } from '@baton/telemetry'
import { describeWithKafka } from '@baton/testing/suite'
import { until } from './system.ts'

const FLOW = `
flow: shop/order@1.0.0
input: { amount: integer }
steps:
  - reply: { set: { amount: =input.amount } }
output: =reply
`
const WAIT_MS = 60_000

type Letter = {
  readonly id: string
  readonly fingerprint: string
  readonly redrives: number
  readonly history: readonly unknown[]
  readonly first: unknown
}
type Body = Record<string, unknown> & { readonly items: readonly Letter[] }

jest.setTimeout(180_000)
describeWithKafka('dead letters on Kafka', (kafka) => {
  const topicPrefix = `l${Date.now()}.`
  const closing: (() => Promise<unknown>)[] = []
  const gateways: RunningService[] = []
  let platform: Platform

  beforeAll(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'baton-letters-'))
    const flowsDir = join(dir, 'flows')
    await mkdir(join(flowsDir, 'order'), { recursive: true })
    await writeFile(join(flowsDir, 'order', 'flow.yaml'), FLOW)
    const topics = topicManifest({ eventsPartitions: 3 })
    const bus = await openKafkaBus({ brokers: kafka.brokers, clientId: 'spec', topicPrefix, topics, ensureTopics: true })
    const db = await openPglite()
    platform = {
      bus,
      db,
      stores: await openStore(db),
      telemetry: openTelemetry({ service: 'spec', level: 'silent' }),
      config: readEnvironment({ BATON_TOPIC_PREFIX: topicPrefix, BATON_DATA_DIR: dir, BATON_FLOWS_DIR: flowsDir }).config,
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

  const send = async (method: 'GET' | 'POST', path: string, body?: unknown): Promise<Body> => {
    const [gateway] = gateways
    if (gateway === undefined) throw new Error('no gateway')
    const reply = await gateway.inject({ method, path, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    return JSON.parse(reply.body)
  }
  const lettersOf = async (count: number): Promise<readonly Letter[]> =>
    until(
      `${count} letters`,
      async () => {
        const { items } = await send('GET', '/v1/dead-letters?service=gateway')
        return items.length >= count ? items : undefined
      },
      WAIT_MS,
    )
  const requestedOf = async (runId: string): Promise<readonly Event[]> => {
    const { partitions } = await platform.bus.describe(TOPICS.events)
    const filled = partitions.filter(({ first, next }) => first < next)
    const read = filled.map(({ partition, first, next }) =>
      platform.bus.read({ topic: TOPICS.events, partition, offset: first, limit: next - first }),
    )
    return (await Promise.all(read))
      .flat()
      .map((record) => decodeEvent(record))
      .filter(({ subject }) => subject === runId)
  }
  const request = (id: string, amount: unknown) =>
    platform.bus.publish([
      {
        topic: TOPICS.requests,
        key: id,
        value: Buffer.from(JSON.stringify({ id, flow: 'shop/order', input: { amount } })),
        headers: {},
      },
    ])

  it('what fails again comes back with its past; mended it becomes the run it was asked for as', async () => {
    await request('order-1', '5 EUR')
    const [first] = await lettersOf(1)
    await request('order-2', '7 EUR')
    await lettersOf(2)
    const { items: groups } = await send('GET', '/v1/dead-letters/groups')
    expect(groups).toMatchObject([{ count: 2, code: 'input.invalid', services: ['gateway'] }])

    const again = await send('POST', '/v1/dead-letters:redrive?wait=30s', { where: 'data.id == "order-1"', by: 'ada' })
    expect(again).toMatchObject({ matched: 1, redriven: 1, letters: [first?.id] })
    const back = await until('the letter to come back', async () =>
      (await send('GET', '/v1/dead-letters?service=gateway')).items.find(({ redrives }) => redrives === 1),
    )
    const shown = await send('GET', `/v1/dead-letters/${back.id}`)
    const before = await send('GET', `/v1/dead-letters/${String(first?.id)}`)
    expect(shown).toMatchObject({ fingerprint: first?.fingerprint, redriveId: again['jobId'], first: before['first'] })
    expect([before['history'], shown['history']].map((tries) => (Array.isArray(tries) ? tries.length : 0))).toEqual([1, 2])

    const mended = await send('POST', '/v1/dead-letters:redrive?wait=30s', {
      ids: [back.id],
      edit: { patch: { input: { amount: 5 } } },
      by: 'ada',
    })
    expect(mended).toMatchObject({ redriven: 1, changes: [{ at: 'body.input.amount', before: '"5 EUR"', after: '5' }] })
    const runId = runIdOf({ tenant: 'default', source: 'kafka', requestId: 'order-1' })
    const requested = await until('the run', async () => {
      const events = await requestedOf(runId)
      return events.length > 0 ? events : undefined
    })
    expect(requested).toMatchObject([{ name: 'run.requested', data: { input: { amount: 5 } } }])
  })

  it('Z1, L1: many go at their rate; when a gateway ends another goes on, and each is sent once', async () => {
    const letter = (n: number) =>
      encodeFailure(
        deadLetterTopic('tools'),
        { key: `run_${n}`, value: Buffer.from(JSON.stringify({ n })), headers: { ce_id: `run_${n}/a/1`, ce_tenant: 'many' } },
        {
          origin: { topic: commandTopic('tools'), partition: 0, offset: n, timestampMs: 1 },
          attempts: 4,
          stage: 2,
          fault: { code: 'tool.failed', message: `office ${n} is closed` },
        },
      )
    await platform.bus.publish(Array.from({ length: 300 }, (_, n) => letter(n)))
    const begun = await send('POST', '/v1/dead-letters:redrive?wait=1ms', {
      where: 'tenant == "many" && data.n < 250',
      ratePerSecond: 100,
    })
    const path = `/v1/jobs/${String(begun['jobId'])}`
    await until('some to be sent', async () => (Number((await send('GET', path))['done']) > 0 ? true : undefined))
    await gateways.shift()?.close({ graceMs: 1_000 })
    gateways.push(await start(platform, {}))
    const ended = await until(
      'the end of the job',
      async () => {
        const job = await send('GET', path)
        return job['status'] === 'running' ? undefined : job
      },
      WAIT_MS,
    )
    expect(ended).toMatchObject({ status: 'completed', matched: 250, done: 250, failed: 0 })
    const { partitions } = await platform.bus.describe(commandTopic('tools'))
    const first = partitions.find(({ partition }) => partition === 0)?.first ?? 0
    const sent = await platform.bus.read({ topic: commandTopic('tools'), partition: 0, offset: first, limit: 1_000 })
    const keys = sent.filter(({ headers }) => headers['x-redrive-id'] === begun['jobId']).map(({ key }) => key)
    expect(keys).toEqual(Array.from({ length: 250 }, (_, n) => `run_${n}`))
    expect((await send('GET', '/v1/dead-letters?service=tools&limit=200')).items).toHaveLength(50)
  })
})
