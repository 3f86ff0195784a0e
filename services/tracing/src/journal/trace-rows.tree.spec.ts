import { describe, expect, it } from '@jest/globals'
import { eventsOf } from './journal.fixture.ts'
import { traceRowsOf } from './trace-rows.policy.ts'
import { teller, treeHistory } from './tree.fixture.ts'

const rows = traceRowsOf(eventsOf(treeHistory('run_1')))

describe('rows of a run made of others', () => {
  it('J1: a run row says what started it and what it runs again', () => {
    expect(rows.runs).toMatchObject([
      { run_id: 'run_1', parent_run_id: null, root_run_id: null, rerun_of: null },
      { run_id: 'run_1_child', parent_run_id: 'run_1', root_run_id: 'run_1', status: 'completed' },
    ])
    const again = teller({ runId: 'run_2', atMs: 0 })
    again.start('f', { rerunOf: 'run_1', rootRunId: 'run_1' })
    expect(traceRowsOf(eventsOf(again.told)).runs).toMatchObject([{ rerun_of: 'run_1', root_run_id: 'run_1', parent_run_id: null }])
  })

  it('J1: a child that is told before its parent makes the same rows', () => {
    const backward = traceRowsOf(eventsOf([...treeHistory('run_1')].reverse()))
    const byId = (runs: typeof rows.runs): unknown => runs.toSorted((a, b) => (a.run_id < b.run_id ? -1 : 1))
    expect(byId(backward.runs)).toEqual(byId(rows.runs))
    expect(backward.holds).toEqual(rows.holds)
  })

  it('J5: what a composed step said when it began stays beside its end', () => {
    expect(rows.steps.filter(({ path }) => path === 'findings')).toMatchObject([
      { status: 'opened', attempt: 0, kind: 'map', facts: { parts: 3 } },
      { status: 'completed', attempt: 1 },
    ])
    expect(rows.steps.find(({ path, status }) => path === 'refund' && status === 'opened')?.facts.childRunId).toBe('run_1_child')
    expect(rows.steps.find(({ path, status }) => path === 'paid' && status === 'opened')?.facts.event).toBe('payment')
  })

  it('J6: of pauses and resumptions the newest holds', () => {
    expect(rows.holds).toMatchObject([{ run_id: 'run_1', paused: false, made_by: 'ann' }])
    const run = teller({ runId: 'run_3', atMs: 0 })
    run.control('paused')
    run.control('resumed')
    run.control('paused')
    run.control('refused')
    for (const told of [run.told, run.told.toReversed()])
      expect(traceRowsOf(eventsOf(told)).holds).toMatchObject([{ seq: 2, paused: true }])
  })

  it('J4: of a change the fields are kept and not what they hold', () => {
    const run = teller({ runId: 'run_4', atMs: 0 })
    run.control('patched', { input: { text: 'secret' }, params: ['tone'] })
    const [event] = traceRowsOf(eventsOf(run.told)).events
    expect(JSON.parse(event?.detail ?? '')).toEqual({ action: 'patched', seq: 0, fields: ['input.text', 'params.tone'] })
  })
})
