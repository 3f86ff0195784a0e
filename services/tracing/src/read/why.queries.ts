// What is looked at to say why a run stands where it stands.
import type { Database } from '@baton/store'
import { openSteps } from './open-steps.queries.ts'
import type { OpenStep, RunView } from './run-view.ts'
import { reasonsOf, type FailedStep, type Reason } from './why.policy.ts'

/** Steps that failed last, looked at for the one that the fault comes from. */
const FAILED_MAX = 100
const TASKS_MAX = 200
const CONTROLS_MAX = 20

type Run = { readonly tenant: string; readonly runId: string }

/** Why an open or failed run stands where it stands. */
export const runReasons = async (db: Database, { run, open }: { run: RunView; open: readonly OpenStep[] }): Promise<readonly Reason[]> => {
  const [failed, stoodAt, tasks, cancelledBy] = await Promise.all([
    run.status === 'failed' ? failedSteps(db, run) : [],
    run.status === 'failed' ? openSteps(db, [run]) : open,
    open.some(({ kind }) => kind === 'human') ? tasksOf(db, run) : new Map<string, string>(),
    run.status === 'cancelled' ? whoCancelled(db, run) : null,
  ])
  return reasonsOf({ run, open: stoodAt, failed, tasks, cancelledBy })
}

const failedSteps = async (db: Database, { tenant, runId }: Run): Promise<readonly FailedStep[]> => {
  const { rows } = await db.query<FailedStep>(
    `select s.path, s.kind, s.seq, s.error_code as code, s.facts::json ->> 'errorMessage' as message,
       (select o.facts::json ->> 'childRunId' from trace_steps o where o.run_id = s.run_id and o.tenant = s.tenant and o.path = s.path
         and o.status = 'opened' and o.seq < s.seq order by o.seq desc limit 1) as "childRunId"
     from (select * from trace_steps where run_id = $1 and tenant = $2 and status = 'failed' and not starts_with(path, 'undo/')
       order by seq desc limit ${FAILED_MAX}) as s order by s.seq desc`,
    [runId, tenant],
  )
  return rows
}

const tasksOf = async (db: Database, { tenant, runId }: Run): Promise<ReadonlyMap<string, string>> => {
  const { rows } = await db.query<{ path: string; taskId: string }>(
    `select path, detail::json ->> 'taskId' as "taskId" from trace_events
     where run_id = $1 and tenant = $2 and name = 'review.requested' and path is not null order by at_ms desc limit ${TASKS_MAX}`,
    [runId, tenant],
  )
  return new Map(rows.toReversed().map(({ path, taskId }) => [path, taskId])) // the newest task of a path counts
}

const whoCancelled = async (db: Database, run: Run): Promise<string | null> =>
  (await runControls(db, run)).find(({ action }) => action === 'cancelled')?.by ?? null

/** That somebody paused, resumed, changed or cancelled the run, or ran it again, or was refused. */
export type RunControl = { readonly atMs: number; readonly action: string; readonly by: string; readonly detail: unknown }

/** Newest first. */
export const runControls = async (db: Database, { tenant, runId }: Run): Promise<readonly RunControl[]> => {
  const { rows } = await db.query<{ atMs: string; by: string; detail: string }>(
    `select at_ms as "atMs", made_by as "by", detail from trace_events
     where run_id = $1 and tenant = $2 and name = 'journal.run.controlled' order by at_ms desc, (detail::json ->> 'seq')::int desc limit ${CONTROLS_MAX}`,
    [runId, tenant],
  )
  return rows.map(({ atMs, by, detail }) => {
    // The detail was written by `trace-rows.policy.ts` as the JSON of an object.
    const { action, detail: told, fields } = JSON.parse(detail) as { action?: string; detail?: unknown; fields?: unknown }
    return { atMs: Number(atMs), action: action ?? '', by, detail: told ?? fields ?? null }
  })
}
