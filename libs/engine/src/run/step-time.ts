// The time of a step that is made of others (F3): everything it waits for has to end within it, people included.
//   T1. What is asked for inside it is bounded by it (R4); when it is over the step fails with `step.timed_out`, and nothing of it is open.
//   T2. A pause does not stop it, as it does not stop the time of people and events; what follows waits until the run is resumed.
//   T3. What stands in for the step, or handles its fault, is not held to it.
import type { FaultData } from '@baton/contracts/fault'
import type { ComposedNode } from '@baton/flow/plan'
import type { Frame, OpenRun } from '../state.ts'
import { failStep, journalFailed } from './failure.ts'
import { placeOf } from './frames.ts'
import { letGo } from './letting-go.ts'
import type { Place, Turn } from './turn.ts'
import { watchTime } from './watch.ts'

/** Kinds whose `timeout` is the time of the whole step; agents and teams have it for each turn, waits have their own. */
const WHOLE: ReadonlySet<string> = new Set(['parallel', 'map', 'vote', 'loop', 'flow'] satisfies readonly ComposedNode['kind'][])

/** The time of a step begins. Runs of earlier engines had none (R1). */
export const startTime = (turn: Turn, { key, frame: { visit } }: Place, { kind, timeoutMs }: ComposedNode): void => {
  if (visit === null || timeoutMs === undefined || !WHOLE.has(kind) || turn.run.engineVersion < 3) return
  visit.untilMs = turn.atMs + timeoutMs
  watchTime(turn, key, visit.untilMs)
}

/** The soonest end of the steps that a frame stands in, its own included; infinite where none has a time. T1. */
export const enclosingUntilMs = ({ frames }: OpenRun, frame: Frame): number => {
  let untilMs = Infinity
  for (let at: Frame | undefined = frame; at !== undefined; at = at.owner === null ? undefined : frames[at.owner.frame])
    untilMs = Math.min(untilMs, at.visit?.untilMs ?? Infinity)
  return untilMs
}

const untilOf = ({ run }: Turn, key: string): number => run.frames[key]?.visit?.untilMs ?? Infinity

/** Whether the time of a step is over. */
export const isOverdue = (turn: Turn): boolean => Object.keys(turn.run.timed ?? {}).some((key) => untilOf(turn, key) <= turn.atMs)

/** Fails steps whose time is over, those around others first. */
export const endTimes = (turn: Turn): void => {
  for (const key of Object.keys(turn.run.timed ?? {})) {
    if (turn.ended !== null) return
    const place = untilOf(turn, key) <= turn.atMs ? placeOf(turn, key) : undefined
    if (place !== undefined) endStep(turn, place)
  }
}

const endStep = (turn: Turn, place: Place): void => {
  const { visit } = place.frame
  const fault = timedOut(place)
  letGo(turn, place)
  if (visit?.activity.is === 'child') {
    const { attempt, attemptId, dispatchedAtMs } = visit.activity
    journalFailed(turn, place, { attempt, attemptId, dispatchedAtMs, fault })
    visit.activity = { is: 'due' } // The run it started was told to stop.
  }
  failStep(turn, place.key, fault)
}

const timedOut = ({ node }: Place): FaultData => ({
  code: 'step.timed_out',
  message: `${node.id} did not end within ${node.timeoutMs ?? 0} ms`,
  detail: { node: node.id, timeoutMs: node.timeoutMs ?? 0 },
})
