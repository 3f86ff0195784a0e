import { describe, expect, it } from '@jest/globals'
import { lines } from './types.fixture.ts'

const SEEN = `input: { tags: 'string[]' }
steps:
  - seen: { prompt: hi, context: { parts: [{ name: docs, from: =input.tags }] }, returns: { text: string }, gate: [{ when: it.leftOut.size() > 0, then: fail }, { else: next }] }
`
const read = (cel: string): readonly string[] => lines(`${SEEN}  - a: { set: '=${cel}' }\n`)

describe('what did not fit a context, in types (S5)', () => {
  it('is a list of parts with what was lost', () => {
    expect(read('seen.leftOut.exists(l, l.part == "docs" && l.tokens > 10 && l.how == "all")')).toEqual([])
    expect(read('seen.leftout')).toEqual(['type.unknown_field@4:22 seen has no field "leftout"; did you mean "seen.leftOut"?'])
    expect(read('seen.leftOut[0].token')).toEqual([
      'type.unknown_field@4:33 seen.leftOut[0] has no field "token"; did you mean "seen.leftOut[0].tokens"?',
    ])
  })

  it('is there of models and agents alone', () => {
    const tool = `steps:\n  - t: { tool: x/y, returns: { a: string } }\n  - a: { set: =t.leftOut }\n`
    expect(lines(tool)).toEqual(['type.unknown_field@3:18 t has no field "leftOut"; it has a, by'])
    const text = `steps:\n  - t: { prompt: hi, returns: string }\n  - a: { set: =t.leftOut }\n`
    expect(lines(text)).toEqual(['type.mismatch@3:16 t is text and has no fields'])
  })
})
