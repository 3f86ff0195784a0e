import { describe, expect, it } from '@jest/globals'
import type { Json } from '@baton/contracts/json'
import fc from 'fast-check'
import type { Answer, Model } from '../model.ts'
import { extractiveModel } from './extractive.adapter.ts'
import { providerFault } from './provider-fault.policy.ts'
import { quote, sentencesOf } from './quoting.policy.ts'
import { rulesModel, RulesFile } from './rules.adapter.ts'

const ask = async (model: Model, input: Json): Promise<Json> => {
  const answer: Answer = await model.invoke({ prompt: '', input, signal: new AbortController().signal })
  return 'value' in answer ? answer.value : answer.text
}

describe('rules (B1)', () => {
  const rules = (change: object = {}): Model =>
    rulesModel(
      'r',
      RulesFile.parse({
        rules: [
          { keywords: ['refund', 'money back'], score: 0.8, value: { intent: 'refund' } },
          { pattern: '(?i)charged.*twice', score: 0.5, value: { intent: 'refund' } },
          { keywords: ['card'], score: 0.6, value: { intent: 'card' } },
        ],
        else: { intent: 'other' },
        ...change,
      }),
    )

  it('finds whole words in any case', async () => {
    expect(await ask(rules(), { text: 'I want my MONEY BACK' })).toEqual({ intent: 'refund', confidence: 0.8 })
    expect(await ask(rules(), { text: 'the cardinal' })).toEqual({ intent: 'other', confidence: 0 })
  })

  it('K1: a pattern that would run away with another engine answers at once, and one that RE2 lacks is refused', async () => {
    const model = rules({ rules: [{ pattern: '^(a+)+$', value: { intent: 'a' } }] })
    expect(await ask(model, { text: `${'a'.repeat(20_000)}!` })).toEqual({ intent: 'other', confidence: 0 })
    expect(() => rules({ rules: [{ pattern: '(?=x)', value: { intent: 'a' } }] })).toThrow(
      expect.objectContaining({ code: 'config.invalid' }),
    )
  })

  it('K2: hints at one value add up and stay below 1', async () => {
    expect(await ask(rules(), { text: 'you charged my card twice, refund please' })).toEqual({ intent: 'refund', confidence: 0.9 })
  })

  it('K3: says else with confidence 0, or with its own', async () => {
    expect(await ask(rules(), { text: 'hello' })).toEqual({ intent: 'other', confidence: 0 })
    expect(await ask(rules({ else: { intent: 'other', confidence: 0.4 } }), { text: 'hello' })).toEqual({
      intent: 'other',
      confidence: 0.4,
    })
  })

  it('reads the field it is told to, or a plain text', async () => {
    expect(await ask(rules({ field: 'body' }), { body: 'my card', text: 'refund' })).toMatchObject({ intent: 'card' })
    expect(await ask(rules(), 'my card')).toMatchObject({ intent: 'card' })
  })
})

const docs = [
  {
    id: 'd1',
    title: 'Contactless payments',
    text: '## How to\n\n1. Pay once with chip and PIN to switch contactless payments on.\n2. Look into the card settings of the app.',
  },
  {
    id: 'd2',
    title: 'Exchange rates',
    text: 'Currency exchanges execute at the interbank rate plus a markup of 0.5%. Weekends cost more.',
  },
]

describe('quoting', () => {
  it('Q1: every quote stands word for word in its passage', () => {
    const words = fc.constantFrom('rate', 'card', 'pay', 'currency', 'PIN', 'markup', 'switch', 'weather', 'interbank')
    fc.assert(
      fc.property(fc.array(words, { maxLength: 8 }), (question) => {
        for (const { text, passage } of quote(question.join(' '), docs, 3).quotes) expect(docs[passage]?.text).toContain(text)
      }),
    )
  })

  it('Q2: the score is the share of the question that the quotes cover', () => {
    const whole = quote('interbank rate markup', docs, 3)
    expect(whole.quotes.map(({ passage }) => passage)).toEqual([1])
    expect(whole.score).toBe(1)
    expect(quote('interbank rate for llamas and dragons', docs, 3).score).toBeLessThan(0.6)
  })

  it('Q3: quotes nothing where nothing is shared', () => {
    expect(quote('do birds have wings', docs, 3)).toEqual({ quotes: [], score: 0 })
    expect(quote('', docs, 3)).toEqual({ quotes: [], score: 0 })
    expect(quote('rate', [], 3)).toEqual({ quotes: [], score: 0 })
  })

  it('leaves out headings, tables and scraps', () => {
    expect(sentencesOf('# Title\n| a | b |\nShort.\n- A point that is long enough to count.')).toEqual([
      'A point that is long enough to count.',
    ])
  })
})

describe('extractive (B1)', () => {
  const model = extractiveModel('x', { quotesMax: 2, scoreMin: 0.2 })

  it('quotes passages with their titles, and gives a score that is no confidence', async () => {
    const answer = await model.invoke({
      prompt: '',
      input: { text: 'What is your currency exchange rate?', docs: { items: docs } },
      signal: new AbortController().signal,
    })
    expect(answer).toMatchObject({
      value: {
        text: '“Currency exchanges execute at the interbank rate plus a markup of 0.5%.” (Exchange rates)',
        sources: ['Exchange rates'],
      },
      usage: { costMicroUsd: 0 },
    })
    expect(answer).not.toHaveProperty('confidence')
  })

  it('puts first what was looked up for this case', async () => {
    const facts = { found: true, text: 'Your refund was paid on Monday.' }
    expect(await ask(model, { text: 'birds?', docs, facts })).toEqual({ text: facts.text, score: 0.2, sources: [] })
    expect(await ask(model, { text: 'birds?', docs, facts: { ...facts, found: false } })).toMatchObject({ score: 0 })
  })

  it('says with score 0 that nothing is relevant', async () => {
    expect(await ask(model, { text: 'Do birds fly?', docs })).toEqual({
      text: 'None of the retrieved documents speaks of this.',
      score: 0,
      sources: [],
    })
    expect(await ask(model, { text: 'Do birds fly?' })).toMatchObject({ score: 0 })
  })
})

describe('what an error of a provider means (B5)', () => {
  const fault = (status: number | undefined, headers: Record<string, string> = {}, message = 'no') =>
    providerFault('gpt', { ...(status === undefined ? {} : { status }), headers, message }, 0)

  it('tells rate limits, outages, refusals and time-outs apart (B5)', () => {
    expect([429, 500, 503, 529, undefined, 200, 400, 401, 404, 405, 408, 413].map((status) => fault(status).code)).toEqual([
      'model.rate_limited',
      'model.unavailable',
      'model.unavailable',
      'model.overloaded',
      'model.unavailable',
      'model.unavailable',
      'model.request_invalid',
      'model.unauthorized',
      'model.request_invalid',
      'model.refused',
      'model.timed_out',
      'model.context_too_long',
    ])
  })

  it('reads what is meant where the status says little', () => {
    expect(fault(429, {}, 'You exceeded your current quota: insufficient_quota').code).toBe('model.unauthorized')
    expect(fault(400, {}, 'Blocked by content_policy_violation').code).toBe('model.content_refused')
    expect(fault(500, {}, 'Overloaded').code).toBe('model.overloaded')
  })

  it('passes on the wait that the provider names (B6)', () => {
    expect(fault(429, { 'retry-after': '7' }).detail).toMatchObject({ retryAfterMs: 7_000 })
    expect(fault(503, { 'retry-after-ms': '250' }).detail).toMatchObject({ retryAfterMs: 250 })
    expect(fault(400, { 'retry-after': '7' }).detail).not.toHaveProperty('retryAfterMs')
  })

  it('names a context that is too long', () => {
    expect(fault(400, {}, "This model's maximum context length is 8192 tokens").code).toBe('model.context_too_long')
  })

  it('lets no key out (H5)', () => {
    expect(fault(401, {}, 'Incorrect API key provided: sk-abcdef123456. Bearer abc.def-ghi').message).not.toMatch(/abcdef|abc\.def/)
  })
})
