import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { encodeFailure, openEmbeddedBus } from '@baton/bus'
import type { BusRecord } from '@baton/bus/bus'
import { deadLetterTopic, decodeEvent, encodeEvent, TOPICS, topicManifest, type Event, type RunResult } from '@baton/contracts'
import type { Platform, RunningService } from '@baton/service'
import { openPglite, openStore } from '@baton/store'
import { openTelemetry } from '@baton/telemetry'
import { start } from './gateway.ts'

const FLOW = `flow: demo/echo@1.0.0
input:
  text: string
steps:
  - answer: Say {{ input.text }}
`

let dataDir: string
let platform: Platform
let gateway: RunningService
/** What other services would answer, by path. */
const answers = new Map<string, { status: number; body: string }>()

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'baton-gateway-'))
  for (const [name, text] of [
    ['echo', FLOW],
    ['broken', 'steps: 1\n'],
    ['empty', ''],
  ] as const) {
    await mkdir(join(dataDir, 'flows', name), { recursive: true })
    if (text !== '') await writeFile(join(dataDir, 'flows', name, 'flow.yaml'), text)
  }
  const bus = await openEmbeddedBus({ dir: join(dataDir, 'log'), topics: topicManifest({ eventsPartitions: 3 }) })
  const db = await openPglite()
  platform = {
    bus,
    db,
    stores: await openStore(db),
    telemetry: openTelemetry({ service: 'spec', level: 'silent' }),
    config: {
      topicPrefix: '',
      flowsDir: join(dataDir, 'flows'),
      configDir: dataDir,
      dataDir,
      embedded: true,
      drainMs: 1_000,
      requestBytesMax: 65_536,
      inlineBytesMax: 4_096,
    },
    nowMs: Date.now,
    call: ({ service, path }) =>
      Promise.resolve({ contentType: 'application/json', ...(answers.get(`${service}${path}`) ?? { status: 404, body: '{}' }) }),
  }
  gateway = await start(platform, {})
}, 30_000)
afterAll(async () => {
  await gateway.close({ graceMs: 1_000 })
  await platform.bus.close()
  await platform.db.close()
  await rm(dataDir, { recursive: true, force: true })
})

const records = async (topic: string): Promise<readonly BusRecord[]> => {
  const { partitions } = await platform.bus.describe(topic)
  return (
    await Promise.all(partitions.map(({ partition, first }) => platform.bus.read({ topic, partition, offset: first, limit: 1_000 })))
  ).flat()
}
const eventsOf = async (topic: string, holds: (event: Event) => boolean, count = 1): Promise<readonly Event[]> => {
  for (;;) {
    const found = (await records(topic)).map(decodeEvent).filter(holds)
    if (found.length >= count) return found
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
const publish = (value: string, headers: Record<string, string> = {}) =>
  platform.bus.publish([{ topic: TOPICS.requests, key: 'k', value: Buffer.from(value), headers }])
const post = (path: string, body: unknown, headers?: Record<string, string>) =>
  gateway.inject({ method: 'POST', path, body: JSON.stringify(body), ...(headers === undefined ? {} : { headers }) })
const resultOf = (requestId: string, runId: string): RunResult => ({
  requestId,
  runId,
  flow: 'demo/echo',
  version: '1.0.0',
  status: 'completed',
  output: 'hi',
  metrics: { latencyMs: 1, costUsd: 0, steps: 1, escalated: false },
})
/** What routing would do at the end of a run. */
const finish = async (requestId: string): Promise<void> => {
  const [event] = await eventsOf(TOPICS.events, ({ correlationId }) => correlationId === requestId)
  const runId = event?.subject ?? ''
  await platform.bus.publish([
    {
      topic: TOPICS.results,
      ...encodeEvent({
        id: `${runId}/9`,
        source: '/baton/routing',
        subject: runId,
        tenant: 'default',
        name: 'run.completed',
        data: resultOf(requestId, runId),
      }),
    },
  ])
}

describe('requests on the topic', () => {
  it('I1, G4: become the first record of a run with everything pinned', async () => {
    await publish('{"id":"t1","flow":"demo/echo","input":{"text":"hello"},"priority":"high","labels":{"shop":"eu"}}')
    const [event] = await eventsOf(TOPICS.events, ({ correlationId }) => correlationId === 't1')
    expect(event).toMatchObject({
      name: 'run.requested',
      data: {
        requestId: 't1',
        flow: 'demo/echo',
        version: '1.0.0',
        engineVersion: 4,
        params: {},
        input: { text: 'hello' },
        priority: 'high',
        labels: { shop: 'eu' },
        source: 'kafka',
        repeat: false,
      },
    })
  })

  it('G3: are started once; a repeat is marked as one', async () => {
    await publish('{"id":"t2","flow":"demo/echo","input":{"text":"a"}}')
    await publish('{"flow":"demo/echo","id":"t2","input":{"text":"a"}}')
    const events = await eventsOf(TOPICS.events, ({ correlationId }) => correlationId === 't2', 2)
    expect(events.map((event) => event.name === 'run.requested' && event.data.repeat)).toEqual([false, true])
    expect(new Set(events.map(({ subject }) => subject)).size).toBe(1)
  })

  it.each([
    ['not JSON', '{"id":"r1","flow":', 'baton.requests', 'request.malformed'],
    ['without a flow', '{"id":"r2","input":1}', 'r2', 'request.malformed'],
    ['for a flow that is not there', '{"id":"r3","flow":"demo/nothing","input":1}', 'r3', 'flow.unknown'],
    ['for a flow with mistakes', '{"id":"r4","flow":"local/broken","input":1}', 'r4', 'flow.unknown'],
    ['with input that does not fit', '{"id":"r5","flow":"demo/echo","input":{"text":1}}', 'r5', 'input.invalid'],
    ['that are too large', JSON.stringify({ id: 'r6', flow: 'demo/echo', input: { text: 'x'.repeat(70_000) } }), 'r6', 'request.too_large'],
    ['with an id that had another body', '{"id":"t2","flow":"demo/echo","input":{"text":"b"}}', 't2', 'request.conflicting'],
  ])('G5, G2: %s are answered with the reason, their bytes kept', async (_case, value, correlation, code) => {
    await publish(value)
    const [event] = await eventsOf(
      TOPICS.results,
      ({ name, correlationId }) => name === 'run.rejected' && correlationId?.startsWith(correlation) === true,
    )
    expect(event).toMatchObject({ name: 'run.rejected', data: { status: 'rejected', fault: { code } } })
    const kept = async (): Promise<boolean> =>
      (await records(deadLetterTopic('gateway'))).some((record) => record.value.toString() === value)
    while (!(await kept())) await new Promise((resolve) => setTimeout(resolve, 10))
  })

  it('G5: go on behind a bad one', async () => {
    await publish('{')
    await publish('{"id":"t3","flow":"demo/echo","input":{"text":"after"}}')
    expect(await eventsOf(TOPICS.events, ({ correlationId }) => correlationId === 't3')).toHaveLength(1)
  })

  it('F8: with a large input keep it in the payload store', async () => {
    await publish(JSON.stringify({ id: 't4', flow: 'demo/echo', input: { text: 'x'.repeat(10_000), lang: 'en' } }))
    const [event] = await eventsOf(TOPICS.events, ({ correlationId }) => correlationId === 't4')
    const data = event?.name === 'run.requested' ? event.data : undefined
    expect(data?.input).toEqual({ lang: 'en' })
    expect(data?.inputRef?.sizeBytes).toBeGreaterThan(10_000)
  })
})

describe('requests over HTTP', () => {
  it('C11: may bring a picture first, which is kept once for its tenant and answered as what a flow takes', async () => {
    const picture = Buffer.from('bytes of a picture')
    const file = { mediaType: 'image/png', base64: picture.toString('base64') }
    const replies = await Promise.all([post('/v1/payloads', file), post('/v1/payloads', file)])
    expect(replies.map(({ status }) => status)).toEqual([201, 201])
    const [first, again] = replies.map(({ body }): unknown => JSON.parse(body))
    expect(first).toEqual({ ref: expect.stringMatching(/^[0-9a-f]{64}$/), mediaType: 'image/png', bytes: picture.length })
    expect(again).toEqual(first)
    const { ref: sha256 } = first as { ref: string } // as was just looked at
    expect((await platform.stores.payloads.get({ tenant: 'default', sha256 })).content).toEqual(picture)
    await expect(platform.stores.payloads.get({ tenant: 'acme', sha256 })).rejects.toMatchObject({ code: 'payload.missing' })
    expect((await post('/v1/payloads', { mediaType: 'image/png', base64: 'not base64!' })).status).toBe(400)
    expect((await post('/v1/payloads', { ...file, mediaType: 'picture' })).status).toBe(400)
  })

  it('I2: are accepted with the id of their run', async () => {
    const reply = await post('/v1/runs', { flow: 'demo/echo@stable', input: { text: 'hi' } }, { 'idempotency-key': 'h1' })
    expect(reply.status).toBe(202)
    const { runId, requestId } = JSON.parse(reply.body)
    expect(requestId).toBe('h1')
    expect(await eventsOf(TOPICS.events, ({ subject }) => subject === runId)).toHaveLength(1)
  })
  it('G7: wait for the result when asked to', async () => {
    const reply = post('/v1/runs?wait=10s', { id: 'h2', flow: 'demo/echo', input: { text: 'hi' } })
    await finish('h2')
    expect(await reply).toMatchObject({ status: 200 })
    expect(JSON.parse((await reply).body)).toMatchObject({ requestId: 'h2', status: 'completed', output: 'hi' })
  })
  it('G6: say so when the wait was not enough', async () => {
    const reply = await post('/v1/runs?wait=50ms', { id: 'h3', flow: 'demo/echo', input: { text: 'hi' } })
    expect(reply.status).toBe(202)
    expect(JSON.parse(reply.body)).toMatchObject({ requestId: 'h3', repeat: false })
  })
  it('L6: repeats answer with the first result, from the trace when it is long past', async () => {
    const first = JSON.parse((await post('/v1/runs', { id: 'h4', flow: 'demo/echo', input: { text: 'hi' } })).body)
    answers.set(`tracing/v1/runs/${first.runId}`, {
      status: 200,
      body: JSON.stringify({ runId: first.runId, result: resultOf('h4', first.runId) }),
    })
    const again = await post('/v1/runs?wait=5s', { id: 'h4', flow: 'demo/echo', input: { text: 'hi' } })
    expect(again.status).toBe(200)
    expect(JSON.parse(again.body)).toMatchObject({ runId: first.runId, output: 'hi' })
  })
  it.each([
    [{ input: 1 }, 400, 'request.malformed', 'flow'],
    [{ flow: 'demo/echo', input: {} }, 422, 'input.invalid', 'input.text'],
    [{ flow: 'demo/none', input: {} }, 404, 'flow.unknown', 'flow'],
    [{ flow: 'demo/echo', input: { text: 'x'.repeat(70_000) } }, 413, 'request.too_large', '(root)'],
    [{ id: 'h4', flow: 'demo/echo', input: { text: 'other' } }, 409, 'request.conflicting', 'id'],
  ])('G2: %# refuse with a problem that names the field', async (body, status, code, field) => {
    const reply = await post('/v1/runs', body)
    expect({ status: reply.status, ...JSON.parse(reply.body) }).toMatchObject({ status, code, field })
  })
  it('G10: find a run that was accepted a moment ago', async () => {
    setTimeout(() => answers.set('tracing/v1/runs/run_young', { status: 200, body: '{"runId":"run_young"}' }), 30)
    expect(await gateway.inject({ method: 'GET', path: '/v1/runs/run_young' })).toMatchObject({
      status: 200,
      body: '{"runId":"run_young"}',
    })
    expect((await gateway.inject({ method: 'GET', path: '/v1/runs/run_never' })).status).toBe(404)
  })
  it('F5: cancel a run that is known', async () => {
    answers.set('tracing/v1/runs/run_x', { status: 200, body: '{}' })
    expect((await post('/v1/runs/run_x:cancel', { by: 'jane', reason: 'wrong order' })).status).toBe(202)
    expect(await eventsOf(TOPICS.events, ({ subject }) => subject === 'run_x')).toMatchObject([
      { name: 'run.cancel', data: { by: 'jane', reason: 'wrong order' } },
    ])
    expect((await post('/v1/runs/run_y:cancel', {})).status).toBe(404)
    expect((await post('/v1/runs/run_x:explode', {})).status).toBe(404)
  })
})

describe('flows', () => {
  it('A14: of the flows folder are published at the start; one with mistakes does not keep the others back', async () => {
    const { items } = JSON.parse((await gateway.inject({ method: 'GET', path: '/v1/flows' })).body)
    expect(items).toMatchObject([{ flow: 'demo/echo', version: '1.0.0', aliases: ['stable'] }])
  })
  it('G1: are seen at once when published over HTTP', async () => {
    const flow = FLOW.replace('1.0.0', '2.0.0').replace('text: string', 'text: string\n  lang: string')
    const put = await gateway.inject({ method: 'PUT', path: '/v1/flows/demo/echo', body: JSON.stringify({ files: { 'flow.yaml': flow } }) })
    expect(JSON.parse(put.body)).toMatchObject({ flow: 'demo/echo', version: '2.0.0', changed: true })
    expect((await post('/v1/runs', { flow: 'demo/echo', input: { text: 'hi' } })).status).toBe(422)
    expect((await post('/v1/runs', { flow: 'demo/echo@1.0.0', input: { text: 'hi' } })).status).toBe(202)
    expect(JSON.parse((await gateway.inject({ method: 'GET', path: '/v1/flows/demo/echo?at=1.0.0' })).body)).toMatchObject({
      version: '1.0.0',
      plan: { flow: 'demo/echo' },
    })
  })
  it('A15: with mistakes are refused with every diagnostic, and so is another name or content', async () => {
    const put = async (path: string, flow: string) =>
      JSON.parse((await gateway.inject({ method: 'PUT', path, body: JSON.stringify({ files: { 'flow.yaml': flow } }) })).body)
    expect(await put('/v1/flows/demo/echo', 'steps: 1')).toMatchObject({
      code: 'flow.invalid',
      detail: expect.stringContaining('flow.yaml:1:8'),
    })
    expect(await put('/v1/flows/demo/other', FLOW)).toMatchObject({ code: 'request.conflicting' })
    expect(await put('/v1/flows/demo/echo', FLOW.replace('Say', 'Shout'))).toMatchObject({ code: 'request.conflicting' })
  })
})

describe('dead letters', () => {
  type Item = { service: string; offset: number; code: string; originTopic: string; redriven: boolean }
  const list = async (query: string): Promise<{ items: Item[]; nextCursor: string | null }> =>
    JSON.parse((await gateway.inject({ method: 'GET', path: `/v1/dead-letters${query}` })).body)

  it('F4, R8: are listed with their reason, page by page, and shown with their bytes', async () => {
    const all = await list('?service=gateway')
    expect(all.items.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['request.malformed', 'flow.unknown', 'input.invalid', 'request.too_large']),
    )
    const paged: Item[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await list(`?limit=3${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`)
      paged.push(...page.items)
      cursor = page.nextCursor
    }
    expect(paged).toEqual(all.items)
    const first = all.items[0]
    const shown = JSON.parse((await gateway.inject({ method: 'GET', path: `/v1/dead-letters/gateway/${first?.offset}` })).body)
    expect(shown).toMatchObject({ ...first, value: '{"id":"r1","flow":', origin: { topic: TOPICS.requests } })
    expect((await gateway.inject({ method: 'GET', path: '/v1/dead-letters/gateway/99999' })).status).toBe(404)
    expect((await list('?service=nobody')) as unknown).toMatchObject({ code: 'request.malformed', field: 'service' })
  })

  it('F4: are redriven to where they failed, once the cause is gone', async () => {
    const letter = (await list('?service=gateway')).items.find(({ code }) => code === 'flow.unknown')
    const flow = FLOW.replace('demo/echo@1.0.0', 'demo/nothing@1.0.0')
      .replace('input:\n  text: string\n', '')
      .replace('{{ input.text }}', 'it')
    const put = await gateway.inject({
      method: 'PUT',
      path: '/v1/flows/demo/nothing',
      body: JSON.stringify({ files: { 'flow.yaml': flow } }),
    })
    expect(put.status).toBe(200)
    const redrive = { service: 'gateway', offsets: [letter?.offset] }
    expect(JSON.parse((await post('/v1/dead-letters:redrive', { ...redrive, dryRun: true })).body)).toMatchObject({
      matched: 1,
      redriven: 0,
    })
    expect(JSON.parse((await post('/v1/dead-letters:redrive', redrive)).body)).toMatchObject({ matched: 1, redriven: 1, refused: [] })
    expect(await eventsOf(TOPICS.events, ({ correlationId }) => correlationId === 'r3')).toMatchObject([
      { name: 'run.requested', data: { flow: 'demo/nothing' } },
    ])
    expect((await list('?service=gateway')).items.map(({ offset }) => offset)).not.toContain(letter?.offset)
  })

  it('G9: are not redriven when their run has ended', async () => {
    const failure = {
      origin: { topic: 'baton.models.commands', partition: 0, offset: 7, timestampMs: 0 },
      attempts: 4,
      stage: 2,
      fault: { code: 'model.unavailable', message: 'down' },
    } as const
    await platform.bus.publish([
      encodeFailure(deadLetterTopic('models'), { key: 'run_over', value: Buffer.from('{}'), headers: {} }, failure),
    ])
    answers.set('tracing/v1/runs/run_over', { status: 200, body: '{"status":"failed"}' })
    const answer = JSON.parse((await post('/v1/dead-letters:redrive', { service: 'models', all: true })).body)
    expect(answer).toMatchObject({
      matched: 0,
      redriven: 0,
      refused: [{ offset: 0, reason: expect.stringContaining('run_over has ended') }],
    })
    expect((await post('/v1/dead-letters:redrive', { service: 'models' })).status).toBe(400)
  })
})

describe('events of a run', () => {
  it('G8, I2: stream what is there, then what comes, and end with the run', async () => {
    const journal = (seq: number, name: 'journal.step.decided' | 'journal.run.ended') => {
      const common = { runId: 'run_s', tenant: 'default', seq, atMs: 0 }
      const wire =
        name === 'journal.step.decided'
          ? encodeEvent({
              id: `run_s/${seq}`,
              source: '/baton/routing',
              subject: 'run_s',
              tenant: 'default',
              name,
              data: { ...common, path: 'a', nodeId: 'a', kind: 'switch', chosen: 'x' },
            })
          : encodeEvent({
              id: `run_s/${seq}`,
              source: '/baton/routing',
              subject: 'run_s',
              tenant: 'default',
              name,
              data: {
                ...common,
                flow: 'a/b',
                version: '1',
                status: 'completed',
                requestedAtMs: 0,
                latencyMs: 1,
                workingMs: 1,
                waitedMs: 0,
                costMicroUsd: 0,
                steps: 1,
                escalated: false,
              },
            })
      return platform.bus.publish([{ topic: TOPICS.journal, ...wire }])
    }
    await journal(1, 'journal.step.decided')
    const stream = gateway.inject({ method: 'GET', path: '/v1/runs/run_s/events' })
    await new Promise((resolve) => setTimeout(resolve, 50))
    await journal(2, 'journal.step.decided')
    await journal(3, 'journal.run.ended')
    const { body, contentType } = await stream
    expect(contentType).toBe('text/event-stream')
    expect([...body.matchAll(/"seq":(\d)/g)].map((match) => match[1])).toEqual(['1', '2', '3'])
    const resumed = await gateway.inject({
      method: 'GET',
      path: '/v1/runs/run_s/events',
      headers: { 'last-event-id': body.match(/id: (\d+)/)?.[1] ?? '' },
    })
    expect([...resumed.body.matchAll(/"seq":(\d)/g)].map((match) => match[1])).toEqual(['2', '3'])
  })
})
