import { describe, expect, it } from '@jest/globals'
import type { AgentResult } from '@baton/contracts'
import fc from 'fast-check'
import type { Said } from '../model.ts'
import type { Message } from './piece.ts'
import { newsOf, RESULT_CHARS_MAX, saidOf } from './said.policy.ts'

const calling = (...ids: readonly string[]): Message => ({
  role: 'assistant',
  text: '',
  calls: ids.map((id) => ({ id, tool: 'web/search', arguments: {} })),
})
const gave = (id: string, more: Partial<AgentResult> = { output: 'found' }): Message => ({
  role: 'tool',
  result: { id, tool: 'web/search', ...more },
})
const told = (messages: readonly Message[], outputs = new Map<string, string>()): readonly Said[] => saidOf(messages, outputs)

/** Where a provider would refuse a conversation. */
const mistakesIn = (all: readonly Said[]): readonly string[] => {
  const open = new Set<string>()
  const mistakes = all.flatMap((said, at) => {
    const right = said.role === 'tool' ? open.delete(said.id) : open.size === 0
    if (said.role === 'assistant') for (const { id } of said.calls) open.add(id)
    return right ? [] : [`${at}: ${said.role}`]
  })
  return [...mistakes, ...[...open].map((id) => `${id} is not answered`)]
}

describe('what is said in a turn (A7)', () => {
  it('what calls gave, then what the engine says', () => {
    expect(newsOf({ results: [{ id: 'a', tool: 't', output: 1 }], note: 'This is your last turn.' })).toEqual([
      { role: 'tool', result: { id: 'a', tool: 't', output: 1 } },
      { role: 'user', text: 'This is your last turn.' },
    ])
    expect(newsOf({ results: [] })).toEqual([])
  })

  it('outputs are told as text, those by reference with their content', () => {
    const ref = { sha256: 'f'.repeat(64), sizeBytes: 9, mediaType: 'application/json' }
    const messages = [calling('a', 'b'), gave('a', { output: { n: 1 } }), gave('b', { output: {}, outputRef: ref })]
    expect(told(messages, new Map([[ref.sha256, 'the whole']])).slice(1)).toEqual([
      { role: 'tool', id: 'a', tool: 'web/search', text: '{"n":1}', failed: false },
      { role: 'tool', id: 'b', tool: 'web/search', text: 'the whole', failed: false },
    ])
  })

  it('W2: a long output is cut, and says so', () => {
    const [, said] = told([calling('a'), gave('a', { output: 'x'.repeat(RESULT_CHARS_MAX + 5) })])
    expect(said?.text.endsWith(`[cut: this was the beginning, ${RESULT_CHARS_MAX} of ${RESULT_CHARS_MAX + 5} characters]`)).toBe(true)
  })

  it('W3: a fault is told by message and code', () => {
    const fault = { code: 'tool.failed' as const, message: 'no light', detail: { host: 'inside' } }
    expect(told([calling('a'), gave('a', { fault })])[1]).toEqual({
      role: 'tool',
      id: 'a',
      tool: 'web/search',
      text: 'The call failed: no light (tool.failed)',
      failed: true,
    })
  })

  it('W1: a call that nobody made, such as a hand-over, is answered all the same', () => {
    expect(told([calling('a', 'b'), gave('b'), { role: 'user', text: 'clerk handed over.' }])).toMatchObject([
      { role: 'assistant' },
      { role: 'tool', id: 'b', failed: false },
      { role: 'tool', id: 'a', failed: true },
      { role: 'user' },
    ])
    expect(told([calling('a')])).toMatchObject([{ role: 'assistant' }, { role: 'tool', id: 'a' }])
  })

  it('W1: what a call gave that nobody here asked for is told by whoever tells it', () => {
    expect(told([gave('z')])).toEqual([{ role: 'user', text: 'web/search: found' }])
  })

  it('W1: in any order of messages each call is answered once, right after it was asked for', () => {
    const id = fc.constantFrom('a', 'b', 'c')
    const message = fc.oneof(
      fc.uniqueArray(id, { maxLength: 3 }).map((ids) => calling(...ids)),
      id.map((one) => gave(one)),
      fc.constant<Message>({ role: 'user', text: 'note' }),
    )
    fc.assert(fc.property(fc.array(message, { maxLength: 12 }), (messages) => expect(mistakesIn(told(messages))).toEqual([])))
  })
})
