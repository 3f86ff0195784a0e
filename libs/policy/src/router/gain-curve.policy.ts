// What a router is worth: how much of the quality of a strong model is kept when only some questions go there, as RouteLLM measures it.
//   G1. PGR at a share of strong calls: 0 is the weak model alone, 1 the strong one alone. APGR is the mean over the shares (11 points, trapezoid).
//   G2. Questions of one score keep their order: no score is helped by how rows are sorted.
//   G3. Two routers are compared on the same drawn questions.
import { type BootstrapOptions, bootstrapInterval, type Interval, mean } from '../statistics/statistics.policy.ts'

/** One question with the answer of both models: whether each was right, and how much the router wants the strong one. */
export type Duel = { readonly score: number; readonly weakRight: boolean; readonly strongRight: boolean }

const POINTS = 10

const gainOf = ({ weakRight, strongRight }: Duel): number => (strongRight ? 1 : 0) - (weakRight ? 1 : 0)

/** Sums of gain after the first 0, 1, 2 … questions in order of score (G2). */
const gainsOf = (duels: readonly Duel[]): Float64Array => {
  const order = duels.map((_, at) => at).sort((left, right) => (duels[right]?.score ?? 0) - (duels[left]?.score ?? 0) || left - right)
  const sums = new Float64Array(duels.length + 1)
  order.forEach((place, at) => {
    const duel = duels[place]
    sums[at + 1] = (sums[at] ?? 0) + (duel === undefined ? 0 : gainOf(duel))
  })
  return sums
}

/** APGR (G1). NaN where the strong model is no better than the weak one. */
export const apgr = (duels: readonly Duel[]): number => {
  const sums = gainsOf(duels)
  const whole = sums[duels.length] ?? 0
  if (whole <= 0) return Number.NaN
  let area = 0
  for (let point = 0; point <= POINTS; point++) {
    const calls = Math.round((duels.length * point) / POINTS)
    area += ((sums[calls] ?? 0) / whole) * (point === 0 || point === POINTS ? 0.5 : 1)
  }
  return area / POINTS
}

/** Least share of strong calls that keeps this share of the gain (CPT of RouteLLM). */
export const callsFor = (duels: readonly Duel[], pgr: number): number => {
  const sums = gainsOf(duels)
  const wanted = pgr * (sums[duels.length] ?? 0)
  const calls = sums.findIndex((sum) => sum >= wanted)
  return duels.length === 0 ? 0 : Math.max(0, calls) / duels.length
}

/** What a router would reach that knew both outcomes. */
export const oracleApgr = (duels: readonly Duel[]): number => apgr(duels.map((duel) => ({ ...duel, score: gainOf(duel) })))

/** The baseline that every router is printed beside: long questions go to the strong model. */
export const lengthApgr = (duels: readonly (Duel & { readonly prompt: string })[]): number =>
  apgr(duels.map((duel) => ({ ...duel, score: duel.prompt.length })))

/** Both ways to score the same questions; `questions` are their places among all, so that several splits can share one resample. */
export type DuelRun = { readonly questions: readonly number[]; readonly left: readonly Duel[]; readonly right: readonly Duel[] }

type Ordered = { readonly questions: Int32Array; readonly gains: Float64Array }
const orderedOf = (questions: readonly number[], duels: readonly Duel[]): Ordered => {
  const order = duels.map((_, at) => at).sort((one, other) => (duels[other]?.score ?? 0) - (duels[one]?.score ?? 0) || one - other)
  return {
    questions: Int32Array.from(order, (at) => questions[at] ?? 0),
    gains: Float64Array.from(order, (at) => {
      const duel = duels[at]
      return duel === undefined ? 0 : gainOf(duel)
    }),
  }
}

/** APGR where each question counts as often as it was drawn. */
const weightedApgr = ({ questions, gains }: Ordered, times: Int32Array): number => {
  const weights = questions.map((question) => times[question] ?? 0)
  const calls = weights.reduce((sum, weight) => sum + weight, 0)
  let [area, seen, sum, point] = [0, 0, 0, 1]
  weights.forEach((weight, at) => {
    const gain = gains[at] ?? 0
    // Every point that lies inside this question's calls.
    for (; point < POINTS && seen + weight >= (calls * point) / POINTS; point++) area += sum + ((calls * point) / POINTS - seen) * gain
    seen += weight
    sum += weight * gain
  })
  return sum <= 0 ? Number.NaN : (area + 0.5 * sum) / sum / POINTS
}

/** G3: by how much APGR of `left` is above that of `right`, mean over the runs, with a paired interval: questions are drawn, for all runs alike. */
export const apgrDifference = (runs: readonly DuelRun[], questions: number, options: BootstrapOptions = {}): Interval => {
  const pairs = runs.map((run) => ({ left: orderedOf(run.questions, run.left), right: orderedOf(run.questions, run.right) }))
  const times = new Int32Array(questions)
  return bootstrapInterval(
    questions,
    (drawn) => {
      times.fill(0)
      for (const question of drawn) times[question] = (times[question] ?? 0) + 1
      return mean(pairs.map(({ left, right }) => weightedApgr(left, times) - weightedApgr(right, times)))
    },
    { resamples: 500, ...options },
  )
}
