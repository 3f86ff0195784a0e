import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { decodeEvent, encodeEvent, Fault, TOPICS } from '@baton/contracts'
import { openPglite, type Database, type RunStore } from '@baton/store'
import { openTelemetry } from '@baton/telemetry'
import { openWorld, until, type Process, type World } from '../run-loop/world.fixture.ts'
import { sweepOnce } from './retention.ts'

jest.setTimeout(20_000)

const ONE_TOOL = `
flow: spec/one
steps:
  - ask: { tool: spec/one, with: { v: =input.v } }
output: { v: =ask.n }
`
const QUICK = { endedForMs: 20 }

let db: Database
let world: World
let shop: Process
beforeAll(async () => {
  db = await openPglite()
}, 60_000)
afterAll(() => db.close())
beforeEach(async () => {
  world = await openWorld(db)
  await db.query('truncate starts, upkeep')
  shop = await quickProcess()
})
afterEach(() => world.close())

/** A process that looks often for runs that ended. */
const quickProcess = async (): Promise<Process> => {
  const process = await world.process()
  return { ...process, platform: { ...process.platform, config: { ...process.platform.config, retireEveryMs: 20 } } }
}
const countIn = async (table: string, runId: string): Promise<number> =>
  (await db.query(`select from ${table} where run_id = $1`, [runId])).rowCount
const isMoved = async (runId: string): Promise<boolean> =>
  (await countIn('run_states', runId)) === 0 && (await countIn('ended_runs', runId)) === 1
const resultsOf = async (runId: string) => (await world.records(TOPICS.results)).filter(({ key }) => key === runId)
const journalOf = async (runId: string) => (await world.events(TOPICS.journal)).filter(({ subject }) => subject === runId)

/** The request of a run again, as an intake that knows it sends it on. */
const repeat = async (runId: string): Promise<void> => {
  const requested = (await world.records(TOPICS.events))
    .map(decodeEvent)
    .find(({ subject, name }) => subject === runId && name === 'run.requested')
  if (requested?.name !== 'run.requested') throw new Error('the run was requested')
  const data = { ...requested.data, repeat: true, requestedAtMs: Date.now() }
  const event = encodeEvent({ name: 'run.requested', data, id: `${runId}/requested`, source: '/spec', subject: runId, tenant: 'default' })
  await world.bus.publish([{ topic: TOPICS.events, ...event }])
}

/** The answer of the run's only attempt, when nobody waits for it any more. */
const answerLate = async (runId: string): Promise<void> => {
  const command = (await world.events('baton.tools.commands')).find(({ subject }) => subject === runId)
  if (command?.name !== 'tool.call') throw new Error('a tool was asked')
  const { attemptId, answerPartition } = command.data
  const meter = { startedAtMs: 1, latencyMs: 5, queuedMs: 1, tries: 1, inputChars: 1, outputChars: 1, costMicroUsd: 700 }
  const answer = encodeEvent({
    name: 'step.completed',
    data: { runId, attemptId, output: { n: 2 }, by: 'tool:spec', meter },
    id: `${attemptId}/completed/0`,
    source: '/spec',
    subject: runId,
    tenant: 'default',
  })
  await world.bus.publish([{ topic: TOPICS.events, partition: answerPartition, ...answer }])
}

const cancel = async (runId: string): Promise<void> => {
  const event = encodeEvent({
    name: 'run.cancel',
    data: { runId, by: 'spec', reason: 'no longer wanted' },
    id: `${runId}/cancel`,
    source: '/spec',
    subject: runId,
    tenant: 'default',
  })
  await world.bus.publish([{ topic: TOPICS.events, ...event }])
}

const sweepAll = (ownerUuid = 'sweeper') =>
  sweepOnce({
    retention: world.stores.retention,
    ownerUuid,
    everyMs: 0,
    telemetry: openTelemetry({ service: 'spec', level: 'silent' }),
  })

describe('runs that ended', () => {
  it('leave the hot table; a late answer is billed and journaled, a repeat answers with the first result, until their time is over', async () => {
    const flow = await world.publishFlow(ONE_TOOL)
    await world.stores.retention.prepare()
    await world.loop(shop, QUICK)
    const runId = await world.begin(flow, { partition: 1 })
    await until(async () => (await world.events('baton.tools.commands')).length === 1)
    await cancel(runId)
    await world.stores.starts.begin([{ tenant: 'default', source: 'spec', requestId: 'r', runId, bodyHash: 'h' }])
    await world.resultOf(runId)
    await until(() => isMoved(runId))
    const before = (await journalOf(runId)).length

    await answerLate(runId)
    await until(async () => (await journalOf(runId)).length > before)
    const late = (await journalOf(runId)).slice(before)
    expect(late.map(({ name }) => name)).toEqual(['journal.answer.ignored'])
    expect(late[0]?.data).toMatchObject({ reason: 'late', costMicroUsd: 700 })
    await until(() => isMoved(runId))

    await repeat(runId)
    await until(async () => (await resultsOf(runId)).length === 2)
    const [first, again] = await resultsOf(runId)
    expect(again?.value.toString()).toBe(first?.value.toString())
    expect(again?.headers['ce_id']).toBe(first?.headers['ce_id'])
    expect(await world.events('baton.tools.commands')).toHaveLength(1)

    await until(() => isMoved(runId))
    expect(await sweepAll()).toMatchObject({ ended_runs: 0, ended_runs_default: 0, starts: 0 })
    expect(await world.stores.runs.load([runId])).toHaveLength(1)
    await db.query(`update ended_runs set moved_on = moved_on - 32`)
    await db.query(`update starts set begun_at = begun_at - interval '32 days'`)
    expect(await sweepAll()).toMatchObject({ ended_runs_default: 1, starts: 1 })
    expect(await world.stores.runs.load([runId])).toEqual([])
  })

  it('U1, L7: a new owner moves what the one before left in the hot table', async () => {
    const flow = await world.publishFlow(ONE_TOOL)
    await world.serveTools()
    const slow = await world.process()
    const loop = await world.loop(slow)
    const runIds = await Promise.all([0, 1, 2].map((partition) => world.begin(flow, { partition })))
    for (const runId of runIds) await world.resultOf(runId)
    await loop.close({ graceMs: 1_000 })
    expect(await Promise.all(runIds.map((runId) => countIn('run_states', runId)))).toEqual([1, 1, 1])
    await world.loop(shop, QUICK)
    await until(async () => (await Promise.all(runIds.map(isMoved))).every((moved) => moved))
  })

  it('U3: a move that failed is tried again, and a run that changed meanwhile waits for its own time', async () => {
    const flow = await world.publishFlow(ONE_TOOL)
    await world.serveTools()
    const { stores } = shop.platform
    let failures = 2
    const retire: RunStore['retire'] = (change) => {
      failures -= 1
      return failures >= 0 ? Promise.reject(new Fault('store.unavailable', 'no answer')) : stores.runs.retire(change)
    }
    const platform = { ...shop.platform, stores: { ...stores, runs: { ...stores.runs, retire } } }
    await world.loop({ ...shop, platform }, QUICK)
    const runId = await world.begin(flow, { partition: 2 })
    await world.resultOf(runId)
    await repeat(runId)
    await until(async () => (await resultsOf(runId)).length === 2)
    await until(() => isMoved(runId))
    expect(failures).toBeLessThan(0)
  })

  it('U2: an owner that lost its partitions moves nothing', async () => {
    const flow = await world.publishFlow(ONE_TOOL)
    await world.serveTools()
    await world.loop(shop, { endedForMs: 2_000 })
    const runId = await world.begin(flow, { partition: 0 })
    await world.resultOf(runId)
    await until(async () => (await countIn('run_states', runId)) === 1)
    await db.query(`update log_partitions set owner_uuid = 'another', epoch = epoch + 1`)
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    expect(await countIn('run_states', runId)).toBe(1)
  })

  it('one sweep at a time, and no other before its time', async () => {
    const telemetry = openTelemetry({ service: 'spec', level: 'silent' })
    const { retention } = world.stores
    const sweeps = await Promise.all(['a', 'b', 'c'].map((ownerUuid) => sweepOnce({ retention, ownerUuid, telemetry })))
    expect(sweeps.filter((removed) => removed !== undefined)).toHaveLength(1)
    expect(await sweepOnce({ retention, ownerUuid: 'd', telemetry })).toBeUndefined()
  })

  it('K3, R3: a payload that a waiting run refers to stays, however old it is', async () => {
    const { payloads, runs, leases } = world.stores
    await leases.install({ prefix: '', partitions: 3, topicId: 't', engineVersion: 1 })
    await leases.acquire({ prefix: '', ownerUuid: 'me', wanted: [0], leaseMs: 60_000 })
    const [kept, gone] = await Promise.all(
      ['kept', 'gone'].map((text) => payloads.put({ tenant: 'default', content: Buffer.from(text), mediaType: 'text/plain' })),
    )
    const row = {
      runId: 'run_waits',
      tenant: 'default',
      partition: 0,
      status: 'waiting',
      wakeAtMs: null,
      seq: 1,
      appliedOffset: 0,
    } as const
    await runs.checkpoint({
      ownerUuid: 'me',
      partitions: [{ partition: 0, epoch: 1, next: 1 }],
      runs: [{ ...row, formatVersion: 1, engineVersion: 1, body: JSON.stringify({ outputs: { a: { ref: kept } } }) }],
    })
    await db.query(`update payloads set stored_at = now() - interval '39 days', touched_at = now() - interval '39 days'`)
    expect(await sweepAll()).toMatchObject({ payloads: 1 })
    await expect(payloads.get({ tenant: 'default', sha256: kept?.sha256 ?? '' })).resolves.toMatchObject({ mediaType: 'text/plain' })
    await expect(payloads.get({ tenant: 'default', sha256: gone?.sha256 ?? '' })).rejects.toMatchObject({ code: 'payload.missing' })
  })
})
