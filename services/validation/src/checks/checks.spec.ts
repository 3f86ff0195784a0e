import { describe, expect, it } from '@jest/globals'
import type { Json, JsonObject } from '@baton/contracts'
import type { Check, CheckResult } from './check.ts'
import { relevance } from './relevance.check.ts'
import { contains, forbidden, length, mentions } from './text.check.ts'

const { signal } = new AbortController()
const run = async (check: Check, input: Json, options: JsonObject = {}): Promise<CheckResult> => check.evaluate(input, options, signal)

const CARDS = { id: 'cards', title: 'Lost cards', text: 'Freeze a lost card in the app; a new one is posted within two days.', score: 0.7 }
const RATES = { id: 'rates', title: 'Exchange rates', text: 'We exchange money at the rate of the minute.', score: 0.05 }

describe('relevance of what was retrieved (D4)', () => {
  it('passes when the best passage is about the question, and keeps those that are', async () => {
    const result = await run(relevance, { query: 'I lost my card, what now?', items: [CARDS, RATES] })
    expect(result).toMatchObject({ pass: true, more: { kept: ['cards'] } })
    expect(result.score).toBeGreaterThan(0.5)
  })

  it('V1: a word that no passage has lowers the score', async () => {
    const asked = await run(relevance, { query: 'lost card', items: [CARDS] })
    const more = await run(relevance, { query: 'lost card on a volcano', items: [CARDS] })
    expect(more.score).toBeLessThan(asked.score)
  })

  it('V2: nothing found, and nothing asked, is not relevant', async () => {
    expect(await run(relevance, { query: 'lost card', items: [] })).toMatchObject({ pass: false, score: 0, reason: 'nothing was found' })
    expect(await run(relevance, { query: 'the of and', items: [{ ...CARDS, score: 0 }] })).toMatchObject({ pass: false, score: 0 })
  })

  it('goes by its thresholds, and works without a score of the search', async () => {
    const { score: _score, ...unscored } = CARDS
    const query = 'lost card'
    expect(await run(relevance, { query, items: [unscored] }, { min: 0.9 })).toMatchObject({ pass: true, score: 1 })
    expect(await run(relevance, { query, items: [CARDS] }, { min: 0.9 })).toMatchObject({ pass: false, more: { kept: [] } })
    expect(await run(relevance, { query, items: [CARDS] }, { min: 0.9, keep: 0.5 })).toMatchObject({
      pass: false,
      more: { kept: ['cards'] },
    })
  })

  it('names the field of options and input that it cannot use', async () => {
    await expect(run(relevance, { query: 'x', items: [] }, { minimum: 1 })).rejects.toMatchObject({
      code: 'flow.invalid',
      detail: { field: 'minimum' },
    })
    await expect(run(relevance, { query: 'x', items: [{ id: 1 }] })).rejects.toMatchObject({
      code: 'tool.arguments_invalid',
      detail: { field: 'items.0.id' },
    })
  })
})

describe('checks on a text', () => {
  it('length: between its bounds', async () => {
    expect(await run(length, 'four', { min: 4, max: 4 })).toMatchObject({ pass: true })
    expect(await run(length, { text: 'four' }, { max: 3 })).toMatchObject({ pass: false, more: { chars: 4 } })
    await expect(run(length, 'x')).rejects.toMatchObject({ code: 'flow.invalid' })
  })

  it('forbidden: words of their own, whatever case and spacing, never parts of words', async () => {
    expect(await run(forbidden, 'This is a GUARANTEED   return.', { words: ['guaranteed return'] })).toMatchObject({
      pass: false,
      more: { found: ['guaranteed return'] },
    })
    expect(await run(forbidden, 'A classic assessment.', { words: ['ass'] })).toMatchObject({ pass: true, score: 1 })
    expect(mentions('ＦＲＥＥ money', 'free')).toBe(true)
    expect(mentions('C++ and C#', 'c++')).toBe(true)
    expect(mentions('aab ab', 'ab')).toBe(true)
  })

  it('forbidden: words are plain, so that no text takes long', async () => {
    expect(await run(forbidden, 'a'.repeat(100_000), { words: ['(a+)+$'] })).toMatchObject({ pass: true })
  })

  it('contains: the share of the words that are there', async () => {
    expect(await run(contains, 'Kind regards, Baton', { words: ['kind regards', 'sincerely'] })).toMatchObject({
      pass: false,
      score: 0.5,
      more: { missing: ['sincerely'] },
    })
  })
})
