import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { migrate, openPglite, openPostgres, type Database } from '@baton/store'
import { describeWithPostgres } from '@baton/testing/suite'
import fc from 'fast-check'
import { eventsOf } from './journal/journal.fixture.ts'
import { writeTrace } from './journal/trace.repository.ts'
import { traceRowsOf } from './journal/trace-rows.policy.ts'
import { teller, treeHistory } from './journal/tree.fixture.ts'
import { findRun, listRuns, type RunFilter } from './read/run.queries.ts'
import { readTrace, type RunTrace, type TraceNode } from './read/run-trace.ts'
import { runControls, runReasons } from './read/why.queries.ts'
import { migrations } from './storage/migrations.ts'

jest.setTimeout(60_000)

const suite = (open: () => Promise<Database>): void => {
  let db: Database
  beforeAll(async () => {
    db = await open()
    await migrate(db, { scope: 'tracing', migrations })
  })
  afterAll(() => db?.close())

  const tell = (told: Parameters<typeof eventsOf>[0]): Promise<void> => writeTrace(db, traceRowsOf(eventsOf(told)))
  const found = async (runId: string): Promise<NonNullable<Awaited<ReturnType<typeof findRun>>>> => {
    const run = await findRun(db, { tenant: 'default', runId })
    if (run === undefined) throw new Error(`${runId} is not there`)
    return run
  }
  const trace = async (runId: string, query: { under?: string; after?: number } = {}): Promise<RunTrace> =>
    readTrace(db, (await found(runId)).run, { under: query.under, after: query.after ?? 0, levelMax: 200 })
  const reasons = async (runId: string) => runReasons(db, await found(runId))
  const list = async (filter: Partial<RunFilter>): Promise<readonly string[]> =>
    (await listRuns(db, { tenant: 'default', labels: {}, limit: 50, ...filter })).map(({ runId }) => runId)
  const shape = (nodes: readonly TraceNode[]): readonly unknown[] =>
    nodes.map(({ path, kind, status, children, run }) => [
      `${path} ${kind} ${status}`,
      ...shape(children),
      ...(run === undefined ? [] : [run.runId, ...shape(run.steps ?? [])]),
    ])

  it('G2: the trace shows branches, items, child runs and undo steps, with what each level cost', async () => {
    await tell(treeHistory('run_tree'))
    const { steps, sum, otherRuns, complete, events } = await trace('run_tree')
    expect(shape(steps)).toEqual([
      ['signals parallel completed', ['signals/unsafe model completed'], ['signals/slow model abandoned']],
      [
        'findings map completed',
        ['findings[0] item completed', ['findings[0]/ballot model completed']],
        ['findings[1] item failed', ['findings[1]/ballot model failed']],
        ['findings[2] item completed', ['findings[2]/ballot model completed']],
      ],
      ['refund flow completed', 'run_tree_child', ['pay tool completed']],
      ['paid event completed'],
      ['undo undo completed', ['undo/refund undo completed', ['undo/refund/back tool completed']]],
    ])
    expect(steps[1]).toMatchObject({
      parts: 3,
      counts: { completed: 2, failed: 1 },
      sum: { steps: 3, failed: 1, costUsd: 0.0002, workMs: 13 },
    })
    expect(steps[2]).toMatchObject({ sum: { costUsd: 0.0001 }, run: { flow: 'tree/child', status: 'completed', costUsd: 0.0001 } })
    expect(steps[0]?.children[0]).toMatchObject({ by: 'model:m', model: 'm', costUsd: 0.0001 })
    expect(sum.costUsd).toBe(0.0005)
    expect(otherRuns).toEqual([])
    expect(complete).toBe(true)
    expect(events.map(({ name }) => name)).toEqual([...Array.from({ length: 4 }, () => 'journal.run.controlled'), 'journal.event.received'])
  })

  it('L8: a run names its parent, its root and what it runs again, and is listed by them', async () => {
    const again = teller({ runId: 'run_again', atMs: 2_000 })
    again.start('tree/parent', { rerunOf: 'run_tree', rootRunId: 'run_tree' })
    await tell(again.told)
    expect((await found('run_tree_child')).run).toMatchObject({ parentRunId: 'run_tree', rootRunId: 'run_tree', rerunOf: null })
    expect((await found('run_again')).run).toMatchObject({ parentRunId: null, rerunOf: 'run_tree' })
    expect(await list({ root: 'run_tree' })).toEqual(['run_again', 'run_tree_child', 'run_tree'])
    expect(await list({ parent: 'run_tree' })).toEqual(['run_tree_child'])
    expect((await trace('run_tree')).otherRuns).toMatchObject([{ runId: 'run_again', rerunOf: 'run_tree' }])
  })

  it('Y1: a paused run is one until it is resumed; who did what is told, refusals too', async () => {
    const run = teller({ runId: 'run_held', atMs: 3_000 })
    run.start('tree/held')
    run.ask('answer')
    run.control('paused')
    await tell(run.told)
    expect((await found('run_held')).run).toMatchObject({ status: 'paused', paused: { by: 'ann', atMs: 3_003 } })
    expect(await list({ status: 'paused' })).toEqual(['run_held'])
    expect(await list({ status: 'running', flow: 'tree/held' })).toEqual([])
    expect(await reasons('run_held')).toMatchObject([{ kind: 'paused', command: 'baton runs resume run_held' }])
    run.control('resumed')
    run.control('refused', { code: 'run.not_paused', asked: 'patch' })
    await tell(run.told)
    expect((await found('run_held')).run).toMatchObject({ status: 'running', paused: null })
    expect(await list({ status: 'paused' })).toEqual([])
    expect(await runControls(db, { tenant: 'default', runId: 'run_held' })).toMatchObject([
      { action: 'refused', by: 'ann', detail: { code: 'run.not_paused', asked: 'patch' } },
      { action: 'resumed' },
      { action: 'paused' },
    ])
  })

  it('Y2: an open run names what it waits for, not the steps around it, and not what was given up', async () => {
    const run = teller({ runId: 'run_waits', atMs: 4_000 })
    run.start('tree/waits')
    run.open('race', 'parallel')
    run.ask('race/slow')
    run.close('race', 'parallel')
    run.open('all', 'parallel', { parts: 4 })
    run.open('all/paid', 'event', { detail: { event: 'payment', untilMs: 90_000 } })
    run.open('all/rest', 'wait', { detail: { untilMs: 60_000 } })
    run.open('all/sub', 'flow', { detail: { childRunId: 'run_below' } })
    run.ask('all/person', 'human')
    run.ask('all/clerk/turn[2]')
    run.ask('all/other', 'task')
    await tell(run.told)
    await tell([
      {
        name: 'review.requested',
        data: {
          runId: 'run_waits',
          attemptId: 'a',
          taskId: 'rev_7',
          tenant: 'default',
          path: 'all/person',
          queue: 'q',
          priority: 'normal',
          dueAtMs: 9,
        },
      },
    ])
    expect((await found('run_waits')).run).toMatchObject({ status: 'waiting' })
    expect(await list({ status: 'waiting', flow: 'tree/waits' })).toEqual(['run_waits'])
    expect((await reasons('run_waits')).map(({ kind, path, command }) => [kind, path, command])).toEqual([
      ['event', 'all/paid', 'baton send run_waits payment'],
      ['time', 'all/rest', null],
      ['run', 'all/sub', 'baton why run_below'],
      ['person', 'all/person', 'baton reviews show rev_7'],
      ['turn', 'all/clerk/turn[2]', null],
      ['task', 'all/other', null],
    ])
  })

  it('Y3: a failed run names the step its fault comes from, and how to run it again', async () => {
    const run = teller({ runId: 'run_broken', atMs: 5_000 })
    run.start('tree/broken')
    run.open('findings', 'map')
    run.fail('findings[3]/ballot')
    run.fail('findings', 'map')
    run.end('tree/broken', 'failed', 0)
    await tell(run.told)
    expect(await reasons('run_broken')).toMatchObject([
      { kind: 'fault', path: 'findings[3]/ballot', code: 'tool.failed', command: 'baton runs retry run_broken --from findings' },
    ])
  })

  it('Y3: where no step failed with the fault of the run, the step is named at which it stood', async () => {
    const run = teller({ runId: 'run_timeless', atMs: 5_500 })
    run.start('tree/timeless')
    run.open('findings', 'map')
    run.ask('findings[3]/ballot')
    run.end('tree/timeless', 'failed', 0)
    await tell(run.told)
    expect(await reasons('run_timeless')).toMatchObject([
      { kind: 'fault', path: 'findings', command: 'baton runs retry run_timeless --from findings' },
    ])
  })

  it('J1, J2, J5, J6: a tree that is told twice, late, in another order or the child first ends in the same trace', async () => {
    await tell(treeHistory('run_expected'))
    const view = async (runId: string): Promise<unknown> => {
      const all = [await trace(runId), await trace(`${runId}_child`), await list({ root: runId })]
      return JSON.parse(JSON.stringify(all).replaceAll(runId, 'run'))
    }
    const expected = await view('run_expected')
    let n = 0
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat()), fc.integer({ min: 1, max: 20 }), async (chance, batch) => {
        const runId = `run_mixed${(n += 1)}`
        const random = (below: number): number => (chance.next().value ?? 0) % below
        const events = eventsOf(treeHistory(runId))
        const twice = [...events, ...events.filter(() => random(2) === 0)].map((event) => ({ event, at: random(1_000) }))
        const mixed = twice.sort((a, b) => a.at - b.at).map(({ event }) => event)
        for (let at = 0; at < mixed.length; at += batch) await writeTrace(db, traceRowsOf(mixed.slice(at, at + batch)))
        expect(await view(runId)).toEqual(expected)
      }),
      { numRuns: 15 },
    )
  })

  it('N4: a map of ten thousand items is counted and paged; its answer stays small', async () => {
    const run = teller({ runId: 'run_large', atMs: 6_000 })
    run.start('tree/large')
    run.open('findings', 'map', { parts: 10_000 })
    for (let item = 0; item < 10_000; item += 1) {
      run.ask(`findings[${item}]/ballot`)
      if (item % 2_500 === 9) run.fail(`findings[${item}]/ballot`)
      else run.answer(`findings[${item}]/ballot`)
    }
    const told = run.told
    for (let at = 0; at < told.length; at += 1_501) await tell(told.slice(at, at + 1_501))
    const reply = await trace('run_large')
    const [map] = reply.steps
    expect(map).toMatchObject({
      counts: { completed: 9_996, failed: 4 },
      sum: { steps: 10_000, failed: 4, costUsd: 0.9996 },
      more: { hidden: 9_800, after: 200 },
    })
    expect(map?.children.slice(0, 5).map(({ status }) => status)).toEqual(['failed', 'failed', 'failed', 'failed', 'completed'])
    expect(JSON.stringify(reply).length).toBeLessThan(500_000)
    const last = await trace('run_large', { under: 'findings', after: 9_900 })
    expect(last.steps).toHaveLength(100)
    expect(last.more).toBeUndefined()
    expect((await trace('run_large', { under: 'findings[17]' })).steps).toMatchObject([{ path: 'findings[17]/ballot', by: 'model:m' }])
    expect((await found('run_large')).run.waitingFor).toBe('map: findings')
  })
}

describe('run trees on PGlite', () => {
  suite(() => openPglite())
})

describeWithPostgres('run trees on PostgreSQL', (postgres) => {
  suite(async () => openPostgres({ url: await postgres.freshDatabase() }))
})
