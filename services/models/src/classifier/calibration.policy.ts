// How far a confidence can be believed.
//   C4. The temperature is fitted on rows the weights never saw; it changes confidences, never the order of the classes.
import { softmax } from './logistic.policy.ts'

/** Scores of one row and the class it truly has. */
export type Scored = { readonly scores: Float32Array; readonly target: number }
/** A confidence and whether the answer was right. */
export type Judged = { readonly confidence: number; readonly right: boolean }

const meanLoss = (rows: readonly Scored[], temperature: number): number => {
  let loss = 0
  for (const { scores, target } of rows) loss -= Math.log(Math.max(softmax(scores.slice(), temperature)[target] ?? 0, 1e-12))
  return loss / rows.length
}

/** The temperature with the least log loss (C4), by golden section between 0.1 and 10 on a log scale. */
export const fitTemperature = (rows: readonly Scored[]): number => {
  if (rows.length === 0) return 1
  const ratio = (Math.sqrt(5) - 1) / 2
  let low = Math.log(0.1)
  let high = Math.log(10)
  for (let round = 0; round < 30; round++) {
    const left = high - ratio * (high - low)
    const right = low + ratio * (high - low)
    if (meanLoss(rows, Math.exp(left)) < meanLoss(rows, Math.exp(right))) high = right
    else low = left
  }
  return Math.round(Math.exp((low + high) / 2) * 10_000) / 10_000
}

/** Expected calibration error: mean distance of confidence and share right over ten equal bands, weighted by rows. */
export const calibrationError = (rows: readonly Judged[]): number => {
  const bands = Array.from({ length: 10 }, () => ({ rows: 0, confidence: 0, right: 0 }))
  for (const { confidence, right } of rows) {
    const band = bands[Math.min(9, Math.floor(confidence * 10))]
    if (band === undefined) continue
    band.rows += 1
    band.confidence += confidence
    band.right += right ? 1 : 0
  }
  const gap = bands.reduce((sum, band) => sum + Math.abs(band.confidence - band.right), 0)
  return rows.length === 0 ? 0 : gap / rows.length
}

export type CurvePoint = { readonly threshold: number; readonly share: number; readonly accuracy: number }

/** What would be automated at each threshold, and how much of it would be right. */
export const confidenceCurve = (rows: readonly Judged[], thresholds: readonly number[]): readonly CurvePoint[] =>
  thresholds.map((threshold) => {
    const kept = rows.filter(({ confidence }) => confidence >= threshold)
    const right = kept.filter((row) => row.right).length
    return { threshold, share: rows.length === 0 ? 0 : kept.length / rows.length, accuracy: kept.length === 0 ? 1 : right / kept.length }
  })
