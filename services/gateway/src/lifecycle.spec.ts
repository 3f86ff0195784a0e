import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { openEmbeddedBus } from '@baton/bus'
import { decodeEvent, TOPICS, topicManifest } from '@baton/contracts'
import { TENANT_HEADER, type Platform, type RunningService } from '@baton/service'
import { openPglite, openStore } from '@baton/store'
import { openTelemetry } from '@baton/telemetry'
import { start } from './gateway.ts'

const flowOf = (version: string, max = 1): string => `flow: shop/reply@${version}
params:
  send: { type: number, default: 0.8, min: 0.5, max: ${max} }
  wait: { type: duration, default: 5s }
input:
  text: string
steps:
  - answer: Say {{ input.text }} ${version}
`

let dataDir: string
let platform: Platform
let gateway: RunningService

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'baton-lifecycle-'))
  await mkdir(join(dataDir, 'flows'))
  const db = await openPglite()
  platform = {
    bus: await openEmbeddedBus({ dir: join(dataDir, 'log'), topics: topicManifest({ eventsPartitions: 1 }) }),
    db,
    stores: await openStore(db),
    telemetry: openTelemetry({ service: 'spec', level: 'silent' }),
    config: {
      topicPrefix: '',
      flowsDir: join(dataDir, 'flows'),
      configDir: dataDir,
      dataDir,
      embedded: true,
      environment: 'staging',
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

type Answer = { readonly status: number; readonly body: Record<string, unknown> }
const send = async (method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown, tenant = ''): Promise<Answer> => {
  const reply = await gateway.inject({
    method,
    path,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(tenant === '' ? {} : { headers: { [TENANT_HEADER]: tenant } }),
  })
  return { status: reply.status, body: JSON.parse(reply.body) }
}
const publish = async (version: string, more: Record<string, unknown> = {}, max = 1): Promise<Answer> =>
  send('PUT', '/v1/flows/shop/reply', { files: { 'flow.yaml': flowOf(version, max) }, by: 'ada', ...more })

/** What the first record of a new run pins. */
let requests = 0
const begun = async (flow: string, tenant = ''): Promise<Record<string, unknown>> => {
  const id = `r${++requests}`
  expect(await send('POST', '/v1/runs', { id, flow, input: { text: 'x' } }, tenant)).toMatchObject({ status: 202 })
  const records = await platform.bus.read({ topic: TOPICS.events, partition: 0, offset: 0, limit: 1_000 })
  const event = records.map(decodeEvent).find(({ correlationId }) => correlationId === id)
  return { ...(event?.name === 'run.requested' ? event.data : {}) }
}

describe('the life of a flow', () => {
  it('a run may be pinned by the hash of a plan', async () => {
    const first = await publish('1.0.0')
    expect(first.status).toBe(200)
    await publish('2.0.0')
    const hash = String(first.body['hash'])
    expect(await begun('shop/reply')).toMatchObject({ version: '2.0.0' })
    expect(await begun(`shop/reply@sha256:${hash}`)).toMatchObject({ version: '1.0.0', planHash: hash })
    expect(await send('GET', `/v1/flows/shop/reply?at=sha256:${hash}`)).toMatchObject({ status: 200, body: { version: '1.0.0' } })
    expect(await send('POST', '/v1/runs', { flow: `shop/reply@sha256:${'0'.repeat(64)}`, input: {} })).toMatchObject({
      status: 404,
      body: { code: 'flow.unknown' },
    })
  })

  it('what is published is the plan that was packed, or nothing', async () => {
    expect(await publish('3.0.0', { plan: `sha256:${'0'.repeat(64)}` })).toMatchObject({
      status: 409,
      body: { code: 'request.conflicting', field: 'plan' },
    })
  })

  it('a version that breaks callers of the one before needs a new major number', async () => {
    const desk = (version: string, input: string): unknown => ({
      files: { 'flow.yaml': `flow: shop/desk@${version}\ninput: { ${input} }\nsteps:\n  - a: { set: =input.text }\n` },
    })
    expect(await send('PUT', '/v1/flows/shop/desk', desk('1.0.0', 'text: string'))).toMatchObject({ status: 200 })
    const broken = await send('PUT', '/v1/flows/shop/desk', desk('1.1.0', 'text: string, ticket: string'))
    expect(broken).toMatchObject({ status: 422, body: { code: 'flow.invalid' } })
    expect(broken.body['detail']).toContain('schema.incompatible')
    expect(await send('PUT', '/v1/flows/shop/desk', desk('2.0.0', 'text: string, ticket: string'))).toMatchObject({ status: 200 })
  })

  it('a flow without a name is not published: two of them would share one', async () => {
    const refused = await send('PUT', '/v1/flows/local/flow', { files: { 'flow.yaml': 'steps:\n  - a: { set: 1 }\n' } })
    expect(refused).toMatchObject({ status: 422, body: { code: 'flow.invalid', field: 'flow' } })
  })

  it('an alias moves by command, at once for new runs, and goes back', async () => {
    const moved = await send('PUT', '/v1/aliases/shop/reply', { alias: 'stable', version: '1.0.0', by: 'bob', reason: 'too curt' })
    expect(moved).toMatchObject({ status: 200, body: { alias: 'stable', version: '1.0.0', changed: true } })
    expect(await begun('shop/reply')).toMatchObject({ version: '1.0.0' })
    expect(await send('POST', '/v1/aliases/shop/reply:rollback', { alias: 'stable', by: 'eve' })).toMatchObject({
      status: 200,
      body: { version: '2.0.0', from: '1.0.0' },
    })
    expect(await begun('shop/reply')).toMatchObject({ version: '2.0.0' })
    const { body } = await send('GET', '/v1/aliases/shop/reply?alias=stable')
    expect(body['items']).toMatchObject([
      { kind: 'rollback', version: '2.0.0', by: 'eve' },
      { kind: 'move', version: '1.0.0', by: 'bob', reason: 'too curt' },
      { kind: 'publish', version: '2.0.0', by: 'ada' },
      { kind: 'publish', version: '1.0.0', by: 'ada' },
    ])
    expect(await send('PUT', '/v1/aliases/shop/reply', { alias: 'stable', version: '9.9.9' })).toMatchObject({ status: 404 })
    expect(await send('POST', '/v1/aliases/shop/reply:forward', {})).toMatchObject({ status: 404 })
  })
})

describe('params of a flow', () => {
  const set = (body: Record<string, unknown>, tenant = ''): Promise<Answer> => send('PUT', '/v1/params/shop/reply', body, tenant)

  it('P2: have their default, and what was set for all, the environment, the tenant, in this order', async () => {
    expect((await begun('shop/reply'))['params']).toEqual({ send: 0.8, wait: 5_000 })
    await set({ values: { send: 0.7, wait: '10s' } })
    expect((await begun('shop/reply'))['params']).toEqual({ send: 0.7, wait: 10_000 })
    await set({ values: { send: 0.6 }, env: 'staging' })
    await set({ values: { send: 0.5 }, env: 'production' })
    expect((await begun('shop/reply'))['params']).toEqual({ send: 0.6, wait: 10_000 })
    await set({ values: { send: 0.9 }, tenant: 'acme' })
    expect((await begun('shop/reply', 'acme'))['params']).toEqual({ send: 0.9, wait: 10_000 })
    expect((await begun('shop/reply'))['params']).toEqual({ send: 0.6, wait: 10_000 })
    const { body } = await send('GET', '/v1/params/shop/reply?tenant=acme')
    expect(body['params']).toMatchObject([
      { name: 'send', type: 'number', min: 0.5, max: 1, default: 0.8, value: 0.9, from: 'tenant' },
      { name: 'wait', value: '10s', from: 'all' },
    ])
  })

  it('P1: take nothing of another type or outside their range', async () => {
    for (const [values, field] of [
      [{ send: 0.2 }, 'params.send'],
      [{ send: '0.7' }, 'params.send'],
      [{ wait: 'soon' }, 'params.wait'],
      [{ sned: 0.7 }, 'params.sned'],
    ] as const)
      expect(await set({ values })).toMatchObject({ status: 422, body: { code: 'params.invalid', field } })
    expect((await set({ values: { sned: 1 } })).body['detail']).toContain('did you mean "send"')
  })

  it('P1: a version whose range leaves out what was set is not published, unless it is set anew', async () => {
    expect(await publish('4.0.0', {}, 0.85)).toMatchObject({ status: 422, body: { code: 'params.invalid' } })
    await set({ values: { send: null }, tenant: 'acme' })
    expect(await publish('4.0.0', {}, 0.85)).toMatchObject({ status: 200 })
  })

  it('are audited: who, when, from what, to what', async () => {
    await set({ values: { send: 0.65 }, env: 'staging', by: 'pia', reason: 'fewer escalations' })
    const { body } = await send('GET', '/v1/params/shop/reply/history')
    expect(body['items']).toMatchObject([
      { name: 'send', environment: 'staging', old: 0.6, new: 0.65, by: 'pia', reason: 'fewer escalations', atMs: expect.any(Number) },
      { name: 'send', tenant: 'acme', old: 0.9, new: null },
      { tenant: 'acme', old: null, new: 0.9 },
      { environment: 'production', new: 0.5 },
      { environment: 'staging', new: 0.6 },
      { name: 'wait', new: '10s' },
      { name: 'send', old: null, new: 0.7 },
    ])
  })

  it('a tenant changes and sees its own only', async () => {
    expect(await set({ values: { send: 0.55 } }, 'acme')).toMatchObject({ status: 200, body: { tenant: 'acme', changed: 1 } })
    expect((await begun('shop/reply', 'acme'))['params']).toMatchObject({ send: 0.55 })
    expect((await begun('shop/reply'))['params']).toMatchObject({ send: 0.65 })
    expect(await set({ values: { send: 0.55 }, tenant: 'other' }, 'acme')).toMatchObject({ status: 400 })
    const { body } = await send('GET', '/v1/params/shop/reply/history', undefined, 'acme')
    expect(body['items']).toHaveLength(3)
  })
})

describe('flows that steps start', () => {
  const files = (text: string): unknown => ({ files: { 'flow.yaml': text } })
  const inner = (version: string): unknown => files(`flow: shop/inner@${version}\nsteps:\n  - a: { set: 1 }\n`)

  it('L2: are pinned in the first record, whatever is published later; one that is not there is a warning, and refused at the request', async () => {
    const outer = await send('PUT', '/v1/flows/shop/outer', files('flow: shop/outer@1.0.0\nsteps:\n  - a: { flow: shop/inner }\n'))
    expect(outer).toMatchObject({ status: 200, body: { warnings: [expect.stringContaining('shop/inner@stable')] } })
    expect(await send('POST', '/v1/runs', { flow: 'shop/outer', input: {} })).toMatchObject({
      status: 404,
      body: { code: 'flow.unknown', detail: expect.stringContaining('shop/outer -> shop/inner') },
    })
    await send('PUT', '/v1/flows/shop/inner', inner('1.0.0'))
    expect(await begun('shop/outer')).toMatchObject({ flows: { 'shop/inner': { flow: 'shop/inner', version: '1.0.0', params: {} } } })
    await send('PUT', '/v1/flows/shop/inner', inner('2.0.0'))
    expect(await begun('shop/outer')).toMatchObject({ flows: { 'shop/inner': { version: '2.0.0' } } })
    expect((await begun('shop/inner'))['flows']).toBeUndefined()
  })
})
