import type { Plan } from '@baton/flow/plan'
import type { TestRun } from '../flow-test.ts'
import { placesIn } from './places.ts'
import { pointsOf, seenIn } from './points.ts'

export type CoveredPoint = { readonly id: string; readonly what: string; readonly line: number | null; readonly taken: boolean }
export type Coverage = { readonly points: readonly CoveredPoint[]; readonly taken: number; readonly total: number }

/** Which ways of a flow some runs took: rules of gates, cases, handlers, branches, exits of loops, failovers, fallbacks, undos. */
export const coverageOf = (plan: Plan, runs: readonly TestRun[], text?: string): Coverage => {
  const seen = seenIn(runs)
  const lineOf = text === undefined ? undefined : placesIn(text)
  const points = pointsOf(plan).map((point) => ({
    id: point.id,
    what: point.what,
    line: lineOf?.(point) ?? null,
    taken: point.isReached(seen),
  }))
  return { points, taken: points.filter(({ taken }) => taken).length, total: points.length }
}
