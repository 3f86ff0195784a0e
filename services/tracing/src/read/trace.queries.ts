// The steps and events of runs. Of steps only what the tree needs is read of all of them, packed as one text; the rest of what is known
// is read of those that are shown.
import type { Database } from '@baton/store'
import type { StepFacts, StepStatus } from '../storage/rows.ts'
import type { StepDetails, StepState } from './step-attempts.policy.ts'
import type { Decision } from './step-tree.policy.ts'
import { usd } from './run-view.ts'

type Run = { readonly tenant: string; readonly runId: string }

/** Of one run, or of the part of it at and below a place. */
export type StatesQuery = {
  readonly tenant: string
  readonly runIds: readonly string[]
  readonly under?: string | undefined
  readonly rowsMax: number
}
type PackedState = [
  path: string,
  attempt: number,
  seq: number,
  kind: string,
  status: StepStatus,
  atMs: number,
  dispatchedAtMs: number | null,
  latencyMs: number | null,
  costMicroUsd: number | null,
  error: string | null,
  opened: StepFacts | null,
]
type PackedDecision = [path: string, atMs: number, seq: number | null, kind: string, chosen: string]

const BELOW = `($3::text is null or t.path = $3 or starts_with(t.path, $3 || '/') or starts_with(t.path, $3 || '['))`

/** Every state that was seen of every attempt, by run; of each run at most `rowsMax`. */
export const stepStates = async (db: Database, query: StatesQuery): Promise<ReadonlyMap<string, readonly StepState[]>> => {
  const { tenant, runIds, under, rowsMax } = query
  const { rows } = await db.query<{ runId: string; states: string }>(
    `select r.run_id as "runId", s.states from unnest($1::text[]) as r(run_id) cross join lateral (
       select coalesce(json_agg(json_build_array(path, attempt, seq, kind, status, at_ms,
         case when status in ('completed', 'failed') then (facts::json ->> 'dispatchedAtMs')::bigint when status = 'dispatched' then at_ms end,
         latency_ms, cost_micro_usd, error_code, case when status = 'opened' then facts::json end)), '[]')::text as states
       from (select * from trace_steps t where t.run_id = r.run_id and t.tenant = $2 and ${BELOW} order by t.seq limit ${rowsMax}) as t
     ) as s`,
    [runIds, tenant, under ?? null],
  )
  // Packed by the statement above.
  return new Map(rows.map(({ runId, states }) => [runId, (JSON.parse(states) as PackedState[]).map(stateOf)]))
}

const stateOf = (packed: PackedState): StepState => {
  const [path, attempt, seq, kind, status, atMs, dispatchedAtMs, latencyMs, costMicroUsd, error, opened] = packed
  const told = { ...opened, costUsd: usd(costMicroUsd ?? 0), error }
  return { path, attempt, seq, kind, status, atMs, dispatchedAtMs: opened === null ? dispatchedAtMs : atMs, latencyMs, details: told }
}

/** What switches, gates and handlers chose, by run. */
export const decisionsOf = async (db: Database, query: StatesQuery): Promise<ReadonlyMap<string, readonly Decision[]>> => {
  const { tenant, runIds, under, rowsMax } = query
  const { rows } = await db.query<{ runId: string; decisions: string }>(
    `select r.run_id as "runId", d.decisions from unnest($1::text[]) as r(run_id) cross join lateral (
       select coalesce(json_agg(json_build_array(path, at_ms, detail::json -> 'seq', detail::json -> 'kind', detail::json -> 'chosen')), '[]')::text
         as decisions
       from (select * from trace_events t where t.run_id = r.run_id and t.tenant = $2 and t.name = 'journal.step.decided' and t.path is not null
         and ${BELOW} limit ${rowsMax}) as t
     ) as d`,
    [runIds, tenant, under ?? null],
  )
  return new Map(rows.map(({ runId, decisions }) => [runId, (JSON.parse(decisions) as PackedDecision[]).map(decisionOf)]))
}

const decisionOf = ([path, atMs, seq, kind, chosen]: PackedDecision): Decision => ({ path, atMs, seq: seq ?? 0, kind, chosen })

/** All that is known of some states, by run and `seq`. */
export const stepDetails = async (
  db: Database,
  { tenant, states }: { tenant: string; states: readonly { readonly runId: string; readonly seq: number }[] },
): Promise<ReadonlyMap<string, StepDetails>> => {
  if (states.length === 0) return new Map()
  const { rows } = await db.query<{
    runId: string
    seq: number
    model: string | null
    costMicroUsd: string | null
    errorCode: string | null
    facts: string
  }>(
    `select s.run_id as "runId", s.seq, s.model, s.cost_micro_usd as "costMicroUsd", s.error_code as "errorCode", s.facts
     from unnest($1::text[], $2::int[]) as w(run_id, seq) join trace_steps s on s.run_id = w.run_id and s.seq = w.seq and s.tenant = $3`,
    [states.map(({ runId }) => runId), states.map(({ seq }) => seq), tenant],
  )
  return new Map(
    rows.map(({ runId, seq, model, costMicroUsd, errorCode, facts }) => [
      stateKey({ runId, seq }),
      // The facts were written by `trace.repository.ts` as JSON.
      { ...(JSON.parse(facts) as StepFacts), model, costUsd: usd(Number(costMicroUsd ?? 0)), error: errorCode },
    ]),
  )
}

/** Names a state among those of several runs. */
export const stateKey = ({ runId, seq }: { runId: string; seq: number }): string => `${runId}/${seq}`

export type TraceEvent = {
  readonly atMs: number
  readonly name: string
  readonly path: string | null
  readonly attemptId: string | null
  readonly by: string | null
} & Readonly<Record<string, unknown>>

type EventRecord = { atMs: string; name: string; path: string | null; attemptId: string | null; by: string | null; detail: string | null }

/** What happened beside the steps, oldest first: control, events from outside, reviews, ignored answers and decisions, at most `max`. */
export const traceEvents = async (db: Database, { tenant, runId, max }: Run & { max: number }): Promise<readonly TraceEvent[]> => {
  // Decisions are in the tree as well: of very many events they are the ones left out.
  const { rows } = await db.query<EventRecord>(
    `select * from (
       select at_ms as "atMs", id, name, path, attempt_id as "attemptId", made_by as "by", detail from trace_events
       where run_id = $1 and tenant = $2 order by name = 'journal.step.decided', at_ms, id limit ${max}
     ) as e order by "atMs", id`,
    [runId, tenant],
  )
  // The detail was written by `trace-rows.policy.ts` as the JSON of an object.
  return rows.map(({ detail, atMs, name, path, attemptId, by }) => ({
    ...(detail === null ? {} : (JSON.parse(detail) as object)),
    name,
    path,
    attemptId,
    by,
    atMs: Number(atMs),
  }))
}

/** Whether a payload belongs to a run: only what its steps or its result refer to can be read through it. */
export const refersTo = async (db: Database, { tenant, runId, sha256 }: Run & { sha256: string }): Promise<boolean> => {
  const { rows } = await db.query(
    `select 1 from trace_steps where run_id = $1 and tenant = $2 and facts like $3
     union all select 1 from trace_results where run_id = $1 and tenant = $2 and body like $3 limit 1`,
    [runId, tenant, `%"${sha256}"%`],
  )
  return rows.length > 0
}
