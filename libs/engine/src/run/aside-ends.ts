// What becomes of the work beside a step's own once the guards or the person have said what they have to say.
//   N1. What guards block is the fault of the step, what they changed takes the place of the content.
//   N2. What a person said goes back with the next dispatch of the same work, under the same effect key, until it has its answer.
import type { FaultData } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import type { MessageOf } from '@baton/contracts'
import type { Aside, Entry } from '../state.ts'
import { askAside } from './aside.ts'
import { verdictIn } from './aside.policy.ts'
import { failStep } from './failure.ts'
import { leaveAside } from './frames.ts'
import { decideGate, finishWork } from './settle.ts'
import { journalDecided, type Place, type Turn } from './turn.ts'

/** The guards have looked. */
export const takeVerdict = (turn: Turn, place: Place, aside: Aside & { is: 'guard' }, output: Json): void => {
  const verdict = verdictIn(output)
  const { action, reasons } = verdict
  const [reason] = reasons
  if (action !== 'pass')
    journalDecided(turn, place, 'gate', `guard of the ${aside.on}: ${action}`, reason === undefined ? undefined : { reason })
  if (action === 'block') failStep(turn, place.key, blocked(place, aside, reasons)) // N1
  else letPass(turn, place, aside, action === 'redact' ? verdict.value : undefined)
}

const blocked = ({ node }: Place, { on }: Aside & { is: 'guard' }, reasons: readonly string[]): FaultData => ({
  code: 'guard.blocked',
  message: `a guard does not let the ${on} of ${node.id} pass${reasons.length === 0 ? '' : `: ${reasons.join('; ')}`}`.slice(0, 2_000),
  detail: { node: node.id, on },
})

/** The content goes on, as it is or as it was changed. */
const letPass = (turn: Turn, place: Place, aside: Aside & { is: 'guard' }, value: Json | undefined, by?: string): void => {
  const { visit } = place.frame
  if (visit === null) return
  delete visit.answered // That was for the guards.
  if (aside.on === 'input') {
    visit.cleared = value === undefined ? {} : { input: value }
    askAside(turn, place, visit, undefined)
    return
  }
  leaveAside(visit)
  const { entry } = aside
  decideGate(turn, place, value === undefined ? entry : { output: value, by: by ?? entry.by, ...leftOutIn(entry) })
}

/** What was changed was made from the same context. */
const leftOutIn = ({ leftOut }: Entry): Pick<Entry, 'leftOut'> => (leftOut === undefined ? {} : { leftOut })

type Decided = MessageOf<'review.decided'>

/** The person has answered: the service goes on with it, or it is what comes out. */
export const takeAnswer = (turn: Turn, place: Place, { ask, before }: Aside & { is: 'person' }, decided: Decided): void => {
  const { visit } = place.frame
  if (visit === null) return
  const { taskId, verdict, output, by, reason, fingerprint, decidedAtMs } = decided
  if (ask.use === 'answer') {
    const { state } = ask
    const said = { taskId, verdict, output, by, fingerprint, decidedAtMs }
    visit.answered = { ...said, ...(reason === undefined ? {} : { reason }), ...(state === undefined ? {} : { state }) } // N2
    askAside(turn, place, visit, before)
    return
  }
  if (verdict === 'reject') {
    failStep(turn, place.key, { code: 'review.rejected', message: reason ?? `${by} rejected it`, detail: { by } })
  } else if (before === undefined) {
    leaveAside(visit)
    finishWork(turn, place, { output, by })
  } else letPass(turn, place, before, output, by)
}
