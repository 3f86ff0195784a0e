// How long a run of a flow may take and what it may cost, at the worst.
//   W1. An upper bound of what is stated: timeouts with their tries and pauses, sub-steps as often as they may run. What states no
//       time is left out of the sum and named, because guessing it would make every warning a matter of taste.
//   W2. Working time and wall clock are kept apart: people, events and waits use up the second only.
import { peopleMs, type LimitsSpec, type RetrySpec } from '../plan.ts'
import type { BlockTree, FlowTree, StepTree } from '../tree.ts'
import { outcomesOf } from './blocks.ts'
import { walkFrom, type Domain, type Leaving } from './forward.ts'
import { entriesOf } from './handlers.ts'

/** A step on the longest way, and what is used up when it is done. */
export type PathStep = { readonly step: StepTree; readonly timeMs: number; readonly totalMs: number }

/** One way a run may end, the longest to there. */
export type PathEnd = {
  /** `complete`: behind the last step; otherwise the word of the outcome. */
  readonly how: 'complete' | Leaving
  /** The step whose outcome ends the run; absent behind the last. */
  readonly step?: StepTree
  readonly timeMs: number
  readonly totalMs: number
  readonly costMicroUsd: number
  /** Put together when it is asked for: it may be as long as the flow. */
  readonly path: readonly PathStep[]
}

export type WorstCase = {
  /** Working time, in milliseconds: what `limits.time` is about. */
  readonly timeMs: number
  /** Wall clock, in milliseconds: with people, events and waits; what `limits.total` is about. */
  readonly totalMs: number
  /** Sum of the budgets, in millionths of a dollar; undefined when a model, agent or team states none. */
  readonly costMicroUsd: number | undefined
  /** Sum of the budgets that are stated. */
  readonly statedMicroUsd: number
  /** The longest way to each end of a run, in the order of the flow; at most `MAX_PATHS`. */
  readonly paths: readonly PathEnd[]
  /** Steps that work or wait for a time nobody stated, and so only end with the flow's limit. */
  readonly untimed: readonly StepTree[]
  /** Models, agents and teams without a budget. */
  readonly uncosted: readonly StepTree[]
}

const MAX_PATHS = 50
/** Items of a map whose `max` was not written: one round is counted (W1). */
const DEFAULT_MAP_MAX = 10_000

type Trail = { readonly step: StepTree; readonly timeMs: number; readonly totalMs: number; readonly before: Trail | undefined }
type Used = { readonly timeMs: number; readonly totalMs: number; readonly costMicroUsd: number; readonly trail: Trail | undefined }
type End = { readonly how: 'complete' | Leaving; readonly step?: StepTree; readonly used: Used }

const NOTHING: Used = { timeMs: 0, totalMs: 0, costMicroUsd: 0, trail: undefined }

/** The worst case of a flow. */
export const worstCase = (tree: FlowTree): WorstCase => {
  const ends: End[] = []
  const untimed = new Set<StepTree>()
  const uncosted = new Set<StepTree>()
  const done = walkFrom(tree.steps, entriesOf(tree, NOTHING), usageDomain(tree, { ends, untimed, uncosted }))
  if (done !== undefined) ends.push({ how: 'complete', used: done })
  const all = ends.map(({ used }) => used)
  const longest = ends.length > MAX_PATHS ? ends.toSorted((a, b) => b.used.timeMs - a.used.timeMs).slice(0, MAX_PATHS) : ends
  const statedMicroUsd = most(all, 'costMicroUsd')
  return {
    timeMs: most(all, 'timeMs'),
    totalMs: most(all, 'totalMs'),
    costMicroUsd: uncosted.size === 0 ? statedMicroUsd : undefined,
    statedMicroUsd,
    paths: longest.map(pathEndOf),
    untimed: [...untimed],
    uncosted: [...uncosted],
  }
}

const pathEndOf = ({ used: { timeMs, totalMs, costMicroUsd, trail }, ...end }: End): PathEnd => ({
  ...end,
  timeMs,
  totalMs,
  costMicroUsd,
  get path() {
    return pathOf(trail)
  },
})

const most = (all: readonly Used[], key: 'timeMs' | 'totalMs' | 'costMicroUsd'): number =>
  all.reduce((highest, used) => Math.max(highest, used[key]), 0)

const pathOf = (trail: Trail | undefined): readonly PathStep[] => {
  const path: PathStep[] = []
  for (let at = trail; at !== undefined; at = at.before) path.push({ step: at.step, timeMs: at.timeMs, totalMs: at.totalMs })
  return path.reverse()
}

type Ledger = { readonly ends: End[]; readonly untimed: Set<StepTree>; readonly uncosted: Set<StepTree> }
type Run = (block: BlockTree, before: Used) => Used | undefined

const usageDomain = (tree: FlowTree, ledger: Ledger): Domain<Used> => ({
  join,
  work: (step, before, run) => workOf(step, { before, run, tree, ledger }),
  // A step that fails has used up its time as well.
  failed: (_step, before, after) => after ?? before,
  leave: (step, how, used) => ledger.ends.push({ how, step, used }),
})

const join = (left: Used, right: Used): Used => ({
  timeMs: Math.max(left.timeMs, right.timeMs),
  totalMs: Math.max(left.totalMs, right.totalMs),
  costMicroUsd: Math.max(left.costMicroUsd, right.costMicroUsd),
  trail: (right.timeMs === left.timeMs ? right.totalMs > left.totalMs : right.timeMs > left.timeMs) ? right.trail : left.trail,
})

type Work = { readonly before: Used; readonly run: Run; readonly tree: FlowTree; readonly ledger: Ledger }

const workOf = (step: StepTree, work: Work): Used | undefined => {
  const { before, ledger } = work
  const inner = isComposed(step) ? composed(step, work) : plain(step, work)
  if (inner === undefined) return undefined
  const timeMs = step.timeoutMs === undefined || !isComposed(step) ? inner.timeMs : Math.min(inner.timeMs, before.timeMs + step.timeoutMs)
  const tries = isComposed(step) ? triesOf(step.retry) : 1
  const cost = costOf(step, work)
  if (cost === undefined && pays(step)) ledger.uncosted.add(step)
  const once = {
    timeMs: timeMs - before.timeMs,
    totalMs: inner.totalMs - before.totalMs,
    costMicroUsd: inner.costMicroUsd - before.costMicroUsd,
  }
  const times = tries * (1 + asksAgain(step))
  const pauses = step.retry === undefined ? 0 : pausesMs(step.retry) * (1 + asksAgain(step))
  const used = {
    timeMs: before.timeMs + once.timeMs * times + pauses,
    totalMs: before.totalMs + once.totalMs * times + pauses,
    costMicroUsd: before.costMicroUsd + (cost ?? once.costMicroUsd * times),
  }
  return { ...used, trail: { step, timeMs: used.timeMs, totalMs: used.totalMs, before: inner.trail } }
}

const isComposed = ({ kind }: StepTree): boolean => kind === 'parallel' || kind === 'map' || kind === 'vote' || kind === 'loop'
const pays = ({ kind }: StepTree): boolean => kind === 'model' || kind === 'agent' || kind === 'team' || kind === 'flow'
const triesOf = (retry: RetrySpec | undefined): number => Math.max(1, retry?.attempts ?? 1)

/** How often outcomes may ask a step once more. */
const asksAgain = (step: StepTree): number =>
  outcomesOf(step).reduce((sum, outcome) => sum + (outcome.then === 'retry' ? outcome.attempts : 0), 0)

/** Sum of the longest pauses between the tries of one dispatch, as the engine counts them. */
const pausesMs = ({ attempts, backoff, delayMs, maxDelayMs }: RetrySpec): number => {
  let sum = 0
  for (let pause = 0; pause < Math.min(attempts, 1_000) - 1; pause += 1)
    sum += Math.min(backoff === 'fixed' ? delayMs : delayMs * 2 ** Math.min(pause, 30), maxDelayMs)
  return sum
}

/** A step that does its own work or waits for somebody. */
const plain = (step: StepTree, { before, tree, ledger }: Work): Used => {
  const waitMs = waitOf(step)
  if (waitMs !== undefined) return { ...before, totalMs: before.totalMs + waitMs }
  const tryMs = timeOf(step, tree)
  if (tryMs === undefined) ledger.untimed.add(step)
  const workMs = (tryMs ?? 0) * triesOf(step.retry)
  return { ...before, timeMs: before.timeMs + workMs, totalMs: before.totalMs + workMs }
}

/** Wall clock of what stops the working time (W2); undefined for steps that work, and for an event that may never come. */
const waitOf = (step: StepTree): number | undefined => {
  if (step.kind === 'human') return peopleMs(step.human)
  if (step.kind === 'wait') return step.forMs
  return step.kind === 'event' ? step.timeoutMs : undefined
}

/** Time of one try; undefined where none is stated. */
const timeOf = (step: StepTree, tree: FlowTree): number | undefined => {
  if (step.kind === 'set' || step.kind === 'switch' || step.kind === 'emit') return 0
  const stated = [step.timeoutMs, step.budget?.timeMs, limitsOf(step, tree)?.timeMs].filter((ms) => ms !== undefined)
  return stated.length === 0 ? undefined : Math.min(...stated)
}

/** The limits of a step's agent, team or flow; those of the step go before the agent's. */
const limitsOf = (step: StepTree, { agents }: FlowTree): LimitsSpec | undefined => {
  if (step.kind === 'team' || step.kind === 'flow') return step.limits
  if (step.kind !== 'agent') return undefined
  const agent = step.agent !== undefined && Object.hasOwn(agents, step.agent) ? agents[step.agent] : undefined
  return { ...agent?.limits, ...step.limits }
}

/** Most a step may spend; undefined where it does not say. A budget is for all tries together. */
const costOf = (step: StepTree, { tree }: Work): number | undefined => step.budget?.costMicroUsd ?? limitsOf(step, tree)?.costMicroUsd

const composed = (step: StepTree, { before, run, ledger }: Work): Used | undefined => {
  switch (step.kind) {
    case 'parallel':
      // The order of branches means nothing: of two that take as long the same one is on the longest way.
      return together(
        step.branches.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(({ block }) => block),
        { before, run },
      )
    case 'map': {
      const items = step.max === DEFAULT_MAP_MAX ? 1 : step.max
      const rounds = Math.ceil(items / Math.max(1, step.concurrency))
      return repeated(step.each, { before, run, ledger, rounds, paid: items }) ?? before
    }
    case 'vote': {
      const voted = together(
        step.voters.map(({ block }) => block),
        { before, run },
      )
      return step.judge === undefined || voted === undefined ? voted : run(step.judge, voted)
    }
    case 'loop':
      return repeated(step.body, { before, run, ledger, rounds: step.max ?? 1, paid: step.max ?? 1 })
    default:
      return before
  }
}

/** Blocks side by side: the longest counts, and all are paid. */
const together = (blocks: readonly BlockTree[], { before, run }: Pick<Work, 'before' | 'run'>): Used | undefined => {
  const outs = blocks.map((block) => run(block, before)).filter((out) => out !== undefined)
  const [first, ...rest] = outs
  if (first === undefined) return undefined
  const paid = outs.reduce((sum, { costMicroUsd }) => sum + costMicroUsd - before.costMicroUsd, before.costMicroUsd)
  return { ...rest.reduce(join, first), costMicroUsd: paid }
}

type Rounds = Pick<Work, 'before' | 'run' | 'ledger'> & { readonly rounds: number; readonly paid: number }

/** A block again and again; ends inside it may come in the last round. */
const repeated = (block: BlockTree, { before, run, ledger, rounds, paid }: Rounds): Used | undefined => {
  const from = ledger.ends.length
  const out = run(block, before)
  if (out === undefined) return undefined
  const more = (used: Used): Used => ({
    timeMs: used.timeMs + (out.timeMs - before.timeMs) * (rounds - 1),
    totalMs: used.totalMs + (out.totalMs - before.totalMs) * (rounds - 1),
    costMicroUsd: used.costMicroUsd + (out.costMicroUsd - before.costMicroUsd) * (paid - 1),
    trail: used.trail,
  })
  for (let index = from; index < ledger.ends.length; index += 1) {
    const end = ledger.ends[index]
    if (end !== undefined) ledger.ends[index] = { ...end, used: more(end.used) }
  }
  return more(out)
}
