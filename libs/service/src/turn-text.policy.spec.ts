import { describe, expect, it } from '@jest/globals'
import type { Plan } from '@baton/flow/plan'
import { keepsHistory, TURN_CHARS_MAX, turnTextOf } from './turn-text.policy.ts'

describe('what a conversation keeps of a run (C8)', () => {
  it('T1: a text, the field that holds it, or all of it', () => {
    expect(turnTextOf('hello')).toBe('hello')
    expect(turnTextOf({ text: 'hello', lang: 'en' })).toBe('hello')
    expect(turnTextOf({ intent: 'refund', answer: 'yes' })).toBe('yes')
    expect(turnTextOf({ amount: 3 })).toBe('{"amount":3}')
    expect([turnTextOf(null), turnTextOf(undefined), turnTextOf([1])]).toEqual(['', '', '[1]'])
  })

  it('T2: a long text is cut, and says so', () => {
    expect(turnTextOf('x'.repeat(TURN_CHARS_MAX + 5))).toMatch(/\[cut: the first 32000 of 32005 characters\]$/)
  })

  it('only flows that use the conversation keep it', () => {
    const plan = (more: object): Plan => ({ nodes: {}, ...more }) as Plan
    const context = { parts: [{ name: 'talk', from: { history: true }, priority: 1, cut: 'start' }] }
    expect(keepsHistory(plan({}))).toBe(false)
    expect(keepsHistory(plan({ history: { turns: 5 } }))).toBe(true)
    expect(keepsHistory(plan({ nodes: { answer: { context } } }))).toBe(true)
    expect(keepsHistory(plan({ agents: { helper: { context } } }))).toBe(true)
  })
})
