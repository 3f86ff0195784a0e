// What a run waits for, indexed beside its state: it follows from the state, and is built again when a run comes back to memory.
import type { Plan } from '@baton/flow/plan'
import type { Frame, OpenRun } from '../state.ts'
import { Soonest } from './soonest.ts'
import type { Turn } from './turn.ts'

/** `busy`: attempts of services, whose time is the run's; people, events and runs it started have their own. */
type Watch = { readonly due: Soonest; readonly busy: Set<string> }

type Of = Pick<Turn, 'run' | 'program'>

const watches = new WeakMap<OpenRun, Watch>()

/** Built from the frames of the open attempts and waits. */
const watchOf = ({ run, program }: Of): Watch => {
  const known = watches.get(run)
  if (known !== undefined) return known
  const watch: Watch = { due: new Soonest(), busy: new Set() }
  watches.set(run, watch)
  for (const [attemptId, key] of Object.entries(run.attempts)) {
    const frame = run.frames[key]
    const activity = frame?.visit?.activity
    if (frame !== undefined && activity?.is === 'asked') see(watch, attemptId, activity.leaseUntilMs, works(program.plan, frame))
  }
  seeTimes(watch, run)
  return watch
}

const seeTimes = ({ due }: Watch, { frames, waiting = {}, timed = {} }: OpenRun): void => {
  for (const key of Object.keys(waiting)) {
    const untilMs = untilOf(frames[key])
    if (untilMs !== null) due.set(waitName(key), untilMs)
  }
  for (const key of Object.keys(timed)) {
    const untilMs = frames[key]?.visit?.untilMs
    if (untilMs !== undefined) due.set(timeName(key), untilMs)
  }
}

/** What a frame of its own does is always done by a service. */
const works = ({ blocks, nodes }: Plan, { work, block, at, visit }: Frame): boolean =>
  visit?.aside !== undefined ? visit.aside.is === 'guard' : work !== undefined || nodes[blocks[block]?.[at] ?? '']?.kind !== 'human'

const untilOf = (frame: Frame | undefined): number | null => {
  const activity = frame?.visit?.activity
  return activity?.is === 'waiting' ? activity.untilMs : null
}

const see = ({ due, busy }: Watch, attemptId: string, leaseUntilMs: number, isWork: boolean): void => {
  due.set(attemptId, leaseUntilMs)
  if (isWork) busy.add(attemptId)
}

// Attempt ids end with a number behind a slash; frame keys do not begin with a colon.
const waitName = (key: string): string => `:${key}`
const timeName = (key: string): string => `!${key}`

/** An attempt is open, or its lease has moved. */
export const watchAttempt = (of: Of, attempt: { attemptId: string; leaseUntilMs: number; works: boolean }): void =>
  see(watchOf(of), attempt.attemptId, attempt.leaseUntilMs, attempt.works)

export const forgetAttempt = (of: Of, attemptId: string): void => {
  const { due, busy } = watchOf(of)
  due.delete(attemptId)
  busy.delete(attemptId)
}

/** A frame waits for a time or an event; null: as long as the run lasts. */
export const watchWait = (of: Of, key: string, untilMs: number | null): void => {
  const { due } = watchOf(of)
  const waiting = (of.run.waiting ??= {})
  waiting[key] = true
  if (untilMs !== null) due.set(waitName(key), untilMs)
}

export const forgetWait = (of: Of, key: string): void => {
  watchOf(of).due.delete(waitName(key))
  if (of.run.waiting !== undefined) delete of.run.waiting[key]
}

/** A step has a time of its own. */
export const watchTime = (of: Of, key: string, untilMs: number): void => {
  const timed = (of.run.timed ??= {})
  timed[key] = true
  watchOf(of).due.set(timeName(key), untilMs)
}

/** The step has ended. */
export const forgetTime = (run: OpenRun, key: string): void => {
  watches.get(run)?.due.delete(timeName(key))
  if (run.timed !== undefined) delete run.timed[key]
}

/** When the next lease, wait or step is over; infinite while there is none. */
export const soonestDue = (of: Of): number => watchOf(of).due.earliest()

/** Whether a service is at work for the run. */
export const isBusy = (of: Of): boolean => watchOf(of).busy.size > 0
