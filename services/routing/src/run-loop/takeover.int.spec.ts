import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals'
import { TOPICS } from '@baton/contracts'
import { openPostgres, type Database } from '@baton/store'
import { describeWithPostgres } from '@baton/testing/suite'
import { gate, openWorld, until, type Process, type World } from './world.fixture.ts'

jest.setTimeout(15_000)

const TOOL = `
flow: spec/tool
steps:
  - only: { tool: spec/one, with: { v: =input.v } }
`

describeWithPostgres('two processes on PostgreSQL', (postgres) => {
  let url: string
  let db: Database
  let world: World
  const connections: Database[] = []
  beforeAll(async () => {
    url = await postgres.freshDatabase()
    db = openPostgres({ url })
  })
  afterAll(() => db.close())
  beforeEach(async () => {
    world = await openWorld(db)
  })
  afterEach(async () => {
    await world.close()
    await Promise.all(connections.splice(0).map((connection) => connection.close().catch(() => undefined)))
  })

  /** A process as far as the server can tell: connections of its own, and its name on them. */
  const process = async (name: string): Promise<Process & { readonly db: Database }> => {
    const own = openPostgres({ url: `${url}?application_name=${name}`, poolMax: 3 })
    connections.push(own)
    return { ...(await world.process(own)), db: own }
  }
  const commands = async (runId: string) =>
    (await world.records('baton.tools.commands')).filter(({ headers }) => headers['ce_subject'] === runId)

  it('L4, L7: a standby takes over as soon as the connections of the owner are gone, long before the lease ends', async () => {
    const flow = await world.publishFlow(TOOL)
    const dying = await process('dying')
    await world.loop(dying)
    const standby = await world.loop(await process('standby'))
    const runId = await world.begin(flow, { partition: 0 })
    await until(async () => (await world.lease(0)).next === 1)
    expect(standby.stats().owned).toBe(0)
    dying.faults.dead = true // Or it would say goodbye.
    await dying.db.close()
    await until(() => standby.stats().owned === 3)
    await world.serveTools()
    const [command] = await commands(runId)
    if (command === undefined) throw new Error('it was asked before')
    await world.bus.publish([{ ...command, topic: 'baton.tools.commands' }]) // The worker sees it now.
    expect(await world.resultOf(runId)).toMatchObject({ status: 'completed' })
    expect((await world.lease(0)).crashCount).toBe(1)
  })

  it('L3, L4: the owner before cannot store anything any more, and stops', async () => {
    const flow = await world.publishFlow(TOOL)
    const old = await process('old')
    const oldLoop = await world.loop(old, { pollMs: 100_000, leaseMs: 400_000 }) // Asks for its lease so rarely that only the checkpoint can tell it.
    const standby = await process('standby')
    const standbyLoop = await world.loop(standby)
    const acks = gate()
    old.faults.acksHeld = acks.passed
    const runId = await world.begin(flow, { partition: 0 })
    await until(async () => (await commands(runId)).length === 1)
    // The connection that holds its locks is cut, as by a server that restarts a backend; the rest of the process lives.
    await db.query(
      `select pg_terminate_backend(l.pid) from pg_locks l join pg_stat_activity a using (pid)
       where l.locktype = 'advisory' and a.application_name = 'old' group by l.pid`,
    )
    await until(() => standbyLoop.stats().owned === 3)
    await until(async () => (await world.lease(0)).next === 1)
    const stored = await world.lease(0)
    acks.open()
    await until(() => oldLoop.stats().owned < 3)
    expect(await world.lease(0)).toEqual(stored)
    // What both decided is the same, word for word: a consumer drops it by its id.
    const [first, second] = await commands(runId)
    expect(second?.headers).toEqual(first?.headers)
    expect(second?.value).toEqual(first?.value)
  })

  it('L4: an owner that was paused longer than its lease finds it gone, and decides nothing', async () => {
    const flow = await world.publishFlow(TOOL)
    const paused = await process('paused')
    let nowMs = 0
    const loop = await world.loop(paused, { monotonicMs: () => nowMs, pollMs: 100_000, leaseMs: 400_000 })
    const standby = await process('standby')
    const standbyLoop = await world.loop(standby)
    await db.query(`update log_partitions set expires_at = now() - interval '1 second'`)
    await until(() => standbyLoop.stats().owned === 3)
    nowMs += 400_000
    const runId = await world.begin(flow, { partition: 0 })
    await until(async () => (await world.lease(0)).next === 1)
    expect(paused.faults.tried.filter(({ key }) => key === runId)).toEqual([])
    expect((await world.events(TOPICS.journal)).filter(({ name }) => name === 'journal.run.started')).toHaveLength(1)
    await until(() => loop.stats().owned < 3)
  })

  it('L4: an owner that is stopped in order hands over at once, and no crash is counted', async () => {
    const first = await world.loop(await process('first'))
    const second = await world.loop(await process('second'))
    expect([first.stats().owned, second.stats().owned]).toEqual([3, 0])
    await first.close()
    await until(() => second.stats().owned === 3)
    expect((await world.lease(0)).crashCount).toBe(0)
  })
})
