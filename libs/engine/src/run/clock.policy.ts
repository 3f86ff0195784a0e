// The two clocks of a run. Working time stops while only people are waited for; total time never does.
import type { FaultCode, FaultData } from '@baton/contracts/fault'
import type { OpenRun } from '../state.ts'

/** Time the flow's error handler gets when the run itself has none left: a failure must not go unreported. */
export const HANDLER_GRACE_MS = 30_000
/** Steps the flow's error handler gets beyond the limit. */
const HANDLER_GRACE_STEPS = 20

/** When the working time is used up if nothing pauses it; infinite while it rests. */
export const workingDeadlineMs = ({ clock, limits }: OpenRun): number =>
  clock.sinceMs === null ? Infinity : clock.sinceMs + limits.timeMs - clock.workedMs

/** When the run is over whatever it waits for. */
export const totalDeadlineMs = ({ pinned, limits }: OpenRun): number => pinned.startedAtMs + limits.totalMs

/** Absolute deadline of a dispatch made now. */
export const deadlineOf = (run: OpenRun, person: boolean): number =>
  person ? totalDeadlineMs(run) : Math.min(workingDeadlineMs(run), totalDeadlineMs(run))

/** The limit of time that is used up, if one is. */
export const timeExceeded = (run: OpenRun, atMs: number): FaultCode | undefined => {
  if (atMs >= totalDeadlineMs(run)) return 'limit.total_exceeded'
  return atMs >= workingDeadlineMs(run) ? 'limit.time_exceeded' : undefined
}

/** The same as the fault of the run. */
export const timeFault = (run: OpenRun, atMs: number): FaultData | undefined => {
  const code = timeExceeded(run, atMs)
  if (code === undefined) return undefined
  const { timeMs, totalMs } = run.limits
  const message = code === 'limit.time_exceeded' ? `the working time of ${timeMs} ms is used up` : `the run is older than ${totalMs} ms`
  return { code, message }
}

export const workedMs = ({ clock }: OpenRun, atMs: number): number => clock.workedMs + (clock.sinceMs === null ? 0 : atMs - clock.sinceMs)

export const resumeClock = ({ clock }: OpenRun, atMs: number): void => {
  clock.sinceMs ??= atMs
}

export const pauseClock = (run: OpenRun, atMs: number): void => {
  run.clock.workedMs = workedMs(run, atMs)
  run.clock.sinceMs = null
}

/** Gives the flow's error handler its grace; never shortens what is left. */
export const grantGrace = (run: OpenRun, atMs: number): void => {
  run.limits.timeMs = Math.max(run.limits.timeMs, workedMs(run, atMs) + HANDLER_GRACE_MS)
  run.limits.totalMs = Math.max(run.limits.totalMs, atMs - run.pinned.startedAtMs + HANDLER_GRACE_MS)
  run.limits.steps = Math.max(run.limits.steps, run.spend.steps + HANDLER_GRACE_STEPS)
}
