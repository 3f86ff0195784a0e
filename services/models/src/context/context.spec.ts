import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { assembleContext, fitsSurely, type Cut, type Part } from './assemble.policy.ts'
import { summaryOf } from './summary.policy.ts'
import { encodingOf, remembering, tokensAtMost, windowOf, type CountTokens } from './tokens.policy.ts'
import { tokenCounter } from './tokens.adapter.ts'

/** Words and marks: near enough to tokens, and fast. */
const words: CountTokens = (text) => (text.match(/\w+|[^\s\w]/g) ?? []).length
const entries = (n: number, size = 10): Part['entries'] =>
  Array.from({ length: n }, (_, at) => ({ text: Array.from({ length: size }, (__, word) => `m${at}w${word}`).join(' ') }))
const part = (name: string, more: Partial<Part> = {}): Part => ({ name, entries: entries(10), priority: 1, cut: 'end', ...more })
const textOf = (name: string, { parts }: ReturnType<typeof assembleContext>): string => parts.find((one) => one.name === name)?.text ?? ''

describe('the context of a model (C10, S5)', () => {
  it('is whole when it fits, and says that nothing was left out', () => {
    const made = assembleContext({ parts: [part('a'), part('b')], tokens: 1_000, count: words })
    expect(made.leftOut).toEqual([])
    expect(made.parts.map(({ text }) => text.split('\n').length)).toEqual([10, 10])
  })

  it('C2: shortens the part with the highest number first, each in its own way', () => {
    const parts = [
      part('first', { priority: 1 }),
      part('second', { priority: 2, cut: 'start' }),
      part('third', { priority: 3, cut: 'middle' }),
    ]
    const made = assembleContext({ parts, tokens: 270, count: words })
    expect(made.leftOut.map((left) => [left.part, left.how])).toEqual([['third', 'middle']])
    expect(textOf('third', made)).toMatch(/^m0w0.*\n(.*\n)*\[\d+ tokens left out here: the middle\](\n.*)*m9w9$/s)
    const less = assembleContext({ parts, tokens: 170, count: words })
    expect(less.leftOut.map((left) => left.part)).toEqual(['second', 'third'])
    expect(textOf('second', less)).toMatch(/^\[\d+ tokens left out here: the beginning\]/)
    expect(textOf('second', less)).toContain('m9w9')
    expect(textOf('first', less)).toContain('m9w9')
  })

  it('C2: a part keeps its least, and has at most its own number', () => {
    const parts = [part('kept', { least: 80, priority: 9 }), part('small', { tokens: 40 })]
    const made = assembleContext({ parts, tokens: 130, count: words })
    expect(made.parts.find(({ name }) => name === 'small')?.tokens).toBeLessThanOrEqual(40)
    expect(made.tokens).toBeLessThanOrEqual(130)
    expect(textOf('kept', made)).toContain('m5w9')
  })

  it('C2, C4: an entry is cut within where a part would else have less than its least', () => {
    const long = part('kept', { entries: entries(4, 80), priority: 9 })
    const cut = (least: number) =>
      assembleContext({ parts: [{ ...long, least }, part('first')], tokens: 250, count: words }).parts[0]?.tokens ?? 0
    expect(cut(0)).toBeLessThan(110) // one entry of eighty, and the note
    expect(cut(135)).toBeGreaterThan(115)
  })

  it('C3: what may not be shortened is whole, or the step fails', () => {
    const never = part('policy', { cut: 'never', priority: 9 })
    expect(textOf('policy', assembleContext({ parts: [never, part('chat')], tokens: 150, count: words }))).toContain('m9w9')
    expect(() => assembleContext({ parts: [never, part('chat')], tokens: 90, count: words })).toThrow(/room/)
    expect(() => assembleContext({ parts: [{ ...never, tokens: 20 }], count: words })).toThrow(/policy has \d+ tokens/)
  })

  it('C4: lists are cut at their entries; a single entry within', () => {
    const made = assembleContext({ parts: [part('docs')], tokens: 60, count: words })
    const kept = textOf('docs', made).split('\n').slice(0, -1)
    expect(kept.every((line) => line.split(' ').length === 10)).toBe(true)
    const one = assembleContext({ parts: [part('text', { entries: entries(1, 500) })], tokens: 100, count: words })
    expect(textOf('text', one)).toMatch(/^m0w0 m0w1 .*\n\[\d+ tokens left out here: the end\]$/)
  })

  it('C4: passages that are numbered are entries like any others, and no notes', () => {
    const passages = entries(10).map(({ text }, at) => ({ text: `[${at + 1}] ${text}` }))
    const made = assembleContext({ parts: [part('docs', { entries: passages, tokens: 60 })], count: words })
    expect(textOf('docs', made)).toMatch(/^\[1\] m0w0.*\[\d+ tokens left out here: the end\]$/s)
    expect(made.leftOut).toMatchObject([{ part: 'docs', how: 'end' }])
  })

  it('C1, C5: whatever the parts, the result has at most the tokens, and every loss is told', () => {
    const some = fc.record({
      cut: fc.constantFrom<Cut>('end', 'start', 'middle', 'summary'),
      priority: fc.integer({ min: 1, max: 5 }),
      entries: fc.array(fc.record({ text: fc.lorem({ maxCount: 60 }) }), { maxLength: 12 }),
    })
    fc.assert(
      fc.property(fc.array(some, { minLength: 1, maxLength: 5 }), fc.integer({ min: 0, max: 400 }), (given, tokens) => {
        const parts = given.map((one, at) => ({ ...one, name: `p${at}` }))
        const made = assembleContext({ parts, tokens, count: words })
        expect(made.tokens).toBeLessThanOrEqual(tokens)
        for (const { name, text } of made.parts) {
          const whole = parts
            .find((one) => one.name === name)
            ?.entries.map((entry) => entry.text)
            .join('\n')
          expect(text !== whole).toBe(made.leftOut.some((left) => left.part === name))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('S5: a summary keeps the newest entries as they are, fills its room, and says how many it stands for', () => {
    const talk = part('talk', {
      cut: 'summary',
      entries: Array.from({ length: 40 }, (_, at) => ({ text: `user: message ${at} about the lost card and its fee.` })),
    })
    const made = assembleContext({ parts: [talk], tokens: 200, count: words })
    expect(made.tokens).toBeGreaterThan(150)
    expect(made.tokens).toBeLessThanOrEqual(200)
    expect(textOf('talk', made)).toMatch(
      /^\[of \d+ earlier entries, their most telling sentences:\]\nuser: [\s\S]*\[from here on as it was:\][\s\S]*message 39 [^\n]*$/,
    )
    expect(made.leftOut).toMatchObject([{ part: 'talk', how: 'summary' }])
  })

  it('S5: a single entry that is too long becomes its most telling sentences, and is not cut in the middle of one', () => {
    const sentences = Array.from({ length: 60 }, (_, at) => `Finding ${at} says something about part ${at}.`)
    const made = assembleContext({
      parts: [part('found', { entries: [{ text: sentences.join(' ') }], cut: 'summary', tokens: 120 })],
      count: words,
    })
    const [note, ...kept] = textOf('found', made).split('\n')
    expect(note).toBe('[of 1 earlier entries, their most telling sentences:]')
    expect(kept.length).toBeGreaterThan(3)
    expect(kept.every((line) => sentences.includes(line))).toBe(true)
    expect(made.leftOut).toMatchObject([{ part: 'found', how: 'summary' }])
  })

  it('what surely fits is never counted; what may not is', () => {
    expect(fitsSurely([part('a', { entries: [{ text: 'ten chars!' }] })], 11)).toBe(true)
    expect(fitsSurely([part('a', { entries: [{ text: 'ten chars!' }] })], 10)).toBe(false)
    expect(fitsSurely([part('a', { entries: [{ text: 'x'.repeat(9_000), tokens: 4 }] })], 6)).toBe(true)
  })
})

describe('summaries and counts', () => {
  it('S1: a summary has only sentences of the text, in their order', () => {
    const text =
      'The card was lost in Oslo. It rained. The customer wants a new card posted to Oslo. Thanks. The fee for a new card is waived.'
    const summary = summaryOf([text], 26, words).text
    expect(summary.split('\n').every((sentence) => text.includes(sentence))).toBe(true)
    expect(summary).toContain('card')
    expect(words(summary)).toBeLessThanOrEqual(26)
  })

  it('N1: the bound is never below the count', async () => {
    const count = await tokenCounter('o200k')
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => expect(tokensAtMost(text)).toBeGreaterThanOrEqual(count(text))),
      { numRuns: 200 },
    )
    expect(count('<|endoftext|>')).toBeGreaterThan(1)
  })

  it('N2: a text is counted once', () => {
    let asked = 0
    const count = remembering((text) => {
      asked += 1
      return text.length
    })
    const text = 'x'.repeat(100)
    expect([count(text), count(text), asked]).toEqual([100, 100, 1])
  })

  it('the tokenizer and the window are those of the model; a window that is counted by another tokenizer keeps a reserve', () => {
    expect([encodingOf('gpt-4-turbo'), encodingOf('gpt-4o-mini'), encodingOf('claude-sonnet'), encodingOf(undefined)]).toEqual([
      'cl100k',
      'o200k',
      'o200k',
      'o200k',
    ])
    expect([windowOf(8_000, 'gpt-4o'), windowOf(8_000, 'claude-sonnet')]).toEqual([8_000, 7_200])
  })
})
