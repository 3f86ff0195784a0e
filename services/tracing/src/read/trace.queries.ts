// The steps and events of one run.
import type { Database } from '@baton/store'
import type { StepFacts, StepStatus } from '../storage/rows.ts'
import type { Decision, StepDetails, StepState } from './step-tree.policy.ts'
import { usd } from './run-view.ts'

/** Rows read of one run; a run has at most some thousand steps. */
const ROWS_MAX = 20_000

type Run = { readonly tenant: string; readonly runId: string }

type StepRecord = {
  path: string
  attempt: number
  seq: number
  kind: string
  status: StepStatus
  atMs: string
  model: string | null
  latencyMs: number | null
  costMicroUsd: string | null
  errorCode: string | null
  facts: string
}

const STEP_FIELDS = `path, attempt, seq, kind, status, at_ms as "atMs", model, latency_ms as "latencyMs", cost_micro_usd as "costMicroUsd",
  error_code as "errorCode", facts`

/** Every state that was seen of every attempt. */
export const stepStates = async (db: Database, { tenant, runId }: Run): Promise<readonly StepState[]> => {
  const { rows } = await db.query<StepRecord>(
    `select ${STEP_FIELDS} from trace_steps where run_id = $1 and tenant = $2 order by seq limit ${ROWS_MAX}`,
    [runId, tenant],
    { name: 'trace-steps' },
  )
  return rows.map(stateOf)
}

const stateOf = ({ facts: text, ...row }: StepRecord): StepState => {
  const { path, attempt, seq, kind, status, latencyMs } = row
  const facts = JSON.parse(text) as StepFacts // written by `trace.repository.ts` from such facts
  return {
    path,
    attempt,
    seq,
    kind,
    status,
    atMs: Number(row.atMs),
    dispatchedAtMs: facts.dispatchedAtMs ?? null,
    latencyMs,
    details: detailsOf(row, facts),
  }
}

const detailsOf = (row: Omit<StepRecord, 'facts'>, facts: StepFacts): StepDetails => ({
  ...facts,
  model: row.model,
  costUsd: usd(Number(row.costMicroUsd ?? 0)),
  error: row.errorCode,
})

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
    `select 1 from trace_steps where run_id = $1 and tenant = $2 and facts like $3
     union all select 1 from trace_results where run_id = $1 and tenant = $2 and body like $3 limit 1`,
    [runId, tenant, `%"${sha256}"%`],
  )
  return rows.length > 0
}
