// Work beside a step's own: its guards look at what goes in and what comes out, and a person answers what the service at work asks.
//   G1. Nothing goes into a step before its guards have let it pass, and nothing comes out; what they changed is what counts.
//   G2. What is asked beside one try of a step is bounded (R4).
import type { Json } from '@baton/contracts/json'
import type { Ask } from '@baton/contracts'
import type { Aside, Entry, Visit } from '../state.ts'
import { looksAt } from './aside.policy.ts'
import { failStep } from './failure.ts'
import { plainContentOf } from './entry.ts'
import { scopeOf } from './scope.ts'
import type { Place, Turn } from './turn.ts'

/** What may be asked beside the work of one try of a step. */
const ASKS_MAX = 40

const nextNumber = (visit: Visit): number => (visit.asides = (visit.asides ?? 0) + 1)

/** What has to be asked before the step's own work, if something has to. */
export const asideFirst = ({ node }: Place, visit: Visit): Aside | undefined => {
  if (visit.aside !== undefined) return visit.aside
  if (visit.cleared !== undefined || node.kind === 'switch' || node.kind === 'set' || !looksAt(node.guard, 'input')) return undefined
  return { is: 'guard', on: 'input', number: nextNumber(visit) } // G1
}

/** What the one who is asked gets to see. */
export const asideInput = (turn: Turn, { frame, node }: Place, aside: Aside): Json => {
  if (aside.is === 'person') return aside.ask.input
  if (aside.on === 'output') return plainContentOf(aside.entry)
  return turn.program.value(node.with, scopeOf(turn, turn.program.plan, frame))
}

/** Has something asked in place of the step's own work, or again. */
export const askAside = (turn: Turn, { key }: Place, visit: Visit, aside: Aside | undefined): void => {
  if (aside === undefined) delete visit.aside
  else visit.aside = aside
  visit.activity = { is: 'due', again: true }
  turn.run.ready.push(key)
}

/** The service at work, or a guard, has a person asked. G2. */
export const openAsk = (turn: Turn, place: Place, ask: Ask): void => {
  const { visit } = place.frame
  if (visit === null) return
  const number = nextNumber(visit)
  if (number > ASKS_MAX) {
    failStep(turn, place.key, {
      code: 'agent.repeating',
      message: `${place.node.id} asked for more than ${ASKS_MAX} answers beside its work`,
      detail: { node: place.node.id },
    })
    return
  }
  const before = visit.aside?.is === 'guard' ? { before: visit.aside } : {}
  askAside(turn, place, visit, { is: 'person', ask, number, ...before })
}

/** The guards of the step look at what came out, if they look at that. True: they have to say first. */
export const guardOutput = (turn: Turn, place: Place, entry: Entry): boolean => {
  const { frame, node } = place
  const { visit } = frame
  if (visit === null || entry.output === null || !looksAt(node.guard, 'output')) return false
  delete visit.answered // That was for the work.
  const nested = visit.activity.is === 'nested' ? { nested: visit.activity } : {}
  askAside(turn, place, visit, { is: 'guard', on: 'output', number: nextNumber(visit), entry, ...nested }) // G1
  return true
}
