// What is due in a run when it is woken: limits first, then leases.
import { timeFault, totalDeadlineMs, workingDeadlineMs } from './clock.policy.ts'
import { findOpen, loseLease } from './answers.ts'
import { failRun } from './failure.ts'
import type { Turn } from './turn.ts'
import { endWaits } from './waits.ts'
import { isBusy, soonestDue } from './watch.ts'

/** Most attempts that one record takes up again; the others are due at once after it (L11). */
const LEASES_PER_RECORD = 32

/** Acts on whatever is due at the time of this record. A timer that matured too early finds nothing. */
export const wake = (turn: Turn): void => {
  const limit = timeFault(turn.run, turn.atMs)
  if (limit !== undefined) {
    failRun(turn, limit)
    return
  }
  if (soonestDue(turn) > turn.atMs) return
  let left = LEASES_PER_RECORD - endWaits(turn, LEASES_PER_RECORD)
  for (const attemptId of Object.keys(turn.run.attempts)) {
    if (turn.ended !== null || left <= 0) return
    const open = findOpen(turn, attemptId)
    if (open?.asked.is !== 'asked' || open.asked.leaseUntilMs > turn.atMs) continue
    loseLease(turn, open)
    left -= 1
  }
}

/** True when everything the run waits for is a person, an event, a time, or a run it started: its working time rests (W1). */
export const waitsForOthers = (turn: Turn): boolean => {
  const { run } = turn
  if (run.paused !== undefined) return true
  return run.ready.length === 0 && !isBusy(turn) && (hasAny(run.attempts) || hasAny(run.waiting ?? {}))
}

const hasAny = (map: object): boolean => {
  for (const _ in map) return true
  return false
}

/** The earliest time at which something is due. Always finite while the run is open (R4). */
export const wakeTime = (turn: Turn): number => Math.min(totalDeadlineMs(turn.run), workingDeadlineMs(turn.run), soonestDue(turn))
