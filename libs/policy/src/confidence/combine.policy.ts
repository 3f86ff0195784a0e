// From signals to one confidence, by weights that were fitted on outcomes of a route.
//   F3. A fit holds for the route it was made for; without one the signals are averaged in log-odds (F2).
//   F4. A signal that is missing counts as its mean over the outcomes, so that what is not known neither helps nor harms.
//   F5. A fit never gives weight against a signal: more agreement, or one more check passed, never lowers a confidence.
import { calibrated, fitIsotonic, fitPlatt, type Calibrator } from '../calibration/calibration.policy.ts'
import { SIGNALS, type SignalName, type Signals } from './signals.policy.ts'

/** An answer of a route and whether it was right. */
export type ConfidenceOutcome = { readonly signals: Signals; readonly right: boolean }

/** What was learned for a route; plain JSON, to be kept in a file. */
export type RouteConfidence = {
  /** Log-odds a unit of log-odds of the signal. */
  readonly weights: Signals
  /** Mean log-odds of each signal over the outcomes (F4). */
  readonly means: Signals
  readonly intercept: number
  /** From the combined score to a probability. */
  readonly calibrator: Calibrator
  readonly rows: number
}

const EDGE = 0.01
const ISOTONIC_ROWS_MIN = 400
const ROUNDS = 400
const RATE = 0.5
const SHRINK = 0.01

/** Log-odds, bounded: one signal that is certain does not outshout all others. */
const logOdds = (value: number): number => {
  const bounded = Math.min(1 - EDGE, Math.max(EDGE, value))
  return Math.log(bounded / (1 - bounded))
}
const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value))

const meanOf = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0) / Math.max(1, numbers.length)

type Fit = Pick<RouteConfidence, 'weights' | 'means' | 'intercept'>

const scoreOf = ({ weights, means, intercept }: Fit, signals: Signals): number =>
  SIGNALS.reduce((sum, name) => {
    const weight = weights[name]
    if (weight === undefined) return sum
    const value = signals[name]
    return sum + weight * ((value === undefined ? (means[name] ?? 0) : logOdds(value)) - (means[name] ?? 0))
  }, intercept)

/** Logistic regression by projected gradient: weights stay at or above 0 (F5), and a little shrinking keeps them small. */
const fitWeights = (rows: readonly ConfidenceOutcome[], names: readonly SignalName[]): Fit => {
  const means = Object.fromEntries(
    names.map((name) => [name, meanOf(rows.flatMap(({ signals }) => (signals[name] === undefined ? [] : [logOdds(signals[name])])))]),
  )
  const points = rows.map(({ signals, right }) => ({
    x: names.map((name) => (signals[name] === undefined ? 0 : logOdds(signals[name]) - (means[name] ?? 0))),
    right: right ? 1 : 0,
  }))
  const weights = names.map(() => 0)
  let intercept = 0
  for (let round = 0; round < ROUNDS; round++) {
    const slopes = names.map(() => 0)
    let slope = 0
    for (const { x, right } of points) {
      const error = sigmoid(intercept + x.reduce((sum, value, at) => sum + value * (weights[at] ?? 0), 0)) - right
      slope += error
      for (const [at, value] of x.entries()) slopes[at] = (slopes[at] ?? 0) + error * value
    }
    intercept -= (RATE * slope) / Math.max(1, points.length)
    for (const [at, weight] of weights.entries())
      weights[at] = Math.max(0, weight - RATE * ((slopes[at] ?? 0) / Math.max(1, points.length) + SHRINK * weight)) // F5
  }
  return { weights: Object.fromEntries(names.map((name, at) => [name, weights[at] ?? 0])), means, intercept }
}

/** Learns how far the signals of a route can be believed. Isotonic from some hundred rows on, else Platt. */
export const fitConfidence = (rows: readonly ConfidenceOutcome[]): RouteConfidence => {
  const names = SIGNALS.filter((name) => rows.some(({ signals }) => signals[name] !== undefined))
  const fit = fitWeights(rows, names)
  const outcomes = rows.map(({ signals, right }) => ({ score: sigmoid(scoreOf(fit, signals)), right }))
  const calibrator = rows.length >= ISOTONIC_ROWS_MIN ? fitIsotonic(outcomes) : fitPlatt(outcomes)
  return { ...fit, calibrator, rows: rows.length }
}

/** Without a fit: the mean, and a tenth less of an answer that had to be mended. */
const averaged = ({ mended, ...signals }: Signals): number => {
  const known = SIGNALS.flatMap((name) => (name === 'mended' || signals[name] === undefined ? [] : [logOdds(signals[name])]))
  return sigmoid(meanOf(known)) * (mended === 0 ? 0.9 : 1)
}

/** The confidence that signals give; undefined where there is none (F2, F3). */
export const confidenceOf = (signals: Signals, route?: RouteConfidence): number | undefined => {
  if (SIGNALS.every((name) => signals[name] === undefined)) return undefined
  if (route === undefined) return averaged(signals)
  return calibrated(route.calibrator, sigmoid(scoreOf(route, signals)))
}
