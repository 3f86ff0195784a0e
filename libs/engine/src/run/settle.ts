// What happens once a node has an output: its gate decides, and the outcome says how the frame goes on.
import { Fault, toFault, type FaultData } from '@baton/contracts/fault'
import type { Outcome, Rule } from '@baton/flow/plan'
import type { Entry, Frame } from '../state.ts'
import { guardOutput } from './aside.ts'
import { complete } from './ending.ts'
import { degrade } from './degrade.ts'
import { askAgain, closeHandler, directionOf, failRun, failStep, goOn } from './failure.ts'
import { closeFrame, dropTime, openNested, placeOf } from './frames.ts'
import { NOTHING, scopeOf } from './scope.ts'
import { journal, journalDecided, reportsTo, stepTransition, type Place, type Turn } from './turn.ts'
import { rememberUndo } from './undo.ts'

/** The node has given its output; its guards and its gate, where it has them, decide whether it counts. */
export const settle = (turn: Turn, place: Place, entry: Entry): void => {
  dropTime(turn.run, place)
  rememberUndo(turn, place, entry)
  if (!guardOutput(turn, place, entry)) decideGate(turn, place, entry)
}

/** A person has given the output of a step whose work may have been done: no guard is above people. */
export const finishWork = (turn: Turn, place: Place, entry: Entry): void => {
  dropTime(turn.run, place)
  rememberUndo(turn, place, entry)
  decideGate(turn, place, entry)
}

/** The gate decides about an output that the guards have let pass. */
export const decideGate = (turn: Turn, place: Place, entry: Entry): void => {
  const { gate } = place.node
  if (gate === undefined) {
    goOn(turn, place, entry)
    return
  }
  const [rule, index] = choose(turn, place, gate, entry)
  journalDecided(turn, place, 'gate', rule.label)
  follow(turn, place, { outcome: rule.outcome, entry, use: 'gate', label: rule.label, rule: `gate[${index}]` })
}

/** A switch chooses its case. */
export const settleSwitch = (turn: Turn, place: Place, rules: readonly Rule[]): void => {
  const [rule, index] = choose(turn, place, rules)
  journalDecided(turn, place, 'switch', rule.label)
  follow(turn, place, { outcome: rule.outcome, entry: NOTHING, use: 'case', label: rule.label, rule: `case[${index}]` })
}

/** The first rule that holds. One that asked as often as it may is passed over. Throws `gate.unmatched` or `switch.unmatched`. */
const choose = (turn: Turn, { frame, node }: Place, rules: readonly Rule[], it?: Entry): readonly [Rule, number] => {
  const { program } = turn
  const scope = scopeOf(turn, program.plan, frame, it)
  for (const [index, rule] of rules.entries()) {
    const spent = rule.outcome.then === 'retry' && (frame.visit?.asks?.[`gate[${index}]`] ?? 0) >= rule.outcome.attempts
    if (!spent && (rule.when === undefined || program.test(rule.when, scope))) return [rule, index]
  }
  throw new Fault(it === undefined ? 'switch.unmatched' : 'gate.unmatched', `no rule of ${node.id} matched`, { node: node.id })
}

type Choice = {
  readonly outcome: Outcome
  readonly entry: Entry
  readonly use: 'case' | 'gate'
  readonly label: string
  readonly rule: string
}

/** Does what a rule says with the output it was chosen for. */
export const follow = (turn: Turn, place: Place, { outcome, entry, use, label, rule }: Choice): void => {
  if (outcome.then === 'run') {
    openNested(
      turn,
      place,
      outcome.block,
      { is: 'nested', use, after: outcome.after ?? 'next' },
      rule === 'tie' || use === 'gate' ? { it: entry } : {},
    )
  } else if (outcome.then === 'retry') {
    if (!askAgain(place, rule, outcome, `The previous answer was not accepted: ${label}`))
      throw new Fault('gate.unmatched', `${rule} of ${place.node.id} asked as often as it may`)
    turn.run.ready.push(place.key)
  } else if (outcome.then === 'fail') {
    failStep(turn, place.key, refusal(place, label))
  } else if (use === 'case' && outcome.then === 'next') {
    settle(turn, place, rule === 'tie' ? NOTHING : entry)
  } else {
    goOn(turn, place, entry, directionOf(outcome))
  }
}

const refusal = ({ node }: Place, label: string): FaultData => ({
  code: 'check.failed',
  message: `${node.id} was refused: ${label}`,
  detail: { node: node.id },
})

/** A frame has come to the end of its block. */
export const closeBlock = (turn: Turn, key: string, frame: Frame): void => {
  const { use } = frame
  if (use === 'flow') {
    const fault = complete(turn, frame.last)
    if (fault !== undefined) failRun(turn, fault)
  } else if (use === 'handler') closeHandler(turn)
  else if (reportsTo(use)) turn.reports.push({ key, frame, came: frame.last ?? NOTHING })
  else closeNested(turn, key, frame)
}

/** The last output of a block becomes that of the node it stood in for. */
const closeNested = (turn: Turn, key: string, frame: Frame): void => {
  const { owner, last } = frame
  const entry = last ?? NOTHING
  closeFrame(turn.run, key)
  const place = owner === null ? undefined : placeOf(turn, owner.frame)
  const nested = place?.frame.visit?.activity
  if (place === undefined || nested?.is !== 'nested') return
  guarded(turn, place.key, () => {
    if (nested.after === 'fail') {
      failStep(turn, place.key, nested.fault ?? refusal(place, 'after its handler'))
      return
    }
    if ((nested.use === 'error' || nested.use === 'failover') && nested.fault !== undefined) degrade(turn, nested.fault)
    if (nested.use === 'round') turn.reports.push({ key, frame, came: entry })
    else if (nested.use === 'judge') finishComposed(turn, place, entry)
    else if ((nested.use === 'failover' || nested.use === 'case') && nested.after === 'next') settle(turn, place, entry)
    else goOn(turn, place, entry, nested.after)
  })
}

/** A step made of others has its output. */
export const finishComposed = (turn: Turn, place: Place, entry: Entry): void => {
  journal(turn, {
    name: 'journal.step.completed',
    data: { ...stepTransition(turn, place), attempt: 1, by: entry.by, dispatchedAtMs: place.frame.visit?.sinceMs ?? turn.atMs },
  })
  settle(turn, place, entry)
}

/** Runs what may meet an expression that cannot be evaluated; that fails the step, not the engine. */
export const guarded = (turn: Turn, key: string, work: () => void): void => {
  try {
    work()
  } catch (error) {
    failStep(turn, key, toFault(error).data)
  }
}
