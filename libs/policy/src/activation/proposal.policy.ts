// What people decided, as rates by confidence, and the threshold that follows from them. A person applies it, nobody else.
//   P1. Work that went on alone is known only by its samples: each counts for as many as were not looked at (one over its share).
//   P2. A threshold is proposed only where the lower end of the interval of its accuracy reaches the target.
import { wilsonInterval } from '../statistics/statistics.policy.ts'

/** One decision: `right` as it was, how sure the machine had been, and which share of such work is looked at. */
export type Outcome = { readonly confidence: number; readonly right: boolean; readonly share: number }

export type Bin = {
  readonly from: number
  readonly to: number
  readonly decisions: number
  /** Estimated number of outputs these stand for. */
  readonly weight: number
  readonly overturned: number
  /** With its interval of 95 %. */
  readonly overturnRate: number
  readonly low: number
  readonly high: number
}

const weightOf = ({ share }: Outcome): number => 1 / share

/** Rates by confidence, in bins of equal width. */
export const overturnBins = (outcomes: readonly Outcome[], bins = 10): readonly Bin[] =>
  Array.from({ length: bins }, (_, index) => {
    const [from, to] = [index / bins, (index + 1) / bins]
    const inside = outcomes.filter(({ confidence }) => confidence >= from && (confidence < to || (index === bins - 1 && confidence <= to)))
    const weight = inside.reduce((sum, one) => sum + weightOf(one), 0)
    const wrong = inside.filter(({ right }) => !right)
    const overturned = wrong.reduce((sum, one) => sum + weightOf(one), 0)
    const { low, high } = wilsonInterval(wrong.length, Math.max(1, inside.length))
    return { from, to, decisions: inside.length, weight, overturned, overturnRate: weight === 0 ? 0 : overturned / weight, low, high }
  })

export type ThresholdEffect = {
  readonly threshold: number
  /** Share of the work that goes on alone. */
  readonly automated: number
  /** Of what goes on alone, with its interval. */
  readonly accuracy: number
  readonly low: number
  readonly decisions: number
}

/** What a threshold would have meant for what people decided. */
export const effectOf = (outcomes: readonly Outcome[], threshold: number): ThresholdEffect => {
  const alone = outcomes.filter(({ confidence }) => confidence >= threshold)
  const all = outcomes.reduce((sum, one) => sum + weightOf(one), 0)
  const weight = alone.reduce((sum, one) => sum + weightOf(one), 0)
  const right = alone.filter((one) => one.right).reduce((sum, one) => sum + weightOf(one), 0)
  const accuracy = weight === 0 ? 1 : right / weight
  // As many decisions as these weights are worth (Kish), so that few samples of much work make a wide interval.
  const squares = alone.reduce((sum, one) => sum + weightOf(one) ** 2, 0)
  const worth = squares === 0 ? 0 : weight ** 2 / squares
  const low = worth === 0 ? 0 : wilsonInterval(accuracy * worth, worth).low
  return { threshold, automated: all === 0 ? 0 : weight / all, accuracy, low, decisions: alone.length }
}

export type Proposal = {
  readonly now: ThresholdEffect
  readonly proposed: ThresholdEffect | null
  readonly curve: readonly ThresholdEffect[]
}

/** Decisions below which nothing is proposed. */
export const DECISIONS_MIN = 30

/** The lowest threshold whose accuracy reaches the target with some certainty (P2); null where none does. */
export const proposeThreshold = (
  outcomes: readonly Outcome[],
  { now, target, step = 0.01 }: { readonly now: number; readonly target: number; readonly step?: number },
): Proposal => {
  const steps = Math.round(1 / step)
  const curve = Array.from({ length: steps + 1 }, (_, index) => effectOf(outcomes, Math.round((index / steps) * 1e6) / 1e6))
  const enough = curve.filter(({ low, decisions }) => decisions >= DECISIONS_MIN && low >= target)
  return { now: effectOf(outcomes, now), proposed: outcomes.length < DECISIONS_MIN ? null : (enough[0] ?? null), curve }
}
