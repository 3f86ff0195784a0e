// One walk forward through a flow, as a run may go: what holds at a step is what every way to it has in common.
//   C1. Each step is passed once, after all ways that lead to it: a jump only leads forward, so one pass is enough, and the time is
//       linear in the size of the flow however many ways there are.
//   C2. Every way is a way some run may go, except that conditions are not compared with each other.
import type { BlockTree, ExprTree, OutcomeTree, RuleTree, StepTree } from '../tree.ts'
import { constantOf } from './constant.ts'

/** How a run ends before its last step. */
export type Leaving = 'end' | 'fail'

/** What is known at a point of the flow, and how it changes. */
export type Domain<State> = {
  /** What is known where two ways meet. */
  readonly join: (left: State, right: State) => State
  /** After the work of a step; undefined where it never gives an output. `run` goes through a block and says the same of it. */
  readonly work: (step: StepTree, before: State, run: (block: BlockTree, before: State) => State | undefined) => State | undefined
  /** What the handlers of a step start with. */
  readonly failed: (step: StepTree, before: State, after: State | undefined) => State
  readonly skipped?: (step: StepTree, before: State) => State
  /** What a condition that holds adds, or a value that a switch decides by. */
  readonly assume?: (condition: ExprTree, state: State) => State
  /** A step no way leads to; told of the first of several that follow each other. */
  readonly unreachable?: (step: StepTree, previous: StepTree | undefined) => void
  readonly leave?: (step: StepTree, how: Leaving, state: State) => void
}

/** Goes through the steps; gives what is known behind the last, or undefined when no run gets there. */
export const walkForward = <State>(steps: readonly StepTree[], start: State, domain: Domain<State>): State | undefined =>
  walkBlock(steps, { entries: [[0, start]], domain })

/** The same from a step of the flow on, as its error handler may go. */
export const walkFrom = <State>(
  steps: readonly StepTree[],
  entries: readonly (readonly [number, State])[],
  domain: Domain<State>,
): State | undefined => walkBlock(steps, { entries, domain })

type Start<State> = { readonly entries: readonly (readonly [number, State])[]; readonly domain: Domain<State> }

const walkBlock = <State>(steps: readonly StepTree[], { entries, domain }: Start<State>): State | undefined => {
  const known: (State | undefined)[] = []
  const reach = (index: number, state: State | undefined): void => {
    const there = known[index]
    if (state !== undefined) known[index] = there === undefined ? state : domain.join(there, state)
  }
  for (const [index, state] of entries) reach(index, state)
  const find = createFinder(steps)
  for (const [index, step] of steps.entries()) {
    const before = known[index]
    if (before === undefined) {
      if (index === 0 || known[index - 1] !== undefined) domain.unreachable?.(step, steps[index - 1])
      continue
    }
    const way: Way<State> = { step, domain, to: (target, state) => reach(target === 'next' ? index + 1 : find(target, index), state) }
    walkStep(way, before)
  }
  return known[steps.length]
}

type Way<State> = {
  readonly step: StepTree
  readonly domain: Domain<State>
  /** Goes on at the next step or at one of a name. */
  readonly to: (target: string, state: State | undefined) => void
}

/** Finds a later step; what is not there is reported elsewhere, and counts as the next. */
const createFinder = (steps: readonly StepTree[]): ((name: string, from: number) => number) => {
  let indexes: Map<string, number> | undefined
  return (name, from) => {
    indexes ??= new Map(steps.map((step, index) => [step.name ?? '', index]))
    const index = indexes.get(name) ?? -1
    return index > from ? index : from + 1
  }
}

const walkStep = <State>(way: Way<State>, before: State): void => {
  const { step, domain, to } = way
  const always = constantOf(step.when)
  if (step.when !== undefined && always !== true) to('next', domain.skipped?.(step, before) ?? before)
  if (always === false) {
    domain.unreachable?.(step, undefined)
    return
  }
  to('next', workStep(way, step.when === undefined ? before : (domain.assume?.(step.when, before) ?? before)))
}

/** The step itself, what handles its faults, and its gate. */
const workStep = <State>(way: Way<State>, before: State): State | undefined => {
  const { step, domain } = way
  const run = (block: BlockTree, state: State): State | undefined => walkForward(block.steps, state, domain)
  const worked =
    step.kind === 'switch' ? decide(step.rules, { way, state: looked(step.on, { way, state: before }) }) : domain.work(step, before, run)
  const after = handle(way, { worked, failed: domain.failed(step, before, worked), run })
  return after === undefined || step.gate === undefined ? after : decide(step.gate, { way, state: after })
}

type Done<State> = {
  readonly worked: State | undefined
  readonly failed: State
  readonly run: (block: BlockTree, before: State) => State | undefined
}

/** Other bodies, and the outcomes of what went wrong. Gives what is known when the step has an output. */
const handle = <State>(way: Way<State>, { worked, failed, run }: Done<State>): State | undefined => {
  const { step, domain, to } = way
  let after = worked
  let fault = failed
  for (const block of step.failover ?? []) {
    const out = run(block, fault)
    after = meet(domain, after, out)
    if (out !== undefined) fault = domain.join(fault, out)
  }
  for (const outcome of [step.onError, step.onTimeout, step.onLimit, step.kind === 'vote' ? step.tie : undefined])
    if (outcome !== undefined) to('next', follow(outcome, { way, state: fault }))
  return after
}

const meet = <State>({ join }: Domain<State>, left: State | undefined, right: State | undefined): State | undefined => {
  if (left === undefined) return right
  return right === undefined ? left : join(left, right)
}

type At<State> = { readonly way: Way<State>; readonly state: State }

/** A switch on a value looks at it, whatever it is. */
const looked = <State>(on: ExprTree | undefined, { way, state }: At<State>): State =>
  on === undefined ? state : (way.domain.assume?.(on, state) ?? state)

/** Goes along the rules that may be met; gives what is known where one says `next`. */
const decide = <State>(rules: readonly RuleTree[], { way, state }: At<State>): State | undefined => {
  let next: State | undefined
  let covered = rules.length > 0
  for (const { when, outcome } of rules) {
    const always = constantOf(when)
    if (always === false) continue
    const held = when === undefined ? state : (way.domain.assume?.(when, state) ?? state)
    next = meet(way.domain, next, follow(outcome, { way, state: held }))
    covered = true
    if (always === true && outcome.then !== 'retry') break
  }
  return covered ? next : state
}

/** Where an outcome leads. Gives what is known when it goes on with the next step. */
const follow = <State>(outcome: OutcomeTree, { way, state }: At<State>): State | undefined => {
  switch (outcome.then) {
    case 'next':
      return state
    case 'end':
    case 'fail':
      way.domain.leave?.(way.step, outcome.then, state)
      return undefined
    case 'step':
      way.to(outcome.step, state)
      return undefined
    case 'retry':
      return undefined
    case 'run': {
      const out = walkForward(outcome.steps, state, way.domain)
      if (out === undefined || outcome.after === undefined || outcome.after === 'next') return out
      way.domain.leave?.(way.step, outcome.after, out)
      return undefined
    }
  }
}
