// Events become rows. Whatever comes twice, late or in another order ends in the same trace.
//   J1. A run row holds what the start and the end of the run say; neither overwrites the other, so their order does not matter.
//   J2. A step row is one state of one attempt, named by (run, seq): writing it again changes nothing.
//   J3. Within a batch an open state is left out when the attempt's end is there too: the end says everything.
//   J4. No content: prompts, passages and outputs appear as references only, of a change to a paused run its fields only.
//   J5. What a composed step said when it began is kept beside its end, which does not repeat it.
//   J6. Of pauses and resumptions the newest by `seq` holds.
import { isJsonObject } from '@baton/contracts/json'
import type { Json } from '@baton/contracts'
import type { EventRow, HoldRow, ResultRow, RunRow, StepRow, TraceRows, WaitRow } from '../storage/rows.ts'
import type { TracedEvent } from './journal-event.ts'
import { keepStep, stepRowOf, withoutClosed } from './step-rows.policy.ts'
import { CHARS_MAX, cut, messageOf, type Data } from './told.ts'

/** The rows of a batch of events. */
export const traceRowsOf = (events: readonly TracedEvent[]): TraceRows => {
  const runs = new Map<string, RunRow>()
  const steps = new Map<string, StepRow>()
  const waits: WaitRow[] = []
  const rows: Others = { events: new Map(), results: new Map(), holds: new Map() }
  for (const event of events) {
    const { message } = event
    const step = stepRowOf(message)
    if (step !== undefined) {
      keepStep(steps, step)
      waits.push(...waitsOf(message))
    } else if (message.name === 'journal.run.started') mergeRun(runs, startedRow(message.data))
    else if (message.name === 'journal.run.ended') mergeRun(runs, endedRow(message.data))
    else keepOther(rows, event)
  }
  return {
    runs: [...runs.values()],
    steps: withoutClosed([...steps.values()]),
    events: [...rows.events.values()],
    results: [...rows.results.values()],
    holds: [...rows.holds.values()],
    waits,
  }
}

/** A step that waits for an event by a key. */
const waitsOf = (message: TracedEvent['message']): readonly WaitRow[] => {
  if (message.name !== 'journal.step.opened' || message.data.kind !== 'event' || !isJsonObject(message.data.detail)) return []
  const { runId, tenant, seq, atMs, path, detail } = message.data
  const { event, key } = detail
  if (typeof event !== 'string' || typeof key !== 'string') return []
  return [{ run_id: runId, tenant, seq, at_ms: atMs, path, event, key }]
}

type Others = { events: Map<string, EventRow>; results: Map<string, ResultRow>; holds: Map<string, HoldRow> }

const keepOther = ({ events, results, holds }: Others, event: TracedEvent): void => {
  const { id, tenant, message } = event
  switch (message.name) {
    case 'run.completed':
    case 'run.failed':
    case 'run.cancelled':
      results.set(message.data.runId, { run_id: message.data.runId, tenant, body: JSON.stringify(message.data) })
      break
    case 'run.rejected':
      break // There is no run.
    default:
      if (message.name === 'journal.run.controlled') keepHold(holds, message.data)
      events.set(id, eventRow(event))
  }
}

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
  parent_run_id: null,
  root_run_id: null,
  rerun_of: null,
})

const startedRow = (data: Data<'journal.run.started'>): RunRow => ({
  ...emptyRun(data),
  plan_hash: data.planHash,
  request_id: data.requestId,
  source: data.source,
  priority: data.priority,
  labels: data.labels,
  started_at_ms: data.atMs,
  parent_run_id: data.parentRunId ?? null,
  root_run_id: data.rootRunId ?? null,
  rerun_of: data.rerunOf ?? null,
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
    parent_run_id: start.parent_run_id ?? end.parent_run_id,
    root_run_id: start.root_run_id ?? end.root_run_id,
    rerun_of: start.rerun_of ?? end.rerun_of,
  })
}

const keepHold = (holds: Map<string, HoldRow>, { action, runId, tenant, seq, atMs, by }: Data<'journal.run.controlled'>): void => {
  if (action !== 'paused' && action !== 'resumed') return
  if ((holds.get(runId)?.seq ?? -1) < seq)
    holds.set(runId, { run_id: runId, tenant, seq, at_ms: atMs, paused: action === 'paused', made_by: by }) // J6
}

type Told = Extract<
  TracedEvent['message'],
  { name: `review.${string}` | 'journal.step.decided' | 'journal.answer.ignored' | 'journal.run.controlled' | 'journal.event.received' }
>

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
  return text.length <= CHARS_MAX.detail ? text : JSON.stringify({ omitted: text.length })
}

/** J4: what a change sets is content; which fields it sets is not. */
const controlDetail = (action: Data<'journal.run.controlled'>['action'], detail: Json | undefined): Readonly<Record<string, unknown>> => {
  if (detail === undefined) return {}
  if (action !== 'patched') return { detail }
  const groups = isJsonObject(detail) ? Object.entries(detail) : []
  return { fields: groups.flatMap(([group, changed]) => namesIn(changed).map((name) => `${group}.${name}`)) }
}

const namesIn = (changed: Json): readonly string[] =>
  Array.isArray(changed) ? changed.filter((name) => typeof name === 'string') : isJsonObject(changed) ? Object.keys(changed) : []

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
    case 'journal.run.controlled': {
      const { action, by, seq, detail } = told.data
      return { made_by: by, detail: detailOf({ action, seq, ...controlDetail(action, detail) }) }
    }
    case 'journal.event.received': {
      const { path, eventId, event, seq } = told.data
      return { path: path ?? null, detail: detailOf({ event, eventId, seq }) }
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
        detail: detailOf({ taskId, verdict, ...(reason === undefined ? {} : { reason: cut(reason, CHARS_MAX.message) }) }),
      }
    }
    case 'review.expired': {
      const { attemptId, taskId, dueAtMs } = told.data
      return { attempt_id: attemptId, detail: detailOf({ taskId, dueAtMs }) }
    }
  }
}
