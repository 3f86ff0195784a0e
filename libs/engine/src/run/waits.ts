// Waiting for a time or an event (A10), and events that come from outside.
//   W1. Working time rests while nothing else is done; the wait of an event has its own time, the run's total time always counts.
//   W2. An event counts once: its id is remembered.
//   W3. An event that nobody waits for yet is kept, up to EVENTS_MAX, for the next step that does.
import type { FaultData } from '@baton/contracts/fault'
import type { MessageOf } from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'
import type { KeptEvent, Waiting } from '../state.ts'
import { failStep } from './failure.ts'
import { placeOf } from './frames.ts'
import { NOTHING, scopeOf } from './scope.ts'
import { finishComposed, guarded } from './settle.ts'
import { journal, stepTransition, transition, type Place, type Turn } from './turn.ts'
import { forgetWait, watchWait } from './watch.ts'

/** Events kept for later waits of one run. */
export const EVENTS_MAX = 64
/** Ids of events remembered so that a repeat is known. */
const SEEN_MAX = 1_024

type EventNode = PlanNode & { readonly kind: 'event' }

/** `wait: 3d`. */
export const beginWait = (turn: Turn, place: Place, { forMs }: PlanNode & { readonly kind: 'wait' }): void => {
  const untilMs = turn.atMs + forMs
  open(turn, place, { untilMs })
}

/** `wait: { event }`: one that is there already is taken at once. */
export const beginEventWait = (turn: Turn, place: Place, node: EventNode): void => {
  const { events } = turn.run
  const key = keyOf(turn, place, node)
  const untilMs = node.timeoutMs === undefined ? null : turn.atMs + node.timeoutMs
  open(turn, place, { event: node.event, untilMs, ...(key === undefined ? {} : { key }) })
  const index = events?.kept.findIndex((event) => isFor(turn, place, node, event)) ?? -1
  const kept = index < 0 ? undefined : events?.kept.splice(index, 1)[0]
  if (kept !== undefined) take(turn, place, kept)
}

/** What the event is found by, as text. */
const keyOf = ({ program, ...turn }: Turn, { frame }: Place, { key }: EventNode): string | undefined => {
  if (key === undefined) return undefined
  const value = program.value(key, scopeOf({ program, ...turn }, program.plan, frame))
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const open = (turn: Turn, place: Place, wait: Omit<Waiting, 'is'>): void => {
  const { visit } = place.frame
  if (visit === null) return
  visit.activity = { is: 'waiting', ...wait }
  visit.sinceMs = turn.atMs
  watchWait(turn, place.key, wait.untilMs)
  const detail = Object.fromEntries(Object.entries(wait).filter(([, value]) => value !== null))
  journal(turn, { name: 'journal.step.opened', data: { ...stepTransition(turn, place), detail } })
}

/** Whether an event is the one a step waits for. An expression that cannot be evaluated on it says no. */
const isFor = (turn: Turn, { frame }: Place, node: EventNode, { event, data, key }: KeptEvent): boolean => {
  if (node.event !== event) return false
  const wait = frame.visit?.activity
  if (key !== undefined && (wait?.is !== 'waiting' || wait.key !== key)) return false
  if (node.match === undefined) return true
  const { program } = turn
  const scope = scopeOf(turn, program.plan, frame)
  try {
    return program.test(node.match, { ...scope, steps: { ...scope.steps, event: data } })
  } catch {
    return false
  }
}

const take = (turn: Turn, place: Place, { data, by, event }: KeptEvent): void => {
  forgetWait(turn, place.key)
  guarded(turn, place.key, () => finishComposed(turn, place, { output: data, by: `event:${by ?? event}` }))
}

/** An event for the run. The fault says why it could not be kept. W2, W3. */
export const receiveEvent = (turn: Turn, { eventId, event, data, by, key }: MessageOf<'run.event'>): FaultData | undefined => {
  const { run } = turn
  const events = (run.events ??= { kept: [], seen: [] })
  if (events.seen.includes(eventId)) return undefined
  const one: KeptEvent = { eventId, event, data, ...(by === undefined ? {} : { by }), ...(key === undefined ? {} : { key }) }
  const place = waiterFor(turn, one)
  if (place === undefined && events.kept.length >= EVENTS_MAX) return tooMany(event)
  remember(events.seen, eventId)
  const path = place === undefined ? {} : { path: place.path }
  journal(turn, { name: 'journal.event.received', data: { ...transition(turn), eventId, event, ...path } })
  if (place === undefined) events.kept.push(one)
  else take(turn, place, one)
  return undefined
}

const tooMany = (event: string): FaultData => ({
  code: 'request.too_large',
  message: `the run keeps ${EVENTS_MAX} events that nobody has waited for`,
  detail: { event },
})

const remember = (seen: string[], eventId: string): void => {
  seen.push(eventId)
  if (seen.length > SEEN_MAX) seen.shift()
}

/** The first frame that waits for it, in the order in which they began to wait. */
const waiterFor = (turn: Turn, event: KeptEvent): Place | undefined => {
  for (const key of Object.keys(turn.run.waiting ?? {})) {
    const place = placeOf(turn, key)
    if (place?.node.kind === 'event' && isFor(turn, place, place.node, event)) return place
  }
  return undefined
}

/** Ends waits whose time is over: a wait for a time has what it wanted, one for an event has not. At most `limit`; says how many. */
export const endWaits = (turn: Turn, limit: number): number => {
  let ended = 0
  for (const key of Object.keys(turn.run.waiting ?? {})) {
    if (turn.ended !== null || ended >= limit) break
    const place = placeOf(turn, key)
    if (place !== undefined && endWait(turn, place)) ended += 1
  }
  return ended
}

/** Ends the wait of a place if it is over. */
const endWait = (turn: Turn, place: Place): boolean => {
  const activity = place.frame.visit?.activity
  if (activity?.is !== 'waiting' || activity.untilMs === null || activity.untilMs > turn.atMs) return false
  forgetWait(turn, place.key)
  if (activity.event === undefined) guarded(turn, place.key, () => finishComposed(turn, place, NOTHING))
  else failStep(turn, place.key, timedOut(place, activity.event))
  return true
}

const timedOut = ({ node }: Place, event: string): FaultData => ({
  code: 'step.timed_out',
  message: `${node.id}: ${event} did not come in time`,
  detail: { node: node.id, event },
})
