import { describe, expect, it } from '@jest/globals'
import { askedFor, completed, given, programOf, requested, resultIn } from '../testing.ts'

const CHAIN = programOf(`
input: { text: string }
steps:
  - facts: Extract the facts from {{ input.text }}
  - summary: Summarise {{ facts }}
`)

describe('a chain of steps', () => {
  it('asks for the first step as soon as the run is requested', () => {
    given(CHAIN)
      .when(requested({ text: 'a' }))
      .emits('started', 'ask model.invoke facts/1', 'dispatched facts/1')
  })

  it('hands the output of a step to the next one', () => {
    const next = given(CHAIN, requested({ text: 'a' })).when(completed('facts/1', 'two facts'))
    next.emits('completed facts/1 by model:small', 'ask model.invoke summary/1', 'dispatched summary/1')
    expect(askedFor(next.outputs, 'summary')?.input).toEqual({ facts: 'two facts' })
  })

  it('A1: ends with the output of the last step where the flow names none', () => {
    const last = given(CHAIN, requested({ text: 'a' }), completed('facts/1', 'two facts')).when(completed('summary/1', 'short'))
    last.emits('completed summary/1 by model:small', 'ended completed', 'result completed')
    expect(resultIn(last.outputs)?.result).toMatchObject({
      requestId: 'order-1',
      runId: 'run_1',
      status: 'completed',
      output: 'short',
      metrics: { steps: 2, escalated: false },
    })
  })

  it('R1: numbers what it publishes by run and sequence', () => {
    expect(
      given(CHAIN)
        .when(requested({ text: 'a' }))
        .outputs.map(({ id }) => id),
    ).toEqual(['run_1/0', 'run_1/1', 'run_1/2'])
  })
})
