// How far a confidence can be believed.
//   C4. The temperature is fitted on rows the weights never saw; it changes confidences, never the order of the classes.
import type { Judged } from '@baton/policy/calibration'
import { softmax } from './logistic.policy.ts'

/** Scores of one row and the class it truly has. */
export type Scored = { readonly scores: Float32Array; readonly target: number }

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

export type CurvePoint = { readonly threshold: number; readonly share: number; readonly accuracy: number }

/** What would be automated at each threshold, and how much of it would be right. */
export const confidenceCurve = (rows: readonly Judged[], thresholds: readonly number[]): readonly CurvePoint[] =>
  thresholds.map((threshold) => {
    const kept = rows.filter(({ confidence }) => confidence >= threshold)
    const right = kept.filter((row) => row.right).length
    return { threshold, share: rows.length === 0 ? 0 : kept.length / rows.length, accuracy: kept.length === 0 ? 1 : right / kept.length }
  })
