// What is due in a run when it is woken: limits first, then leases.
import { timeFault, totalDeadlineMs, workingDeadlineMs } from './clock.policy.ts'
import { findOpen, loseLease } from './answers.ts'
import { failRun } from './failure.ts'
import { isPerson, type Turn } from './turn.ts'
import type { OpenRun } from '../state.ts'

/** Most attempts that one record takes up again; the others are due at once after it (L11). */
const LEASES_PER_RECORD = 32

/** Acts on whatever is due at the time of this record. A timer that matured too early finds nothing. */
export const wake = (turn: Turn): void => {
  const limit = timeFault(turn.run, turn.atMs)
  if (limit !== undefined) {
    failRun(turn, limit)
    return
  }
  let left = LEASES_PER_RECORD
  for (const attemptId of Object.keys(turn.run.attempts)) {
    const open = findOpen(turn, attemptId)
    if (open === undefined || open.asked.leaseUntilMs > turn.atMs) continue
    loseLease(turn, open)
    left -= 1
    if (turn.ended !== null || left === 0) return
  }
}

/** True when everything the run waits for is a person: its working time rests. */
export const waitsForPeople = (turn: Turn): boolean => {
  const { run } = turn
  const open = Object.keys(run.attempts)
  if (run.ready.length > 0 || open.length === 0) return false
  return open.every((attemptId) => {
    const found = findOpen(turn, attemptId)
    return found !== undefined && isPerson(found.place.node)
  })
}

/** The earliest time at which something is due. Always finite while the run is open (R4). */
export const wakeTime = (turn: Turn): number => {
  const run: OpenRun = turn.run
  let earliest = Math.min(totalDeadlineMs(run), workingDeadlineMs(run))
  for (const attemptId of Object.keys(run.attempts))
    earliest = Math.min(earliest, findOpen(turn, attemptId)?.asked.leaseUntilMs ?? Infinity)
  return earliest
}
