// How a run ends: one result, kept with its id for every later repeat of the request (R6).
import { toFault, type FaultData } from '@baton/contracts/fault'
import { isJsonObject, type Json } from '@baton/contracts/json'
import type { PayloadRef, RunResult } from '@baton/contracts'
import type { Output, OwnMessage } from '../decision.ts'
import type { EndedRun, Entry, OpenRun } from '../state.ts'
import { workedMs } from './clock.policy.ts'
import { ROOT } from './frame-keys.ts'
import { loseAttempt } from './lost-attempts.ts'
import { stopChild } from './letting-go.ts'
import { scopeOf } from './scope.ts'
import { journal, takeId, transition, type Ledger, type Turn } from './turn.ts'

const RESULT_NAMES = { completed: 'run.completed', failed: 'run.failed', cancelled: 'run.cancelled' } as const
type Ending = { readonly status: keyof typeof RESULT_NAMES; readonly fault?: FaultData; readonly entry?: Entry }

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
  const stoodAt = run.frames[ROOT]
  for (const { visit } of Object.values(run.frames))
    if (visit?.activity.is === 'child') stopChild(turn, visit.activity, 'the run that started it has ended')
  for (const attemptId of Object.keys(run.attempts)) loseAttempt(run, attemptId)
  const { pinned } = run
  const body = resultOf(turn, ending)
  journalEnd(turn, body)
  const topic = pinned.resultTopic
  const result = { id: takeId(run), name: RESULT_NAMES[ending.status], body, ...(topic === undefined ? {} : { topic }) }
  const answer = pinned.parent === undefined ? undefined : answerToParent(run, pinned.parent, { body, atMs, id: result.id })
  const { formatVersion, engineVersion, runId, tenant, seq, lost, spend } = run
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
    again: { pinned, steps: stoodAt?.steps ?? {}, at: stoodAt?.at ?? 0 },
    ...(answer === undefined ? {} : { answer }),
  }
  turn.outputs.push(endOutput(turn.ended))
}

type Result = RunResult & { readonly status: Ending['status']; readonly metrics: { readonly workingMs: number } }

const resultOf = ({ run, atMs }: Ledger, { status, fault, entry }: Ending): Result => {
  const { pinned, spend, escalated, degraded, runId } = run
  return {
    requestId: pinned.requestId,
    runId,
    flow: pinned.flow,
    version: pinned.version,
    status,
    ...outputOf(entry),
    ...(degraded.length === 0 ? {} : { degraded: [...degraded] }),
    ...(fault === undefined ? {} : { fault }),
    metrics: {
      latencyMs: Math.max(0, atMs - pinned.requestedAtMs),
      workingMs: workedMs(run, atMs),
      costUsd: spend.costMicroUsd / 1e6,
      steps: spend.steps,
      escalated,
    },
  }
}

const journalEnd = (turn: Ledger, { status, fault, metrics: { latencyMs, workingMs } }: Result): void => {
  const { pinned, spend, escalated } = turn.run
  journal(turn, {
    name: 'journal.run.ended',
    data: {
      ...transition(turn),
      flow: pinned.flow,
      version: pinned.version,
      status,
      ...(fault === undefined ? {} : { fault }),
      requestedAtMs: pinned.requestedAtMs,
      latencyMs,
      workingMs,
      waitedMs: Math.max(0, turn.atMs - pinned.startedAtMs - workingMs),
      costMicroUsd: spend.costMicroUsd,
      steps: spend.steps,
      escalated,
    },
  })
}

type Parent = NonNullable<OpenRun['pinned']['parent']>

/** The end of a run that a step started, as the answer to that step's attempt. */
const answerToParent = (
  run: OpenRun,
  parent: Parent,
  { body, atMs, id }: { body: RunResult; atMs: number; id: string },
): NonNullable<EndedRun['answer']> => {
  const { spend, pinned } = run
  const child = {
    workedMs: workedMs(run, atMs),
    steps: spend.steps,
    tokens: spend.tokens ?? 0,
    calls: spend.calls ?? 0,
    costMicroUsd: spend.costMicroUsd,
  }
  const to = { runId: parent.runId, attemptId: parent.attemptId, child }
  if (body.status !== 'completed') {
    const { code, message, detail } = body.fault ?? { code: 'handler.failed' as const, message: 'it failed without a fault' }
    const fault = { code, message: `${pinned.flow}: ${message}`.slice(0, 4_000), ...(detail === undefined ? {} : { detail }) }
    return { id, name: 'step.failed', data: { ...to, fault } }
  }
  const { output = null, outputRef } = body
  return {
    id,
    name: 'step.completed',
    data: { ...to, output, by: `flow:${pinned.flow}`, ...(outputRef === undefined ? {} : { outputRef }) },
  }
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

/** The end as it is told, to the world or to the run that waits for it; the same on every repeat (R6). */
export const endOutput = (run: EndedRun): Output =>
  run.answer === undefined ? resultOutput(run) : { to: 'log', id: run.answer.id, message: messageOf(run.answer) }

const messageOf = (answer: NonNullable<EndedRun['answer']>): OwnMessage =>
  answer.name === 'step.completed' ? { name: answer.name, data: answer.data } : { name: answer.name, data: answer.data }

/** The result as it is published, the first time and on every repeat (R6). */
const resultOutput = ({ result }: EndedRun): Output => ({
  to: 'result',
  id: result.id,
  name: result.name,
  result: result.body,
  ...(result.topic === undefined ? {} : { topic: result.topic }),
})
