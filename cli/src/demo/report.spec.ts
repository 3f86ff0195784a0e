import { describe, expect, it } from '@jest/globals'
import type { RunResult } from '@baton/contracts'
import { figuresOf, printFigures, type DemoRun } from './report.ts'

const result = (intent: string, status: RunResult['status'] = 'completed'): RunResult => ({
  requestId: 'q',
  runId: 'run',
  flow: 'support/customer-support',
  version: '1.0.0',
  status,
  output: { intent },
  metrics: { latencyMs: 10, costUsd: 0.001, steps: 4, escalated: false },
})
const run = (category: string, more: Partial<DemoRun> = {}): DemoRun => ({
  case: { runId: 'run', category, outOfScope: category === 'unknown' },
  ...more,
})

describe('figures of the demo (S2)', () => {
  const runs = [
    run('refund', { result: result('refund') }),
    run('refund', { result: result('technical') }),
    run('technical', { result: result('technical'), review: 'normal' }),
    run('other', { review: 'low' }),
    run('unknown', { review: 'low' }),
    run('unknown', { result: result('refund') }),
    run('other', { result: result('other', 'failed') }),
  ]

  it('counts as automatic only what completed without a person, and judges the intent on those', () => {
    expect(figuresOf(runs)).toMatchObject({ automatic: 3, automaticRight: 1 })
  })

  it('keeps waiting apart from completion', () => {
    expect(figuresOf(runs)).toMatchObject({
      people: { normal: 1, low: 2 },
      decidedByPeople: 1,
      waitingForPeople: 2,
      ended: 5,
      completed: 4,
    })
  })

  it('catches an out-of-scope question unless it was answered as something else', () => {
    expect(figuresOf(runs)).toMatchObject({ outOfScope: 2, outOfScopeCaught: 1 })
  })

  it('prints shares of what they are shares of', () => {
    expect(printFigures(figuresOf(runs), { seconds: 2, tickets: 3 })).toContain('runs per second')
  })
})
