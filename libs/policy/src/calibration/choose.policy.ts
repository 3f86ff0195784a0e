// Which calibration of a route's confidences is worth having: fitted in several ways, judged on rows that a fit never saw.
//   Q1. Every row is judged by a fit that was made without it; what is told of a fit is that, never how well it repeats its own rows.
//   Q2. Leaving the confidences as they are is one of the ways, and wins a tie: a calibration that helps nobody is not proposed.
//   Q3. The same rows and seed give the same choice.
import { seededRandom, shuffled } from '../seeded-random.policy.ts'
import { calibrated, fitIsotonic, fitPlatt, type Calibrator, type Outcome } from './calibration.policy.ts'
import { brierScore, expectedCalibrationError, logLoss, type Judged } from './reliability.policy.ts'

const CALIBRATION_WAYS = ['none', 'platt', 'isotonic'] as const
export type CalibrationWay = (typeof CALIBRATION_WAYS)[number]

export type CalibrationTrial = {
  readonly way: CalibrationWay
  readonly brier: number
  readonly logLoss: number
  readonly calibrationError: number
  /** Each row with the confidence that a fit without it gives (Q1). */
  readonly judged: readonly Judged[]
}

export type CalibrationChoice = {
  readonly trials: readonly CalibrationTrial[]
  readonly chosen: CalibrationTrial
  /** Fitted on all rows; undefined where confidences stay as they are (Q2). */
  readonly calibrator: Calibrator | undefined
}

const FITS: { readonly [way in CalibrationWay]: ((rows: readonly Outcome[]) => Calibrator) | undefined } = {
  none: undefined,
  platt: fitPlatt,
  isotonic: fitIsotonic,
}

/** A difference of the Brier score below this is chance or rounding (Q2). */
const BRIER_GAIN_MIN = 1e-4

const judgedBy = (way: CalibrationWay, parts: readonly (readonly Outcome[])[]): readonly Judged[] => {
  const fit = FITS[way]
  return parts.flatMap((part, at) => {
    const calibrator = fit?.(parts.filter((_, other) => other !== at).flat()) // Q1
    return part.map(({ score, right }) => ({ confidence: calibrator === undefined ? score : calibrated(calibrator, score), right }))
  })
}

/** Tries every way by cross-validation and takes the one with the lowest Brier score (Q1, Q2). */
export const chooseCalibration = (
  rows: readonly Outcome[],
  { folds = 5, seed = 1 }: { readonly folds?: number; readonly seed?: number } = {},
): CalibrationChoice => {
  const order = shuffled(
    rows.toSorted((left, right) => left.score - right.score || Number(left.right) - Number(right.right)),
    seededRandom(seed),
  ) // Q3
  const parts = Array.from({ length: folds }, (_, fold) => order.filter((_row, at) => at % folds === fold))
  const trials = CALIBRATION_WAYS.map((way): CalibrationTrial => {
    const judged = judgedBy(way, parts)
    return { way, brier: brierScore(judged), logLoss: logLoss(judged), calibrationError: expectedCalibrationError(judged), judged }
  })
  const chosen = trials.reduce((best, trial) => (trial.brier < best.brier - BRIER_GAIN_MIN ? trial : best))
  return { trials, chosen, calibrator: FITS[chosen.way]?.(rows) }
}
