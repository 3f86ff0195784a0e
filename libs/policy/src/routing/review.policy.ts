// Would another route do better on cases that were recorded? What was tried on every model is combined without asking anybody again (B18).
//   V1. The proposal is chosen on one half of the cases and measured on the other: what it promises was not fitted to what it is measured by.
//   V2. A route is compared with the present one case by case, so that what both find hard cancels; it is proposed only when the interval
//       of the difference excludes a loss above the margin.
//   V3. A call that failed, or was not accepted, is paid and waited for all the same.
import { type Interval, mean, standardDeviation, wilsonInterval } from '../statistics/index.ts'
import { seededRandom, shuffled } from '../seeded-random.policy.ts'

/** One case put to one model. */
export type Trial = {
  readonly right: boolean
  readonly costMicroUsd: number
  readonly latencyMs: number
  readonly confidence?: number
  readonly failed?: boolean
}

/** A route as far as it can be replayed: who is asked in which order, and from which confidence on an answer counts. */
export type ReviewedRoute = {
  readonly name: string
  readonly steps: readonly { readonly model: string; readonly confidenceMin?: number }[]
}

export type RouteFigures = {
  readonly cases: number
  readonly quality: Interval
  readonly costMicroUsd: number
  readonly meanMs: number
  readonly p95Ms: number
  /** Share of cases that nobody answered. */
  readonly unanswered: number
}

export type ReviewedOption = { readonly route: ReviewedRoute; readonly figures: RouteFigures; readonly difference: Interval }
export type RouteReview = {
  /** Of the half that nothing was chosen on (V1). */
  readonly now: RouteFigures
  readonly options: readonly ReviewedOption[]
  /** Absent: nothing is cheaper without a loss, nor better for no more money. */
  readonly proposal?: ReviewedOption & { readonly reason: string }
}

/** Trials of every model, the same cases in the same order. */
export type Trials = Readonly<Record<string, readonly Trial[]>>

type Played = { readonly right: boolean; readonly answered: boolean; readonly costMicroUsd: number; readonly latencyMs: number }

/** One case on one route (V3). */
const play = ({ steps }: ReviewedRoute, trials: Trials, at: number): Played => {
  let [costMicroUsd, latencyMs] = [0, 0]
  for (const [place, { model, confidenceMin }] of steps.entries()) {
    const trial = trials[model]?.[at]
    if (trial === undefined) continue
    costMicroUsd += trial.costMicroUsd
    latencyMs += trial.latencyMs
    const isLast = place === steps.length - 1
    const counts = confidenceMin === undefined || (trial.confidence ?? 0) >= confidenceMin
    if (trial.failed !== true && (counts || isLast)) return { right: trial.right, answered: true, costMicroUsd, latencyMs }
  }
  return { right: false, answered: false, costMicroUsd, latencyMs }
}

const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((left, right) => left - right)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0

const playAll = (route: ReviewedRoute, trials: Trials, cases: readonly number[]): readonly Played[] =>
  cases.map((at) => play(route, trials, at))

const figuresOf = (played: readonly Played[]): RouteFigures => ({
  cases: played.length,
  quality: wilsonInterval(played.filter(({ right }) => right).length, played.length),
  costMicroUsd: mean(played.map(({ costMicroUsd }) => costMicroUsd)),
  meanMs: mean(played.map(({ latencyMs }) => latencyMs)),
  p95Ms: quantile(
    played.map(({ latencyMs }) => latencyMs),
    0.95,
  ),
  unanswered: mean(played.map(({ answered }) => (answered ? 0 : 1))),
})

const SURE = 1.959964

/** By how much one is right more often, case by case (V2). With few cases a single one counts as one that may go the other way. */
const differenceOf = (played: readonly Played[], present: readonly Played[]): Interval => {
  const differences = played.map(({ right }, at) => Number(right) - Number(present[at]?.right === true))
  const value = mean(differences)
  const half =
    differences.length === 0
      ? 1
      : Math.max((SURE * standardDeviation(differences)) / Math.sqrt(differences.length), 0.5 / differences.length)
  return { value, low: Math.max(-1, value - half), high: Math.min(1, value + half) }
}

const THRESHOLDS = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95] as const

/** Routes worth trying: every model first, and every cheaper model before every dearer one where it says how sure it is. */
export const routesWorthTrying = (trials: Trials): readonly ReviewedRoute[] => {
  const costOf = (model: string): number => mean((trials[model] ?? []).map(({ costMicroUsd }) => costMicroUsd))
  const models = Object.keys(trials).toSorted((left, right) => costOf(left) - costOf(right))
  const singles = models.map((model) => ({
    name: model,
    steps: [{ model }, ...models.filter((other) => other !== model).map((other) => ({ model: other }))],
  }))
  const sure = models.filter((model) => (trials[model] ?? []).some(({ confidence }) => confidence !== undefined))
  const pairs = sure.flatMap((cheap) =>
    models.slice(models.indexOf(cheap) + 1).flatMap((strong) =>
      THRESHOLDS.map((confidenceMin) => ({
        name: `${cheap} from ${confidenceMin}, else ${strong}`,
        steps: [{ model: cheap, confidenceMin }, { model: strong }],
      })),
    ),
  )
  return [...singles, ...pairs]
}

export type ReviewOptions = {
  readonly current: ReviewedRoute
  readonly options?: readonly ReviewedRoute[]
  /** Loss of quality that a cheaper route may have, as a share. */
  readonly margin: number
  readonly seed: number
}

/** A tenth cheaper at least, or it is not worth a change. */
const WORTH = 0.9

/** Compares routes on recorded trials (V1, V2). Both halves need cases. */
export const reviewRoute = (trials: Trials, { current, options = routesWorthTrying(trials), margin, seed }: ReviewOptions): RouteReview => {
  const count = Math.max(0, ...Object.values(trials).map(({ length }) => length))
  const order = shuffled(
    Array.from({ length: count }, (_, at) => at),
    seededRandom(seed),
  )
  const chosenOn = order.slice(0, Math.floor(count / 2))
  const measuredOn = order.slice(Math.floor(count / 2))
  const compare = (route: ReviewedRoute, cases: readonly number[]): ReviewedOption => {
    const [played, present] = [playAll(route, trials, cases), playAll(current, trials, cases)]
    return { route, figures: figuresOf(played), difference: differenceOf(played, present) }
  }
  const nowOf = (cases: readonly number[]): RouteFigures => figuresOf(playAll(current, trials, cases))
  const before = nowOf(chosenOn)
  const isCheaper = ({ figures, difference }: ReviewedOption, now: RouteFigures): boolean =>
    figures.costMicroUsd < now.costMicroUsd && figures.costMicroUsd <= now.costMicroUsd * WORTH && difference.low >= -margin
  const isBetter = ({ figures, difference }: ReviewedOption, now: RouteFigures): boolean =>
    figures.costMicroUsd <= now.costMicroUsd && difference.low > 0
  const now = nowOf(measuredOn)
  const first = options.map((route) => compare(route, chosenOn))
  const [cheapest] = first
    .filter((option) => isCheaper(option, before))
    .toSorted((left, right) => left.figures.costMicroUsd - right.figures.costMicroUsd)
  const [best] = first
    .filter((option) => isBetter(option, before))
    .toSorted((left, right) => right.difference.value - left.difference.value)
  const measured = options.map((route) => compare(route, measuredOn))
  const again = (option: ReviewedOption | undefined): ReviewedOption | undefined => measured.find(({ route }) => route === option?.route)
  const [better, cheaper] = [again(best), again(cheapest)]
  const proposal =
    better !== undefined && isBetter(better, now)
      ? { ...better, reason: 'better, for no more money' }
      : cheaper !== undefined && isCheaper(cheaper, now)
        ? { ...cheaper, reason: `cheaper, and not worse by more than ${margin}` }
        : undefined
  return { now, options: measured, ...(proposal === undefined ? {} : { proposal }) }
}
