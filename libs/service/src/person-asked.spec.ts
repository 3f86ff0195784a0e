import { describe, expect, it } from '@jest/globals'
import type { Meter, StepCommand } from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'
import { type AskedAbout, askedWork } from './person-asked.ts'

// Only these fields are read.
const command = { runId: 'run_1', path: 'sort', flow: 'a/b' } as StepCommand
const node = { returns: { type: 'object' } } as unknown as PlanNode
const about: AskedAbout = { command, node, input: { text: 'hi' }, output: { intent: 'refund' }, by: 'model:large', confidence: 0.6 }
const by = { need: { queue: 'support', kind: 'edit' }, rule: 'answer', reasons: ['too low'] } as const
const meter: Meter = { startedAtMs: 1, latencyMs: 1, tries: 1, inputChars: 1, outputChars: 1, costMicroUsd: 0 }

describe('a person asked about an output', () => {
  it('is shown the question, the draft, who made it and why they are asked', () => {
    expect(askedWork(about, by, { meter })).toMatchObject({
      status: 'asks',
      ask: {
        kind: 'edit',
        use: 'output',
        title: 'a/b: sort',
        input: { question: { text: 'hi' }, draft: { intent: 'refund' }, madeBy: 'model:large', confidence: 0.6 },
        allowed: ['approve', 'edit', 'reject'],
        schema: { type: 'object' },
        reasons: ['too low'],
        measured: { rule: 'answer', route: 'model:large', confidence: 0.6 },
      },
    })
  })

  it('P1: an output that nobody could read through does not pass by what wanted a look', () => {
    expect(askedWork({ ...about, output: 'x'.repeat(300_000) }, by, { meter })).toMatchObject({
      status: 'failed',
      fault: { code: 'step.output_too_large' },
    })
  })

  it('P2: without an output that holds the person writes one, even where only approval was wanted', () => {
    const bare: AskedAbout = { command, node, input: { text: 'hi' } }
    const result = askedWork(bare, { ...by, need: { queue: 'support', kind: 'approval' } }, { meter })
    expect(result).toMatchObject({
      status: 'asks',
      ask: { kind: 'question', allowed: ['respond', 'reject'], input: { question: { text: 'hi' } } },
    })
    expect(result).not.toHaveProperty('ask.input.draft')
  })
})
