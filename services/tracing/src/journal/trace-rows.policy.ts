// Events become rows. Whatever comes twice, late or in another order ends in the same trace.
//   J1. A run row holds what the start and the end of the run say; neither overwrites the other, so their order does not matter.
//   J2. A step row is one state of one attempt, named by (run, seq): writing it again changes nothing.
//   J3. Within a batch an open state is left out when the attempt's end is there too: the end says everything.
//   J4. No content: prompts, passages and outputs appear as references only.
import type { MessageOf } from '@baton/contracts'
import type { EventRow, ResultRow, RunRow, StepFacts, StepRow, TraceRows } from '../storage/rows.ts'
import type { TracedEvent } from './journal-event.ts'

type Data<Name extends TracedEvent['message']['name']> = MessageOf<Name>

const MESSAGE_CHARS_MAX = 1_000
const DETAIL_CHARS_MAX = 4_000

/** The rows of a batch of events. */
export const traceRowsOf = (events: readonly TracedEvent[]): TraceRows => {
  const runs = new Map<string, RunRow>()
  const steps = new Map<string, StepRow>()
  const rows: { events: Map<string, EventRow>; results: Map<string, ResultRow> } = { events: new Map(), results: new Map() }
  for (const event of events) {
    const { message } = event
    switch (message.name) {
      case 'journal.run.started':
        mergeRun(runs, startedRow(message.data))
        break
      case 'journal.run.ended':
        mergeRun(runs, endedRow(message.data))
        break
      case 'journal.step.dispatched':
        keepStep(steps, dispatchedRow(message.data))
        break
      case 'journal.step.completed':
        keepStep(steps, completedRow(message.data))
        break
      case 'journal.step.failed':
        keepStep(steps, failedRow(message.data))
        break
      case 'journal.step.waiting':
        keepStep(steps, waitingRow(message.data))
        break
      case 'run.completed':
      case 'run.failed':
      case 'run.cancelled':
        rows.results.set(event.message.data.runId, { run_id: message.data.runId, tenant: event.tenant, body: JSON.stringify(message.data) })
        break
      case 'run.rejected':
        break // There is no run.
      default:
        rows.events.set(event.id, eventRow(event))
    }
  }
  return {
    runs: [...runs.values()],
    steps: withoutClosed([...steps.values()]),
    events: [...rows.events.values()],
    results: [...rows.results.values()],
  }
}

const cut = (text: string, charsMax: number): string => (text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`)

const emptyRun = (data: Data<'journal.run.started'> | Data<'journal.run.ended'>): RunRow => ({
  requested_at_ms: data.requestedAtMs,
  tenant: data.tenant,
  run_id: data.runId,
  flow: data.flow,
  version: data.version,
  status: 'running',
  plan_hash: null,
  request_id: null,
  source: null,
  priority: null,
  labels: null,
  started_at_ms: null,
  ended_at_ms: null,
  latency_ms: null,
  working_ms: null,
  waited_ms: null,
  cost_micro_usd: null,
  steps: null,
  escalated: null,
  fault_code: null,
  fault_message: null,
})

const startedRow = (data: Data<'journal.run.started'>): RunRow => ({
  ...emptyRun(data),
  plan_hash: data.planHash,
  request_id: data.requestId,
  source: data.source,
  priority: data.priority,
  labels: data.labels,
  started_at_ms: data.atMs,
})

const endedRow = (data: Data<'journal.run.ended'>): RunRow => ({
  ...emptyRun(data),
  status: data.status,
  ended_at_ms: data.atMs,
  latency_ms: data.latencyMs,
  working_ms: data.workingMs,
  waited_ms: data.waitedMs,
  cost_micro_usd: data.costMicroUsd,
  steps: data.steps,
  escalated: data.escalated,
  fault_code: data.fault?.code ?? null,
  fault_message: messageOf(data.fault) ?? null,
})

const messageOf = (fault: { readonly message: string } | undefined): string | undefined =>
  fault === undefined ? undefined : cut(fault.message, MESSAGE_CHARS_MAX)

const mergeRun = (runs: Map<string, RunRow>, row: RunRow): void => {
  const known = runs.get(row.run_id)
  if (known === undefined) {
    runs.set(row.run_id, row)
    return
  }
  // J1: what one row leaves open the other fills; the status of the end wins over `running`.
  const [start, end] = row.ended_at_ms === null ? [row, known] : [known, row]
  runs.set(row.run_id, {
    ...end,
    plan_hash: start.plan_hash ?? end.plan_hash,
    request_id: start.request_id ?? end.request_id,
    source: start.source ?? end.source,
    priority: start.priority ?? end.priority,
    labels: start.labels ?? end.labels,
    started_at_ms: start.started_at_ms ?? end.started_at_ms,
  })
}

type StepData =
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

const dispatchedRow = (data: Data<'journal.step.dispatched'>): StepRow =>
  stepRow(data, { status: 'dispatched', attempt: data.attempt }, { dispatchedAtMs: data.atMs, untilMs: data.leaseUntilMs })

/** The attempt is the last part of its id. */
const waitingRow = ({ attemptId, untilMs, reason, fault, ...data }: Data<'journal.step.waiting'>): StepRow => {
  const attempt = Number(attemptId.slice(attemptId.lastIndexOf('/') + 1)) || 1
  const known = { untilMs, reason, errorMessage: messageOf(fault) }
  return stepRow({ attemptId, untilMs, reason, ...data }, { status: 'waiting', attempt, error_code: fault?.code ?? null }, known)
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
    tries,
    failedOver,
    repaired,
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
    tries,
    failedOver,
    repaired,
    contentRef,
  }
}

const keepStep = (steps: Map<string, StepRow>, row: StepRow): void => {
  steps.set(`${row.run_id}/${row.seq}`, row) // J2
}

/** Whether this state ends the attempt. */
export const isClosed = ({ status }: { status: StepRow['status'] }): boolean => status === 'completed' || status === 'failed'

const attemptKey = ({ run_id, path, attempt }: StepRow): string => `${run_id}/${path}/${attempt}`

// J3
const withoutClosed = (rows: readonly StepRow[]): readonly StepRow[] => {
  const closedAt = new Map<string, number>()
  for (const row of rows) if (isClosed(row)) closedAt.set(attemptKey(row), Math.max(row.seq, closedAt.get(attemptKey(row)) ?? 0))
  if (closedAt.size === 0) return rows
  return rows.filter((row) => isClosed(row) || row.seq > (closedAt.get(attemptKey(row)) ?? -1))
}

type Told = Extract<TracedEvent['message'], { name: `review.${string}` | 'journal.step.decided' | 'journal.answer.ignored' }>

const eventRow = ({ id, tenant, atMs, message }: TracedEvent): EventRow => {
  // The caller handled every other name.
  const told = message as Told
  return {
    at_ms: atMs,
    tenant,
    run_id: told.data.runId,
    id,
    name: told.name,
    path: null,
    attempt_id: null,
    made_by: null,
    ...toldColumns(told),
  }
}

const detailOf = (detail: Readonly<Record<string, unknown>>): string => {
  const text = JSON.stringify(detail)
  return text.length <= DETAIL_CHARS_MAX ? text : JSON.stringify({ omitted: text.length })
}

// J4: the output of a decision stays out; who decided what, and why, is in.
const toldColumns = (told: Told): Pick<EventRow, 'detail'> & Partial<EventRow> => {
  switch (told.name) {
    case 'journal.step.decided': {
      const { path, kind, chosen, seq, detail } = told.data
      return { path, detail: detailOf({ kind, chosen, seq, ...(detail === undefined ? {} : { detail }) }) }
    }
    case 'journal.answer.ignored': {
      const { attemptId, reason, costMicroUsd } = told.data
      return { attempt_id: attemptId, detail: detailOf({ reason, costMicroUsd }) }
    }
    case 'review.requested': {
      const { path, attemptId, taskId, queue, priority, dueAtMs } = told.data
      return { path, attempt_id: attemptId, detail: detailOf({ taskId, queue, priority, dueAtMs }) }
    }
    case 'review.claimed': {
      const { taskId, by, untilMs } = told.data
      return { made_by: by, detail: detailOf({ taskId, untilMs }) }
    }
    case 'review.decided': {
      const { attemptId, taskId, verdict, by, reason } = told.data
      return {
        attempt_id: attemptId,
        made_by: by,
        detail: detailOf({ taskId, verdict, ...(reason === undefined ? {} : { reason: cut(reason, MESSAGE_CHARS_MAX) }) }),
      }
    }
    case 'review.expired': {
      const { attemptId, taskId, dueAtMs } = told.data
      return { attempt_id: attemptId, detail: detailOf({ taskId, dueAtMs }) }
    }
  }
}
