import { describe, expect, it } from '@jest/globals'
import type { MessageOf } from '@baton/contracts'
import type { EngineInput, LogMessage } from '../decision.ts'
import { completed, decided, inWords, programOf, requested, START_MS } from '../testing.ts'
import { PartitionRuns, WAKE_AGAIN_MS, type PartitionOptions, type PartitionSnapshot, type RunRow } from './partition-runs.ts'

const PROGRAM = programOf(`
input: { text: string }
steps:
  - a: { tool: shop/a }
  - check: { human: { queue: support, priority: normal, sla: 1h } }
`)
const HASH = PROGRAM.plan.hash
const open = (more: Partial<PartitionOptions> = {}) =>
  new PartitionRuns({ partition: 3, next: 0, ownedSinceMs: START_MS, programs: (hash) => (hash === HASH ? PROGRAM : undefined), ...more })

const record = (offset: number, message: LogMessage): EngineInput => ({ message, atMs: START_MS + offset, partition: 3, offset })
const request = (offset: number, more: Partial<MessageOf<'run.requested'>> = {}) =>
  record(offset, requested({ text: 'a' }, { planHash: HASH, ...more }))

/** Does what the shell does between two records: everything published is durable, everything taken is stored. */
const checkpoint = (runs: PartitionRuns, rows: Map<string, RunRow>): PartitionSnapshot | null => {
  const snapshot = runs.snapshot()
  if (snapshot === null) return null
  runs.acked(snapshot.ticket)
  for (const row of snapshot.rows) rows.set(row.runId, row)
  runs.committed(snapshot)
  return snapshot
}

describe('records', () => {
  it('P1: are applied once; what lies before the position is passed over', () => {
    const runs = open()
    expect(runs.missing([request(0)])).toBeNull()
    expect(runs.apply(request(0)).outputs.map(inWords)).toEqual(['started', 'ask tool.call a/1', 'dispatched a/1'])
    expect(runs.apply(request(0)).outputs).toEqual([])
    expect(runs.next).toBe(1)
  })

  it('P4, N1: of unknown runs need a look-up, but for a request that cannot be a repeat', () => {
    const fresh = open()
    expect(fresh.missing([request(0), record(1, completed('a/1'))])).toBeNull()
    expect(open().missing([request(0, { repeat: true }), record(1, completed('a/1'))])).toEqual({ runIds: ['run_1'], planHashes: [] })
    const taken = open({ next: 7, ownedSinceMs: START_MS })
    expect(taken.missing([request(7)])).toEqual({ runIds: ['run_1'], planHashes: [] })
    expect(taken.missing([request(7, { requestedAtMs: START_MS + 60_000 })])).toBeNull()
    expect(() => open({ next: 7 }).apply(request(7))).toThrow('missing()')
  })

  it('P4: of a run that has ended and left memory give its result again', () => {
    const rows = new Map<string, RunRow>()
    const runs = open()
    const history = [request(0), record(1, completed('a/1')), record(2, decided('check/1', 'approve', 'ok'))]
    expect(runs.missing(history)).toBeNull()
    const results = history.flatMap((input) => runs.apply(input).outputs).filter(({ to }) => to === 'result')
    expect(runs.missing([])).toBeNull()
    expect(checkpoint(runs, rows)?.rows.map(({ status }) => status)).toEqual(['ended'])
    expect(runs.stats().resident).toBe(0)
    expect(runs.missing([request(3)])).toEqual({ runIds: ['run_1'], planHashes: [] })
    runs.loaded({ runIds: ['run_1'], rows: [...rows.values()] })
    expect(runs.apply(request(3)).outputs).toEqual(results)
  })

  it('of runs that do not exist are refused (R8)', () => {
    const runs = open()
    expect(runs.missing([record(0, completed('a/1'))])).toEqual({ runIds: ['run_1'], planHashes: [] })
    runs.loaded({ runIds: ['run_1'], rows: [] })
    expect(runs.missing([record(0, completed('a/1'))])).toBeNull()
    expect(runs.apply(record(0, completed('a/1')))).toMatchObject({ outputs: [], refused: { code: 'request.not_found' }, ticket: 1 })
  })

  it('name the plans they need; a run whose plan is nowhere fails, and holds up nobody', () => {
    const runs = open()
    const lost = request(0, { planHash: 'f'.repeat(64) })
    expect(runs.missing([lost])).toEqual({ runIds: [], planHashes: ['f'.repeat(64)] })
    runs.withoutPlan(['f'.repeat(64)])
    expect(runs.missing([lost])).toBeNull()
    const { outputs } = runs.apply(lost)
    expect(outputs.map(inWords)).toEqual(['started', 'ended failed', 'result failed'])
  })

  it('L10: that crash their owner are passed over; a request among them fails its run', () => {
    const runs = open()
    const skipped = runs.skip(request(0), { code: 'run.quarantined', message: 'crashed twice' })
    expect(skipped.outputs.map(inWords)).toEqual(['started', 'ended failed', 'result failed'])
    expect(runs.skip({ offset: 1 })).toMatchObject({ outputs: [], ticket: 2 })
    expect(runs.next).toBe(2)
  })
})

describe('snapshots', () => {
  it('P2: hold what changed up to their position, and wait for the outputs of it', () => {
    const runs = open()
    runs.apply(request(0))
    const snapshot = runs.snapshot()
    expect(snapshot).toMatchObject({ partition: 3, next: 1, ticket: 1 })
    expect(snapshot?.rows).toMatchObject([{ runId: 'run_1', tenant: 'default', partition: 3, status: 'running', appliedOffset: 0, seq: 3 }])
    if (snapshot === null) return
    expect(runs.mayCommit(snapshot)).toBe(false)
    runs.acked(1)
    expect(runs.mayCommit(snapshot)).toBe(true)
    expect(runs.snapshot()).toBeNull()
  })

  it('P3: leave alone what changed after them, and everything when they are abandoned', () => {
    const runs = open()
    runs.apply(request(0))
    const first = runs.snapshot()
    runs.apply(record(1, completed('a/1')))
    if (first !== null) runs.committed(first)
    expect(runs.stats()).toMatchObject({ resident: 1, dirty: 1, uncommitted: 1 })
    const second = runs.snapshot()
    expect(second?.rows).toMatchObject([{ status: 'waiting', appliedOffset: 1 }])
    if (second !== null) runs.abandoned(second)
    expect(runs.snapshot()).toMatchObject({ next: 2, rows: [{ appliedOffset: 1 }] })
  })

  it('P3, L11: let a run that waits for people leave memory, and a decision brings it back', () => {
    const rows = new Map<string, RunRow>()
    const runs = open()
    runs.apply(request(0))
    runs.apply(record(1, completed('a/1')))
    checkpoint(runs, rows)
    expect(runs.stats()).toMatchObject({ resident: 0, waiting: 1 })
    const answer = record(2, decided('check/1', 'approve', 'ok'))
    expect(runs.missing([answer])).toEqual({ runIds: ['run_1'], planHashes: [] })
    runs.loaded({ runIds: ['run_1'], rows: [...rows.values()] })
    expect(runs.apply(answer).outputs.map(inWords)).toContain('result completed')
    expect(runs.stats().waiting).toBe(0)
  })

  it('P6: take nothing away that was found to be there for records still to be applied', () => {
    const rows = new Map<string, RunRow>()
    const runs = open()
    runs.apply(request(0))
    runs.apply(record(1, completed('a/1')))
    const answer = record(2, decided('check/1', 'approve', 'ok'))
    expect(runs.missing([answer])).toBeNull()
    checkpoint(runs, rows)
    expect(runs.apply(answer).outputs.map(inWords)).toContain('result completed')
  })

  it('P7: a record that cannot be applied leaves a memory of no use', () => {
    const faulty = { ...PROGRAM, plan: { ...PROGRAM.plan, blocks: [] } }
    const runs = open({
      programs: () => ({
        ...faulty,
        get plan(): never {
          throw new Error('a bug')
        },
      }),
    })
    expect(() => runs.apply(request(0))).toThrow('a bug')
    expect(() => runs.apply(request(0))).toThrow('dropped')
  })

  it('keep memory bounded: written runs beyond the limit leave it', () => {
    const rows = new Map<string, RunRow>()
    const runs = open({ residentMax: 2 })
    for (let index = 0; index < 5; index += 1) runs.apply(request(index, { runId: `run_${index}` }))
    checkpoint(runs, rows)
    expect(runs.stats()).toMatchObject({ resident: 2, waiting: 5 })
  })
})

describe('waking', () => {
  it('P5: comes for runs in memory and out of it, and again until it is read back', () => {
    const runs = open({ next: 1 })
    runs.armed([{ runId: 'run_9', wakeAtMs: START_MS + 100 }])
    expect(runs.nextWakeAtMs()).toBe(START_MS + 100)
    expect(runs.wakeups(START_MS + 99)).toEqual([])
    const timer = { runId: 'run_9', timerId: 'wake', dueAtMs: START_MS + 100 }
    expect(runs.wakeups(START_MS + 100)).toEqual([timer])
    expect(runs.wakeups(START_MS + 101)).toEqual([])
    expect(runs.wakeups(START_MS + 100 + WAKE_AGAIN_MS)).toEqual([timer])
  })
})
