import { describe, expect, it } from '@jest/globals'
import type { Question } from '../model.ts'
import { formatOf, namesIn, promptOf, samplingOf } from './chat-messages.policy.ts'

const schema = { type: 'object', properties: { verdict: { type: 'string' } } }
const question = (change: Partial<Question> = {}): Question => ({
  prompt: 'Which?',
  system: 'You compare.',
  input: null,
  schema,
  signal: new AbortController().signal,
  ...change,
})
const tools = [{ name: 'web/search', schema: { type: 'object' } }]
const messages = (asked: Question) => promptOf(asked, schema, namesIn(asked))

describe('a question as messages of a chat', () => {
  it('O5: the schema is told in words where tools are offered, and as the server likes it once none are', () => {
    expect(formatOf(question({ tools }), 'schema')).toEqual({ schema, format: 'prompt' })
    expect(formatOf(question({ tools: [] }), 'schema')).toEqual({ schema, format: 'schema' })
    expect(formatOf(question({ schema: { type: 'array' } }), 'json')).toMatchObject({ format: 'prompt' })
    expect(formatOf(question({ schema: { type: 'string' } }), 'json').schema).toBeUndefined()
    expect(messages(question({ tools }))[0]).toMatchObject({
      role: 'system',
      content: expect.stringMatching(/^You compare\.\n\nWhen you call no tool: /),
    })
  })

  it('what a question pins goes before what is pinned for the model, each by itself (B19)', () => {
    expect(samplingOf(question({ sampling: { seed: 7 } }), { temperature: 0, seed: 1 })).toEqual({ temperature: 0, seed: 7 })
    expect(samplingOf(question({ sampling: { temperature: 0 } }), { temperature: 1 })).toEqual({ temperature: 0 })
    expect(samplingOf(question(), {})).toEqual({})
  })

  it('what was wrong with the last answer belongs to the question, or is said last in a conversation', () => {
    expect(messages(question({ feedback: 'no JSON' })).at(-1)).toMatchObject({
      role: 'user',
      content: [{ text: expect.stringMatching(/^Which\?\n\nYour last answer could not be used: no JSON/) }],
    })
    const conversation = [{ role: 'user', text: 'Go on.' }] as const
    const said = messages(question({ conversation, feedback: 'no JSON' }))
    expect(said.map(({ role }) => role)).toEqual(['system', 'user', 'user', 'user'])
    expect(said[1]).toMatchObject({ content: [{ text: 'Which?' }] })
  })

  it('calls and what they gave have the same name and id, also of tools that are no longer offered', () => {
    const conversation: Question['conversation'] = [
      { role: 'assistant', text: '', calls: [{ id: 'a', tool: 'data/query', arguments: { n: 1 } }] },
      { role: 'tool', id: 'a', tool: 'data/query', text: 'no light', failed: true },
    ]
    expect(messages(question({ conversation, tools })).slice(2)).toEqual([
      { role: 'assistant', content: [{ type: 'tool-call', toolCallId: 'a', toolName: 'data_query', input: { n: 1 } }] },
      {
        role: 'tool',
        content: [{ type: 'tool-result', toolCallId: 'a', toolName: 'data_query', output: { type: 'error-text', value: 'no light' } }],
      },
    ])
  })
})
