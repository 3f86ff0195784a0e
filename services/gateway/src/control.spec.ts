// Control of runs as the gateway does it: what it appends to the log, what it refuses, and jobs over many runs (F5).
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { openEmbeddedBus } from '@baton/bus'
import { decodeEvent, partitionOf, runIdOf, TOPICS, topicManifest, type Event } from '@baton/contracts'
import type { Platform, RunningService } from '@baton/service'
import { openPglite, openStore } from '@baton/store'
import { openTelemetry } from '@baton/telemetry'
import { start } from './gateway.ts'

const DESK = `flow: shop/desk@1.0.0
params:
  send: { type: number, default: 0.8, min: 0.5, max: 1 }
  wait: { type: duration, default: 5s }
input:
  text: string
  urgent: { type: boolean, default: false }
steps:
  - classify: Sort {{ input.text }}
  - route:
      switch:
        - { when: input.urgent, then: next }
        - { else: next }
  - answer: Answer {{ input.text }}
  - paid:
      wait: { event: paid, timeout: 2d }
      returns: { amount: number }
`
const PARTITIONS = 3

type Row = {
  readonly runId: string
  readonly status: string
  readonly requestedAtMs: number
  readonly rootRunId?: string
  readonly parentRunId?: string
  readonly label?: string
}

let dataDir: string
let platform: Platform
let gateway: RunningService
/** Runs as tracing would list them. */
const runs = new Map<string, Row>()
/** Answers of the list before it works. */
let trouble: number[] = []
/** Tracing, as far as the gateway asks it: one run, and pages of the list. */
const tracing: Platform['call'] = async ({ path }) => {
  const url = new URL(path, 'http://tracing')
  const answer = (status: number, body: unknown) => ({ status, body: JSON.stringify(body), contentType: 'application/json' })
  const id = /^\/v1\/runs\/(.+)$/.exec(url.pathname)?.[1]
  if (id !== undefined) {
    const row = runs.get(decodeURIComponent(id))
    return row === undefined ? answer(404, {}) : answer(200, { flow: 'shop/desk', version: '1.0.0', ...row })
  }
  const problem = trouble.shift()
  if (problem !== undefined) return answer(problem, { code: 'request.malformed', detail: 'no' })
  const { status, label, cursor, limit } = Object.fromEntries(url.searchParams)
  const open = (row: Row): boolean => ['running', 'waiting', 'paused'].includes(row.status)
  const matching = [...runs.values()]
    .filter((row) => (status === 'open' ? open(row) : row.status === status) && (label === undefined || row.label === label))
    .toSorted((left, right) => right.requestedAtMs - left.requestedAtMs)
    .filter((row) => cursor === undefined || row.requestedAtMs < Number(cursor))
  const items = matching.slice(0, Math.min(Number(limit), 3))
  return answer(200, { items, nextCursor: items.length < 3 ? null : String(items.at(-1)?.requestedAtMs) })
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'baton-control-'))
  await mkdir(join(dataDir, 'flows', 'desk'), { recursive: true })
  await writeFile(join(dataDir, 'flows', 'desk', 'flow.yaml'), DESK)
  const db = await openPglite()
  platform = {
    bus: await openEmbeddedBus({ dir: join(dataDir, 'log'), topics: topicManifest({ eventsPartitions: PARTITIONS }) }),
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
    call: tracing,
  }
  gateway = await start(platform, {})
}, 30_000)
afterAll(async () => {
  await gateway.close({ graceMs: 1_000 })
  await platform.bus.close()
  await platform.db.close()
  await rm(dataDir, { recursive: true, force: true })
})

type Answer = { readonly status: number; readonly body: Record<string, unknown> }
const send = async (method: 'GET' | 'POST' | 'PATCH', path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> => {
  const reply = await gateway.inject({
    method,
    path,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(headers === undefined ? {} : { headers }),
  })
  return { status: reply.status, body: JSON.parse(reply.body) }
}
const post = (path: string, body: unknown = {}, headers?: Record<string, string>): Promise<Answer> => send('POST', path, body, headers)
let names = 0
const runIn = (status: string, more: Partial<Row> = {}): string => {
  const runId = `run_${++names}`
  runs.set(runId, { runId, status, requestedAtMs: names, ...more })
  return runId
}
const log = async (): Promise<readonly (Event & { readonly partition: number })[]> => {
  const { partitions } = await platform.bus.describe(TOPICS.events)
  const read = partitions.map(({ partition, first }) =>
    platform.bus.read({ topic: TOPICS.events, partition, offset: first, limit: 10_000 }),
  )
  return (await Promise.all(read)).flat().map((record) => ({ ...decodeEvent(record), partition: record.partition }))
}
const eventsOf = async (runId: string) => (await log()).filter(({ subject }) => subject === runId)

describe('control of one run', () => {
  it.each([
    ['cancel', 'running', { by: 'ada', reason: 'sent twice', undo: false }, { reason: 'sent twice', undo: false }, 'cancelling'],
    ['pause', 'waiting', { by: 'ada', reason: 'wait for it' }, { reason: 'wait for it' }, 'pausing'],
    ['resume', 'paused', { by: 'ada' }, {}, 'resuming'],
  ])('V1: %s is appended to the log of the run, with who asked', async (action, status, body, data, answer) => {
    const runId = runIn(status)
    expect(await post(`/v1/runs/${runId}:${action}`, body)).toEqual({ status: 202, body: { runId, status: answer } })
    expect(await eventsOf(runId)).toMatchObject([
      { name: `run.${action}`, data: { runId, by: 'ada', ...data }, partition: partitionOf(runId, PARTITIONS) },
    ])
  })

  it('V1: who asks over HTTP and says no name is http', async () => {
    const runId = runIn('running')
    await post(`/v1/runs/${runId}:pause`)
    expect(await eventsOf(runId)).toMatchObject([{ data: { by: 'http' } }])
  })

  it('U2: a run inside a tree is changed on the partition of the first run of the tree', async () => {
    const roots = Array.from({ length: 8 }, (_, index) => `root_${index}`)
    for (const rootRunId of roots) {
      const runId = runIn('running', { rootRunId })
      await post(`/v1/runs/${runId}:cancel`)
      expect(await eventsOf(runId)).toMatchObject([{ subject: runId, partition: partitionOf(rootRunId, PARTITIONS) }])
    }
  })

  it('L8, V2: a retry is a run of its own; the same key asks for the same one', async () => {
    const runId = runIn('failed')
    const newRunId = runIdOf({ tenant: 'default', source: 'retry', requestId: `${runId}/k1` })
    const first = await post(`/v1/runs/${runId}:retry`, { by: 'ada', from: 'answer' }, { 'idempotency-key': 'k1' })
    expect(first).toMatchObject({ status: 202, body: { runId: newRunId, retryOf: runId } })
    expect((await post(`/v1/runs/${runId}:retry`, {}, { 'idempotency-key': 'k1' })).body['runId']).toBe(newRunId)
    expect((await post(`/v1/runs/${runId}:retry`)).body['runId']).not.toBe(newRunId)
    const events = await eventsOf(runId)
    expect(events[0]).toMatchObject({ name: 'run.retry', data: { by: 'ada', newRunId, from: 'answer', requestId: `${runId}/k1` } })
    expect(events[1]?.id).toBe(events[0]?.id)
  })

  it('a retry from a step that is not there is refused with the one that was meant', async () => {
    const refused = await post(`/v1/runs/${runIn('failed')}:retry`, { from: 'anser' })
    expect(refused).toMatchObject({ status: 422, body: { code: 'step.unknown', field: 'from' } })
    expect(refused.body['detail']).toContain('did you mean "answer"')
    expect((await post(`/v1/runs/${runIn('failed')}:retry`, { from: 'route/else' })).body['detail']).toContain('inside of route')
  })

  it.each([
    ['retry', 'running', 'run.not_ended'],
    ['resume', 'running', 'run.not_paused'],
    ['resume', 'completed', 'run.not_paused'],
    ['pause', 'failed', 'run.ended'],
  ])('%s of a run that is %s is refused: %s', async (action, status, code) => {
    const runId = runIn(status)
    expect(await post(`/v1/runs/${runId}:${action}`)).toMatchObject({ status: 409, body: { code } })
    expect(await eventsOf(runId)).toEqual([])
  })

  it('U1: a run that was paused a moment ago can be resumed, although tracing has not heard of it yet', async () => {
    const runId = runIn('running')
    setTimeout(() => runs.set(runId, { runId, status: 'paused', requestedAtMs: 0 }), 30)
    expect(await post(`/v1/runs/${runId}:resume`)).toMatchObject({ status: 202 })
  })

  it('F5: cancelling what has ended is no mistake; a run that nobody knows is', async () => {
    expect(await post(`/v1/runs/${runIn('completed')}:cancel`)).toMatchObject({ status: 202 })
    expect(await post('/v1/runs/run_none:cancel')).toMatchObject({ status: 404 })
    expect(await post(`/v1/runs/${runIn('running')}:explode`)).toMatchObject({ status: 404 })
  })
})

describe('a patch of a paused run', () => {
  const patch = (runId: string, body: unknown): Promise<Answer> => send('PATCH', `/v1/runs/${runId}`, body)

  it('W1, W2: names fields that change; durations travel as the engine keeps them', async () => {
    const runId = runIn('paused')
    const body = { by: 'ada', input: { urgent: true }, params: { send: 0.9, wait: '10s' } }
    expect(await patch(runId, body)).toEqual({ status: 202, body: { runId, status: 'patching' } })
    expect(await eventsOf(runId)).toMatchObject([
      { name: 'run.patch', data: { runId, by: 'ada', input: { urgent: true }, params: { send: 0.9, wait: 10_000 } } },
    ])
    const [event] = await eventsOf(runId)
    expect(event?.name === 'run.patch' && event.data.input).toEqual({ urgent: true })
  })

  it.each([
    [{ params: { send: 0.2 } }, 422, 'params.invalid', 'params.send'],
    [{ params: { sned: 0.9 } }, 422, 'params.invalid', 'params.sned'],
    [{ input: { urgent: 'yes' } }, 422, 'input.invalid', 'input.urgent'],
    [{ input: { txet: 'hi' } }, 422, 'input.invalid', 'input.txet'],
    [{ by: 'ada' }, 400, 'request.malformed', 'input'],
    [{ input: { text: 'x'.repeat(5_000) } }, 413, 'request.too_large', '(root)'],
  ])('W1, W2: %# is refused with its field', async (body, status, code, field) => {
    const runId = runIn('paused')
    expect(await patch(runId, body)).toMatchObject({ status, body: { code, field } })
    expect(await eventsOf(runId)).toEqual([])
  })

  it('is refused while the run is not paused', async () => {
    expect(await patch(runIn('running'), { input: { urgent: true } })).toMatchObject({ status: 409, body: { code: 'run.not_paused' } })
  })
})

describe('events from outside', () => {
  it('reach the run with their data; the same event twice has one id', async () => {
    const runId = runIn('waiting')
    const path = `/v1/runs/${runId}/events`
    expect(await post(path, { event: 'payment/confirmed', data: { amount: 12 }, id: 'bank-88', by: 'bank' })).toEqual({
      status: 202,
      body: { runId, eventId: 'bank-88' },
    })
    expect((await post(path, { event: 'payment/confirmed' }, { 'idempotency-key': 'k' })).body).toMatchObject({ eventId: 'k' })
    expect((await post(path, { event: 'payment/confirmed' })).body['eventId']).toMatch(/^[0-9a-f-]{36}$/)
    const events = await eventsOf(runId)
    expect(events[0]).toMatchObject({
      id: `${runId}/event/bank-88`,
      name: 'run.event',
      data: { eventId: 'bank-88', event: 'payment/confirmed', data: { amount: 12 }, by: 'bank' },
    })
    expect(events[1]).toMatchObject({ data: { eventId: 'k', data: null, by: 'http' } })
  })

  it('V5: data that the waiting step does not take is refused with its field, and is not on the log', async () => {
    const runId = runIn('waiting')
    const refused = await post(`/v1/runs/${runId}/events`, { event: 'paid', data: { amount: 'much' } })
    expect(refused).toMatchObject({ status: 422, body: { code: 'input.invalid', field: 'data.amount' } })
    expect(await eventsOf(runId)).toEqual([])
    expect(await post(`/v1/runs/${runId}/events`, { event: 'paid', data: { amount: 12 } })).toMatchObject({ status: 202 })
  })

  it('without a name, or for a run that has ended, are refused', async () => {
    expect(await post(`/v1/runs/${runIn('waiting')}/events`, {})).toMatchObject({ status: 400, body: { field: 'event' } })
    expect(await post(`/v1/runs/${runIn('failed')}/events`, { event: 'x' })).toMatchObject({ status: 409, body: { code: 'run.ended' } })
  })
})

describe('control by query', () => {
  const ended = async (jobId: unknown): Promise<Record<string, unknown>> => {
    for (;;) {
      const { body } = await send('GET', `/v1/jobs/${String(jobId)}`)
      if (body['status'] !== 'running') return body
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  const done = async (action: string, body: unknown): Promise<Record<string, unknown>> => {
    const begun = await post(`/v1/runs:${action}`, body)
    expect(begun).toMatchObject({ status: 202, body: { jobId: expect.any(String) } })
    return ended(begun.body['jobId'])
  }
  const changed = async (name: string, ids: readonly string[]): Promise<readonly string[]> =>
    (await log()).filter((event) => event.name === name && ids.includes(event.subject)).map(({ subject }) => subject)

  it('F5: changes every run of the query once, page by page, and says how many', async () => {
    const ids = Array.from({ length: 8 }, () => runIn('running', { label: 'batch:a' }))
    runIn('completed', { label: 'batch:a' })
    const job = await done('cancel', { where: { label: 'batch:a' }, by: 'ada', reason: 'wrong batch', ratePerSecond: 1_000 })
    expect(job).toMatchObject({ action: 'cancel', status: 'completed', matched: 8, done: 8, failed: 0, by: 'ada', fault: null })
    expect((await changed('run.cancel', ids)).toSorted()).toEqual(ids.toSorted())
    expect(await eventsOf(ids[0] ?? '')).toMatchObject([{ data: { by: 'ada', reason: 'wrong batch' } }])
  })

  it('a dry run counts and changes nothing; a limit takes the newest', async () => {
    const ids = Array.from({ length: 5 }, () => runIn('failed', { label: 'batch:b' }))
    expect(await done('retry', { where: { label: 'batch:b' }, dryRun: true })).toMatchObject({ matched: 5, done: 0, dryRun: true })
    expect(await changed('run.retry', ids)).toEqual([])
    expect(await done('retry', { where: { label: 'batch:b' }, limitRuns: 2 })).toMatchObject({ matched: 2, done: 2 })
    expect((await changed('run.retry', ids)).toSorted()).toEqual(ids.slice(-2).toSorted())
  })

  it('takes the runs between two times, and paused ones only to resume', async () => {
    const [first, , third = ''] = Array.from({ length: 4 }, () => runIn('paused', { label: 'batch:c' }))
    runIn('running', { label: 'batch:c' })
    const at = (id = ''): number => runs.get(id)?.requestedAtMs ?? 0
    const where = { label: 'batch:c', startedAfter: at(first) + 1, startedBefore: new Date(at(third) + 1).toISOString() }
    expect(await done('resume', { where })).toMatchObject({ matched: 2, done: 2 })
  })

  it('runs that a step started are paused with the others, and run again with theirs only', async () => {
    const parent = runIn('failed', { label: 'batch:f' })
    const child = runIn('failed', { label: 'batch:f', parentRunId: parent, rootRunId: parent })
    const again = runIn('failed', { label: 'batch:f', rootRunId: 'run_first' })
    expect(await done('retry', { where: { label: 'batch:f' } })).toMatchObject({ matched: 2 })
    expect((await changed('run.retry', [parent, child, again])).toSorted()).toEqual([parent, again].toSorted())
    const open = runIn('running', { label: 'batch:g', parentRunId: parent, rootRunId: parent })
    expect(await done('pause', { where: { label: 'batch:g' } })).toMatchObject({ matched: 1 })
    expect(await eventsOf(open)).toMatchObject([{ partition: partitionOf(parent, PARTITIONS) }])
  })

  it('Y1: takes the runs that were there when it began', async () => {
    runIn('running', { label: 'batch:i' })
    runIn('running', { label: 'batch:i', requestedAtMs: Date.now() + 3_600_000 })
    expect(await done('cancel', { where: { label: 'batch:i' } })).toMatchObject({ matched: 1, done: 1 })
  })

  it('Y2: what was found is done once, although the list says something else by then', async () => {
    const ids = Array.from({ length: 3 }, () => runIn('running', { label: 'batch:j' }))
    const { jobId } = (await post('/v1/runs:cancel', { where: { label: 'batch:j' }, ratePerSecond: 5 })).body
    while ((await send('GET', `/v1/jobs/${String(jobId)}`)).body['done'] === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    for (const runId of ids) runs.delete(runId)
    await gateway.close({ graceMs: 1_000 })
    gateway = await start(platform, {})
    expect(await ended(jobId)).toMatchObject({ status: 'completed', matched: 3, done: 3 })
    expect((await changed('run.cancel', ids)).toSorted()).toEqual(ids.toSorted())
  })

  it('Z3: waits while tracing is away; what tracing refuses fails the job with its reason', async () => {
    runIn('running', { label: 'batch:h' })
    trouble = [503, 503]
    expect(await done('cancel', { where: { label: 'batch:h' } })).toMatchObject({ status: 'completed', matched: 1, done: 1 })
    trouble = [400]
    expect(await done('cancel', { where: { label: 'batch:h' } })).toMatchObject({ status: 'failed', fault: { code: 'request.malformed' } })
  })

  it.each([
    [{ where: { flwo: 'a/b' } }, 'where'],
    [{}, 'where'],
    [{ where: { status: 'running' } }, 'where.status'],
  ])('a query that is misspelt or cannot be meant is refused: %j', async (body, field) => {
    expect(await post('/v1/runs:retry', body)).toMatchObject({ status: 400, body: { code: 'request.malformed', field } })
  })

  it('Z2: a job is listed, keeps to its rate until it is cancelled, and is one for the same key', async () => {
    for (let index = 0; index < 4; index++) runIn('running', { label: 'batch:d' })
    const slow = { where: { label: 'batch:d' }, ratePerSecond: 0.5 }
    const key = { 'idempotency-key': `key-${names}` }
    const { jobId } = (await post('/v1/runs:pause', slow, key)).body
    expect((await post('/v1/runs:pause', slow, key)).body).toEqual({ jobId })
    expect(await post('/v1/runs:pause', { where: {} }, key)).toMatchObject({ status: 409, body: { code: 'request.conflicting' } })
    expect(await post(`/v1/jobs/${String(jobId)}:cancel`)).toMatchObject({ status: 200, body: { status: 'cancelled' } })
    expect((await send('GET', '/v1/jobs?limit=1')).body).toMatchObject({
      items: [{ jobId, action: 'pause' }],
      nextCursor: expect.any(String),
    })
    expect(await send('GET', '/v1/jobs/none')).toMatchObject({ status: 404 })
    expect((await ended(jobId))['done']).toBeLessThan(4)
  })

  it('Z2: a job that is paused rests, and goes on where it was', async () => {
    for (let n = 0; n < 4; n++) runIn('running', { label: 'rest:1' })
    const { body } = await post('/v1/runs:pause', { where: { label: 'rest:1' }, ratePerSecond: 5 })
    const path = `/v1/jobs/${String(body['jobId'])}`
    while ((await send('GET', path)).body['done'] === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    expect(await post(`${path}:pause`)).toMatchObject({ status: 200, body: { status: 'paused' } })
    const { done } = (await send('GET', path)).body
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect((await send('GET', path)).body).toMatchObject({ status: 'paused', endedAtMs: null })
    expect(Number((await send('GET', path)).body['done']) - Number(done)).toBeLessThanOrEqual(1)
    expect(await post(`${path}:resume`)).toMatchObject({ body: { status: 'running' } })
    while ((await send('GET', path)).body['status'] === 'running') await new Promise((resolve) => setTimeout(resolve, 20))
    expect((await send('GET', path)).body).toMatchObject({ status: 'completed', matched: 4, done: 4 })
    expect(await post(`${path}:explode`)).toMatchObject({ status: 404 })
  })

  it('Z1: two gateways do a job once, and one goes on where another stopped', async () => {
    const ids = Array.from({ length: 12 }, () => runIn('running', { label: 'batch:e' }))
    const other = await start(platform, {})
    const { jobId } = (await post('/v1/runs:cancel', { where: { label: 'batch:e' }, ratePerSecond: 20 })).body
    await new Promise((resolve) => setTimeout(resolve, 100))
    await gateway.close({ graceMs: 1_000 })
    gateway = other
    expect(await ended(jobId)).toMatchObject({ matched: 12, done: 12 })
    expect((await changed('run.cancel', ids)).toSorted()).toEqual(ids.toSorted())
  })
})
