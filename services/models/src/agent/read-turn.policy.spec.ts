import { describe, expect, it } from '@jest/globals'
import type { Fault } from '@baton/contracts/fault'
import type { Answer, WrittenCall } from '../model.ts'
import { CALLS_MAX, readTurn, type Offered, type TurnOutput } from './read-turn.policy.ts'

const usage = { costMicroUsd: 0 }
const returns = { type: 'object', properties: { verdict: { type: 'string' } }, required: ['verdict'] }
const offered: Offered = { schema: returns, tools: ['web/search', 'handoff/senior'], turn: 3 }
const read = (answer: Omit<Answer, 'usage'> & ({ text: string } | { value: string }), change: Partial<Offered> = {}): TurnOutput =>
  readTurn({ ...answer, usage }, { ...offered, ...change })
const call = (args: string, more: Partial<WrittenCall> = {}): WrittenCall => ({ id: 'c1', tool: 'web/search', arguments: args, ...more })
const faultOf = (work: () => unknown): Pick<Fault, 'code' | 'detail'> => {
  try {
    work()
  } catch (error) {
    return error as Fault // what the reader throws
  }
  throw new Error('it was read')
}

describe('what a model answers in a turn (A7)', () => {
  it('A1: calls, with nothing as output and what was said beside as text', () => {
    expect(read({ text: 'Let me look.', calls: [call('{"q":"x"}')] })).toEqual({
      value: null,
      text: 'Let me look.',
      calls: [{ id: 'c1', tool: 'web/search', arguments: { q: 'x' } }],
      repaired: false,
    })
  })

  it('A1: or an answer that fits what the agent returns, with its confidence', () => {
    expect(read({ text: '```json\n{"verdict":"yes","confidence":0.8}\n```' })).toMatchObject({
      value: { verdict: 'yes', confidence: 0.72 },
      confidence: 0.72,
      repaired: true,
      calls: [],
    })
    expect(faultOf(() => read({ text: '{"no":1}' }))).toMatchObject({ code: 'output.schema_invalid' })
    expect(read({ text: 'Just text.' }, { schema: undefined })).toMatchObject({ value: 'Just text.', text: 'Just text.' })
  })

  it('A2: arguments are mended once, as any text of a model', () => {
    expect(read({ text: '', calls: [call("{'q': 'x',}")] })).toMatchObject({ calls: [{ arguments: { q: 'x' } }], repaired: true })
    expect(read({ text: '', calls: [call('  ')] }).calls[0]?.arguments).toEqual({})
  })

  it('A4: arguments of a tool that cannot be undone are never mended', () => {
    const exact = ['web/search']
    expect(faultOf(() => read({ text: '', calls: [call("{'q': 'x',}")] }, { exact }))).toMatchObject({
      code: 'output.malformed',
      detail: { problem: expect.stringContaining('web/search') },
    })
    expect(read({ text: '', calls: [call('{"q":"x"}')] }, { exact })).toMatchObject({ repaired: false })
  })

  it('A2: arguments that are no object are told to the model by the tool', () => {
    for (const args of ['find it', '[1]', '7'])
      expect(faultOf(() => read({ text: '', calls: [call(args)] }))).toMatchObject({
        code: 'output.malformed',
        detail: { problem: expect.stringContaining('web/search') },
      })
    expect(faultOf(() => read({ text: '', calls: [call('{"q": "x')] }))).toMatchObject({ code: 'output.truncated' })
  })

  it('A2: a tool that was not offered is refused with those that were', () => {
    expect(faultOf(() => read({ text: '', calls: [call('{}', { tool: 'rm' })] }))).toMatchObject({
      code: 'output.schema_invalid',
      detail: { problem: 'there is no tool rm; there are web/search, handoff/senior' },
    })
    expect(faultOf(() => read({ text: '', calls: [call('{}')] }, { tools: [] })).detail['problem']).toContain('give the answer itself')
  })

  it('A3: every call has an id of its own', () => {
    const calls = [call('{}'), call('{}'), call('{}', { id: '' }), call('{}', { id: 'x'.repeat(300) })]
    expect(read({ text: '', calls }).calls.map(({ id }) => id)).toEqual(['c1', 'call_3_1', 'call_3_2', 'call_3_3'])
    const clash = [call('{}', { id: 'call_3_1' }), call('{}', { id: 'call_3_1' })]
    expect(read({ text: '', calls: clash }).calls.map(({ id }) => id)).toEqual(['call_3_1', 'call_3_1_'])
  })

  it('asks for no more at once than its limits', () => {
    const many = Array.from({ length: CALLS_MAX + 1 }, () => call('{}'))
    expect(faultOf(() => read({ text: '', calls: many })).code).toBe('output.schema_invalid')
    expect(faultOf(() => read({ text: '', calls: [call(`{"q":"${'x'.repeat(300_000)}"}`)] })).code).toBe('output.schema_invalid')
  })
})
