import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Json } from '@baton/contracts/json'
import { parsePrompt, renderPrompt } from './prompt.ts'

const render = (text: string, values: Json): string => renderPrompt(parsePrompt(text).parts, values)

describe('a prompt', () => {
  it('is text with slots', () => {
    expect(parsePrompt('A {{ input.text }} and {{docs.items.0.text}}.').parts).toEqual([
      { text: 'A ' },
      { slot: ['input', 'text'] },
      { text: ' and ' },
      { slot: ['docs', 'items', '0', 'text'] },
      { text: '.' },
    ])
  })

  it('keeps escaped braces as text', () => {
    expect(render('Use \\{{ name }} and {{ name }}', { name: 'x' })).toBe('Use {{ name }} and x')
  })

  it('is filled with data only: what looks like a slot in a value stays text', () => {
    expect(render('Say {{ a }}', { a: '{{ b }}', b: 'secret' })).toBe('Say {{ b }}')
  })

  it('any text without braces renders to itself', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('{{')),
        (text) => render(text, {}) === text,
      ),
    )
  })

  it('faults with the path that the values do not have', () => {
    expect(() => render('{{ a.b }}', { a: { c: 1 } })).toThrow('the prompt asks for {{ a.b }}, and there is no "b"')
    expect(() => render('{{ constructor }}', {})).toThrow('there is no "constructor"')
  })
})

describe('values in a prompt', () => {
  it('objects are lines, lists of retrieved items numbered passages', () => {
    expect(render('{{ v }}', { v: { name: 'Ada', tags: ['a', 'b'], place: { city: 'Graz' }, note: 'two\nlines', none: null } })).toBe(
      'name: Ada\ntags: ["a","b"]\nplace:\n  city: Graz\nnote: |\n  two\n  lines\nnone: (none)',
    )
    expect(
      render('{{ v }}', {
        v: [
          { title: 'Fees', text: 'No fee.', score: 3 },
          { id: 'd2', text: 'A fee.' },
        ],
      }),
    ).toBe('[1] Fees\nNo fee.\n\n[2] d2\nA fee.')
    expect(render('{{ v }}', { v: ['a', 2, { b: 1 }] })).toBe('- a\n- 2\n- {"b":1}')
  })

  it('a skipped step and everything in it is (none)', () => {
    expect(render('{{ facts }}|{{ facts.amount }}|{{ list }}', { facts: null, list: [] })).toBe('(none)|(none)|(none)')
  })
})
