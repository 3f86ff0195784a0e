import { describe, expect, it } from '@jest/globals'
import type { Fault } from '@baton/contracts/fault'
import fc from 'fast-check'
import { seededRandom } from '../seeded-random.policy.ts'
import { agreementBetween, settledPair } from './agreement.policy.ts'
import { confidenceOf, fitConfidence } from './combine.policy.ts'
import { reliabilityDiagram } from './diagram.policy.ts'
import { agreementOf, signalsOf, tokenConfidence } from './signals.policy.ts'

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work()
    return undefined
  } catch (error) {
    return (error as Fault).code // nothing but faults is thrown here
  }
}

describe('signals of confidence (D3)', () => {
  it('F1: a confidence outside 0..1 is a fault, whoever gives it', () => {
    for (const wrong of [1.01, -0.1, 2_000_000_000_000_000, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(codeOf(() => signalsOf({ self: wrong }))).toBe('confidence.invalid')
      expect(codeOf(() => signalsOf({ classifier: wrong }))).toBe('confidence.invalid')
    }
    expect(codeOf(() => signalsOf({ tokenLogProbs: [0.4] }))).toBe('confidence.invalid')
    expect(signalsOf({ self: 0, classifier: 1 })).toEqual({ self: 0, classifier: 1 })
  })

  it('reads tokens, samples, validators and repair', () => {
    expect(tokenConfidence([Math.log(0.5), Math.log(0.5)])).toBeCloseTo(0.5)
    expect(agreementOf([{ a: 1, b: 2 }, { b: 2, a: 1 }, { a: 2 }])).toEqual({ answer: { a: 1, b: 2 }, share: 0.5 })
    expect(signalsOf({ validators: { passed: 2, of: 2 }, mended: true })).toEqual({ validators: 2.5 / 3, mended: 0 })
  })
})

describe('confidence from signals (D3)', () => {
  /** An agreement that means much, a self-report that means nothing. */
  const rows = (seed: number, count: number) => {
    const random = seededRandom(seed)
    return Array.from({ length: count }, () => {
      const agreement = 0.2 + 0.7 * random()
      return { signals: { agreement, self: 0.9 + 0.1 * random() }, right: random() < agreement }
    })
  }

  it('F2: without a fit signals are averaged, and one alone is itself', () => {
    expect(confidenceOf({})).toBeUndefined()
    expect(confidenceOf({ self: 0.8 })).toBeCloseTo(0.8)
    expect(confidenceOf({ self: 0.9, agreement: 0.1 })).toBeCloseTo(0.5)
  })

  it('F3: a fit believes what outcomes bear out', () => {
    const route = fitConfidence(rows(1, 600))
    expect(route.weights.agreement).toBeGreaterThan(10 * (route.weights.self ?? 0))
    expect(confidenceOf({ agreement: 0.85, self: 0.95 }, route)).toBeGreaterThan(0.7)
    expect(confidenceOf({ agreement: 0.25, self: 0.99 }, route)).toBeLessThan(0.45)
  })

  it('F4, F5: stays within 0 and 1, and no signal that rises lowers it', () => {
    const route = fitConfidence(rows(2, 200))
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(share, share, share, (low, high, self) => {
        const [from, to] = [Math.min(low, high), Math.max(low, high)]
        const less = confidenceOf({ agreement: from, self }, route) ?? -1
        const more = confidenceOf({ agreement: to, self }, route) ?? -1
        expect(less).toBeGreaterThanOrEqual(0)
        expect(more).toBeLessThanOrEqual(1)
        expect(more).toBeGreaterThanOrEqual(less - 1e-9)
      }),
    )
    expect(confidenceOf({ agreement: 0.5 }, route)).toBeGreaterThan(0)
  })

  it('shows how far it can be believed', () => {
    const lines = reliabilityDiagram([
      ...Array.from({ length: 8 }, () => ({ confidence: 0.85, right: true })),
      { confidence: 0.15, right: false },
    ])
    expect(lines).toHaveLength(3)
    expect(lines[1]).toContain('right 100.0 % n 8')
    expect(lines[2]).toMatch(/^expected calibration error 0\.15/)
  })
})

describe('agreement of those who judge (D7)', () => {
  it('Y1: kappa counts what chance does not explain', () => {
    const pairs = (...list: readonly string[]) => list.map((pair) => ({ left: pair.charAt(0), right: pair.charAt(1) }))
    expect(agreementBetween(pairs('aa', 'bb', 'aa', 'bb'))).toEqual({ rows: 4, agreed: 1, kappa: 1 })
    expect(agreementBetween(pairs('aa', 'ab', 'ba', 'bb')).kappa).toBeCloseTo(0)
    expect(agreementBetween(pairs('aa', 'aa')).kappa).toBe(1)
    expect(agreementBetween([]).rows).toBe(0)
  })

  it('Y2: a winner wins in both orders', () => {
    expect([settledPair('a', 'a'), settledPair('a', 'b'), settledPair('tie', 'b')]).toEqual(['a', 'tie', 'tie'])
  })
})
