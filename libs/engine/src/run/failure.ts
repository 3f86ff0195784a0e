// What a failed step means: its handler, then those around it, then the flow's.
//   H1. A fault goes up until a handler takes it: the step's own, that of each step around it, the flow's. A handler is not asked about
//       what fails within itself.
//   H2. A limit of the run is no fault of a step: it goes straight to the flow's handler, which has a small grace to report it.
//   H3. The result carries the fault that came first, not one of a handler.
import { toFault, type FaultData } from '@baton/contracts/fault'
import type { Outcome } from '@baton/flow/plan'
import type { Entry, Visit } from '../state.ts'
import { grantGrace } from './clock.policy.ts'
import { complete, end, loseAttempt } from './ending.ts'
import { accept, closeFrame, HANDLER, NOTHING, openNested, openOwnFrame, placeOf, positionOf, ROOT } from './frames.ts'
import { journal, journalDecided, stepTransition, transition, type Place, type Turn } from './turn.ts'

/** Faults of a run that are kept as reasons of `degraded`. */
const DEGRADED_MAX = 16

/** The node a frame stands at has failed. */
export const failStep = (turn: Turn, key: string, fault: FaultData): void => {
  let place = placeOf(turn, key)
  let cause = fault
  while (place !== undefined) {
    const { visit } = place.frame
    const handled = visit !== null && visit.activity.is === 'nested' && visit.activity.use === 'error' ? visit.activity.fault : undefined
    if (handled === undefined) {
      const refused = place.node.onError === undefined ? cause : handle(turn, place, place.node.onError, cause)
      if (refused === undefined) return
      cause = refused
    } else cause = handled // H1, H3
    const { owner } = place.frame
    if (owner === null) break
    closeFrame(turn.run, place.key)
    place = placeOf(turn, owner.frame)
  }
  failRun(turn, cause)
}

/** Does what a handler says. Returns the fault that goes on upwards, if one does. */
const handle = (turn: Turn, place: Place, outcome: Outcome, fault: FaultData): FaultData | undefined => {
  if (outcome.then === 'fail') return fault
  if (outcome.then === 'retry') return askAgain(place, 'onError', outcome, fault.message) ? asked(turn, place, fault) : fault
  journalDecided(turn, place, 'handler', worded(outcome), fault.code)
  if (outcome.then === 'run') {
    openNested(turn, place, outcome.block, { is: 'nested', use: 'error', after: outcome.after ?? 'fail', fault })
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
  journalDecided(turn, place, 'handler', 'retry', fault.code)
  turn.run.ready.push(place.key)
}

/** The run completes at once, wherever it stands; a response that cannot be assembled fails it. */
const finish = (turn: Turn): void => {
  const fault = complete(turn, turn.run.frames[ROOT]?.last ?? null)
  if (fault !== undefined) failRun(turn, fault)
}

/** What a handler chose, in words for the journal. */
const worded = (outcome: Outcome): string => (outcome.then === 'step' ? `step ${outcome.step}` : outcome.then)

/** Remembers that a handler made good for a fault. */
export const degrade = ({ run }: Turn, fault: FaultData): void => {
  if (run.degraded.length < DEGRADED_MAX && !run.degraded.includes(fault.code)) run.degraded.push(fault.code)
}

/** Asks the same step again, changed, if this rule may still do so. */
export const askAgain = ({ frame }: Place, rule: string, outcome: Extract<Outcome, { then: 'retry' }>, feedback: string): boolean => {
  const visit: Visit = (frame.visit ??= { call: 0, activity: { is: 'due' } })
  const before = visit.asks?.[rule] ?? 0
  if (before >= outcome.attempts) return false
  visit.asks = { ...visit.asks, [rule]: before + 1 }
  visit.call = 0 // A call of its own: the dispatch takes the next ordinal.
  visit.override = {
    feedback,
    ...(outcome.models === undefined ? {} : { models: [...outcome.models] }),
    ...(outcome.prompt === undefined ? {} : { prompt: outcome.prompt }),
  }
  visit.activity = { is: 'due' }
  return true
}

/** The run fails unless the flow's error handler says otherwise. */
export const failRun = (turn: Turn, fault: FaultData): void => {
  const { run, program } = turn
  if (run.failing !== null) {
    end(turn, { status: 'failed', fault: run.failing }) // H3
    return
  }
  const { onError } = program.plan
  const limited = fault.code.startsWith('limit.') && onError?.then !== 'run'
  if (onError === undefined || onError.then === 'fail' || onError.then === 'retry' || limited) {
    end(turn, { status: 'failed', fault })
    return
  }
  abandon(turn)
  if (onError.then === 'run') {
    run.failing = fault
    grantGrace(run, turn.atMs) // H2
    journal(turn, {
      name: 'journal.step.decided',
      data: { ...transition(turn), path: 'onError', nodeId: 'onError', kind: 'handler', chosen: 'run', detail: { fault: fault.code } },
    })
    openOwnFrame(run, 'handler', onError.block)
    return
  }
  degrade(turn, fault)
  resumeAt(turn, onError, fault)
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
    end(turn, { status: 'failed', fault: toFault(error).data })
    return
  }
  if (onError.then === 'step' || complete(turn, root?.last ?? null) !== undefined) end(turn, { status: 'failed', fault })
}

/** Gives up everything that is open but the frame of the flow, whose outputs the handler may read. */
const abandon = ({ run }: Turn): void => {
  for (const attemptId of Object.keys(run.attempts)) loseAttempt(run, attemptId)
  for (const key of Object.keys(run.frames)) if (key !== ROOT) delete run.frames[key]
  run.ready.length = 0
}

/** Ends the block of the flow's error handler: the run fails with the first fault unless the handler says that it goes on. */
export const closeHandler = (turn: Turn): void => {
  const { run, program } = turn
  const { onError } = program.plan
  const fault = run.failing
  if (fault === null) return
  const after = onError?.then === 'run' ? (onError.after ?? 'fail') : 'fail'
  if (after === 'fail') {
    end(turn, { status: 'failed', fault })
    return
  }
  degrade(turn, fault)
  if (complete(turn, run.frames[HANDLER]?.last ?? null) !== undefined) end(turn, { status: 'failed', fault })
}

/** Journals that an attempt failed. */
export const journalFailed = (
  turn: Turn,
  place: Place,
  failed: { attempt: number; attemptId: string; dispatchedAtMs: number; fault: FaultData },
): void => journal(turn, { name: 'journal.step.failed', data: { ...stepTransition(turn, place), ...failed } })
