// Reads of runs. Every query names the tenant; lists walk an index by time and stop at the page's end.
import type { Json } from '@baton/contracts'
import type { Database, Param } from '@baton/store'
import { RUN_FIELDS, resultJson, runView, type OpenStep, type RunRecord, type RunView, type StoredResult } from './run-view.ts'
import type { RunPlace } from './cursor.ts'

export type RunFilter = {
  readonly tenant: string
  readonly flow?: string | undefined
  readonly status?: RunView['status'] | 'open' | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly after?: RunPlace | undefined
  readonly limit: number
}

// Open states that no later end of the same attempt has closed.
const OPEN_STEPS = `from trace_steps s where s.run_id = r.run_id and s.tenant = r.tenant and s.status in ('dispatched', 'waiting')
  and not exists (select from trace_steps e where e.run_id = s.run_id and e.tenant = s.tenant and e.path = s.path and e.attempt = s.attempt
    and e.seq > s.seq and e.status in ('completed', 'failed'))`
const FOR_PERSON = `exists (select ${OPEN_STEPS} and s.kind = 'human')`

const statusCondition = (status: NonNullable<RunFilter['status']>): string => {
  switch (status) {
    case 'completed':
      return `r.status = 'completed'`
    case 'failed':
    case 'cancelled':
      return `r.status <> 'completed' and r.status = '${status}'`
    case 'open':
      return `r.status <> 'completed' and r.status = 'running'`
    case 'waiting':
      return `r.status <> 'completed' and r.status = 'running' and ${FOR_PERSON}`
    case 'running':
      return `r.status <> 'completed' and r.status = 'running' and not ${FOR_PERSON}`
  }
}

/** Runs, newest first. */
export const listRuns = async (db: Database, filter: RunFilter): Promise<readonly RunView[]> => {
  const params: Param[] = []
  const bind = (value: Param): string => `$${params.push(value)}`
  const where = [`r.tenant = ${bind(filter.tenant)}`]
  if (filter.flow !== undefined) where.push(`r.flow = ${bind(filter.flow)}`)
  if (filter.status !== undefined) where.push(statusCondition(filter.status))
  if (Object.keys(filter.labels).length > 0)
    where.push(`r.labels <> '{}'::jsonb and r.labels @> ${bind(JSON.stringify(filter.labels))}::jsonb`)
  if (filter.after !== undefined) {
    const { requestedAtMs, runId } = filter.after
    where.push(`(r.requested_at_ms, r.run_id) < (${bind(requestedAtMs)}::bigint, ${bind(runId)})`)
  }
  const { rows } = await db.query<RunRecord>(
    `select ${RUN_FIELDS} from trace_runs r where ${where.join(' and ')} order by r.requested_at_ms desc, r.run_id desc limit ${bind(filter.limit)}`,
    params,
  )
  return withOpenSteps(db, rows)
}

/** One run; undefined when the tenant has none of this id. */
export const findRun = async (db: Database, { tenant, runId }: { tenant: string; runId: string }): Promise<RunView | undefined> => {
  const { rows } = await db.query<RunRecord>(
    `select ${RUN_FIELDS} from trace_runs r where r.run_id = $1 and r.tenant = $2 limit 1`,
    [runId, tenant],
    { name: 'run-find' },
  )
  return (await withOpenSteps(db, rows))[0]
}

/** The result as it was published; undefined while there is none. */
export const findResult = async (db: Database, { tenant, runId }: { tenant: string; runId: string }): Promise<Json | undefined> => {
  const { rows } = await db.query<StoredResult>('select body from trace_results where run_id = $1 and tenant = $2', [runId, tenant], {
    name: 'run-result',
  })
  return rows[0] === undefined ? undefined : resultJson(rows[0])
}

const withOpenSteps = async (db: Database, rows: readonly RunRecord[]): Promise<readonly RunView[]> => {
  const open = rows.filter(({ status }) => status === 'running')
  const steps = open.length === 0 ? [] : await openSteps(db, open)
  return rows.map((row) =>
    runView(
      row,
      steps.filter(({ runId }) => runId === row.runId),
    ),
  )
}

const openSteps = async (db: Database, runs: readonly RunRecord[]): Promise<readonly OpenStep[]> => {
  const { rows } = await db.query<OpenStep>(
    `select distinct on (r.run_id, o.path, o.attempt) r.run_id as "runId", o.path, o.kind, o.status, (o.facts::json) ->> 'reason' as reason, o.error_code as "errorCode"
     from unnest($1::text[], $2::text[]) as r(run_id, tenant) cross join lateral (select s.* ${OPEN_STEPS}) as o
     order by r.run_id, o.path, o.attempt, o.seq desc`,
    [runs.map(({ runId }) => runId), runs.map(({ tenant }) => tenant)],
  )
  return rows
}
