// Where steps stand: what is known to hold when one runs, and which runs leave it out.
import type { ExprTree, FlowTree, OutcomeTree, RuleTree, StepTree } from '../tree.ts'

/** A condition around a place, and what it came out as. `gateOf`: the step whose output its `it` is. */
export type Guard = {
  readonly expr: ExprTree
  readonly truth: boolean
  readonly gateOf: StepTree | undefined
  /** The one around it. */
  readonly around: Guard | undefined
}

type Jump = { readonly from: number; readonly to: number }
type Block = {
  readonly steps: readonly StepTree[]
  readonly jumps: Jump[]
  readonly owner: StepTree | undefined
  readonly top: 'flow' | 'handler' | undefined
}
type Spot = { readonly block: Block; readonly index: number; readonly guards: Guard | undefined }

export type Layout = {
  /** What holds where an expression of a step is evaluated. */
  readonly guardsOf: (expr: ExprTree | undefined, self: StepTree | undefined) => Guard | undefined
  /** Why a step that comes before may have been left out, seen from another step or, without one, from the flow's output. */
  readonly skipped: (step: StepTree, self: StepTree | undefined, ended: boolean) => string | undefined
}

/** Looks through a whole tree once. */
export const layoutOf = (tree: FlowTree): Layout => {
  const found: Found = { spots: new Map(), conditions: new Map(), ends: [] }
  const flow = visitBlock(tree.steps, { owner: undefined, top: 'flow', guards: undefined }, found)
  for (const outcome of [tree.onError, tree.onLimit]) {
    if (outcome?.then === 'step') flow.jumps.push({ from: -1, to: indexOf(flow, outcome.step) })
    if (outcome?.then === 'run') visitBlock(outcome.steps, { owner: undefined, top: 'handler', guards: undefined }, found)
  }
  for (const agent of Object.values(tree.agents)) {
    if (agent.fallback?.then === 'run') visitBlock(agent.fallback.steps, { owner: undefined, top: 'handler', guards: undefined }, found)
  }
  return {
    guardsOf: (expr, self) =>
      expr !== undefined && found.conditions.has(expr)
        ? found.conditions.get(expr)
        : self === undefined
          ? undefined
          : found.spots.get(self)?.guards,
    skipped: (step, self, ended) => skippedIn(step, { self, ended, found }),
  }
}

type Found = {
  readonly spots: Map<StepTree, Spot>
  readonly conditions: Map<ExprTree, Guard | undefined>
  /** Steps of the flow's own block at which it may end, and whether their own output is there then. */
  readonly ends: { readonly index: number; readonly done: boolean; readonly name: string }[]
}

type Around = { readonly owner: StepTree | undefined; readonly top?: 'flow' | 'handler'; readonly guards: Guard | undefined }

const visitBlock = (steps: readonly StepTree[], { owner, top, guards }: Around, found: Found): Block => {
  const block: Block = { steps, jumps: [], owner, top }
  for (const [index, step] of steps.entries()) {
    const own = step.when === undefined ? guards : { expr: step.when, truth: true, gateOf: undefined, around: guards }
    found.spots.set(step, { block, index, guards: own })
    if (step.when !== undefined) found.conditions.set(step.when, guards)
  }
  for (const step of steps) visitStep(step, found)
  return block
}

const visitStep = (step: StepTree, found: Found): void => {
  const guards = found.spots.get(step)?.guards
  const inside = (steps: readonly StepTree[]): unknown => visitBlock(steps, { owner: step, guards }, found)
  if (step.kind === 'switch') visitRules(step.rules, { step, gateOf: undefined, guards, found })
  if (step.gate !== undefined) visitRules(step.gate, { step, gateOf: step, guards, found })
  for (const block of blocksOf(step)) inside(block)
  const tie = step.kind === 'vote' ? step.tie : undefined
  for (const outcome of [step.onError, step.onTimeout, step.onLimit, tie])
    if (outcome !== undefined) visitOutcome(outcome, { step, done: false, guards, found })
}

/** The blocks a step holds beside those of its outcomes. */
const blocksOf = (step: StepTree): readonly (readonly StepTree[])[] => {
  const blocks = [...(step.failover ?? []), ...(step.undo === undefined ? [] : [step.undo])]
  switch (step.kind) {
    case 'parallel':
      blocks.push(...step.branches.map(({ block }) => block))
      break
    case 'map':
      blocks.push(step.each)
      break
    case 'vote':
      blocks.push(...step.voters.map(({ block }) => block), ...(step.judge === undefined ? [] : [step.judge]))
      break
    case 'loop':
      blocks.push(step.body)
      break
    default:
  }
  return blocks.map(({ steps }) => steps)
}

type Rules = { readonly step: StepTree; readonly gateOf: StepTree | undefined; readonly guards: Guard | undefined; readonly found: Found }

/** Rules of a list whose conditions later ones may rely on; what is known grows with each. */
const RULES_KNOWN = 100

const visitRules = (rules: readonly RuleTree[], { step, gateOf, guards, found }: Rules): void => {
  let before = guards
  for (const [index, { when, outcome }] of rules.entries()) {
    if (when !== undefined) found.conditions.set(when, before)
    const inside = when === undefined ? before : { expr: when, truth: true, gateOf, around: before }
    visitOutcome(outcome, { step, done: gateOf !== undefined, guards: inside, found })
    // A rule that asks again is passed over once it has asked often enough, whatever its condition says.
    if (when !== undefined && outcome.then !== 'retry' && index < RULES_KNOWN) before = { expr: when, truth: false, gateOf, around: before }
  }
}

type Decided = { readonly step: StepTree; readonly done: boolean; readonly guards: Guard | undefined; readonly found: Found }

const visitOutcome = (outcome: OutcomeTree, { step, done, guards, found }: Decided): void => {
  const spot = found.spots.get(step)
  if (spot === undefined) return
  if (outcome.then === 'run') {
    visitBlock(outcome.steps, { owner: step, guards }, found)
    if (outcome.after === 'end') noteEnd(step, true, found)
  } else if (outcome.then === 'step') spot.block.jumps.push({ from: spot.index, to: indexOf(spot.block, outcome.step) })
  else if (outcome.then === 'end') noteEnd(step, done, found)
}

const noteEnd = (step: StepTree, done: boolean, found: Found): void => {
  let current = step
  let spot = found.spots.get(current)
  while (spot?.block.owner !== undefined) {
    current = spot.block.owner
    spot = found.spots.get(current)
  }
  if (spot?.block.top === 'flow') found.ends.push({ index: spot.index, done: done && current === step, name: current.name ?? current.id })
}

const indexOf = ({ steps }: Block, name: string): number => steps.findIndex((step) => step.name === name)

type Seen = { readonly self: StepTree | undefined; readonly ended: boolean; readonly found: Found }

const skippedIn = (step: StepTree, { self, ended, found }: Seen): string | undefined => {
  const spot = found.spots.get(step)
  if (spot === undefined) return undefined
  const { block, index } = spot
  const place = self === undefined ? undefined : placeIn(block, self, found)
  if (self !== undefined && place === undefined) return 'the flow may have failed before it'
  const seenFrom = place?.index ?? block.steps.length
  const jump = block.jumps.find(({ from, to }) => from < index && index < to && to <= seenFrom)
  if (jump !== undefined) return `${nameAt(block, jump.from)} may go on with ${nameAt(block, jump.to)} and leave it out`
  const end = ended ? found.ends.find(({ index: at, done }) => at < index || (at === index && !done)) : undefined
  return end === undefined ? undefined : `the flow may end at ${end.name}`
}

/** Where a step, or the step around it, stands in a block; undefined for one that is not inside it. */
const placeIn = (block: Block, self: StepTree, { spots }: Found): Spot | undefined => {
  let spot = spots.get(self)
  while (spot !== undefined && spot.block !== block) spot = spot.block.owner === undefined ? undefined : spots.get(spot.block.owner)
  return spot
}

const nameAt = ({ steps }: Block, index: number): string => (index < 0 ? 'onError' : (steps[index]?.name ?? 'a step'))
