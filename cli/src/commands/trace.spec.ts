import { describe, expect, it } from '@jest/globals'
import { printTrace, type TraceReply } from './trace.ts'
import { printWhy } from './why.ts'

type Step = TraceReply['steps'][number]
const run = { runId: 'run_1', flow: 'support/help', version: '3', status: 'running' }
const sum = { steps: 1, failed: 0, costUsd: 0, workMs: 0, waitMs: 0 }
const step = (path: string, more: Partial<Step> = {}): Step => ({
  path,
  kind: 'model',
  status: 'completed',
  critical: false,
  latencyMs: 10,
  sum,
  ...more,
})

describe('baton trace', () => {
  it('indents parts under their step, and names them by what tells them apart', () => {
    const text = printTrace({
      run,
      steps: [
        step('findings', {
          kind: 'map',
          critical: true,
          children: [
            step('findings[17]', { kind: 'item', children: [step('findings[17]/ballot', { by: 'model:m' })] }),
            step('findings[18]', { kind: 'item' }),
          ],
          counts: { completed: 2 },
        }),
        step('clerk', {
          kind: 'agent',
          children: [step('clerk/turn[2]', { children: [step('clerk/turn[2]/call[0]', { kind: 'tool' })] })],
        }),
      ],
    })
    expect(text.split('\n').map((line) => line.slice(0, 30).trimEnd())).toEqual([
      'run_1 support/help@3 running',
      '* ├─ findings (map)',
      '  │  ├─ [17] (item)',
      '  │  │  └─ ballot (model)',
      '  │  └─ [18] (item)',
      '  └─ clerk (agent)',
      '     └─ turn[2] (model)',
      '        └─ call[0] (tool)',
    ])
  })

  it('counts and sums what a step is made of, and says how to see the rest of it', () => {
    const text = printTrace({
      run,
      steps: [
        step('findings', {
          kind: 'map',
          status: 'opened',
          latencyMs: null,
          parts: 10_000,
          counts: { failed: 3, completed: 4_000 },
          sum: { ...sum, costUsd: 1.5, workMs: 90_000 },
          children: [step('findings[9]', { status: 'failed', error: 'tool.failed' })],
          more: { hidden: 4_002, after: 1 },
        }),
      ],
    })
    expect(text).toContain('open  3 failed, 4000 completed of 10000  work 90.0 s  1.500000 USD')
    expect(text).toContain(`… and 4002 more: baton trace run_1 --under 'findings' --after 1`)
  })

  it('nests the runs that steps started, with their steps', () => {
    const text = printTrace({
      run: { ...run, parentRunId: 'run_0' },
      steps: [
        step('refund', {
          kind: 'flow',
          run: { ...run, runId: 'run_2', flow: 'billing/refund', status: 'completed', steps: [step('pay', { kind: 'tool' })] },
        }),
      ],
      otherRuns: [{ ...run, runId: 'run_9', rerunOf: 'run_1' }],
    })
    expect(text.split('\n').map((line) => line.slice(0, 46).trimEnd())).toEqual([
      'run_1 support/help@3 running',
      '  started by run_0',
      '  └─ refund (flow)                       compl',
      '     └─ run_2 billing/refund@3 completed',
      '        └─ pay (tool)                    compl',
      '  run again as run_9 support/help@3 running',
    ])
  })

  it('says what an open step waits for', () => {
    const open = { status: 'opened', latencyMs: null } as const
    const text = printTrace({
      run,
      steps: [step('paid', { kind: 'event', ...open, event: 'payment' }), step('rest', { kind: 'wait', ...open, untilMs: 0 })],
    })
    expect(text).toContain('waits for payment')
    expect(text).toContain('waits until 1970-01-01T00:00:00.000Z')
  })
})

describe('baton why', () => {
  it('names each reason with what helps', () => {
    const why = [
      { path: 'pay', text: 'it failed with tool.failed: no', command: 'baton runs retry run_1 --from pay', remedy: 'Try again.' },
    ]
    expect(printWhy({ ...run, status: 'failed', why })).toBe(
      'run_1 support/help@3 failed\n  pay: it failed with tool.failed: no\n    Try again.\n    -> baton runs retry run_1 --from pay',
    )
    expect(printWhy({ ...run, status: 'completed', why: [] })).toContain('it is done')
  })
})
