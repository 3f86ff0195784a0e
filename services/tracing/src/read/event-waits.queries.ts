// Who waits for an event by a key.
import type { Database } from '@baton/store'
import { openSteps } from './open-steps.queries.ts'

/** Waits looked at for one event, the oldest first. */
const WAITS_MAX = 100

export type EventWait = { readonly runId: string; readonly rootRunId: string; readonly path: string }

/** Steps that wait for it now, in the order in which they began to. */
export const eventWaits = async (
  db: Database,
  { tenant, event, key }: { tenant: string; event: string; key: string },
): Promise<readonly EventWait[]> => {
  const { rows } = await db.query<EventWait & { ended: boolean }>(
    `select w.run_id as "runId", w.path, coalesce(r.root_run_id, w.run_id) as "rootRunId", r.ended_at_ms is not null as ended
     from trace_waits w left join trace_runs r on r.run_id = w.run_id and r.tenant = w.tenant
     where w.tenant = $1 and w.event = $2 and w.key = $3 order by w.at_ms, w.run_id limit ${WAITS_MAX}`,
    [tenant, event, key],
  )
  const waits = rows.filter(({ ended }) => !ended)
  const runs = [...new Set(waits.map(({ runId }) => runId))].map((runId) => ({ runId, tenant }))
  const open = new Set((await openSteps(db, runs)).map(({ runId, path }) => `${runId} ${path}`))
  return waits.filter(({ runId, path }) => open.has(`${runId} ${path}`)).map(({ runId, rootRunId, path }) => ({ runId, rootRunId, path }))
}
