// The fixpoint: everything that needs no answer from outside is done at once, within the record that made it possible.
//   F1. One record causes at most OUTPUTS_MAX outputs; what is left goes on with `run.continue` (L11).
//   F2. Every node that is entered counts as a step, so that no loop is endless (R4).
import type { PlanNode } from '@baton/flow/plan'
import type { Visit } from '../state.ts'
import { asideFirst } from './aside.ts'
import { countFrom, limitFault, usedUp } from './caps.ts'
import { beginComposed, takeReport } from './composed.ts'
import { dispatch } from './dispatch.ts'
import { isWork } from './work-node.ts'
import { failRun, failStep, goOn } from './failure.ts'
import { placeOf } from './frames.ts'
import { NOTHING, scopeOf } from './scope.ts'
import { closeBlock, guarded, settle, settleSwitch } from './settle.ts'
import { journal, stepTransition, takeId, type Place, type Turn } from './turn.ts'

/** Most outputs of one record (L11). */
export const OUTPUTS_MAX = 256
/** Most outputs one move of one frame can cause, and the continuation itself. */
const OUTPUTS_PER_MOVE = 8

/** Moves every frame that can move until all wait for something outside. */
export const advance = (turn: Turn): void => {
  const { run, outputs } = turn
  for (;;) {
    const report = turn.reports.shift()
    if (turn.ended !== null) return
    if (report !== undefined) {
      takeReport(turn, report)
      continue
    }
    // While the run is paused, or goes on with the next record, what has come back is taken in and nothing is asked for.
    if (run.ready.length === 0 || run.continueSeq !== null || run.paused !== undefined) return
    if (outputs.length > OUTPUTS_MAX - OUTPUTS_PER_MOVE) {
      run.continueSeq = run.seq
      outputs.push({ to: 'log', id: takeId(run), message: { name: 'run.continue', data: { runId: run.runId, seq: run.continueSeq } } })
      return // F1
    }
    const key = run.ready.shift()
    if (key !== undefined) guarded(turn, key, () => move(turn, key))
  }
}

const move = (turn: Turn, key: string): void => {
  const frame = turn.run.frames[key]
  if (frame === undefined) return
  const place = placeOf(turn, key)
  if (place === undefined) closeBlock(turn, key, frame)
  else enter(turn, place)
}

const enter = (turn: Turn, place: Place): void => {
  const { frame, node } = place
  if (frame.visit === null && isSkipped(turn, place)) {
    journal(turn, { name: 'journal.step.decided', data: { ...stepTransition(turn, place), chosen: 'skipped' } })
    goOn(turn, place, NOTHING)
    return
  }
  const visit = (frame.visit ??= { call: 0, activity: { is: 'due' } })
  if (visit.activity.is !== 'due') return
  const counted = visit.activity.again !== true
  const fault = limitFault(turn, node, counted)
  if (fault !== undefined) {
    failRun(turn, fault)
    return
  }
  const used = usedUp(turn, place)
  if (used !== undefined) {
    failStep(turn, used.place.key, used.fault)
    return
  }
  if (counted) turn.run.spend.steps += 1 // F2
  perform(turn, place, visit, node)
}

const isSkipped = (turn: Turn, { frame, node }: Place): boolean =>
  node.when !== undefined && !turn.program.test(node.when, scopeOf(turn, turn.program.plan, frame))

const perform = (turn: Turn, place: Place, visit: Visit, node: PlanNode): void => {
  const aside = asideFirst(place, visit)
  if (aside !== undefined) {
    visit.aside = aside
    countFrom(turn, place)
    dispatch(turn, place, visit)
  } else if (node.kind === 'switch') settleSwitch(turn, place, node.rules)
  else if (node.kind === 'set') {
    const output = turn.program.value(node.value, scopeOf(turn, turn.program.plan, place.frame))
    journal(turn, {
      name: 'journal.step.completed',
      data: { ...stepTransition(turn, place), attempt: 1, by: 'set', dispatchedAtMs: turn.atMs },
    })
    settle(turn, place, { output, by: 'set' })
  } else if (isWork(node)) {
    countFrom(turn, place)
    dispatch(turn, place, visit)
  } else beginComposed(turn, place, node)
}
