import { describe, expect, it } from '@jest/globals'
import { runView, type OpenStep, type RunView } from './run-view.ts'
import { reasonsOf, type Situation } from './why.policy.ts'

const run: RunView = {
  ...runView(
    {
      runId: 'run_1',
      tenant: 'default',
      flow: 'f',
      version: '1',
      status: 'running',
      requestId: null,
      source: null,
      priority: null,
      labels: null,
      requestedAtMs: '0',
      startedAtMs: null,
      endedAtMs: null,
      latencyMs: null,
      workingMs: null,
      waitedMs: null,
      costMicroUsd: null,
      steps: null,
      escalated: null,
      faultCode: null,
      faultMessage: null,
      parentRunId: null,
      rootRunId: null,
      rerunOf: null,
      pausedBy: null,
      pausedAtMs: null,
    },
    [],
  ),
}
const step = (path: string, more: Partial<OpenStep> = {}): OpenStep => ({
  runId: 'run_1',
  path,
  kind: 'model',
  status: 'dispatched',
  reason: null,
  errorCode: null,
  untilMs: null,
  event: null,
  childRunId: null,
  ...more,
})
const why = (given: Partial<Situation>) => reasonsOf({ run, open: [], failed: [], tasks: new Map(), cancelledBy: null, ...given })
const failing = (code: string): RunView => ({ ...run, status: 'failed', fault: { code, message: 'no' } })

describe('why a run stands where it stands', () => {
  it('Y1: a paused run waits for its resumption, whatever else is open', () => {
    const paused: RunView = { ...run, status: 'paused', paused: { by: 'ann', atMs: 0 } }
    expect(why({ run: paused, open: [step('a')] })).toMatchObject([
      { kind: 'paused', text: 'it is paused by ann since 1970-01-01T00:00:00.000Z', command: 'baton runs resume run_1' },
    ])
  })

  it('Y2: composed steps are named only when nothing in them is open', () => {
    const all = step('all', { kind: 'map', status: 'opened' })
    expect(why({ open: [all, step('all[3]/x')] }).map(({ path }) => path)).toEqual(['all[3]/x'])
    expect(why({ open: [all] }).map(({ path }) => path)).toEqual(['all'])
    expect(why({})).toMatchObject([{ kind: 'engine' }])
  })

  it('says when a step is tried again, what is down, and whose answer is due', () => {
    const open = [
      step('a', { status: 'waiting', reason: 'retrying', errorCode: 'model.rate_limited', untilMs: 0 }),
      step('b', { kind: 'tool', status: 'waiting', reason: 'deferred' }),
      step('c', { status: 'waiting', reason: 'extended', untilMs: 0 }),
      step('d', { kind: 'task', untilMs: 0 }),
      step('e'),
    ]
    expect(why({ open }).map(({ kind, text, command }) => [kind, text, command])).toEqual([
      ['retry', 'the model step is tried again after model.rate_limited, at 1970-01-01T00:00:00.000Z', null],
      ['dependency', 'what the tool step needs is down', 'baton doctor'],
      ['work', 'the model step is being worked on, and asked for time until 1970-01-01T00:00:00.000Z', null],
      ['task', 'a task of another team is open; word of it is due by 1970-01-01T00:00:00.000Z', null],
      ['work', 'the model step is being worked on', null],
    ])
  })

  it('Y3: a fault comes with what helps against it, and with the run it came from', () => {
    const failed = [{ path: 'sub/go', kind: 'flow', seq: 9, code: 'tool.failed', message: null, childRunId: 'run_2' }]
    expect(why({ run: failing('tool.failed'), failed })).toMatchObject([
      { path: 'sub/go', text: 'it failed with tool.failed: no', command: 'baton runs retry run_1 --from sub' },
      { kind: 'run', command: 'baton why run_2' },
    ])
    expect(why({ run: failing('limit.steps_exceeded') })).toMatchObject([
      { path: null, command: 'baton runs retry run_1', remedy: expect.stringContaining('A limit or rule stopped it') },
    ])
  })

  it('a run that was cancelled says by whom, one that completed says nothing', () => {
    expect(why({ run: { ...run, status: 'cancelled' }, cancelledBy: 'ann' })).toMatchObject([{ text: 'it was cancelled by ann' }])
    expect(why({ run: { ...run, status: 'completed' } })).toEqual([])
  })
})
