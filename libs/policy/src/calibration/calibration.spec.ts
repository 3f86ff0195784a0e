import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { seededRandom } from '../seeded-random.policy.ts'
import { calibrated, fitIsotonic, fitPlatt, type Outcome, readCalibrator } from './calibration.policy.ts'
import { brierScore, expectedCalibrationError, logLoss, reliability } from './reliability.policy.ts'

const outcome = fc.record({ score: fc.double({ min: -50, max: 50, noNaN: true }), right: fc.boolean() })
const fits = [fitIsotonic, fitPlatt]

/** Rows whose chance of being right is the square of what they claim: much too sure. */
const tooSure = (seed: number, count = 4_000): readonly Outcome[] => {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => {
    const score = random()
    return { score, right: random() < score * score }
  })
}

describe('calibrators', () => {
  it('K1: never turn the order round', () => {
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 40 }), fc.double({ noNaN: true }), fc.double({ noNaN: true }), (rows, left, right) => {
        for (const fit of fits) {
          const calibrator = fit(rows)
          const [low, high] = [Math.min(left, right), Math.max(left, right)]
          expect(calibrated(calibrator, high)).toBeGreaterThanOrEqual(calibrated(calibrator, low))
        }
      }),
    )
  })

  it('K2: give a number between 0 and 1 for every score, also for none', () => {
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 20 }), fc.double(), (rows, score) => {
        for (const fit of fits) {
          const value = calibrated(fit(rows), score)
          expect(value >= 0 && value <= 1).toBe(true)
        }
      }),
    )
    expect(calibrated(fitPlatt(tooSure(1, 50)), Number.NaN)).toBe(0)
  })

  it('K3: do not depend on the order of the rows', () => {
    const rows = tooSure(3, 200)
    for (const fit of fits) expect(fit(rows.toReversed())).toEqual(fit(rows))
  })

  it('K4: with nothing to learn from, say the smoothed share', () => {
    const right = Array.from({ length: 9 }, () => ({ score: 0.3, right: true }))
    for (const fit of fits) {
      expect(calibrated(fit([]), 0.9)).toBeCloseTo(0.5)
      expect(calibrated(fit(right), 0.9)).toBeCloseTo(0.95)
    }
  })

  it('B5: make confidences that were too sure believable on rows they never saw', () => {
    const judge = (fit: (rows: readonly Outcome[]) => ReturnType<typeof fitPlatt> | ReturnType<typeof fitIsotonic>) => {
      const calibrator = fit(tooSure(5))
      return tooSure(6).map(({ score, right }) => ({ confidence: calibrated(calibrator, score), right }))
    }
    const raw = tooSure(6).map(({ score, right }) => ({ confidence: score, right }))
    expect(expectedCalibrationError(raw)).toBeGreaterThan(0.12)
    expect(expectedCalibrationError(judge(fitIsotonic))).toBeLessThan(0.04)
    expect(expectedCalibrationError(judge(fitPlatt))).toBeLessThan(0.05)
    expect(brierScore(judge(fitIsotonic))).toBeLessThan(brierScore(raw))
    expect(logLoss(judge(fitPlatt))).toBeLessThan(logLoss(raw))
  })

  it('weigh rows', () => {
    const rows = [
      { score: 0.5, right: true, weight: 9 },
      { score: 0.5, right: false },
    ]
    expect(calibrated(fitIsotonic(rows), 0.5)).toBeCloseTo(9.5 / 11)
  })

  it('survive a file, and one that falls is refused', () => {
    for (const fit of fits) {
      const calibrator = fit(tooSure(2, 300))
      expect(readCalibrator(JSON.parse(JSON.stringify(calibrator)))).toEqual(calibrator)
    }
    const bad = [
      null,
      { kind: 'other' },
      { kind: 'platt', slope: -1, intercept: 0 },
      { kind: 'isotonic', scores: [0, 1], shares: [0.5, 0.4] },
      { kind: 'isotonic', scores: [0], shares: [2] },
    ]
    for (const one of bad) expect(() => readCalibrator(one)).toThrow(expect.objectContaining({ code: 'config.invalid' }))
  })
})

describe('reliability', () => {
  const rows = [0.05, 0.15, 0.95, 0.95].map((confidence, at) => ({ confidence, right: at === 2 }))
  it('shows what was promised and what came true', () => {
    expect(reliability(rows)).toEqual([
      { from: 0, to: 0.1, rows: 1, confidence: 0.05, right: 0 },
      { from: 0.1, to: 0.2, rows: 1, confidence: 0.15, right: 0 },
      { from: 0.9, to: 1, rows: 2, confidence: 0.95, right: 0.5 },
    ])
    expect(expectedCalibrationError(rows)).toBeCloseTo((0.05 + 0.15 + 2 * 0.45) / 4)
  })
  it('can give every band as many rows', () => {
    expect(reliability(rows, { bins: 2, by: 'mass' }).map((band) => band.rows)).toEqual([2, 2])
    expect(expectedCalibrationError([])).toBe(0)
  })
})
