// Attempts that nobody waits for any more.
import type { OpenRun } from '../state.ts'

/** Attempts given up that a run remembers; the answer of an older one is not billed. */
const LOST_MAX = 256

/** Forgets an open attempt, so that a later answer is only billed (R3). */
export const loseAttempt = (run: OpenRun, attemptId: string): void => {
  delete run.attempts[attemptId]
  run.lost.push(attemptId.slice(run.runId.length + 1))
  if (run.lost.length > LOST_MAX) run.lost.shift()
}
