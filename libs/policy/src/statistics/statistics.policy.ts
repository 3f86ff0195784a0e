// How sure a figure is: intervals by resampling and by formula.
//   T1. The same rows and seed give the same interval.
//   T2. A comparison of two ways is paired: both are resampled with the same rows, so that what both find hard cancels.
import { seededRandom } from '../seeded-random.policy.ts'

/** A figure with the interval that holds it. */
export type Interval = { readonly value: number; readonly low: number; readonly high: number }

export type BootstrapOptions = {
  readonly resamples?: number
  readonly seed?: number
  /** Share of resampled figures inside the interval. */
  readonly level?: number
}

const DEFAULTS = { resamples: 2_000, seed: 1, level: 0.95 }

/** Arithmetic mean; 0 of nothing. */
export const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length

/** Standard deviation of a sample (n - 1); 0 for fewer than two values. */
export const standardDeviation = (values: readonly number[]): number => {
  const centre = mean(values)
  return values.length < 2 ? 0 : Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1))
}

const quantileOf = (sorted: Float64Array, share: number): number => {
  const place = share * (sorted.length - 1)
  const low = Math.floor(place)
  const from = sorted[low] ?? 0
  return from + (place - low) * ((sorted[Math.min(sorted.length - 1, low + 1)] ?? from) - from)
}

/** Percentile bootstrap of any statistic of `count` rows; it is called with the places of the rows that were drawn (T1). */
export const bootstrapInterval = (count: number, statistic: (rows: Int32Array) => number, options: BootstrapOptions = {}): Interval => {
  const { resamples, seed, level } = { ...DEFAULTS, ...options }
  const value = statistic(Int32Array.from({ length: count }, (_, at) => at))
  if (count === 0) return { value, low: value, high: value }
  const random = seededRandom(seed)
  const drawn = new Int32Array(count)
  const figures = Float64Array.from({ length: resamples }, () => {
    for (let at = 0; at < count; at++) drawn[at] = Math.floor(random() * count)
    return statistic(drawn)
  }).sort()
  return { value, low: quantileOf(figures, (1 - level) / 2), high: quantileOf(figures, (1 + level) / 2) }
}

/** Mean of `left - right`, row by row, with its interval (T2). Lists of different length are cut to the shorter. */
export const pairedDifference = (left: readonly number[], right: readonly number[], options: BootstrapOptions = {}): Interval => {
  const differences = left.slice(0, right.length).map((value, at) => value - (right[at] ?? 0))
  return bootstrapInterval(
    differences.length,
    (rows) => {
      let sum = 0
      for (const row of rows) sum += differences[row] ?? 0
      return rows.length === 0 ? 0 : sum / rows.length
    },
    options,
  )
}

/** Wilson's interval of a share: right also near 0 and 1 and with few rows. */
export const wilsonInterval = (hits: number, rows: number, z = 1.959964): Interval => {
  if (rows === 0) return { value: 0, low: 0, high: 1 }
  const share = hits / rows
  const centre = (share + (z * z) / (2 * rows)) / (1 + (z * z) / rows)
  const half = (z / (1 + (z * z) / rows)) * Math.sqrt((share * (1 - share)) / rows + (z * z) / (4 * rows * rows))
  return { value: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) }
}
