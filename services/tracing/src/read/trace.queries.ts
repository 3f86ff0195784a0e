// The steps and events of one run.
import type { PayloadRef } from '@baton/contracts'
import type { Database } from '@baton/store'
import type { StepStatus } from '../storage/rows.ts'
import type { Decision, StepDetails, StepState } from './step-tree.policy.ts'
import { usd } from './run-view.ts'

/** Rows read of one run; a run has at most some thousand steps. */
const ROWS_MAX = 20_000

type Run = { readonly tenant: string; readonly runId: string }

type StepRecord = {
  path: string
  attempt: number
  seq: number
  node: string
  kind: string
  status: StepStatus
  atMs: string
  dispatchedAtMs: string | null
  untilMs: string | null
  reason: string | null
  latencyMs: number | null
  queuedMs: number | null
  by: string | null
  model: string | null
  provider: string | null
  tool: string | null
  inputChars: number | null
  outputChars: number | null
  inputTokens: number | null
  outputTokens: number | null
  costMicroUsd: string | null
  confidence: number | null
  tries: number | null
  failedOver: string | null
  repaired: boolean | null
  errorCode: string | null
  errorMessage: string | null
  deadLettered: boolean | null
  contentRef: string | null
  outputRef: string | null
}

const STEP_FIELDS = `path, attempt, seq, node, kind, status, at_ms as "atMs", dispatched_at_ms as "dispatchedAtMs", until_ms as "untilMs", reason,
  latency_ms as "latencyMs", queued_ms as "queuedMs", made_by as "by", model, provider, tool, input_chars as "inputChars",
  output_chars as "outputChars", input_tokens as "inputTokens", output_tokens as "outputTokens", cost_micro_usd as "costMicroUsd",
  confidence, tries, failed_over as "failedOver", repaired, error_code as "errorCode", error_message as "errorMessage",
  dead_lettered as "deadLettered", content_ref as "contentRef", output_ref as "outputRef"`

/** Every state that was seen of every attempt. */
export const stepStates = async (db: Database, { tenant, runId }: Run): Promise<readonly StepState[]> => {
  const { rows } = await db.query<StepRecord>(
    `select ${STEP_FIELDS} from trace_steps where run_id = $1 and tenant = $2 order by seq limit ${ROWS_MAX}`,
    [runId, tenant],
    { name: 'trace-steps' },
  )
  return rows.map(stateOf)
}

const number = (text: string | null): number | null => (text === null ? null : Number(text))

const stateOf = (row: StepRecord): StepState => {
  const { path, attempt, seq, node, kind, status, latencyMs } = row
  return {
    path,
    attempt,
    seq,
    node,
    kind,
    status,
    atMs: Number(row.atMs),
    dispatchedAtMs: number(row.dispatchedAtMs),
    latencyMs,
    details: detailsOf(row),
  }
}

const detailsOf = (row: StepRecord): StepDetails => {
  const {
    reason,
    queuedMs,
    by,
    model,
    provider,
    tool,
    inputChars,
    outputChars,
    inputTokens,
    outputTokens,
    confidence,
    tries,
    repaired,
    deadLettered,
    errorMessage,
  } = row
  return {
    reason,
    untilMs: number(row.untilMs),
    queuedMs,
    by,
    model,
    provider,
    tool,
    inputChars,
    outputChars,
    inputTokens,
    outputTokens,
    costUsd: usd(Number(row.costMicroUsd ?? 0)),
    confidence,
    tries,
    failedOver: row.failedOver === null ? [] : (JSON.parse(row.failedOver) as readonly string[]), // written by `trace-rows.policy.ts`
    repaired,
    error: row.errorCode,
    errorMessage,
    deadLettered,
    contentRef: refOf(row.contentRef),
    outputRef: refOf(row.outputRef),
  }
}

/** Written by `trace-rows.policy.ts` as the JSON of a reference. */
const refOf = (text: string | null): PayloadRef | null => (text === null ? null : (JSON.parse(text) as PayloadRef))

export type TraceEvent = {
  readonly atMs: number
  readonly name: string
  readonly path: string | null
  readonly attemptId: string | null
  readonly by: string | null
} & Readonly<Record<string, unknown>>

type EventRecord = { atMs: string; name: string; path: string | null; attemptId: string | null; by: string | null; detail: string | null }

/** Decisions, ignored answers and what happened to reviews, oldest first. */
export const traceEvents = async (db: Database, { tenant, runId }: Run): Promise<readonly TraceEvent[]> => {
  const { rows } = await db.query<EventRecord>(
    `select at_ms as "atMs", name, path, attempt_id as "attemptId", made_by as "by", detail from trace_events
     where run_id = $1 and tenant = $2 order by at_ms, id limit ${ROWS_MAX}`,
    [runId, tenant],
    { name: 'trace-events' },
  )
  // The detail was written by `trace-rows.policy.ts` as the JSON of an object.
  return rows.map(({ detail, atMs, ...event }) => ({
    ...(detail === null ? {} : (JSON.parse(detail) as object)),
    ...event,
    atMs: Number(atMs),
  }))
}

/** The decisions among the events. */
export const decisionsOf = (events: readonly TraceEvent[]): readonly Decision[] =>
  events.flatMap(({ name, path, atMs, kind, chosen, seq }) =>
    name === 'journal.step.decided' && path !== null
      ? [{ path, atMs, seq: Number(seq ?? 0), kind: String(kind), chosen: String(chosen) }]
      : [],
  )

/** Whether a payload belongs to a run: only what its steps or its result refer to can be read through it. */
export const refersTo = async (db: Database, { tenant, runId, sha256 }: Run & { sha256: string }): Promise<boolean> => {
  const { rows } = await db.query(
    `select 1 from trace_steps where run_id = $1 and tenant = $2 and (content_ref like $3 or output_ref like $3)
     union all select 1 from trace_results where run_id = $1 and tenant = $2 and body like $3 limit 1`,
    [runId, tenant, `%"${sha256}"%`],
  )
  return rows.length > 0
}
