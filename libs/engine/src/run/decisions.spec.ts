import { describe, expect, it } from '@jest/globals'
import { loadProgram } from '@baton/flow'
import { askedFor, completed, decided, given, play, programOf, requested, resultIn } from '../testing.ts'

/** A program whose jumps to `never` go to `draft`. */
function jumpingBack(text: string): ReturnType<typeof programOf> {
  const { plan } = programOf(text)
  const nodes = JSON.parse(JSON.stringify(plan.nodes).replaceAll('"step":"never"', '"step":"draft"')) as typeof plan.nodes
  return loadProgram({ ...plan, nodes })
}

const ROUTED = programOf(`
input: { text: string, amount: { type: number, default: 0 } }
steps:
  - classify: { prompt: 'Classify {{ input.text }}', returns: { intent: string } }
  - facts:
      switch: =classify.intent
      cases:
        refund: { tool: billing/status, with: { amount: =input.amount } }
        technical: { do: [ { diagnose: { tool: support/diagnose } }, { note: { tool: support/note, with: { of: =diagnose.id, intent: =classify.intent } } } ] }
      else: next
  - lane:
      switch:
        - { when: input.amount > 100, then: { set: { size: large } } }
        - { else: { set: { size: small } } }
output: { facts: =facts, size: =lane.size }
`)
const intent = (intentIs: string) => completed('classify/1', { intent: intentIs })

describe('switch', () => {
  it('A3: runs the case that holds the value', () => {
    const chosen = given(ROUTED, requested({ text: 'a', amount: 5 })).when(intent('refund'))
    chosen.emits('completed classify/1 by model:small', 'switch facts: refund', 'ask tool.call facts/refund/1', 'dispatched facts/refund/1')
    expect(askedFor(chosen.outputs, 'facts/refund')?.input).toEqual({ amount: 5 })
  })

  it('A3: gives the last output of the case as its own, and decides ranges in-process', () => {
    const ended = given(ROUTED, requested({ text: 'a', amount: 500 }), intent('refund')).when(completed('facts/refund/1', { open: true }))
    ended.emits(
      'completed facts/refund/1 by model:small',
      'switch lane: input.amount > 100',
      'completed lane/when[0]/1 by set',
      'ended completed',
      'result completed',
    )
    expect(resultIn(ended.outputs)?.result.output).toEqual({ facts: { open: true, by: 'model:small' }, size: 'large' })
  })

  it('runs the steps of a case in order, each seeing those before it and those around it', () => {
    const second = given(ROUTED, requested({ text: 'a' }), intent('technical')).when(completed('facts/technical/diagnose/1', { id: 7 }))
    expect(askedFor(second.outputs, 'facts/technical/note')?.input).toEqual({ of: 7, intent: 'technical' })
  })

  it('goes on with null where the else says next', () => {
    const ended = given(ROUTED, requested({ text: 'a', amount: 1 })).when(intent('other'))
    expect(resultIn(ended.outputs)?.result.output).toEqual({ facts: null, size: 'small' })
  })
})

const GATED = programOf(`
limits: { steps: 10 }
params: { send: { type: number, default: 0.8 } }
input: { text: string }
steps:
  - answer:
      prompt: 'Answer {{ input.text }}'
      returns: { text: string, confidence: number }
      gate:
        - { when: it.confidence >= params.send, then: next }
        - { when: it.confidence >= 0.5, then: { human: { queue: support, priority: high, sla: 30m } } }
        - { when: it.confidence >= 0.3, then: { retry: { attempts: 1, model: [large] } } }
        - { when: it.confidence >= 0.2, then: end }
        - { else: fail }
  - sent: { tool: mail/send, with: { text: =answer.text, by: =answer.by } }
`)
const start = requested({ text: 'a' }, { params: { send: 0.8 } })
const answer = (attempt: number, confidence: number) => completed(`answer/${attempt}`, { text: 'x', confidence })

describe('gate', () => {
  it('A9: lets through what the first rule accepts', () => {
    given(GATED, start)
      .when(answer(1, 0.9))
      .emits('completed answer/1 by model:small', 'gate answer: it.confidence >= params.send', 'ask tool.call sent/1', 'dispatched sent/1')
  })

  it('E1: asks a person, with the priority of the rule and the draft, and takes what the person gives as the output of the step', () => {
    const asked = given(GATED, start).when(answer(1, 0.6))
    asked.emits(
      'completed answer/1 by model:small',
      'gate answer: it.confidence >= 0.5',
      'ask review.request answer/gate[1]/1 high',
      'dispatched answer/gate[1]/1',
    )
    expect(askedFor(asked.outputs, 'answer/gate[1]')?.input).toEqual({ input: { text: 'a' }, draft: { text: 'x', confidence: 0.6 } })
    const sent = given(GATED, start, answer(1, 0.6)).when(decided('answer/gate[1]/1', 'edit', { text: 'better', confidence: 1 }))
    sent.emits('completed answer/gate[1]/1 by human:ada', 'ask tool.call sent/1', 'dispatched sent/1')
    expect(askedFor(sent.outputs, 'sent')?.input).toEqual({ text: 'better', by: 'human:ada' })
  })

  it('asks the same step again, changed, at most as often as the rule says, then tries the rules after it', () => {
    const again = given(GATED, start).when(answer(1, 0.3))
    again.emits(
      'completed answer/1 by model:small',
      'gate answer: it.confidence >= 0.3',
      'ask model.invoke answer/2',
      'dispatched answer/2',
    )
    const command = askedFor(again.outputs, 'answer')
    expect(command?.override).toEqual({ models: ['large'], feedback: 'The previous answer was not accepted: it.confidence >= 0.3' })
    expect(command?.effectKey).toBe('run_1/answer/2')
    const ended = given(GATED, start, answer(1, 0.3)).when(answer(2, 0.3))
    ended.emits('completed answer/2 by model:small', 'gate answer: it.confidence >= 0.2', 'ended completed', 'result completed')
    expect(resultIn(ended.outputs)?.result).toMatchObject({ output: { text: 'x', confidence: 0.3 }, metrics: { steps: 2 } })
  })

  it('fails the run where it says so', () => {
    const ended = given(GATED, start).when(answer(1, 0.1))
    ended.emits('completed answer/1 by model:small', 'gate answer: else', 'ended failed', 'result failed')
    expect(resultIn(ended.outputs)?.result.fault?.code).toBe('check.failed')
  })
})

// The language only lets flows jump forwards; loops will compile to jumps back.
const LOOPING = jumpingBack(`
limits: { steps: 7 }
input: { text: string }
steps:
  - draft: { prompt: 'Write {{ input.text }}', returns: { ok: boolean } }
  - check:
      tool: text/check
      with: { draft: =draft.ok }
      returns: { good: boolean }
      gate:
        - { when: it.good, then: last }
        - { else: never }
  - never: { tool: text/never }
  - last: { set: { done: true } }
`)

describe('going to a step', () => {
  it('jumps forwards over what is between; that is null', () => {
    const ended = given(LOOPING, requested({ text: 'a' }), completed('draft/1', { ok: true })).when(completed('check/1', { good: true }))
    expect(resultIn(ended.outputs)?.result).toMatchObject({ output: { done: true }, metrics: { steps: 3 } })
  })

  it('K3: jumps backwards with new attempts and new effect keys', () => {
    const back = given(LOOPING, requested({ text: 'a' }), completed('draft/1', { ok: true })).when(completed('check/1', { good: false }))
    back.emits('completed check/1 by model:small', 'gate check: else', 'ask model.invoke draft/2', 'dispatched draft/2')
    expect(askedFor(back.outputs, 'draft')?.effectKey).toBe('run_1/draft/2')
  })

  it('R5, F2: counts every step, so that going back for ever ends at the limit', () => {
    const rounds = [1, 2, 3].flatMap((n) => [completed(`draft/${n}`, { ok: true }), completed(`check/${n}`, { good: false })])
    const story = play(LOOPING, [requested({ text: 'a' }), ...rounds])
    const ended = given(LOOPING, requested({ text: 'a' }), ...rounds).when(completed('draft/4', { ok: true }))
    expect(resultIn(story.outputs)).toBeUndefined()
    ended.emits('completed draft/4 by model:small', 'ended failed', 'result failed')
    expect(resultIn(ended.outputs)?.result).toMatchObject({ fault: { code: 'limit.steps_exceeded' }, metrics: { steps: 7 } })
  })
})

describe('a long run', () => {
  it('R10, S1: has a state that does not grow with the steps behind it', () => {
    const { plan } = LOOPING
    const endless = loadProgram({ ...plan, limits: { ...plan.limits, steps: 1_000_000, timeMs: 1e9 } })
    const round = (n: number) => [completed(`draft/${n}`, { ok: true }), completed(`check/${n}`, { good: false })]
    const sizeAfter = (rounds: number): number => {
      const steps = Array.from({ length: rounds }, (_, index) => round(index + 1)).flat()
      return JSON.stringify(play(endless, [requested({ text: 'a' }), ...steps]).state).length
    }
    // Only the digits of counters and ids may be more.
    expect(sizeAfter(300)).toBeLessThan(sizeAfter(10) + 50)
  })
})

describe('when', () => {
  const OPTIONAL = programOf(`
input: { text: string, deep: { type: boolean, default: false } }
steps:
  - dig: { when: input.deep, tool: text/dig }
  - told: { set: { dug: =dig } }
`)
  it('skips a step whose condition is false; its output is null, and nothing is asked for', () => {
    const ended = given(OPTIONAL).when(requested({ text: 'a', deep: false }))
    ended.emits('started', 'tool dig: skipped', 'completed told/1 by set', 'ended completed', 'result completed')
    expect(resultIn(ended.outputs)?.result).toMatchObject({ output: { dug: null }, metrics: { steps: 1 } })
  })
})
