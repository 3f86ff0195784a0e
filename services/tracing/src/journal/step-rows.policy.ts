// The rows of what happens to attempts and composed steps: each state that is told is one row (J2, J3, J5 of trace-rows).
import { isJsonObject } from '@baton/contracts/json'
import type { Json } from '@baton/contracts'
import type { StepFacts, StepRow } from '../storage/rows.ts'
import type { TracedEvent } from './journal-event.ts'
import { CHARS_MAX, cut, messageOf, type Data } from './told.ts'

type StepData =
  | Data<'journal.step.opened'>
  | Data<'journal.step.dispatched'>
  | Data<'journal.step.completed'>
  | Data<'journal.step.failed'>
  | Data<'journal.step.waiting'>

/** Columns of any state; the rest of the row is what the state adds. */
const stepRow = (
  data: StepData,
  more: Pick<StepRow, 'status' | 'attempt'> & Partial<StepRow>,
  facts: Omit<StepFacts, 'node'>,
): StepRow => ({
  at_ms: data.atMs,
  tenant: data.tenant,
  run_id: data.runId,
  seq: data.seq,
  path: data.path,
  kind: data.kind,
  model: null,
  latency_ms: null,
  cost_micro_usd: null,
  error_code: null,
  ...more,
  facts: { node: data.nodeId, ...facts },
})

/** It has no attempts: its number is below that of any. */
const openedRow = (data: Data<'journal.step.opened'>): StepRow => {
  const { parts, detail } = data
  const told: Readonly<Record<string, Json | undefined>> = isJsonObject(detail) ? detail : {}
  const { event, untilMs, childRunId } = told
  const facts = {
    dispatchedAtMs: data.atMs,
    parts,
    event: typeof event === 'string' ? cut(event, CHARS_MAX.message) : undefined,
    untilMs: typeof untilMs === 'number' ? untilMs : undefined,
    childRunId: typeof childRunId === 'string' ? childRunId : undefined,
  }
  return stepRow(data, { status: 'opened', attempt: 0 }, facts)
}

const dispatchedRow = (data: Data<'journal.step.dispatched'>): StepRow =>
  stepRow(data, { status: 'dispatched', attempt: data.attempt }, { dispatchedAtMs: data.atMs, untilMs: data.leaseUntilMs })

/** The attempt is the last part of its id. */
const waitingRow = ({ attemptId, untilMs, reason, fault, meter, ...data }: Data<'journal.step.waiting'>): StepRow => {
  const attempt = Number(attemptId.slice(attemptId.lastIndexOf('/') + 1)) || 1
  const known = { untilMs, reason, errorMessage: messageOf(fault) }
  // An attempt that ended in a question to a person has a price like any other.
  const columns = { status: 'waiting', attempt, error_code: fault?.code ?? null, cost_micro_usd: meter?.costMicroUsd ?? null } as const
  return stepRow({ attemptId, untilMs, reason, ...data }, columns, known)
}

const completedRow = (data: Data<'journal.step.completed'>): StepRow =>
  stepRow(
    data,
    { status: 'completed', attempt: data.attempt, ...meterColumns(data) },
    { ...meterFacts(data), by: data.by, outputRef: data.outputRef },
  )

const failedRow = (data: Data<'journal.step.failed'>): StepRow => {
  const { attempt, fault, deadLettered } = data
  const facts = { ...meterFacts(data), errorMessage: messageOf(fault), deadLettered }
  return stepRow(data, { status: 'failed', attempt, ...meterColumns(data), error_code: fault.code }, facts)
}

type Ended = Data<'journal.step.completed'> | Data<'journal.step.failed'>

const meterColumns = ({ meter, atMs, dispatchedAtMs }: Ended): Partial<StepRow> => ({
  model: meter?.model ?? null,
  latency_ms: meter?.latencyMs ?? Math.max(0, atMs - dispatchedAtMs),
  cost_micro_usd: meter?.costMicroUsd ?? null,
})

const meterFacts = ({ meter, dispatchedAtMs }: Ended): Omit<StepFacts, 'node'> => {
  if (meter === undefined) return { dispatchedAtMs }
  const {
    startedAtMs,
    queuedMs,
    provider,
    tool,
    inputChars,
    outputChars,
    inputTokens,
    outputTokens,
    confidence,
    rawConfidence,
    tries,
    failedOver,
    repaired,
    leftOut,
    contentRef,
  } = meter
  return {
    dispatchedAtMs,
    workedAtMs: startedAtMs,
    queuedMs,
    provider,
    tool,
    inputChars,
    outputChars,
    inputTokens,
    outputTokens,
    confidence,
    rawConfidence,
    tries,
    failedOver,
    repaired,
    leftOut,
    contentRef,
  }
}

/** The row of a state of a step; undefined for what is none. */
export const stepRowOf = ({ name, data }: TracedEvent['message']): StepRow | undefined => {
  switch (name) {
    case 'journal.step.opened':
      return openedRow(data)
    case 'journal.step.dispatched':
      return dispatchedRow(data)
    case 'journal.step.completed':
      return completedRow(data)
    case 'journal.step.failed':
      return failedRow(data)
    case 'journal.step.waiting':
      return waitingRow(data)
    default:
      return undefined
  }
}

/** Keeps a state; of a repeat one stays. */
export const keepStep = (steps: Map<string, StepRow>, row: StepRow): void => {
  steps.set(`${row.run_id}/${row.seq}`, row) // J2
}

/** Whether this state ends the attempt. */
export const isClosed = ({ status }: { status: StepRow['status'] }): boolean => status === 'completed' || status === 'failed'

const attemptKey = ({ run_id, path, attempt }: StepRow): string => `${run_id}/${path}/${attempt}`

// J3
/** Leaves out the open states of attempts that end in the same batch. */
export const withoutClosed = (rows: readonly StepRow[]): readonly StepRow[] => {
  const closedAt = new Map<string, number>()
  for (const row of rows) if (isClosed(row)) closedAt.set(attemptKey(row), Math.max(row.seq, closedAt.get(attemptKey(row)) ?? 0))
  if (closedAt.size === 0) return rows
  return rows.filter((row) => isClosed(row) || row.status === 'opened' || row.seq > (closedAt.get(attemptKey(row)) ?? -1))
}
