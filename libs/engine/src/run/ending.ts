// How a run ends: one result, kept with its id for every later repeat of the request (R6).
import { toFault, type FaultData } from '@baton/contracts/fault'
import { isJsonObject, type Json } from '@baton/contracts/json'
import type { PayloadRef, RunResult } from '@baton/contracts'
import type { EndedRun, Entry, OpenRun } from '../state.ts'
import { workedMs } from './clock.policy.ts'
import { ROOT, scopeOf } from './frames.ts'
import { journal, takeId, transition, type Ledger, type Turn } from './turn.ts'

/** Attempts given up that a run remembers; the answer of an older one is not billed. */
const LOST_MAX = 256

const RESULT_NAMES = { completed: 'run.completed', failed: 'run.failed', cancelled: 'run.cancelled' } as const
type Ending = { readonly status: keyof typeof RESULT_NAMES; readonly fault?: FaultData; readonly entry?: Entry }

/** Forgets an open attempt, so that a later answer is only billed (R3). */
export const loseAttempt = (run: OpenRun, attemptId: string): void => {
  delete run.attempts[attemptId]
  run.lost.push(attemptId.slice(run.runId.length + 1))
  if (run.lost.length > LOST_MAX) run.lost.shift()
}

/** The run is done: its response is assembled. A response that cannot be assembled is a fault of the run. */
export const complete = (turn: Turn, last: Entry | null): FaultData | undefined => {
  const { plan } = turn.program
  const frame = turn.run.frames[ROOT]
  if (plan.output === undefined || frame === undefined) {
    end(turn, { status: 'completed', entry: last ?? { output: null, by: 'nobody' } })
    return undefined
  }
  let output: Json
  try {
    output = turn.program.value(plan.output, scopeOf(turn, plan, frame))
  } catch (error) {
    return toFault(error).data
  }
  end(turn, { status: 'completed', entry: { output, by: 'flow' } })
  return undefined
}

/** Ends the run. The fault is that of the step that failed, whatever its handlers did. */
export const end = (turn: Ledger, ending: Ending): void => {
  const { run, atMs } = turn
  for (const attemptId of Object.keys(run.attempts)) loseAttempt(run, attemptId)
  const { pinned, spend, escalated } = run
  const working = workedMs(run, atMs)
  const latencyMs = Math.max(0, atMs - pinned.requestedAtMs)
  const fault = ending.fault === undefined ? {} : { fault: ending.fault }
  journal(turn, {
    name: 'journal.run.ended',
    data: {
      ...transition(turn),
      flow: pinned.flow,
      version: pinned.version,
      status: ending.status,
      ...fault,
      requestedAtMs: pinned.requestedAtMs,
      latencyMs,
      workingMs: working,
      waitedMs: Math.max(0, atMs - pinned.startedAtMs - working),
      costMicroUsd: spend.costMicroUsd,
      steps: spend.steps,
      escalated,
    },
  })
  const body: RunResult = {
    requestId: pinned.requestId,
    runId: run.runId,
    flow: pinned.flow,
    version: pinned.version,
    status: ending.status,
    ...outputOf(ending.entry),
    ...(run.degraded.length === 0 ? {} : { degraded: [...run.degraded] }),
    ...fault,
    metrics: { latencyMs, workingMs: working, costUsd: spend.costMicroUsd / 1e6, steps: spend.steps, escalated },
  }
  const topic = pinned.resultTopic
  const result = { id: takeId(run), name: RESULT_NAMES[ending.status], body, ...(topic === undefined ? {} : { topic }) }
  const { formatVersion, engineVersion, runId, tenant, seq, lost } = run
  turn.ended = {
    formatVersion,
    engineVersion,
    runId,
    tenant,
    seq,
    atMs,
    lost,
    spend,
    status: 'ended',
    planHash: pinned.planHash,
    requestedAtMs: pinned.requestedAtMs,
    result,
  }
  turn.outputs.push(resultOutput(turn.ended))
}

const outputOf = (entry: Entry | undefined): Pick<RunResult, 'output' | 'outputRef'> => {
  if (entry === undefined) return {}
  if (entry.ref !== undefined) return { output: entry.output, outputRef: entry.ref }
  const outputRef = wholePayload(entry.output)
  return outputRef === undefined ? { output: entry.output } : { outputRef }
}

/** The payload that a value stands for as a whole: `{ $payload, at: [] }`, as an expression gives it. */
const wholePayload = (value: Json): PayloadRef | undefined => {
  if (!isJsonObject(value) || !Array.isArray(value['at']) || value['at'].length > 0 || !isJsonObject(value['$payload'])) return undefined
  const { sha256, sizeBytes, mediaType } = value['$payload']
  return typeof sha256 === 'string' && typeof sizeBytes === 'number' && typeof mediaType === 'string'
    ? { sha256, sizeBytes, mediaType }
    : undefined
}

/** The result as it is published, the first time and on every repeat (R6). */
export const resultOutput = ({ result }: EndedRun) => ({
  to: 'result' as const,
  id: result.id,
  name: result.name,
  result: result.body,
  ...(result.topic === undefined ? {} : { topic: result.topic }),
})
