import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { seededRandom } from '../seeded-random.policy.ts'
import { calibrated, type Outcome } from './calibration.policy.ts'
import { chooseCalibration } from './choose.policy.ts'

/** Scores that are right with the probability that `truth` says. */
const rowsOf = (count: number, truth: (score: number) => number): readonly Outcome[] => {
  const random = seededRandom(11)
  return Array.from({ length: count }, () => {
    const score = random()
    return { score, right: random() < truth(score) }
  })
}

describe('the choice of a calibration', () => {
  it('Q1, Q2: an honest confidence stays as it is', () => {
    const { chosen, calibrator } = chooseCalibration(rowsOf(600, (score) => score))
    expect([chosen.way, calibrator]).toEqual(['none', undefined])
  })

  it('Q1: too sure is corrected, and what is told of it was seen on rows the fit did not have', () => {
    const { chosen, calibrator, trials } = chooseCalibration(rowsOf(800, (score) => 0.2 + 0.5 * score))
    const raw = trials.find(({ way }) => way === 'none')
    expect(chosen.way).not.toBe('none')
    expect(chosen.calibrationError).toBeLessThan((raw?.calibrationError ?? 0) / 2)
    expect(calibrator).toBeDefined()
    expect(calibrator === undefined ? 1 : calibrated(calibrator, 0.95)).toBeLessThan(0.8)
    expect(chosen.judged).toHaveLength(800)
  })

  it('Q1: a fit that only repeats its rows gains nothing', () => {
    const { chosen } = chooseCalibration(rowsOf(30, () => 0.5).map((row, at) => ({ ...row, score: 0.5 + at * 1e-6 })))
    expect(chosen.way).toBe('none')
  })

  it('a step in the truth is followed by isotonic regression', () => {
    expect(chooseCalibration(rowsOf(2_000, (score) => (score < 0.7 ? 0.1 : 0.9))).chosen.way).toBe('isotonic')
  })

  it('Q3: the order of the rows does not matter', () => {
    const rows = rowsOf(120, (score) => 0.1 + 0.5 * score)
    fc.assert(
      fc.property(fc.shuffledSubarray([...rows], { minLength: rows.length }), (shuffled) => {
        expect(chooseCalibration(shuffled).calibrator).toEqual(chooseCalibration(rows).calibrator)
      }),
      { numRuns: 10 },
    )
  })
})
