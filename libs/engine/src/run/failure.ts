// What a failed step means: its handler, then those around it, then the flow's.
//   H1. A fault goes up until a handler takes it: the step's own, that of each step around it, the flow's. A handler is not asked about
//       what fails within itself.
//   H2. A limit of the run is no fault of a step: it goes straight to the flow's handler, which has a small grace to report it.
//   H3. The result carries the fault that came first, not one of a handler.
import { toFault, type FaultCode, type FaultData } from '@baton/contracts/fault'
import { nodePartsOf, type Outcome, type PlanNode } from '@baton/flow/plan'
import type { AgentWork, Entry, Nested, OpenRun, Undoing, Visit } from '../state.ts'
import { grantGrace } from './clock.policy.ts'
import { degrade } from './degrade.ts'
import { complete, end } from './ending.ts'
import { HANDLER, ROOT } from './frame-keys.ts'
import {
  accept,
  closeFrame,
  dropTime,
  giveUpBelow,
  leaveAside,
  keepUsed,
  openNested,
  openOwnFrame,
  placeOf,
  positionOf,
  toldPlace,
} from './frames.ts'
import { letGo } from './letting-go.ts'
import { agentOf } from './own-work.ts'
import { NOTHING } from './scope.ts'
import { journal, journalDecided, reportsTo, stepTransition, transition, type Place, type Turn } from './turn.ts'
import { endUndoing, nextUndo } from './undo.ts'

/** The node a frame stands at has failed. */
export const failStep = (turn: Turn, key: string, fault: FaultData): void => {
  let place = placeOf(turn, key)
  let cause = fault
  while (place !== undefined) {
    giveUpBelow(turn, place)
    journalComposedFailure(turn, place, cause)
    const refused = takeUp(turn, place, cause)
    if (refused === undefined) return
    cause = refused
    const { owner, use } = place.frame
    if (owner === null) break
    const around = placeOf(turn, owner.frame)
    if (reportsTo(use)) {
      turn.reports.push({ key: place.key, frame: place.frame, came: cause })
      return
    }
    closeFrame(turn.run, place.key)
    place = around
  }
  failRun(turn, cause)
}

/** A step made of others has no attempt whose failure says it; a run that it started has. */
const journalComposedFailure = (turn: Turn, place: Place, fault: FaultData): void => {
  const { visit } = place.frame
  if (visit?.sinceMs === undefined || turn.run.engineVersion < 2) return
  const { activity, sinceMs } = visit
  const itself = activity.is === 'nested' ? activity.use === 'round' || activity.use === 'judge' : COMPOSED.has(activity.is)
  if (itself) journalFailed(turn, place, { attempt: 1, dispatchedAtMs: sinceMs, fault })
}
const COMPOSED: ReadonlySet<string> = new Set(['group', 'waiting', 'agent', 'team'] satisfies readonly Visit['activity']['is'][])

/** What the place itself can do about a fault: another way, or a handler. Returns the fault that goes on upwards, if one does. */
const takeUp = (turn: Turn, place: Place, cause: FaultData): FaultData | undefined => {
  const { visit } = place.frame
  if (visit === null) return elsewhere(turn, place, { nested: undefined, fault: cause, cause })
  // What stands in for a step is not held to what the step may spend; the run's own limits hold for both.
  delete visit.spent
  dropTime(turn.run, place)
  leaveAside(visit)
  const { activity } = visit
  if (activity.is === 'agent') {
    const stoodIn = standIn(turn, place, activity, cause)
    if (stoodIn !== undefined) return stoodIn === 'taken' ? undefined : stoodIn
  }
  if (activity.is !== 'nested') return elsewhere(turn, place, { nested: undefined, fault: cause, cause })
  const { use, fault = cause } = activity
  if (use === 'error') return fault // H1, H3
  return elsewhere(turn, place, { nested: activity, fault: use === 'failover' ? fault : cause, cause })
}

/** Another way, else a handler. */
const elsewhere = (turn: Turn, place: Place, failing: Failing): FaultData | undefined => {
  if (failOver(turn, place, failing)) return undefined
  const { fault } = failing
  const outcome = handlerFor(place.node, fault)
  return outcome === undefined ? fault : handle(turn, place, outcome, fault)
}

type Failing = { readonly nested: Nested | undefined; readonly fault: FaultData; readonly cause: FaultData }

/** Tries the next of the other ways that a step names, if there is one. What its gate asked for has no other way. */
const failOver = (turn: Turn, place: Place, { nested, fault, cause }: Failing): boolean => {
  const from = nested?.use === 'failover' ? (nested.number ?? 0) + 1 : 0
  const number = (place.node.failover ?? []).findIndex((way, at) => at >= from && mayFollow(turn, { way, node: place.node, fault }))
  const block = place.node.failover?.[number]
  if (block === undefined || nested?.use === 'gate' || nested?.use === 'case') return false
  journalDecided(turn, place, 'handler', `failover ${number + 1}`, { fault: cause.code })
  openNested(turn, place, block, { is: 'nested', use: 'failover', after: 'next', fault, number })
  return true
}

/** Nobody knows whether it was done; or it was done, and what it says of itself is of no use. */
const mayBeDone = ({ effect }: PlanNode, { code }: FaultData): boolean =>
  code === 'effect.uncertain' || (code === 'output.schema_invalid' && effect !== 'read')

/**
 * What may have been done is not done in another way: behind such a fault only a way without effects follows. Engines before the fourth did
 * not look at that.
 */
const mayFollow = (
  { run, program: { plan } }: Turn,
  { way, node: failed, fault }: { readonly way: number; readonly node: PlanNode; readonly fault: FaultData },
): boolean => {
  if (run.engineVersion < 4 || !mayBeDone(failed, fault)) return true
  const open = [way]
  for (let at = open.pop(); at !== undefined; at = open.pop())
    for (const node of (plan.blocks[at] ?? []).map((id) => plan.nodes[id])) {
      if (node === undefined || node.effect !== 'read') return false
      open.push(...nodePartsOf(node).map((part) => part.block))
    }
  return true
}

/** What takes over from an agent that is not sure enough, is stuck, or has reached a cap; undefined where nothing does. */
const standIn = (turn: Turn, place: Place, { agent, answer }: AgentWork, fault: FaultData): FaultData | 'taken' | undefined => {
  const { fallback } = agentOf(turn.program.plan, agent)
  if (fallback === undefined || !(fault.code.startsWith('agent.') || isLimit(fault.code))) return undefined
  if (fallback.then !== 'run') return handle(turn, place, fallback, fault) ?? 'taken'
  journalDecided(turn, place, 'handler', `fallback of ${agent}`, { fault: fault.code })
  const nested = { is: 'nested', use: 'failover', after: fallback.after ?? 'next', fault, number: -1 } as const
  openNested(turn, place, fallback.block, nested, { it: answer ?? NOTHING })
  return 'taken'
}

/** Faults that say that the time of a step was over. */
const TIMEOUTS: ReadonlySet<string> = new Set([
  'model.timed_out',
  'tool.timed_out',
  'step.timed_out',
  'step.expired',
  'step.lease_lost',
  'review.expired',
] satisfies readonly FaultCode[])

/** Caps of the flow, and budgets that several runs share. */
const isLimit = (code: FaultCode): boolean => code.startsWith('limit.') || code === 'budget.exceeded'

const handlerFor = ({ onError, onTimeout, onLimit }: PlanNode, { code }: FaultData): Outcome | undefined => {
  if (TIMEOUTS.has(code)) return onTimeout ?? onError
  return isLimit(code) ? (onLimit ?? onError) : onError
}

/** Does what a handler says. Returns the fault that goes on upwards, if one does. */
const handle = (turn: Turn, place: Place, outcome: Outcome, fault: FaultData): FaultData | undefined => {
  if (outcome.then === 'fail') return fault
  if (outcome.then === 'retry') return askAgain(place, 'onError', outcome, fault.message) ? asked(turn, place, fault) : fault
  journalDecided(turn, place, 'handler', worded(outcome), { fault: fault.code })
  if (outcome.then === 'run') {
    openNested(turn, place, outcome.block, {
      is: 'nested',
      use: 'error',
      after: outcome.after ?? (outcome === place.node.onError ? 'fail' : 'next'),
      fault,
    })
    return undefined
  }
  degrade(turn, fault)
  try {
    goOn(turn, place, NOTHING, directionOf(outcome))
    return undefined
  } catch (error) {
    return toFault(error).data
  }
}

/** Where a frame goes once its step has an output. */
export type Direction = 'next' | 'end' | { readonly step: string }
export const directionOf = (outcome: Extract<Outcome, { then: 'next' | 'end' | 'step' }>): Direction =>
  outcome.then === 'step' ? { step: outcome.step } : outcome.then

/** The step has its output; the frame goes on. Throws `flow.invalid` for a step that is not there. */
export const goOn = (turn: Turn, place: Place, entry: Entry, to: Direction = 'next'): void => {
  const at = typeof to === 'object' ? positionOf(turn, place.frame, to.step) : undefined
  accept(turn, place, entry)
  if (at !== undefined) place.frame.at = at
  if (to === 'end') finish(turn)
}

const asked = (turn: Turn, place: Place, fault: FaultData): undefined => {
  journalDecided(turn, place, 'handler', 'retry', { fault: fault.code })
  turn.run.ready.push(place.key)
}

/** The run completes at once, wherever it stands; a response that cannot be assembled fails it. */
const finish = (turn: Turn): void => {
  const fault = complete(turn, turn.run.frames[ROOT]?.last ?? null)
  if (fault !== undefined) failRun(turn, fault)
}

/** What a handler chose, in words for the journal. */
const worded = (outcome: Outcome): string => (outcome.then === 'step' ? `step ${outcome.step}` : outcome.then)

/** Asks the same step again, changed, if this rule may still do so. */
export const askAgain = ({ frame }: Place, rule: string, outcome: Extract<Outcome, { then: 'retry' }>, feedback: string): boolean => {
  const visit: Visit = (frame.visit ??= { call: 0, activity: { is: 'due' } })
  const before = visit.asks?.[rule] ?? 0
  if (before >= outcome.attempts) return false
  visit.asks = { ...visit.asks, [rule]: before + 1 }
  delete visit.aside
  delete visit.answered
  delete visit.asides
  visit.call = 0 // A call of its own: the dispatch takes the next ordinal.
  visit.override = {
    feedback,
    ...(outcome.models === undefined ? {} : { models: [...outcome.models] }),
    ...(outcome.prompt === undefined ? {} : { prompt: outcome.prompt }),
  }
  visit.activity = { is: 'due' }
  return true
}

/** The run fails unless the flow's handler of limits or errors says otherwise. */
export const failRun = (turn: Turn, fault: FaultData): void => {
  const { run } = turn
  if (run.undoing !== undefined) giveUpUndo(turn, fault)
  else if (run.failing !== null) endFailed(turn, run.failing) // H3
  else {
    const outcome = ownHandler(turn, fault)
    if (outcome === undefined) endFailed(turn, fault)
    else follow(turn, outcome, fault)
  }
}

/** What the flow says of a fault; undefined where it says nothing that helps. H2. */
const ownHandler = ({ program: { plan } }: Turn, { code }: FaultData): Outcome | undefined => {
  const limit = isLimit(code)
  if (limit && plan.onLimit !== undefined) return plan.onLimit.then === 'fail' || plan.onLimit.then === 'retry' ? undefined : plan.onLimit
  const { onError } = plan
  if (onError === undefined || onError.then === 'fail' || onError.then === 'retry') return undefined
  return limit && onError.then !== 'run' ? undefined : onError
}

const follow = (turn: Turn, outcome: Outcome, fault: FaultData): void => {
  const { run, program } = turn
  abandon(turn)
  if (outcome.then === 'run') {
    run.failing = fault
    if (outcome === program.plan.onLimit) run.limited = true
    grantGrace(run, turn.atMs) // H2
    const name = handlerName(run)
    journal(turn, {
      name: 'journal.step.decided',
      data: { ...transition(turn), path: name, nodeId: name, kind: 'handler', chosen: 'run', detail: { fault: fault.code } },
    })
    openOwnFrame(run, 'handler', outcome.block)
  } else if (outcome.then !== 'fail' && outcome.then !== 'retry') {
    degrade(turn, fault)
    resumeAt(turn, outcome, fault)
  }
}

/** The time of an undo is over: the next one has its own. */
const giveUpUndo = (turn: Turn, fault: FaultData): void => {
  const [open] = Object.entries(turn.run.frames).filter(([, { use }]) => use === 'undo')
  if (open === undefined) endUndoing(turn)
  else turn.reports.push({ key: open[0], frame: open[1], came: fault })
}

const handlerName = ({ limited }: OpenRun): string => (limited === true ? 'onLimit' : 'onError')

/** The run fails: what it did is taken back first, where the flow says how. */
const endFailed = (turn: Turn, fault: FaultData): void => endUndone(turn, { status: 'failed', fault })

/** Takes back what can be taken back, then ends the run: a pause does not keep it from ending. */
export const endUndone = (turn: Turn, undoing: Omit<Undoing, 'sinceMs' | 'used'>): void => {
  delete turn.run.paused
  if ((turn.run.undos ?? []).length === 0) {
    end(turn, undoing)
    return
  }
  abandon(turn)
  turn.run.undoing = { ...undoing, sinceMs: turn.atMs }
  nextUndo(turn)
}

/** The handler of the flow names no work: the run goes on at a step, or completes with what it has. */
const resumeAt = (turn: Turn, onError: Extract<Outcome, { then: 'next' | 'end' | 'step' }>, fault: FaultData): void => {
  const { run } = turn
  const root = run.frames[ROOT]
  try {
    if (onError.then === 'step' && root !== undefined && run.spend.steps < run.limits.steps) {
      root.at = positionOf(turn, root, onError.step)
      root.visit = null
      run.spend.steps += 1 // So that going back for ever ends at the limit, whatever stands in between.
      run.ready.push(ROOT)
      return
    }
  } catch (error) {
    endFailed(turn, toFault(error).data)
    return
  }
  if (onError.then === 'step' || complete(turn, root?.last ?? null) !== undefined) endFailed(turn, fault)
}

/** Gives up everything that is open but the frame of the flow, whose outputs the handler may read. */
const abandon = (turn: Turn): void => {
  const { run } = turn
  for (const key of Object.keys(run.frames)) {
    const place = placeOf(turn, key)
    if (place !== undefined) letGo(turn, toldPlace(place))
    if (key === ROOT) continue
    const frame = run.frames[key]
    if (frame !== undefined) dropTime(run, { key, frame })
    delete run.frames[key]
  }
  const root = run.frames[ROOT]
  const stoodAt = placeOf(turn, ROOT)
  if (root !== undefined) {
    dropTime(run, { key: ROOT, frame: root })
    if (stoodAt !== undefined) keepUsed(root, stoodAt.node.id)
    root.visit = null
  }
  run.ready.length = 0
}

/** Ends the block of the flow's error handler: the run fails with the first fault unless the handler says that it goes on. */
export const closeHandler = (turn: Turn): void => {
  const { run, program } = turn
  const { onError, onLimit } = program.plan
  const fault = run.failing
  if (fault === null) return
  const outcome = run.limited === true ? onLimit : onError
  const after = outcome?.then === 'run' ? (outcome.after ?? (run.limited === true ? 'next' : 'fail')) : 'fail'
  if (after === 'fail') {
    endFailed(turn, fault)
    return
  }
  degrade(turn, fault)
  if (complete(turn, run.frames[HANDLER]?.last ?? null) !== undefined) endFailed(turn, fault)
}

/** Journals that an attempt failed. */
export const journalFailed = (
  turn: Turn,
  place: Place,
  failed: { attempt: number; attemptId?: string; dispatchedAtMs: number; fault: FaultData },
): void => journal(turn, { name: 'journal.step.failed', data: { ...stepTransition(turn, place), ...failed } })
