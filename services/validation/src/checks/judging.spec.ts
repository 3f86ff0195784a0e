import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from '@jest/globals'
import type { Json, JsonObject } from '@baton/contracts'
import { fitConfidence } from '@baton/policy/confidence'
import { packNovelty, trainNovelty } from '@baton/policy/novelty'
import { answers } from './answers.check.ts'
import type { Check, CheckResult } from './check.ts'
import { confidenceCheck } from './confidence.check.ts'
import { grounded } from './grounded.check.ts'
import { judged } from './judged.check.ts'
import { noveltyCheck } from './novelty.check.ts'
import { rules } from './rules.check.ts'
import { numbersOf, sentencesOf } from './sentences.policy.ts'

const look = async (check: Check, input: Json, options: JsonObject = {}): Promise<CheckResult> =>
  check.evaluate(input, options, new AbortController().signal)

const flowsDir = mkdtempSync(join(tmpdir(), 'baton-checks-'))
afterAll(() => rmSync(flowsDir, { recursive: true, force: true }))

describe('sentences', () => {
  it('ends at full stops and lines, not within numbers or abbreviations, and says where', () => {
    const text = 'It costs 3.50 today. See e.g. the list:\n- one item\n2. another'
    expect(sentencesOf(text).map((one) => one.text)).toEqual(['It costs 3.50 today.', 'See e.g. the list:', 'one item', 'another'])
    for (const { start, end, text: own } of sentencesOf(text)) expect(text.slice(start, end)).toBe(own)
    expect([...numbersOf('1,000.50 and three of 7.0')]).toEqual(['1000.5', '7', '3'])
  })
})

describe('check grounded (D4)', () => {
  const sources = ['Refunds are paid within 5 business days. They cannot be paid to another card.', { text: 'The fee is 2 %.' }]

  it('W1: passes what the sources say, in other words and order', async () => {
    expect(await look(grounded, { text: 'Your refund is paid within five business days. The fee is 2 %.', sources })).toMatchObject({
      pass: true,
      score: 1,
    })
  })

  it('W2: a changed number and a dropped denial are not grounded, and the places say where', async () => {
    const text = 'Refunds are paid within 9 business days. They can be paid to another card.'
    const { pass, more } = await look(grounded, { text, sources })
    expect({ pass, more }).toEqual({
      pass: false,
      more: {
        sentences: 2,
        ungrounded: [
          { start: 0, end: 40, score: expect.any(Number) },
          { start: 41, end: 74, score: expect.any(Number) },
        ],
      },
    })
  })

  it('refuses more than it can measure', async () => {
    await expect(look(grounded, { text: 'x', sources: ['a '.repeat(150_000)] })).rejects.toMatchObject({ code: 'tool.arguments_invalid' })
  })

  it('W3: courtesies claim nothing; without sources nothing is grounded', async () => {
    expect(await look(grounded, { text: 'Hello! Yes.', sources })).toMatchObject({ pass: true, more: { sentences: 0 } })
    expect(await look(grounded, { text: 'Refunds are paid within 5 business days.', sources: [] })).toMatchObject({ pass: false, score: 0 })
    expect(await look(grounded, { text: 'The fee is 2 %. The moon is made of cheese.', sources }, { share: 0.5 })).toMatchObject({
      pass: true,
      score: 0.5,
    })
  })
})

describe('check answers (D4)', () => {
  const question = 'How long does a refund to my credit card take?'

  it('Z1: an answer passes and a correct essay about something else does not', async () => {
    expect(await look(answers, { question, text: 'A refund to a credit card takes up to five days.' })).toMatchObject({ pass: true })
    const essay = 'Photosynthesis turns light, water and carbon dioxide into sugar and oxygen. It happens in chloroplasts. '.repeat(5)
    expect(await look(answers, { question, text: essay })).toMatchObject({ pass: false })
  })

  it('Z2: an echo and a question without meaning pass nothing', async () => {
    expect(await look(answers, { question, text: 'How long does a refund to my credit card take!' })).toMatchObject({
      pass: false,
      score: 0,
      more: { echo: true },
    })
    expect(await look(answers, { question: 'What is it?', text: 'A refund.' })).toMatchObject({ pass: false })
  })
})

describe('check rules (D6)', () => {
  const hold = { adds_up: 'it.total == it.net + it.tax', has_lines: 'it.lines.size() > 0', paid: "it.state in ['paid', 'open']" }

  it('Q1: all rules must hold; the broken are named', async () => {
    expect(await look(rules, { total: 12, net: 10, tax: 2, lines: [1], state: 'open' }, { hold })).toMatchObject({ pass: true, score: 1 })
    expect(await look(rules, { total: 13, net: 10, tax: 2, lines: [1], state: 'lost' }, { hold })).toMatchObject({
      pass: false,
      reason: 'broken: adds_up, paid',
      more: { broken: ['adds_up', 'paid'] },
    })
  })

  it('Q1: a rule that cannot be said of the input is broken', async () => {
    expect(await look(rules, { lines: [1], state: 'paid' }, { hold })).toMatchObject({ more: { broken: ['adds_up'] } })
  })

  it('Q2: compiles once for the options of a plan', async () => {
    const options = { hold }
    await look(rules, {}, options)
    options.hold = { ...hold, adds_up: 'it.' } // a plan never changes: were it read again, this would be refused
    expect(await look(rules, {}, options)).toMatchObject({ pass: false })
  })

  it('refuses what is no condition', async () => {
    await expect(look(rules, {}, { hold: { a: 'it.' } })).rejects.toMatchObject({ code: 'flow.invalid', detail: { field: 'hold.a' } })
    await expect(look(rules, {}, { hold: { a: 'other > 1' } })).rejects.toMatchObject({ code: 'flow.invalid' })
  })
})

describe('check judged (D7)', () => {
  it('N1: a rubric by weights, and no criterion too low', async () => {
    const scores = { correct: 0.9, polite: 0.5 }
    expect(await look(judged, { scores }, { weights: { correct: 3 } })).toMatchObject({ pass: true, score: 0.8 })
    expect(await look(judged, { scores }, { each: 0.6, min: 0.5 })).toMatchObject({ pass: false, reason: 'too low: polite' })
  })

  it('N2: one of a pair wins only in both orders', async () => {
    expect(await look(judged, { straight: 'a', swapped: 'a' })).toMatchObject({ pass: true, more: { winner: 'a' } })
    expect(await look(judged, { straight: 'a', swapped: 'b' })).toMatchObject({ pass: false, more: { winner: 'tie' } })
    expect(await look(judged, { straight: 'a', swapped: 'a' }, { winner: 'b' })).toMatchObject({ pass: false })
  })

  it('N3: a score outside 0..1 is no score', async () => {
    await expect(look(judged, { scores: { correct: 9 } })).rejects.toMatchObject({ code: 'confidence.invalid' })
  })
})

describe('check confidence (D3)', () => {
  const confidence = confidenceCheck(flowsDir)

  it('one number from what is known, by a fit where there is one', async () => {
    const rows = Array.from({ length: 80 }, (_, at) => ({ signals: { self: (at % 10) / 10 }, right: at % 10 > 7 }))
    writeFileSync(join(flowsDir, 'fit.json'), JSON.stringify(fitConfidence(rows)))
    expect(await look(confidence, { self: 0.6 }, { min: 0.5 })).toMatchObject({ pass: true, score: 0.6, more: { fitted: false } })
    expect(await look(confidence, { self: 0.6 }, { min: 0.5, fit: 'fit.json' })).toMatchObject({ pass: false, more: { fitted: true } })
    expect(await look(confidence, {})).toMatchObject({ pass: false, score: 0 })
  })

  it('a confidence that is none is a fault', async () => {
    await expect(look(confidence, { self: 2_000_000_000_000_000 })).rejects.toMatchObject({ code: 'confidence.invalid' })
  })

  it('B2: a file that could not be read is tried again, and what was read is kept', async () => {
    await expect(look(confidence, { self: 0.6 }, { fit: 'later.json' })).rejects.toMatchObject({ code: 'flow.invalid' })
    writeFileSync(join(flowsDir, 'later.json'), JSON.stringify(fitConfidence([])))
    expect(await look(confidence, { self: 0.6 }, { fit: 'later.json' })).toMatchObject({ more: { fitted: true } })
    rmSync(join(flowsDir, 'later.json'))
    expect(await look(confidence, { self: 0.6 }, { fit: 'later.json' })).toMatchObject({ more: { fitted: true } })
  })

  it('B1: a file outside the folder of the flows is not read', async () => {
    symlinkSync('/etc/hostname', join(flowsDir, 'link.json'))
    for (const fit of ['../secret.json', '/etc/hostname', 'link.json', 'none.json', '.'])
      await expect(look(confidence, { self: 0.5 }, { fit })).rejects.toMatchObject({ code: 'flow.invalid' })
  })
})

describe('check novelty (D8)', () => {
  const known = [
    'where is my card',
    'my card has not arrived',
    'when will my card come',
    'refund my payment',
    'i want a refund',
    'refund did not arrive',
  ]
  const examples = known.map((text) => ({ text, group: text.includes('refund') ? 'refund' : 'card' }))
  const held = ['has my card arrived', 'where is my refund', 'card not come', 'refund of a payment']

  it('N2: what is like the examples passes and what is like none does not', async () => {
    writeFileSync(join(flowsDir, 'novelty.bin.gz'), gzipSync(packNovelty(trainNovelty(examples, held))))
    const novelty = noveltyCheck(flowsDir)
    expect(await look(novelty, 'where is my card', { model: 'novelty.bin.gz' })).toMatchObject({ pass: true })
    expect(await look(novelty, { text: 'tell me a joke about penguins' }, { model: 'novelty.bin.gz' })).toMatchObject({
      pass: false,
      more: { novelty: 1 },
    })
  })
})
