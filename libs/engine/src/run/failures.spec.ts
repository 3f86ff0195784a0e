import { describe, expect, it } from '@jest/globals'
import { askedFor, completed, decided, failed, given, programOf, requested, resultIn, reviewExpired, START_MS } from '../testing.ts'
import { REVIEW_SLACK_MS } from './lease.policy.ts'

const flowWith = (handler: string, more = '') =>
  programOf(`
input: { text: string }
steps:
  - fetch: { tool: shop/fetch, returns: { price: number }, ${handler} }
  - told: { tool: shop/tell, with: { price: =fetch } }
${more}
`)
const start = requested({ text: 'a' })

describe('the handler of a step', () => {
  it('A10: runs another step whose output takes the place of the failed one', () => {
    const program = flowWith('onError: { tool: shop/cached, with: { code: =fault.code }, then: next }')
    const handled = given(program, start).when(failed('fetch/1'))
    handled.emits('failed fetch/1 tool.failed', 'handler fetch: run', 'ask tool.call fetch/onError/1', 'dispatched fetch/onError/1')
    expect(askedFor(handled.outputs, 'fetch/onError')?.input).toEqual({ code: 'tool.failed' })
    const next = given(program, start, failed('fetch/1')).when(completed('fetch/onError/1', { price: 3 }, { by: 'tool:shop/cached' }))
    expect(askedFor(next.outputs, 'told')?.input).toEqual({ price: { price: 3, by: 'tool:shop/cached' } })
    const ended = given(program, start, failed('fetch/1'), completed('fetch/onError/1', { price: 3 })).when(completed('told/1'))
    expect(resultIn(ended.outputs)?.result).toMatchObject({ status: 'completed', degraded: ['tool.failed'] })
  })

  it('H3: fails the run after its body unless it says otherwise, with the fault that came first', () => {
    const program = flowWith('onError: { tool: ops/log }')
    given(program, start, failed('fetch/1'))
      .when(completed('fetch/onError/1'))
      .emits('completed fetch/onError/1 by model:small', 'ended failed', 'result failed')
    const twice = given(program, start, failed('fetch/1')).when(failed('fetch/onError/1', 'tool.timed_out'))
    twice.emits('failed fetch/onError/1 tool.timed_out', 'ended failed', 'result failed')
    expect(resultIn(twice.outputs)?.result.fault).toMatchObject({ code: 'tool.failed' })
  })

  it('goes on with null, ends, or goes to a step, as it says', () => {
    const next = given(flowWith('onError: next'), start).when(failed('fetch/1'))
    next.emits('failed fetch/1 tool.failed', 'handler fetch: next', 'ask tool.call told/1', 'dispatched told/1')
    given(flowWith('onError: end'), start)
      .when(failed('fetch/1'))
      .emits('failed fetch/1 tool.failed', 'handler fetch: end', 'ended completed', 'result completed')
    given(flowWith('onError: told'), start)
      .when(failed('fetch/1'))
      .emits('failed fetch/1 tool.failed', 'handler fetch: step told', 'ask tool.call told/1', 'dispatched told/1')
  })

  it('A7: asks again with the fault as feedback, as often as it says', () => {
    const program = programOf(`
input: { text: string }
steps:
  - answer: { model: [small], prompt: 'Answer {{ input.text }}', onError: { retry: { attempts: 1, model: [large] } } }
`)
    const again = given(program, start).when(failed('answer/1', 'output.schema_invalid'))
    again.emits('failed answer/1 output.schema_invalid', 'handler answer: retry', 'ask model.invoke answer/2', 'dispatched answer/2')
    expect(askedFor(again.outputs, 'answer')?.override).toEqual({ models: ['large'], feedback: 'output.schema_invalid happened' })
    given(program, start, failed('answer/1', 'output.schema_invalid'))
      .when(failed('answer/2', 'output.schema_invalid'))
      .emits('failed answer/2 output.schema_invalid', 'ended failed', 'result failed')
  })

  it('H1: takes what fails inside a case of its switch', () => {
    const program = programOf(`
input: { text: string }
steps:
  - facts:
      switch: =input.text
      cases: { a: { tool: shop/a } }
      else: { tool: shop/b }
      onError: { set: { known: false }, then: next }
`)
    const ended = given(program, start).when(failed('facts/a/1'))
    ended.emits(
      'failed facts/a/1 tool.failed',
      'handler facts: run',
      'completed facts/onError/1 by set',
      'ended completed',
      'result completed',
    )
    expect(resultIn(ended.outputs)?.result.output).toEqual({ known: false })
  })
})

describe("the flow's error handler", () => {
  const program = flowWith('timeout: 5s', 'onError: { tool: ops/log, with: { code: =fault.code, run: =run.id } }')

  it('A10: is asked about whatever no step handles, and the run still fails with that fault', () => {
    const handled = given(program, start).when(failed('fetch/1'))
    handled.emits('failed fetch/1 tool.failed', 'handler onError: run', 'ask tool.call onError/1', 'dispatched onError/1')
    expect(askedFor(handled.outputs, 'onError')?.input).toEqual({ code: 'tool.failed', run: 'run_1' })
    const ended = given(program, start, failed('fetch/1')).when(completed('onError/1'))
    ended.emits('completed onError/1 by model:small', 'ended failed', 'result failed')
    expect(resultIn(ended.outputs)?.result.fault?.code).toBe('tool.failed')
  })

  it('H1: is not asked about its own failure', () => {
    const ended = given(program, start, failed('fetch/1')).when(failed('onError/1', 'tool.timed_out'))
    ended.emits('failed onError/1 tool.timed_out', 'ended failed', 'result failed')
    expect(resultIn(ended.outputs)?.result.fault?.code).toBe('tool.failed')
  })

  it('completes the run, degraded, where it says so', () => {
    const completing = flowWith('timeout: 5s', 'onError: { set: { sorry: true }, then: end }')
    const ended = given(completing, start).when(failed('fetch/1'))
    expect(resultIn(ended.outputs)?.result).toMatchObject({ status: 'completed', output: { sorry: true }, degraded: ['tool.failed'] })
  })

  it('takes expressions that cannot be evaluated', () => {
    const faulty = programOf(`
input: { text: string }
steps:
  - a: { set: { n: '=int(input.text)' } }
onError: { tool: ops/log, with: { code: =fault.code } }
`)
    const handled = given(faulty).when(start)
    expect(askedFor(handled.outputs, 'onError')?.input).toEqual({ code: 'expression.failed' })
  })
})

describe('people', () => {
  const program = (onTimeout: string) =>
    programOf(`
input: { text: string }
steps:
  - check: { human: { queue: support, priority: normal, sla: 30m, onTimeout: ${onTimeout} } }
`)
  it('E1: give the output of the step by approving, editing or responding', () => {
    for (const verdict of ['approve', 'edit', 'respond'] as const) {
      const ended = given(program('fail'), start).when(decided('check/1', verdict, { ok: verdict }))
      ended.emits('completed check/1 by human:ada', 'ended completed', 'result completed')
      expect(resultIn(ended.outputs)?.result).toMatchObject({ output: { ok: verdict }, metrics: { escalated: true } })
    }
  })

  it('E5: silence that lets an advisory step go on is told as such, and not as a person', () => {
    const said = decided('check/1', 'approve', { ok: 'draft' }, 'nobody')
    const silence = said.name === 'review.decided' ? { ...said, data: { ...said.data, unreviewed: true } } : said
    const now = requested({ text: 'hi' }, { engineVersion: 4 })
    given(program('fail'), now).when(silence).emits('completed check/1 by policy:unreviewed', 'ended completed', 'result completed')
  })

  it('E1: fail the step by rejecting', () => {
    const ended = given(program('fail'), start).when(decided('check/1', 'reject'))
    ended.emits('failed check/1 review.rejected', 'ended failed', 'result failed')
    expect(resultIn(ended.outputs)?.result.fault).toMatchObject({ code: 'review.rejected', detail: { by: 'human:ada' } })
  })

  it('E5: never consent by silence', () => {
    given(program('fail'), start).when(reviewExpired('check/1')).emits('failed check/1 review.expired', 'ended failed', 'result failed')
  })

  it('E5: have both terms of a review that escalates before the run stops waiting', () => {
    const asked = given(program('escalate')).when(start)
    expect(askedFor(asked.outputs, 'check')?.leaseUntilMs).toBe(START_MS + 2 * 1_800_000 + REVIEW_SLACK_MS)
  })

  it('R7: decide only what they were asked: a decision for another attempt, or for no question, changes nothing', () => {
    given(program('fail'), start).when(decided('check/2', 'approve')).emits('ignored check/2 duplicate 0')
    given(flowWith('timeout: 5s'), start).when(decided('fetch/1', 'approve')).emits('ignored fetch/1 unknown 0')
    given(program('fail'), start)
      .when(completed('check/1', { forged: true }))
      .emits('ignored check/1 unknown 0')
  })
})
