import { describe, expect, it } from '@jest/globals'
import type { Plan } from '@baton/flow/plan'
import { checkInput } from '../agent/self-check.ts'
import { agentPromptOf, promptOf } from './prompt.ts'

const prompts: Plan['prompts'] = {
  role: { parts: [{ text: 'You compare numbers.' }] },
  both: { parts: [{ text: 'Compare.' }], system: [{ text: 'Be brief.' }] },
  pinned: { parts: [{ text: 'You compare numbers.' }], sampling: { temperature: 0, seed: 7 } },
  asks: { parts: [{ text: 'Compare ' }, { slot: ['a'] }], system: [{ text: 'Be brief.' }] },
}
const plan = { prompts } as unknown as Plan // the part that is read

describe('prompts of agents (A7)', () => {
  it('N1: one that takes nothing of its input is the role, and the input is the first message', () => {
    expect(agentPromptOf(plan, 'role', { question: 'Which?', kinds: ['a', 'b'] })).toEqual({
      system: 'You compare numbers.',
      prompt: 'question: Which?\nkinds: ["a","b"]',
    })
    expect(agentPromptOf(plan, 'both', 'Which?')).toEqual({ system: 'Be brief.\n\nCompare.', prompt: 'Which?' })
  })

  it('N1: one with slots, or an agent without input, is asked as a model step', () => {
    expect(agentPromptOf(plan, 'asks', { a: 1 })).toEqual({ system: 'Be brief.', prompt: 'Compare 1' })
    for (const input of [null, {}]) expect(agentPromptOf(plan, 'role', input)).toEqual({ prompt: 'You compare numbers.' })
    expect(promptOf(plan, 'role', { a: 1 })).toEqual({ prompt: 'You compare numbers.' })
  })

  it('what a prompt pins is told with it, as a step and as the role of an agent (B19)', () => {
    expect(promptOf(plan, 'pinned', { a: 1 })).toMatchObject({ sampling: { temperature: 0, seed: 7 } })
    expect(agentPromptOf(plan, 'pinned', 'Which?')).toMatchObject({ sampling: { temperature: 0, seed: 7 }, system: 'You compare numbers.' })
  })

  it('a prompt that the plan does not have, or a slot that the input does not have, is a fault', () => {
    expect(() => agentPromptOf(plan, 'none', {})).toThrow(expect.objectContaining({ code: 'flow.invalid' }))
    expect(() => agentPromptOf(plan, 'asks', {})).toThrow(expect.objectContaining({ code: 'expression.failed' }))
  })

  it('S1: a check sees the input and the answer', () => {
    expect(checkInput({ a: 1, it: 'old' }, 'new')).toEqual({ a: 1, it: 'new' })
    expect(checkInput('text', { b: 2 })).toEqual({ input: 'text', it: { b: 2 } })
  })
})
