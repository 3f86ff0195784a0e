// From the names of a step to the models that are asked, in order, with the reason for each that is not.
//   R1. Every name that the route holds is among the candidates: with its score, or why it lost (B17).
//   R2. The same request, facts and draws give the same choice; sticky choices stay with their key on every replica.
//   R3. What is left out for good is never asked, whatever the route says; what is only slow is asked when nothing else is left.
//   R4. The last model that may give the answer has nothing to accept: the route always ends with an answer or a fault; or with a person,
//       where a cascade names one.
//   R5. Under a soft limit the cheapest of what the route would ask goes first, and nothing is copied to a shadow.
import { Fault, type FaultCode } from '@baton/contracts/fault'
import { drawOrder, placeOf } from './draw.policy.ts'
import type { Considered, LiveFacts, Need } from './facts.ts'
import { cheapestFirst, orderRanked } from './rank.policy.ts'
import { namesOf, type RouteTree } from './tree.ts'
import { type ChosenStep, type Choosers, consider, leaveAside, type NoModel, noteLost, type StepRole, type Walk } from './walk.ts'

export type Choice = { readonly policy: string; readonly steps: readonly ChosenStep[]; readonly candidates: readonly Considered[] }

const step = (model: string): ChosenStep => ({ model, role: 'primary', stage: 0 })
const isMain = ({ role }: ChosenStep): boolean => role !== 'shadow'

const use = (name: string, walk: Walk): readonly ChosenStep[] => {
  const route = walk.seen.has(name) ? undefined : walk.choosers.routeOf(name)
  if (route !== undefined) return choose(route, { ...walk, seen: new Set([...walk.seen, name]) })
  return consider(walk, name) === undefined ? [] : [step(name)]
}

/** Models behind names, routes followed, without asking whether they can. */
const modelsBehind = (tree: RouteTree, walk: Walk): readonly string[] =>
  namesOf(tree).flatMap((name) => {
    const route = walk.seen.has(name) ? undefined : walk.choosers.routeOf(name)
    return route === undefined ? [name] : modelsBehind(route, { ...walk, seen: new Set([...walk.seen, name]) })
  })

const weighted = (tree: Extract<RouteTree, { kind: 'weighted' }>, walk: Walk): readonly ChosenStep[] => {
  const arms = tree.of.map((arm) => ({ weight: arm.weight, steps: choose(arm.use, walk) })).filter(({ steps }) => steps.length > 0)
  const place = tree.sticky === undefined ? walk.live.random() : placeOf(`weighted ${walk.choosers.keyOf(tree.sticky)}`) // R2
  const [first, ...others] = drawOrder(arms, place)
  for (const { steps } of others) for (const { model } of steps) noteLost(walk, model, 'another was drawn')
  return [...(first?.steps ?? []), ...others.flatMap(({ steps }) => steps)]
}

const when = (tree: Extract<RouteTree, { kind: 'when' }>, walk: Walk): readonly ChosenStep[] => {
  const at = tree.rules.findIndex((rule) => rule.if === undefined || walk.choosers.holds(rule.if))
  const taken = tree.rules[at]
  const steps = taken === undefined ? [] : choose(taken.use, walk)
  for (const rule of tree.rules)
    if (rule !== taken) leaveAside(walk, modelsBehind(rule.use, walk), 'its condition does not hold, or one before it does')
  return steps
}

const cascade = (tree: Extract<RouteTree, { kind: 'cascade' }>, walk: Walk): readonly ChosenStep[] =>
  tree.stages.flatMap(({ use: inner, accept }, stage) =>
    choose(inner, walk).map((chosen): ChosenStep => {
      const { person } = tree
      const more = { ...(accept === undefined ? {} : { accept }), ...(person === undefined ? {} : { person }) }
      return isMain(chosen) ? { ...chosen, role: 'cascade', stage, ...more } : chosen
    }),
  )

const shadow = (tree: Extract<RouteTree, { kind: 'shadow' }>, walk: Walk): readonly ChosenStep[] => {
  const steps = choose(tree.use, walk)
  const drawn = walk.live.frugal !== true && walk.live.random() < tree.share // R5
  const [copy] = drawn ? choose(tree.copy, walk) : []
  leaveAside(walk, modelsBehind(tree.copy, walk), 'it is a shadow, and this question was not drawn for it')
  return copy === undefined ? steps : [...steps, { ...step(copy.model), role: 'shadow' }]
}

const canary = (tree: Extract<RouteTree, { kind: 'canary' }>, walk: Walk): readonly ChosenStep[] => {
  const key = `canary ${tree.salt ?? ''} ${walk.choosers.keyOf(tree.sticky)}`
  if (placeOf(key) < tree.share) return [...choose(tree.canary, walk), ...choose(tree.use, walk)] // R2
  const steps = choose(tree.use, walk)
  leaveAside(walk, modelsBehind(tree.canary, walk), 'the request is not in the share of the newcomer')
  return steps
}

const ranked = (tree: Extract<RouteTree, { kind: 'cheapest' | 'fastest' | 'balanced' | 'learned' }>, walk: Walk): readonly ChosenStep[] => {
  const inner = tree.of.flatMap((member) => choose(member, walk))
  const models = [...new Set(inner.filter(isMain).map(({ model }) => model))]
  const candidates = models.flatMap((model) => walk.choosers.factsOf(model) ?? [])
  return [...orderRanked(tree, walk, candidates).map(step), ...inner.filter((chosen) => !isMain(chosen))]
}

const choose = (tree: RouteTree, walk: Walk): readonly ChosenStep[] => {
  if (tree.kind !== 'use') walk.policies.push(tree.kind)
  switch (tree.kind) {
    case 'use':
      return use(tree.name, walk)
    case 'fallback':
      return tree.of.flatMap((member) => choose(member, walk))
    case 'weighted':
      return weighted(tree, walk)
    case 'when':
      return when(tree, walk)
    case 'cascade':
      return cascade(tree, walk)
    case 'shadow':
      return shadow(tree, walk)
    case 'canary':
      return canary(tree, walk)
    default:
      return ranked(tree, walk)
  }
}

/** The step after those before it: its role by its place, and no acceptance at the end (R4). */
const settle = (steps: readonly ChosenStep[], walk: Walk): readonly ChosenStep[] => {
  const unique = (list: readonly ChosenStep[]): readonly ChosenStep[] =>
    list.filter(({ model }, at) => list.findIndex((other) => other.model === model) === at)
  const main = unique(steps.filter(isMain))
  const isCascade = main.some(({ role }) => role === 'cascade')
  const ordered = walk.live.frugal === true && !isCascade ? cheapestFirst(walk, main) : main // R5
  const settled = ordered.map(({ accept, ...chosen }, at): ChosenStep => {
    const role: StepRole = chosen.role === 'cascade' ? 'cascade' : at === 0 ? 'primary' : 'fallback'
    const lastStage = !ordered.slice(at + 1).some(({ stage }) => stage > chosen.stage)
    const counts = accept === undefined || (lastStage && chosen.person === undefined)
    return { ...chosen, role, ...(counts ? {} : { accept }) }
  })
  return [...settled, ...unique(steps.filter((chosen) => !isMain(chosen)))]
}

/** The quickest of those that only time speaks against (R3). */
const slowButLeft = (walk: Walk): readonly ChosenStep[] => {
  const late = [...walk.losses].filter(([, { kind }]) => kind === 'late').map(([model]) => model)
  const p50 = (model: string): number => walk.live.conditionOf(model).latency?.p50 ?? 0
  const [quickest] = late.toSorted((left, right) => p50(left) - p50(right))
  if (quickest === undefined) return []
  walk.policies.push('the quickest left')
  walk.considered.set(quickest, { model: quickest })
  return [step(quickest)]
}

const reasonsOf = (losses: ReadonlyMap<string, NoModel>): string => [...losses].map(([model, { why }]) => `${model}: ${why}`).join('; ')

const REST_MS = 1_000

/** Why nobody may be asked, by what would help (R3). */
const nobody = (names: readonly string[], walk: Walk): Fault => {
  const { losses, live } = walk
  const kinds = new Set([...losses.values()].map(({ kind }) => kind))
  const reasons = reasonsOf(losses)
  const say = (code: FaultCode, message: string, detail: Record<string, string | number> = {}): Fault =>
    new Fault(code, `${message} (${reasons}).`, { models: names.join(', '), reasons, ...detail })
  if (kinds.has('passing')) {
    const until = [...losses.values()].flatMap((loss) => ('untilMs' in loss && loss.untilMs !== undefined ? [loss.untilMs] : []))
    const retryAfterMs = Math.max(
      1,
      Math.min(...until.map((ms) => ms - live.nowMs), until.length === 0 ? REST_MS : Number.POSITIVE_INFINITY),
    )
    return say('model.unavailable', 'No model of the route can be asked at the moment', { retryAfterMs })
  }
  if (kinds.has('budget')) return say('budget.exceeded', 'What is left of the budget pays for no model of the route')
  if (kinds.has('able') || kinds.has('allowed')) return say('model.none_allowed', 'No model of the route may answer this')
  if (kinds.has('price')) return say('price.unknown', 'No model of the route has a known price or a cap')
  return kinds.has('absent')
    ? say('model.none_configured', 'None of the models can be used here')
    : say('model.unknown', `No model or route is named ${names.join(', ')}`)
}

/** Chooses for the names of a step. Throws a Fault that says what would help when nobody may be asked. */
export const chooseModels = (names: readonly string[], given: { need: Need; live: LiveFacts; choosers: Choosers }): Choice => {
  const walk: Walk = { ...given, seen: new Set(), policies: [], considered: new Map(), losses: new Map() }
  const steps = names.flatMap((name) => use(name, walk))
  if (names.length > 1) walk.policies.unshift('fallback')
  const settled = settle(steps, walk)
  const possible = settled.some(isMain) ? settled : slowButLeft(walk)
  if (possible.length === 0) throw nobody(names, walk)
  return { policy: [...new Set(walk.policies)].join(' > ') || 'named', steps: possible, candidates: candidatesOf(possible, walk) }
}

const candidatesOf = (steps: readonly ChosenStep[], walk: Walk): readonly Considered[] => {
  const lead = steps[0]?.model ?? ''
  for (const { model, role } of steps.slice(1)) {
    if (walk.considered.get(model)?.lost === undefined && role === 'fallback') noteLost(walk, model, `it stands in for ${lead}`)
  }
  return [...walk.considered.values()] // R1
}
