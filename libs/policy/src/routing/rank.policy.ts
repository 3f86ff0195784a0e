// Choices that compare their members: cheapest, fastest, balanced, learned.
import { expectedCost } from './cost.policy.ts'
import type { ModelFacts } from './facts.ts'
import { rank, scoreAll, type Scored } from './score.policy.ts'
import type { RouteTree } from './tree.ts'
import { noteLost, noteScores, type Walk } from './walk.ts'

type Ranked = Extract<RouteTree, { kind: 'cheapest' | 'fastest' | 'balanced' | 'learned' }>

const byCost = (left: Scored, right: Scored): number => left.costMicroUsd - right.costMicroUsd || right.score - left.score

/** Those that pass, cheapest first, then the others by how far they are; where none passes nobody is thrown out. */
const passFirst = (
  walk: Walk,
  scored: readonly Scored[],
  test: { passes: (item: Scored) => boolean; why: (item: Scored) => string; order: (left: Scored, right: Scored) => number },
): readonly Scored[] => {
  const good = scored.filter(test.passes).toSorted(byCost)
  const rest = scored.filter((item) => !test.passes(item)).toSorted(test.order)
  for (const item of good.length > 0 ? rest : rest.slice(1)) noteLost(walk, item.facts.name, test.why(item))
  return [...good, ...rest]
}

const cheapest = (walk: Walk, scored: readonly Scored[], qualityMin: number): readonly Scored[] =>
  passFirst(walk, scored, {
    passes: ({ parts }) => parts.quality >= qualityMin,
    why: ({ parts }) => `its quality of ${parts.quality} is below ${qualityMin}`,
    order: (left, right) => right.parts.quality - left.parts.quality,
  })

const fastest = (walk: Walk, scored: readonly Scored[], withinMs: number | undefined): readonly Scored[] => {
  const slowest = ({ facts }: Scored): number | undefined => walk.live.conditionOf(facts.name).latency?.p95
  const order = (left: Scored, right: Scored): number => (left.latencyMs ?? 0) - (right.latencyMs ?? 0) || byCost(left, right)
  if (withinMs === undefined) return scored.toSorted(order)
  return passFirst(walk, scored, {
    // Nothing seen yet: it is tried, else nothing would ever be seen.
    passes: (item) => (slowest(item) ?? 0) <= withinMs,
    why: (item) => `one in twenty of its answers takes longer than ${Math.round(slowest(item) ?? 0)} ms, and ${withinMs} are allowed`,
    order,
  })
}

const percent = (share: number): string => `${Math.round(share * 100)} %`

const learned = (walk: Walk, scored: readonly Scored[], okMin: number | undefined): readonly Scored[] => {
  if (okMin === undefined) return rank(scored, () => 0)
  return passFirst(walk, scored, {
    passes: ({ parts }) => parts.quality >= okMin,
    why: ({ parts }) => `it is right with ${percent(parts.quality)}, and ${percent(okMin)} are wanted`,
    order: (left, right) => right.parts.quality - left.parts.quality || byCost(left, right),
  })
}

/** Without its router a learned route is a list, and says so. */
const asListed = (walk: Walk, scored: readonly Scored[]): readonly Scored[] => {
  walk.policies.push('as listed: the router is not there')
  return scored
}

const order = (tree: Ranked, walk: Walk, candidates: readonly ModelFacts[]): readonly Scored[] => {
  const predicted = tree.kind === 'learned' ? walk.choosers.predict(tree.router) : undefined
  const weights = tree.kind === 'balanced' ? tree.weights : undefined
  const scored = scoreAll(candidates, {
    need: walk.need,
    live: walk.live,
    ...(weights === undefined ? {} : { weights }),
    ...(predicted === undefined ? {} : { predicted }),
  })
  noteScores(walk, scored)
  switch (tree.kind) {
    case 'cheapest':
      return cheapest(walk, scored, tree.qualityMin ?? 0)
    case 'fastest':
      return fastest(walk, scored, tree.withinMs)
    case 'balanced':
      return rank(scored, walk.live.random)
    case 'learned':
      return predicted === undefined ? asListed(walk, scored) : learned(walk, scored, tree.okMin)
  }
}

/** The candidates in the order in which this choice asks them; why each but the first lost is noted. */
export const orderRanked = (tree: Ranked, walk: Walk, candidates: readonly ModelFacts[]): readonly string[] => {
  const ordered = order(tree, walk, candidates)
  const [first, ...others] = ordered
  for (const { facts } of others) {
    if (walk.considered.get(facts.name)?.lost === undefined && first !== undefined)
      noteLost(walk, facts.name, `${first.facts.name} is ${BETTER[tree.kind]}`)
  }
  return ordered.map(({ facts }) => facts.name)
}

const BETTER = {
  cheapest: 'cheaper',
  fastest: 'cheaper or faster',
  balanced: 'better by score, or less busy',
  learned: 'believed to be right for less',
} as const

/** Models in order of what they are expected to cost. */
export const cheapestFirst = <T extends { readonly model: string }>(walk: Walk, steps: readonly T[]): readonly T[] => {
  const costOf = ({ model }: T): number => {
    const facts = walk.choosers.factsOf(model)
    return facts === undefined ? 0 : (expectedCost(facts, walk.need) ?? Number.POSITIVE_INFINITY)
  }
  return steps.toSorted((left, right) => costOf(left) - costOf(right))
}
