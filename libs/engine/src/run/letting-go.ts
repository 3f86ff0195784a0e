// What the world is told when nobody waits any more for what was asked of it.
import { loseAttempt } from './lost-attempts.ts'
import { takeId, type Ledger, type Place, type Turn } from './turn.ts'
import { forgetAttempt, forgetWait } from './watch.ts'
import type { Child } from '../state.ts'

/** The work of a place is not wanted: its answer will be late, its review leaves the queue, the run it started stops. */
export const letGo = (turn: Turn, { key, frame, node }: Place): void => {
  const { run } = turn
  const activity = frame.visit?.activity
  switch (activity?.is) {
    case 'asked': {
      const { attemptId } = activity
      // One that was answered just now is not waited for any more: its answer came and counted (R2).
      if (!Object.hasOwn(run.attempts, attemptId)) return
      loseAttempt(run, attemptId)
      forgetAttempt(turn, attemptId)
      // Runs of the first engine say nothing here (R1).
      if (node.kind !== 'human' || run.engineVersion < 2) return
      const review = { runId: run.runId, tenant: run.tenant, attemptId, reason: `${node.id} is not waited for any more` }
      turn.outputs.push({ to: 'withdrawal', id: takeId(run), priority: node.human.priority, review })
      return
    }
    case 'child':
      if (!Object.hasOwn(run.attempts, activity.attemptId)) return
      loseAttempt(run, activity.attemptId)
      stopChild(turn, activity, 'the step that started it is not waited for any more')
      return
    case 'waiting':
      forgetWait(turn, key)
      return
    default:
  }
}

/** Asks a run that a step started to end. */
export const stopChild = (turn: Ledger, { childRunId }: Child, reason: string): void => {
  const { run, outputs } = turn
  outputs.push({ to: 'log', id: takeId(run), message: { name: 'run.cancel', data: { runId: childRunId, by: `run:${run.runId}`, reason } } })
}
