import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { decodeFailure } from '@baton/bus'
import { Fault, TOPICS } from '@baton/contracts'
import { openPglite, type Database, type LeaseStore } from '@baton/store'
import { start } from '../routing.ts'
import { brokenProgram, changedPrograms, gate, openWorld, until, type World } from './world.fixture.ts'

jest.setTimeout(8_000)

const TWO_TOOLS = `
flow: spec/two
steps:
  - first: { tool: spec/one, with: { v: =input.v } }
  - second: { tool: spec/one, with: { v: =first.n } }
output: { v: =second.n }
`
const DEAD_LETTERS = 'baton.routing.dlt'

let db: Database
let world: World
beforeAll(async () => {
  db = await openPglite()
}, 60_000)
afterAll(() => db.close())
beforeEach(async () => {
  world = await openWorld(db)
})
afterEach(() => world.close())

const idsOf = (records: readonly { headers: Readonly<Record<string, string>> }[]) => records.map(({ headers }) => headers['ce_id'])

describe('the run loop on the embedded bus and PGlite', () => {
  it('W1: passes a record that it cannot read, keeps its bytes with the reason, and goes on behind it', async () => {
    const flow = await world.publishFlow(TWO_TOOLS)
    await world.serveTools()
    const garbage = Buffer.from([0xff, 0x00, 0x7b])
    await world.bus.publish([
      { topic: TOPICS.events, partition: 1, key: 'k', value: garbage, headers: { ce_type: 'baton.run.requested.v1', own: 'header' } },
      { topic: TOPICS.events, partition: 1, key: 'k', value: Buffer.from('{}'), headers: {} },
    ])
    const runId = await world.begin(flow, { partition: 1 })
    await world.loop(await world.process())
    expect(await world.resultOf(runId)).toMatchObject({ status: 'completed', output: { v: 1 } })
    const [letter, other] = await world.records(DEAD_LETTERS)
    expect(letter?.value).toEqual(garbage)
    expect(letter?.headers).toMatchObject({ own: 'header' })
    expect(letter === undefined ? undefined : decodeFailure(letter)).toMatchObject({
      origin: { topic: TOPICS.events, partition: 1, offset: 0 },
      fault: { code: 'message.undecodable' },
    })
    expect(other?.headers['x-fault-code']).toBe('message.undecodable')
  })

  it('L3, W2, C1: commits nothing before every output of it is acknowledged', async () => {
    const flow = await world.publishFlow(TWO_TOOLS)
    const process = await world.process()
    await world.loop(process)
    const acks = gate()
    process.faults.acksHeld = acks.passed
    await world.begin(flow, { partition: 0 })
    await until(async () => (await world.records('baton.tools.commands')).length === 1)
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect((await world.lease(0)).next).toBe(0)
    acks.open()
    await until(async () => (await world.lease(0)).next === 1)
  })

  it('W2: a dead letter is durable before the position passes its record', async () => {
    const process = await world.process()
    await world.loop(process)
    const acks = gate()
    process.faults.acksHeld = acks.passed
    await world.bus.publish([{ topic: TOPICS.events, partition: 2, key: 'k', value: Buffer.from('?'), headers: {} }])
    await until(async () => (await world.records(DEAD_LETTERS)).length === 1)
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect((await world.lease(2)).next).toBe(0)
    acks.open()
    await until(async () => (await world.lease(2)).next === 1)
  })

  it('W3: gives a partition up when its outputs cannot be published, and takes it anew with the same outputs', async () => {
    const flow = await world.publishFlow(TWO_TOOLS)
    const process = await world.process()
    const loop = await world.loop(process)
    let failures = 1
    process.faults.failPublish = () => {
      failures -= 1
      return failures >= 0 ? new Fault('bus.unavailable', 'no broker answers') : undefined
    }
    await world.begin(flow, { partition: 0 })
    await until(async () => (await world.lease(0)).next === 1)
    const { tried } = process.faults
    const half = tried.length / 2
    expect(half).toBeGreaterThan(1)
    expect(idsOf(tried.slice(half))).toEqual(idsOf(tried.slice(0, half)))
    expect(tried.slice(half).map(({ value }) => value.toString())).toEqual(tried.slice(0, half).map(({ value }) => value.toString()))
    expect(await world.lease(0)).toMatchObject({ epoch: 2, crashCount: 0 })
    expect(loop.stats().owned).toBe(3)
  })

  it('L4, W4: an owner whose lease is late decides nothing until it has asked again, also in the middle of loading', async () => {
    const flow = await world.publishFlow(TWO_TOOLS)
    const process = await world.process()
    let nowMs = 0
    const loop = await world.loop(process, { monotonicMs: () => nowMs, pollMs: 60_000, leaseMs: 240_000 })
    const loads = gate()
    process.faults.loadsHeld = loads.passed
    await world.cancelUnknown(0) // A run that nobody knows has to be looked up.
    const runId = await world.begin(flow, { partition: 0 })
    await new Promise((resolve) => setTimeout(resolve, 20))
    nowMs += 150_000
    expect(loop.stats().confirmed).toBe(false)
    const leases = gate()
    process.faults.leasesHeld = leases.passed
    loads.open()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(process.faults.tried).toEqual([])
    leases.open()
    await until(async () => (await world.lease(0)).next === 2)
    expect(await commandsOf(runId)).toHaveLength(1)
    expect((await world.lease(0)).epoch).toBe(1) // It was slow, and nobody else came.
  })

  it('W4: an owner that cannot ask again gives up what it has in memory', async () => {
    const flow = await world.publishFlow(TWO_TOOLS)
    const process = await world.process()
    let nowMs = 0
    const loop = await world.loop(process, { monotonicMs: () => nowMs, pollMs: 60_000, leaseMs: 240_000 })
    nowMs += 150_000
    process.faults.dead = true
    process.faults.hears = true
    await world.begin(flow, { partition: 0 })
    await until(() => loop.stats().owned < 3)
    expect(process.faults.tried).toEqual([])
  })

  it('L7: a successor continues open runs where they were, due times included', async () => {
    const waiting = await world.publishFlow(`
flow: spec/waiting
limits: { time: 400ms }
steps:
  - never: { tool: spec/none, with: {} }
`)
    const open = await world.publishFlow(TWO_TOOLS)
    const first = await world.process()
    await world.loop(first)
    const timed = await world.begin(waiting, { partition: 0 })
    const answered = await world.begin(open, { partition: 1 })
    await until(async () => (await world.lease(0)).next === 1 && (await world.lease(1)).next === 1)
    first.faults.dead = true
    await world.loop(await world.process())
    const { attemptId } = await commandOf(answered)
    await world.bus.publish([
      {
        topic: TOPICS.events,
        partition: 1,
        key: answered,
        headers: { ce_type: 'baton.step.completed.v1' },
        value: Buffer.from(JSON.stringify({ runId: answered, attemptId, output: { n: 1 }, by: 'tool:spec' })),
      },
    ])
    await until(async () => (await commandsOf(answered)).length === 2)
    expect(await world.resultOf(timed)).toMatchObject({ status: 'failed', fault: { code: 'limit.time_exceeded' } })
  })

  it('L7: what an owner decided and did not store is decided again in the same words', async () => {
    const flow = await world.publishFlow(TWO_TOOLS)
    const first = await world.process()
    await world.loop(first, { checkpointMs: 60_000 })
    const runId = await world.begin(flow, { partition: 0 })
    await until(async () => (await commandsOf(runId)).length === 1)
    first.faults.dead = true
    await world.loop(await world.process())
    await until(async () => (await commandsOf(runId)).length === 2)
    const [command, again] = await commandsOf(runId)
    expect(again).toEqual(command)
    await world.serveTools()
  })

  it('C2: a partition taken by another owner does not hold up the checkpoints of the rest', async () => {
    const flow = await world.publishFlow(TWO_TOOLS)
    const process = await world.process()
    await world.loop(process, { pollMs: 60_000 })
    const acks = gate()
    process.faults.acksHeld = acks.passed
    await world.begin(flow, { partition: 0 })
    await world.begin(flow, { partition: 1 })
    await until(async () => (await world.records('baton.tools.commands')).length === 2)
    await world.meddle(
      `update log_partitions set owner_uuid = 'another', epoch = epoch + 1, expires_at = now() + interval '1 hour' where partition = 0`,
    )
    acks.open()
    await until(async () => (await world.lease(1)).next === 1)
    expect((await world.lease(1)).epoch).toBe(1) // It was never given up.
  })

  it('C3: stores what is decided and gives everything back when it is closed', async () => {
    const flow = await world.publishFlow(TWO_TOOLS)
    const loop = await world.loop(await world.process(), { checkpointMs: 60_000 })
    const runId = await world.begin(flow, { partition: 0 })
    await until(async () => (await commandsOf(runId)).length === 1)
    await loop.close()
    expect((await world.lease(0)).next).toBe(1)
    await world.loop(await world.process())
    expect((await world.lease(0)).epoch).toBe(2)
  })

  it('W6: what is meant for a topic that nobody made is kept, and the run goes on', async () => {
    const flow = await world.publishFlow(`
flow: spec/own-topic
results: { topic: orders.results }
steps:
  - same: { set: =input.v }
`)
    const process = await world.process()
    await world.loop(process)
    const runId = await world.begin(flow, { partition: 0, input: { v: 7 } })
    expect(await world.resultOf(runId)).toMatchObject({ status: 'completed', output: 7 })
    const [letter] = await world.records(DEAD_LETTERS)
    expect(letter === undefined ? undefined : decodeFailure(letter)).toMatchObject({
      origin: { topic: 'orders.results' },
      fault: { code: 'config.invalid' },
    })
    await until(async () => (await world.lease(0)).next === (await world.logEnd(0)))
  })
})

describe('a log that cannot be read on (L5)', () => {
  it('L5: stops the partition whose position is outside the log, says so, and goes on with the others', async () => {
    const flow = await world.publishFlow(TWO_TOOLS)
    await world.serveTools()
    const loop = await world.loop(await world.process())
    await loop.close()
    await world.meddle('update log_partitions set next = 99 where partition = 0')
    const again = await world.loop(await world.process())
    expect([...again.faults()]).toMatchObject([[0, { code: 'log.truncated' }]])
    expect(again.stats().owned).toBe(2)
    const runId = await world.begin(flow, { partition: 1 })
    expect(await world.resultOf(runId)).toMatchObject({ status: 'completed' })
  })

  it('L5: a service with such a partition is not ready, and says why', async () => {
    const loop = await world.loop(await world.process())
    await loop.close()
    const { platform } = await world.process()
    const healthy = await start(platform, {})
    expect(await healthy.inject({ method: 'GET', path: '/readyz' })).toMatchObject({ status: 200 })
    await healthy.close({ graceMs: 1_000 })
    await world.meddle('update log_partitions set next = 99 where partition = 0')
    const service = await start((await world.process()).platform, {})
    const { status, body } = await service.inject({ method: 'GET', path: '/readyz' })
    expect({ status, ...JSON.parse(body) }).toMatchObject({ status: 500, code: 'log.truncated', partitions: '0' })
    await service.close({ graceMs: 1_000 })
  })

  it('L5: stops the partitions of a log that was deleted and made again', async () => {
    const loop = await world.loop(await world.process())
    await loop.close()
    await world.meddle(`update log_partitions set topic_id = 'another' where partition = 2`)
    const again = await world.loop(await world.process())
    expect([...again.faults()]).toMatchObject([[2, { code: 'log.truncated', detail: { installed: 'another' } }]])
    expect((await world.lease(2)).next).toBe(0)
  })
})

describe('records that crash whoever applies them (L10)', () => {
  it('W5: a throw of the engine ends no process; the record is passed over, kept, and its run fails', async () => {
    const good = await world.publishFlow(TWO_TOOLS)
    const bad = await world.publishFlow(TWO_TOOLS.replace('spec/two', 'spec/bad'))
    await world.serveTools()
    const process = await world.process()
    const programs = changedPrograms(process, (program) => (program.plan.flow === 'spec/bad' ? brokenProgram(program) : program))
    await world.loop(process, { programs })
    const before = await world.begin(good, { partition: 0 })
    const killer = await world.begin(bad, { partition: 0 })
    const after = await world.begin(good, { partition: 0 })
    expect(await world.resultOf(killer)).toMatchObject({ status: 'failed', fault: { code: 'run.quarantined' } })
    expect(await world.resultOf(before)).toMatchObject({ status: 'completed' })
    expect(await world.resultOf(after)).toMatchObject({ status: 'completed' })
    const letters = await world.records(DEAD_LETTERS)
    expect(letters.map(({ key, headers }) => [key, headers['x-fault-code'], headers['x-origin-offset']])).toEqual([
      [killer, 'run.quarantined', '1'],
    ])
    await until(async () => (await world.lease(0)).next === (await world.logEnd(0)))
    expect(await world.lease(0)).toMatchObject({ suspectOffset: null })
    expect((await world.lease(0)).epoch).toBe(3) // Two crashes, no more.
  })

  it('W5: a run whose later event crashes its owner is told, and ends once', async () => {
    const flow = await world.publishFlow(TWO_TOOLS)
    const process = await world.process()
    let broken = false
    await world.loop(process, { programs: changedPrograms(process, (program) => (broken ? brokenProgram(program) : program)) })
    const runId = await world.begin(flow, { partition: 0 })
    await until(async () => (await world.lease(0)).next === 1)
    broken = true
    const { attemptId } = await commandOf(runId)
    const answer = { runId, attemptId, output: { n: 1 }, by: 'tool:spec' }
    await world.bus.publish([
      {
        topic: TOPICS.events,
        partition: 0,
        key: runId,
        headers: { ce_type: 'baton.step.completed.v1' },
        value: Buffer.from(JSON.stringify(answer)),
      },
    ])
    await until(async () => (await world.records(DEAD_LETTERS)).length > 0)
    broken = false
    expect(await world.resultOf(runId)).toMatchObject({
      status: 'failed',
      fault: { code: 'run.quarantined', detail: { offset: '1', crashes: 2 } },
    })
    expect((await world.events(TOPICS.results)).filter(({ subject }) => subject === runId)).toHaveLength(1)
  })

  it('W5: after owners that died without progress records are applied alone, each named in the lease before it is touched', async () => {
    const flow = await world.publishFlow(TWO_TOOLS)
    const named: unknown[] = []
    for (let n = 0; n < 4; n += 1) await world.begin(flow, { partition: 0 })
    const deadOwner = async (): Promise<void> => {
      const process = await world.process()
      process.faults.failPublish = () => {
        process.faults.dead = true
        return new Fault('bus.unavailable', 'gone')
      }
      await world.loop(process)
      await until(() => process.faults.dead)
    }
    await deadOwner()
    await deadOwner()
    const process = await world.process()
    process.faults.failPublish = () => undefined
    const { stores } = process.platform
    const leases: LeaseStore = {
      ...stores.leases,
      suspect: async (suspicion) => {
        named.push([suspicion.offset, suspicion.crashCount, (await world.lease(0)).next])
        await stores.leases.suspect(suspicion)
      },
    }
    const platform = { ...process.platform, stores: { ...stores, leases } }
    await world.loop({ ...process, platform })
    await until(async () => (await world.lease(0)).next === 4)
    await until(() => named.length === 5)
    // Record, crashes known, position: nothing is touched before all before it is stored; then the suspicion is over.
    expect(named).toEqual([
      [0, 2, 0],
      [1, 2, 1],
      [2, 2, 2],
      [3, 2, 3],
      [null, 0, 4],
    ])
    expect(await world.lease(0)).toMatchObject({ crashCount: 0, suspectOffset: null })
  })

  it('W5: outputs that no bus will ever take set their run aside and nothing else', async () => {
    const good = await world.publishFlow(TWO_TOOLS)
    const process = await world.process()
    await world.serveTools()
    const runId = await world.begin(good, { partition: 0 })
    const killer = await world.begin(good, { partition: 0 })
    process.faults.failPublish = (records) =>
      records.some(({ key, topic }) => key.startsWith(killer) && topic === 'baton.tools.commands')
        ? new Fault('request.too_large', 'a record is too large')
        : undefined
    await world.loop(process)
    expect(await world.resultOf(killer)).toMatchObject({ status: 'failed', fault: { code: 'run.quarantined' } })
    expect(await world.resultOf(runId)).toMatchObject({ status: 'completed' })
  })
})

const commandsOf = async (runId: string) =>
  (await world.events('baton.tools.commands')).flatMap((event) =>
    event.name === 'tool.call' && event.subject === runId ? [event.data] : [],
  )
const commandOf = async (runId: string) => {
  await until(async () => (await commandsOf(runId)).length > 0)
  const [command] = await commandsOf(runId)
  if (command === undefined) throw new Error('there is a command')
  return command
}
