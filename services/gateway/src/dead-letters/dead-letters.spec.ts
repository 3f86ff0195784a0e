// Dead letters as operators meet them: grouped, looked at, changed, sent again at a rate, put away (F4, R8).
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { encodeFailure, openEmbeddedBus } from '@baton/bus'
import type { BusRecord } from '@baton/bus/bus'
import { deadLetterTopic, topicManifest, type FaultCode, type ServiceName } from '@baton/contracts'
import type { Platform, RunningService } from '@baton/service'
import { openPglite, openStore } from '@baton/store'
import { openTelemetry, type Logger } from '@baton/telemetry'
import { start } from '../gateway.ts'

const COMMANDS = 'baton.tools.commands'
let dataDir: string
let platform: Platform
let gateway: RunningService
/** Lines of the log. */
const lines: { level: string; fields: Record<string, unknown>; message: string }[] = []
const logger: Logger = {
  debug: () => undefined,
  info: (fields, message) => void lines.push({ level: 'info', fields, message }),
  warn: (fields, message) => void lines.push({ level: 'warn', fields, message }),
  error: () => undefined,
  child: () => logger,
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'baton-letters-'))
  await mkdir(join(dataDir, 'flows'))
  const db = await openPglite()
  platform = {
    bus: await openEmbeddedBus({ dir: join(dataDir, 'log'), topics: topicManifest({ eventsPartitions: 3 }) }),
    db,
    stores: await openStore(db),
    telemetry: { ...openTelemetry({ service: 'spec', level: 'silent' }), logger },
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
    call: () => Promise.resolve({ status: 404, body: '{}', contentType: 'application/json' }),
  }
  gateway = await start(platform, {})
}, 30_000)
afterAll(async () => {
  await gateway.close({ graceMs: 1_000 })
  await platform.bus.close()
  await platform.db.close()
  await rm(dataDir, { recursive: true, force: true })
})

type Body = Record<string, unknown> & { readonly items: Record<string, unknown>[] }
const send = async (method: 'GET' | 'POST', path: string, body?: unknown): Promise<{ status: number; body: Body }> => {
  const reply = await gateway.inject({ method, path, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  return { status: reply.status, body: JSON.parse(reply.body) }
}
const get = (path: string) => send('GET', `/v1/dead-letters${path}`)
const redrive = (body: unknown, query = '') => send('POST', `/v1/dead-letters:redrive${query}`, body)

let count = 0
type Letter = {
  service?: ServiceName
  code?: FaultCode
  message?: string
  tenant?: string
  value?: string
  headers?: Record<string, string>
  frames?: string[]
  topic?: string
}
/** A letter as a service would bury it; gives its id. */
const bury = async (letter: Letter = {}): Promise<string> => {
  const { service = 'tools', code = 'tool.failed', message = 'down', tenant = 'default', frames = [], topic = COMMANDS } = letter
  const key = `run_${++count}`
  const value = Buffer.from(letter.value ?? JSON.stringify({ runId: key, effectKey: `${key}/pay/0`, input: { n: count } }))
  const headers = { ce_id: `${key}/pay/1`, ce_tenant: tenant, ...letter.headers }
  const record = encodeFailure(
    deadLetterTopic(service),
    { key, value, headers },
    {
      origin: { topic, partition: 0, offset: count, timestampMs: 1 },
      fault: { code, message },
      attempts: 4,
      stage: 2,
      log: [1, 2, 3, 4].map((attempt) => ({ attempt, atMs: 1_000 * attempt, code })),
      frames,
    },
  )
  const [position] = await platform.bus.publish([record])
  return `${service}-${position?.offset ?? 0}`
}
const sentTo = async (topic = COMMANDS): Promise<readonly BusRecord[]> => {
  const { partitions } = await platform.bus.describe(topic)
  const read = partitions.map(({ partition, first }) => platform.bus.read({ topic, partition, offset: first, limit: 10_000 }))
  return (await Promise.all(read)).flat()
}
const keysSent = async (job: unknown): Promise<readonly string[]> =>
  (await sentTo()).filter(({ headers }) => headers['x-redrive-id'] === job).map(({ key }) => key)
const ended = async (jobId: unknown): Promise<Body> => {
  for (;;) {
    const { body } = await send('GET', `/v1/jobs/${String(jobId)}`)
    if (body['status'] !== 'running') return body
    await sleep(10)
  }
}

describe('dead letters', () => {
  it('F4: of one trouble are one group, over services and messages', async () => {
    const frames = ['charge services/tools/src/pay.ts:41']
    await bury({ message: 'order "4711" not found', frames, tenant: 'acme' })
    await bury({ message: 'order "12" not found', frames: ['charge services/tools/src/pay.ts:57'] })
    const newest = await bury({ service: 'models', message: 'order "9" not found', frames })
    await bury({ message: 'order "9" not found', frames: ['refund services/tools/src/pay.ts:9'] })
    const { items } = (await get('/groups')).body
    expect(items).toHaveLength(2)
    expect(items.find((group) => group['count'] === 3)).toMatchObject({
      code: 'tool.failed',
      message: 'order "9" not found',
      services: expect.arrayContaining(['tools', 'models']),
      tenants: expect.arrayContaining(['acme', 'default']),
      example: newest,
    })
    const page = (await get('/groups?limit=1')).body
    const rest = (await get(`/groups?limit=1&cursor=${encodeURIComponent(String(page['nextCursor']))}`)).body
    expect([...page.items, ...rest.items]).toEqual(items)
    expect(rest['nextCursor']).toBeNull()
    const print = String(items.find((group) => group['count'] === 3)?.['fingerprint'])
    expect((await get(`?fingerprint=${print}`)).body.items).toHaveLength(3)
    expect((await get(`?fingerprint=${print}&service=models`)).body.items).toHaveLength(1)
    expect((await get(`?fingerprint=${print}&tenant=acme&since=1h&code=tool.failed`)).body.items).toHaveLength(1)
    expect((await get('?since=2100-01-01T00:00:00Z')).body.items).toEqual([])
    expect(await get('?code=no.such')).toMatchObject({ status: 400, body: { field: 'code' } })
  })

  it('D1: the first of a fingerprint is told once, and figures say how many there are and how old', async () => {
    await bury({ service: 'hitl', code: 'handler.failed', message: 'a new trouble' })
    const told = () => lines.filter(({ level, fields }) => level === 'warn' && fields['service'] === 'hitl')
    const other = await start(platform, {})
    while (told().length === 0) await sleep(50)
    await other.close({ graceMs: 1_000 })
    expect(told()).toMatchObject([
      { message: 'first dead letter of a kind', fields: { code: 'handler.failed', fingerprint: expect.any(String) } },
    ])
    await get('')
    const metrics = await platform.telemetry.metrics.render()
    expect(metrics).toMatch(/baton_dead_letters\{service="hitl",code="handler.failed"\} 1/)
    expect(metrics).toMatch(/baton_dead_letters_oldest_seconds\{service="hitl"\} [\d.]+/)
    expect(metrics).toMatch(/baton_dead_letter_kinds_total\{service="hitl",code="handler.failed"\} 1/)
    const { body } = await send('POST', '/v1/dead-letters:discard', { service: 'hitl', all: true, reason: 'seen' })
    expect(body).toMatchObject({ action: 'discard', status: 'completed', discarded: 1 })
    await get('')
    expect(await platform.telemetry.metrics.render()).toMatch(/baton_dead_letters\{service="hitl",code="handler.failed"\} 0/)
  }, 20_000)

  it('one is shown with cause, place, tries and message; secrets are masked unless its bytes are asked for', async () => {
    const value = JSON.stringify({ runId: 'run_s', password: 'hunter2', mail: 'ada@example.com' })
    const id = await bury({ value, frames: ['pay services/tools/src/pay.ts:1'], headers: { authorization: 'Bearer x', 'x-own': 'a' } })
    const { body } = await get(`/${id}`)
    expect(body).toMatchObject({
      id,
      code: 'tool.failed',
      attempts: 4,
      history: [1, 2, 3, 4].map((attempt) => ({ attempt, atMs: 1_000 * attempt })),
      first: { atMs: 1_000, code: 'tool.failed', message: 'down' },
      frames: ['pay services/tools/src/pay.ts:1'],
      origin: { topic: COMMANDS },
      state: 'open',
      daysLeft: expect.any(Number),
      decoded: { contract: null, data: { password: '[secret]', mail: '[email]' } },
      headers: { authorization: '[secret]', 'x-own': 'a' },
    })
    expect(JSON.stringify(body)).not.toMatch(/hunter2|ada@example|Bearer/)
    const raw = (await get(`/${id}?raw=true`)).body['raw']
    expect(raw).toMatchObject({ headers: { authorization: 'Bearer x' }, valueBase64: Buffer.from(value).toString('base64') })
    expect(await get('/nonsense')).toMatchObject({ status: 400, body: { field: 'id' } })
  })

  it('F4, Q1, Q2: those of a query are redriven, and nothing else; what the query cannot be said of is counted', async () => {
    const wanted = [await bury({ tenant: 'corp' }), await bury({ tenant: 'corp' })]
    await bury({ tenant: 'corp', code: 'tool.timed_out' })
    await bury({ tenant: 'other' })
    await bury({ tenant: 'corp', value: 'no json' })
    const where = 'fault.code == "tool.failed" && tenant == "corp" && data.input.n > 0 && headers["ce_id"].endsWith("/pay/1")'
    const dry = await redrive({ where, dryRun: true })
    expect(dry).toMatchObject({ status: 200, body: { matched: 2, redriven: 0, undecided: 1, dryRun: true, letters: wanted } })
    expect(await keysSent(dry.body['jobId'])).toEqual([])
    const done = await redrive({ where, by: 'ada', reason: 'the tool is back' })
    expect(done).toMatchObject({ status: 200, body: { matched: 2, redriven: 2, letters: wanted, refused: [] } })
    expect(await keysSent(done.body['jobId'])).toHaveLength(2)
    expect((await redrive({ where })).body).toMatchObject({ matched: 0 })
    expect((await get(`/${String(wanted[0])}`)).body).toMatchObject({
      state: 'redriven',
      actions: [{ action: 'redriven', by: 'ada', reason: 'the tool is back', id: done.body['jobId'], atMs: expect.any(Number) }],
    })
    expect((await send('GET', '/v1/jobs?limit=1')).body.items).toMatchObject([{ kind: 'dead-letters', action: 'redrive', matched: 0 }])
  })

  it.each([
    [{ where: 'tennant == "a"' }, 'where'],
    [{ where: 'tenant ==' }, 'where'],
    [{ wher: 'true' }, expect.any(String)],
    [{}, 'offsets'],
    [{ service: 'tools' }, 'offsets'],
    [{ ids: ['tools-1'], all: true }, 'offsets'],
    [{ offsets: [1] }, 'service'],
    [{ all: true, edit: { body: {} } }, 'edit'],
    [{ ids: ['x'] }, 'id'],
  ])('what cannot be meant is refused before anything is sent: %j', async (body, field) => {
    const answer = await redrive(body)
    expect(answer).toMatchObject({ status: 400, body: { field } })
  })

  it('E1, X4: one is mended and sent under its own id; what was changed is kept beside it', async () => {
    const id = await bury({ value: '{"runId":"run_e","effectKey":"run_e/pay/0","input":{"amount":"5 EUR"}}' })
    expect(await redrive({ ids: [id], edit: { patch: { effectKey: 'run_e/pay/1' } } })).toMatchObject({
      status: 400,
      body: { field: 'edit.body.effectKey' },
    })
    const edit = { patch: { input: { amount: 5 } }, headers: { 'x-fixed': 'yes' } }
    const dry = await redrive({ ids: [id], edit, dryRun: true })
    const changes = [
      { at: 'headers.x-fixed', after: 'yes' },
      { at: 'body.input.amount', before: '"5 EUR"', after: '5' },
    ]
    expect(dry.body).toMatchObject({ matched: 1, redriven: 0, changes })
    const { body } = await redrive({ ids: [id], edit, by: 'ada' })
    expect(body).toMatchObject({ redriven: 1, changes })
    const [sent] = (await sentTo()).filter(({ headers }) => headers['x-redrive-id'] === body['jobId'])
    expect(sent?.headers).toMatchObject({ ce_id: `run_${count}/pay/1`, 'x-fixed': 'yes' })
    expect(sent?.value.toString()).toBe('{"runId":"run_e","effectKey":"run_e/pay/0","input":{"amount":5}}')
    expect((await get(`/${id}`)).body).toMatchObject({ actions: [{ by: 'ada', changes }], value: expect.stringContaining('5 EUR') })
  })

  it('a patch mends many; those it does not fit are refused and named', async () => {
    const fits = await bury({ tenant: 'patch' })
    const misfit = await bury({ tenant: 'patch', value: 'no json' })
    const { body } = await redrive({ tenant: 'patch', edit: { patch: { input: { n: 0 } } } })
    expect(body).toMatchObject({ matched: 1, redriven: 1, letters: [fits], refused: [{ id: misfit }] })
  })

  it('Z2: many go at their rate, can rest, go on and be stopped', async () => {
    for (let n = 0; n < 4; n++) await bury({ tenant: 'slow' })
    const begun = await redrive({ tenant: 'slow', ratePerSecond: 4 }, '?wait=1ms')
    expect(begun.status).toBe(202)
    const path = `/v1/jobs/${String(begun.body['jobId'])}`
    while ((await send('GET', path)).body['done'] === 0) await sleep(10)
    expect((await send('POST', `${path}:pause`)).body).toMatchObject({ status: 'paused' })
    expect((await send('POST', `${path}:resume`)).body).toMatchObject({ status: 'running' })
    expect(await ended(begun.body['jobId'])).toMatchObject({ status: 'completed', matched: 4, done: 4 })
    expect(await keysSent(begun.body['jobId'])).toHaveLength(4)
    for (let n = 0; n < 3; n++) await bury({ tenant: 'stop' })
    const stopped = await redrive({ tenant: 'stop', ratePerSecond: 0.5 }, '?wait=1ms')
    await send('POST', `/v1/jobs/${String(stopped.body['jobId'])}:cancel`)
    expect(await ended(stopped.body['jobId'])).toMatchObject({ status: 'cancelled' })
    expect((await get('?tenant=stop')).body.items.length).toBeGreaterThanOrEqual(2)
  }, 20_000)

  it('L2: a letter whose topic is gone does not keep the others back', async () => {
    const lost = await bury({ tenant: 'gone', topic: 'no.such.topic' })
    const fine = await bury({ tenant: 'gone' })
    const { body } = await redrive({ tenant: 'gone' })
    expect(body).toMatchObject({ status: 'completed', matched: 2, letters: [lost, fine] })
    expect((await get(`/${fine}`)).body).toMatchObject({ state: 'redriven' })
  })

  it('a letter that was discarded keeps the reason, is found among the discarded, and can be redriven by name', async () => {
    const id = await bury({ tenant: 'away' })
    const discard = (body: unknown) => send('POST', '/v1/dead-letters:discard', body)
    expect(await discard({ ids: [id] })).toMatchObject({ status: 400, body: { field: 'reason' } })
    expect((await discard({ ids: [id], by: 'ada', reason: 'a test' })).body).toMatchObject({ discarded: 1, redriven: 0 })
    expect((await get('?tenant=away')).body.items).toEqual([])
    expect((await get('?tenant=away&state=discarded')).body.items).toMatchObject([{ id, state: 'discarded' }])
    expect((await redrive({ tenant: 'away' })).body).toMatchObject({ matched: 0 })
    expect((await redrive({ ids: [id] })).body).toMatchObject({ redriven: 1 })
    expect((await get(`/${id}`)).body).toMatchObject({
      actions: [{ action: 'discarded', by: 'ada', reason: 'a test' }, { action: 'redriven' }],
    })
  })

  it('L2: one that is not there is named', async () => {
    const id = await bury()
    const { body } = await redrive({ ids: [id, 'tools-99999'] })
    expect(body).toMatchObject({ matched: 1, redriven: 1, refused: [{ id: 'tools-99999', reason: 'there is no such dead letter' }] })
  })

  it('the same Idempotency-Key redrives once', async () => {
    const id = await bury()
    const headers = { 'idempotency-key': 'again-1' }
    const once = async () =>
      JSON.parse(
        (await gateway.inject({ method: 'POST', path: '/v1/dead-letters:redrive', body: JSON.stringify({ ids: [id] }), headers })).body,
      )
    expect(await once()).toEqual(await once())
    expect(await keysSent('again-1')).toHaveLength(1)
  })
})
