import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { promptHand } from '../router/prompt-hand.policy.ts'
import { answerHand } from './answer-hand.policy.ts'
import { sumsIn } from './arithmetic.policy.ts'
import { type CascadeFacts, decideCascade } from './cascade.decider.ts'
import { unusedNumbers } from './given-numbers.policy.ts'
import { judgeAnswer, type JudgeRow, trainJudge } from './judge.policy.ts'
import { judgeJson, loadJudge } from './judge-file.ts'
import { chooseThreshold, type TuneCase, tuneCurve } from './thresholds.policy.ts'

describe('sums in a text', () => {
  it.each([
    ['She has 16 - 3 = 13 eggs.', [[13, true]]],
    ['9 * 2 = $<<9*2=18>>18.', [[18, true]]],
    [
      '40 / 2 + 5 = 20 + 5 = 25 jewels',
      [
        [20, true],
        [25, true],
      ],
    ],
    ['a total of 1,200 x 3 = 3,500', [[3500, false]]],
    ['(12 / 20) x 100 = 60%', [[60, true]]],
    ['20% * 50 = 10.', [[10, true]]],
    ['12/20 = 60%', [[60, true]]],
    ['x = 5, so 2 = 2', []],
    ['5 + (3 * 2 = 11', [[11, false]]],
  ])('%s', (text, wanted) => {
    expect(sumsIn(text).map(({ result, right }) => [result, right])).toEqual(wanted)
  })

  it('A1, A2: reads any text without a fault, and long rows of signs in no time', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\d+*=().,%x -]{0,80}$/), (text) => {
        for (const { result } of sumsIn(text)) expect(Number.isFinite(result)).toBe(true)
      }),
    )
    expect(sumsIn('1+='.repeat(50_000))).toEqual([])
  })
})

describe('what can be checked of an answer', () => {
  const question = 'Ann has 3 bags with 4 pens each. How many pens does she have?'
  it('sees sums that are wrong, ends that do not follow, and answers that are cut', () => {
    expect(answerHand({ question, answer: '3 * 4 = 12\n#### 12' })).toMatchObject({
      sums_wrong: 0,
      follows: 1,
      marked: 1,
      whole: 1,
      given_used: 1,
    })
    expect(answerHand({ question, answer: '3 * 4 = 14\n#### 15' })).toMatchObject({ any_wrong: 1, follows: 0 })
    expect(answerHand({ question, answer: 'She has 3 bags with 4 pe' })).toMatchObject({ marked: 0, whole: 0, no_sums: 1 })
  })
  it.each(['\n', ' ', '1=', '####', '- ', 'answer ', '1,', '0/'])('A1: reads a long row of %j in no time', (piece) => {
    const text = piece.repeat(30_000)
    expect(answerHand({ question: text, answer: text })['chars']).toBeGreaterThanOrEqual(0)
    expect(promptHand(text)['chars']).toBeGreaterThan(0)
    expect(unusedNumbers(text, text)).toBeDefined()
  })
  it('carries signals of others along', () => {
    expect(answerHand({ question, answer: '', signals: { confidence: 0.4 } })).toMatchObject({ signal_confidence: 0.4 })
  })
})

describe('numbers that are given', () => {
  it.each([
    ['$5,000 at 7 % for 10 years, then $3000 at 6 %', '{"invest":5000,"rate":0.07,"years":10}', [3000, 6]],
    ['213 million people on 8.5 km^2', '{"people":213000000,"area":8.5}', []],
    ['1. From 20 Jan 2023 at 7:30\n2. for 2 on 2023-06-20, the 3rd', '{"n":2,"day":20,"year":2023}', []],
    ['How much CO2 for 25 miles?', '{"miles":25}', []],
    ['what is 4 and 4 and 9', '{"a":4}', [9]],
  ])('%s', (question, answer, unused) => {
    expect(unusedNumbers(question, answer)).toEqual(unused)
  })
})

/** Answers that end with the sum are right; those that are cut are not; the strong model fails where it is about fish. */
const rows: readonly JudgeRow[] = Array.from({ length: 120 }, (_, at) => {
  const right = at % 3 !== 0
  const fish = at % 2 === 0
  return {
    question: `How many ${fish ? 'fish swim in the pond' : 'birds sit on the roof'} with ${at % 5} and 4?`,
    answer: right ? `There are ${at % 5} + 4 = ${(at % 5) + 4} of them.\n#### ${(at % 5) + 4}` : `There are ${at % 5} + 4 = ${at % 5} and`,
    right,
    nextRight: !fish,
  }
})
const options = { buckets: 1_024, folds: 2, penalties: [1] }
const { judge } = trainJudge(rows, options)

describe('judge (B5)', () => {
  it('J1: believes whole answers and doubts cut ones', () => {
    const doubts = rows.slice(0, 12).map((row) => ({ right: row.right, ...judgeAnswer(judge, row) }))
    const least = Math.min(...doubts.filter(({ right }) => right).map(({ probability }) => probability))
    const most = Math.max(...doubts.filter(({ right }) => !right).map(({ probability }) => probability))
    expect(least).toBeGreaterThan(most)
  })
  it('J2: a question that the next model fails on too is worth less to ask again', () => {
    const [fish, birds] = [rows[0], rows[3]]
    expect(judgeAnswer(judge, fish ?? rows[1] ?? { question: '', answer: '' }).gain).toBeLessThan(
      judgeAnswer(judge, birds ?? { question: '', answer: '' }).gain ?? 0,
    )
    const alone = trainJudge(
      rows.map(({ question, answer, right }) => ({ question, answer, right })),
      options,
    ).judge
    expect(judgeAnswer(alone, { question: 'a', answer: 'b' }).gain).toBeUndefined()
  })
  it('survives a file', () => {
    const read = loadJudge(JSON.parse(JSON.stringify(judgeJson(judge, {}))))
    for (const row of rows.slice(0, 3)) expect(judgeAnswer(read, row).probability).toBeCloseTo(judgeAnswer(judge, row).probability, 2)
    expect(() => loadJudge({ format: 'baton.router' })).toThrow(expect.objectContaining({ code: 'config.invalid' }))
  })
})

describe('cascade (B17, D4)', () => {
  const valid: CascadeFacts = { problems: [], repaired: false, last: false }
  const probable = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined })
  it('D1: never accepts what a validator refused', () => {
    fc.assert(
      fc.property(probable, probable, fc.boolean(), fc.boolean(), (probability, confidence, last, person) => {
        const facts = {
          ...valid,
          problems: ['a field is missing'],
          last,
          ...(probability === undefined ? {} : { probability }),
          ...(confidence === undefined ? {} : { confidence }),
        }
        expect(decideCascade({ person }, facts).status).not.toBe('accept')
      }),
    )
  })
  it('D5: accepts from the threshold on and escalates below it, saying why', () => {
    expect(decideCascade({ probabilityMin: 0.7 }, { ...valid, probability: 0.7 })).toMatchObject({ status: 'accept', probability: 0.7 })
    expect(decideCascade({ probabilityMin: 0.7 }, { ...valid, probability: 0.6 })).toEqual({
      status: 'escalate',
      reason: 'it is right with 60 %, and 70 % are wanted',
      probability: 0.6,
    })
    expect(decideCascade({ repaired: false }, { ...valid, repaired: true }).status).toBe('escalate')
    expect(decideCascade({ confidenceMin: 0.5 }, { ...valid, confidence: 0.4 }).status).toBe('escalate')
  })
  it('D2: a confidence of 2,000,000,000,000,000 counts as none', () => {
    expect(decideCascade({ confidenceMin: 0.5 }, { ...valid, confidence: 2e15 })).toEqual({
      status: 'escalate',
      reason: 'it gives no confidence',
    })
    expect(decideCascade({ probabilityMin: 0.5 }, { ...valid, probability: Number.NaN }).status).toBe('escalate')
  })
  it('D3: at the end a person is asked where the rule knows one, and for everything that is not valid', () => {
    const weak = { ...valid, probability: 0.1, last: true }
    expect(decideCascade({ probabilityMin: 0.5 }, weak).status).toBe('accept')
    expect(decideCascade({ probabilityMin: 0.5, person: true }, weak).status).toBe('person')
    expect(decideCascade({}, { ...weak, problems: ['x'] }).status).toBe('person')
  })
  it('D4: asks a person at once where nobody is believed to help', () => {
    const rule = { probabilityMin: 0.8, personBelow: 0.3 }
    expect(decideCascade(rule, { ...valid, probability: 0.1, gain: 0.1 }).status).toBe('person')
    expect(decideCascade(rule, { ...valid, probability: 0.1, gain: 0.5 }).status).toBe('escalate')
  })
})

describe('thresholds', () => {
  const cases: readonly TuneCase[] = Array.from({ length: 100 }, (_, at) => ({
    score: at / 100,
    cheapRight: at % 10 < at / 10,
    strongRight: at % 20 !== 0,
    cheapCost: 1,
    strongCost: 10,
  }))
  const curve = tuneCurve(cases)
  it('goes from all cheap to all strong, ever dearer', () => {
    expect(curve[0]).toMatchObject({ escalated: 0, cost: 1 })
    expect(curve.at(-1)).toMatchObject({ escalated: 1, cost: 11, quality: 0.95 })
    expect(curve.every((point, at) => at === 0 || point.cost >= (curve[at - 1]?.cost ?? 0))).toBe(true)
    expect(tuneCurve(cases, 'route').at(-1)?.cost).toBe(10)
  })
  it('O1: holds its target, at the least cost or with the most quality', () => {
    const frugal = chooseThreshold(curve, { quality: 0.8 })
    expect(frugal?.quality).toBeGreaterThanOrEqual(0.8)
    expect(frugal?.cost).toBeLessThan(11)
    expect(chooseThreshold(curve, { cost: 5 })?.cost).toBeLessThanOrEqual(5)
    expect(chooseThreshold(curve, { escalated: 0.2 })?.escalated).toBeLessThanOrEqual(0.2)
    expect(chooseThreshold(curve, { quality: 1 })).toBeUndefined()
  })
  it('O2: without a target takes the knee', () => {
    const knee = chooseThreshold(curve, {})
    expect(knee?.escalated).toBeGreaterThan(0.1)
    expect(knee?.escalated).toBeLessThan(0.9)
  })
  it('what is not valid is always escalated', () => {
    expect(tuneCurve(cases.map((one, at) => ({ ...one, valid: at >= 50 })))[0]?.escalated).toBe(0.5)
  })
})
