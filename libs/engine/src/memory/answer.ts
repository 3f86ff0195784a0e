// What came of a step's work, as the engine reads it.
import type { Fault } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import type { MessageOf, StepCommand, Verdict } from '@baton/contracts'
import type { LeftOut } from '../state.ts'
import type { LogMessage } from '../decision.ts'

/** What came of a step's work, and who did it. */
export type Done = {
  readonly output: Json
  readonly by: string
  readonly costMicroUsd?: number
  readonly inputTokens?: number
  readonly outputTokens?: number
  /** What did not fit its context. */
  readonly leftOut?: LeftOut
  /** Of a turn of an agent: the calls it asks for; none: `output` is its answer. */
  readonly turn?: NonNullable<MessageOf<'step.completed'>['turn']>
  /** Of a person. Default `respond`. */
  readonly verdict?: Verdict
  readonly reason?: string
}

/** The answer of an attempt. */
export const answerOf = (command: StepCommand, done: Done, nowMs: number): LogMessage => {
  const { runId, attemptId } = command
  const { output, by } = done
  if (command.kind === 'human') {
    const { verdict = 'respond', reason } = done
    const decided = { runId, attemptId, taskId: attemptId, verdict, output, by, fingerprint: '', decidedAtMs: nowMs }
    return { name: 'review.decided', data: { ...decided, ...(reason === undefined ? {} : { reason }) } }
  }
  return { name: 'step.completed', data: { runId, attemptId, output, by, ...meterOf(done, nowMs), ...turnOf(command, done) } }
}

/** The failure of an attempt. */
export const failureOf = ({ runId, attemptId }: StepCommand, { code, message, detail }: Fault): LogMessage => ({
  name: 'step.failed',
  data: { runId, attemptId, fault: { code, message, detail: { ...detail } } },
})

/** Nothing where nothing was spent: a run in memory is billed only for what its work says. */
const meterOf = (
  { costMicroUsd = 0, inputTokens, outputTokens, leftOut }: Done,
  nowMs: number,
): Pick<MessageOf<'step.completed'>, 'meter'> => {
  if (costMicroUsd === 0 && inputTokens === undefined && outputTokens === undefined && leftOut === undefined) return {}
  const meter = { startedAtMs: nowMs, latencyMs: 0, tries: 1, inputChars: 0, outputChars: 0, costMicroUsd }
  return {
    meter: {
      ...meter,
      ...(inputTokens === undefined ? {} : { inputTokens }),
      ...(outputTokens === undefined ? {} : { outputTokens }),
      ...(leftOut === undefined ? {} : { leftOut: leftOut.map((part) => ({ ...part })) }),
    },
  }
}

const turnOf = ({ turn: asked }: StepCommand, { turn }: Done): Pick<MessageOf<'step.completed'>, 'turn'> => {
  if (turn !== undefined) return { turn }
  return asked === undefined ? {} : { turn: { calls: [] } }
}
