// How good a model is for a question: parts between 0 and 1, and what each counts.
//   C1. Parts compare the candidates of one choice with each other: the cheapest has price 1, the fastest latency 1.
//   C2. Among near ties two are drawn and the one with less to do is taken: nobody is overrun for a hair's breadth.
//   C3. A model of which nothing was seen is taken to be as fast as the middle of those that were: it is neither favoured nor forgotten.
import { expectedCost } from './cost.policy.ts'
import type { LiveFacts, ModelFacts, Need } from './facts.ts'
import type { ScoreWeights } from './tree.ts'

export const DEFAULT_WEIGHTS: ScoreWeights = { quality: 0.5, price: 0.25, latency: 0.15, load: 0.1 }

/** Quality of a model of which nothing is said. */
const UNKNOWN_QUALITY = 0.5

export type Scored = {
  readonly facts: ModelFacts
  readonly score: number
  readonly parts: Readonly<Record<'quality' | 'price' | 'latency' | 'load', number>>
  readonly costMicroUsd: number
  readonly latencyMs: number | undefined
  readonly inFlight: number
}

const round = (value: number): number => Math.round(value * 1_000) / 1_000

const middleOf = (values: readonly number[]): number | undefined => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

/** Best over own, so that the best has 1 and twice as much has a half. */
const share = (own: number, best: number): number => (own <= 0 ? 1 : Math.min(1, best / own))

export type ScoreOptions = {
  readonly need: Need
  readonly live: LiveFacts
  readonly weights?: ScoreWeights
  /** Probability that a model answers rightly, where something was learned of it. */
  readonly predicted?: Readonly<Record<string, number>>
}

/** Free counts as a micro-dollar, so that free and cheap can be compared. */
const CHEAP_MICRO_USD = 1

/** Scores candidates against each other (C1). */
export const scoreAll = (
  candidates: readonly ModelFacts[],
  { need, live, weights = DEFAULT_WEIGHTS, predicted = {} }: ScoreOptions,
): readonly Scored[] => {
  const seen = candidates.map((facts) => {
    const { latency, inFlight, breaker } = live.conditionOf(facts.name)
    const quality = predicted[facts.name] ?? facts.quality ?? UNKNOWN_QUALITY
    return { facts, latencyMs: latency?.ewma, inFlight, breaker, quality, costMicroUsd: expectedCost(facts, need) ?? 0 }
  })
  const usualMs = middleOf(seen.flatMap(({ latencyMs }) => latencyMs ?? [])) // C3
  const cheapest = Math.min(...seen.map(({ costMicroUsd }) => Math.max(CHEAP_MICRO_USD, costMicroUsd)))
  const fastest = Math.min(...seen.map(({ latencyMs }) => latencyMs ?? usualMs ?? 0))
  const total = weights.quality + weights.price + weights.latency + weights.load || 1
  return seen.map(({ facts, latencyMs, inFlight, breaker, quality, costMicroUsd }) => {
    const parts = {
      quality: round(quality),
      price: round(share(Math.max(CHEAP_MICRO_USD, costMicroUsd), cheapest)),
      latency: round(share(latencyMs ?? usualMs ?? 0, fastest)),
      // A breaker that is trying whether the model is back counts like a full queue.
      load: breaker === 'half_open' ? 0 : round(1 / (1 + inFlight)),
    }
    const sum = parts.quality * weights.quality + parts.price * weights.price + parts.latency * weights.latency + parts.load * weights.load
    return { facts, parts, score: round(sum / total), costMicroUsd, latencyMs, inFlight }
  })
}

/** Scores closer than this are a near tie. */
const NEAR = 0.02

/** Best first; of the near ties with the best, two are drawn and the less busy one goes first (C2). */
export const rank = (scored: readonly Scored[], random: () => number): readonly Scored[] => {
  const ordered = scored.toSorted((left, right) => right.score - left.score)
  const best = ordered[0]?.score ?? 0
  const ties = ordered.filter(({ score }) => best - score < NEAR)
  if (ties.length < 2) return ordered
  const one = ties[Math.floor(random() * ties.length)]
  const others = ties.filter((item) => item !== one)
  const two = others[Math.floor(random() * others.length)]
  const chosen = one !== undefined && two !== undefined && two.inFlight < one.inFlight ? two : one
  return chosen === undefined ? ordered : [chosen, ...ordered.filter((item) => item !== chosen)]
}
