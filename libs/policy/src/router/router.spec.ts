import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { seededRandom } from '../seeded-random.policy.ts'
import { apgr, apgrDifference, callsFor, type Duel, lengthApgr, oracleApgr } from './gain-curve.policy.ts'
import { minimise } from './minimise.policy.ts'
import { promptHand } from './prompt-hand.policy.ts'
import { promptFeatures, type RouterRow, routerScore, trainRouter } from './router.policy.ts'
import { loadRouterModel, routerJson } from './router-file.ts'

const small = { buckets: 1_024, folds: 2, penalties: [1] }
/** The small model fails on integrals, whatever else is asked. */
const rows: readonly RouterRow[] = Array.from({ length: 80 }, (_, at) => {
  const hard = at % 2 === 0
  return {
    prompt: `${hard ? 'Find the integral of the function' : 'What is the capital of the country'} number ${at % 7}?`,
    ok: { small: !hard, large: at % 16 !== 0 },
  }
})
const { model, held } = trainRouter(rows, small)

describe('minimise', () => {
  it('finds the bottom of a bowl', () => {
    const found = minimise(
      (point, gradient) => {
        gradient[0] = 2 * ((point[0] ?? 0) - 3)
        gradient[1] = 20 * ((point[1] ?? 0) + 1)
        return ((point[0] ?? 0) - 3) ** 2 + 10 * ((point[1] ?? 0) + 1) ** 2
      },
      new Float64Array(2),
      { gradientShare: 1e-8 },
    )
    expect(found[0]).toBeCloseTo(3, 4)
    expect(found[1]).toBeCloseTo(-1, 4)
  })
})

describe('learned router (B17)', () => {
  it('learns which questions a small model fails on', () => {
    const hard = routerScore(model, promptFeatures('Find the integral of x'))
    const easy = routerScore(model, promptFeatures('What is the capital of Peru?'))
    expect(hard['small']).toBeLessThan(0.3)
    expect(easy['small']).toBeGreaterThan(0.7)
  })

  it('L1: the same table gives the same file', () => {
    expect(routerJson(trainRouter(rows, small).model, {})).toEqual(routerJson(model, {}))
  })

  it('M3: a model that was asked only sometimes is learned from those times; one that is always right says so', () => {
    const partial = rows.map(({ prompt, ok }, at) => ({
      prompt,
      ok: { always: true, ...(at < 40 ? { small: ok['small'] ?? false } : {}) },
    }))
    const fitted = trainRouter(partial, small)
    expect(routerScore(fitted.model, promptFeatures('What?'))['always']).toBeGreaterThan(0.98)
    expect(fitted.held['small']?.filter(Number.isNaN)).toHaveLength(40)
    expect(held['small']?.some(Number.isNaN)).toBe(false)
  })

  it('M2: no text, however strange, gives anything but a probability', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        for (const value of Object.values(routerScore(model, promptFeatures(text)))) expect(value > 0 && value < 1).toBe(true)
      }),
      { numRuns: 30 },
    )
    expect(routerScore(model, promptFeatures('9'.repeat(100_000)))['small']).toBeGreaterThan(0)
  })

  it('F2: a file gives the same probabilities', () => {
    const read = loadRouterModel(JSON.parse(JSON.stringify(routerJson(model, { rows: 80 }))))
    for (const { prompt } of rows.slice(0, 5)) {
      const [before, after] = [routerScore(model, promptFeatures(prompt)), routerScore(read, promptFeatures(prompt))]
      expect(Math.abs((before['small'] ?? 0) - (after['small'] ?? 1))).toBeLessThan(0.001)
    }
  })

  it('F1: refuses what is no whole router', () => {
    const file = JSON.parse(JSON.stringify(routerJson(model, {}))) as { model: Record<string, unknown> } // What was written above.
    const broken = [
      null,
      {},
      { ...file, format: 'other' },
      { ...file, model: { ...file.model, version: 2 } },
      { ...file, model: { ...file.model, idf: { scale: 1, values: 'AAAA' } } },
      { ...file, model: { ...file.model, heads: {} } },
    ]
    for (const one of broken) expect(() => loadRouterModel(one)).toThrow(expect.objectContaining({ code: 'config.invalid' }))
  })

  it('counts what can be counted of a question', () => {
    expect(promptHand('Ann has 1,200 pens and 2.5 boxes. How many are left?')).toMatchObject({
      numbers: Math.log1p(2),
      decimals: Math.log1p(1),
      questions: Math.log1p(1),
      rest_words: Math.log1p(1),
    })
  })
})

describe('gain curve', () => {
  const random = seededRandom(1)
  const duels: readonly (Duel & { prompt: string })[] = Array.from({ length: 1_000 }, () => {
    const hard = random()
    return { prompt: 'x'.repeat(Math.ceil(hard * 50)), score: hard, weakRight: random() > hard, strongRight: random() > hard / 4 }
  })
  it('G1: a score that means nothing keeps half of the gain, one that knows the outcome more than all of it', () => {
    const blind = apgr(duels.map((duel) => ({ ...duel, score: random() })))
    expect(blind).toBeGreaterThan(0.4)
    expect(blind).toBeLessThan(0.6)
    expect(apgr(duels)).toBeGreaterThan(0.6)
    expect(oracleApgr(duels)).toBeGreaterThan(apgr(duels))
    expect(lengthApgr(duels)).toBeCloseTo(apgr(duels), 1)
    expect(callsFor(duels, 0.5)).toBeLessThan(callsFor(duels, 0.8))
  })
  it('G1: is not a number where the strong model is no better', () => {
    expect(apgr([{ score: 1, weakRight: true, strongRight: false }])).toBeNaN()
  })
  it('G2: questions of one score keep their order', () => {
    const flat = duels.map((duel) => ({ ...duel, score: 0 }))
    expect(apgr(flat)).toBe(apgr(flat.map((duel) => ({ ...duel, score: 5 }))))
  })
  it('G3: a comparison holds the difference of the two, and 0 where there is none', () => {
    const questions = duels.map((_, at) => at)
    const blind = duels.map((duel) => ({ ...duel, score: random() }))
    const { value, low } = apgrDifference([{ questions, left: duels, right: blind }], duels.length, { resamples: 100 })
    expect(value).toBeCloseTo(apgr(duels) - apgr(blind), 2)
    expect(low).toBeGreaterThan(0)
    expect(apgrDifference([{ questions, left: blind, right: blind }], duels.length, { resamples: 20 })).toEqual({
      value: 0,
      low: 0,
      high: 0,
    })
  })
})
