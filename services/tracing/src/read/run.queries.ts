// Reads of runs. Every query names the tenant; lists walk an index by time and stop at the page's end.
import type { Json } from '@baton/contracts'
import type { Database, Param } from '@baton/store'
import { FROM_RUNS, RUN_FIELDS, resultJson, runView, type OpenStep, type RunRecord, type RunView, type StoredResult } from './run-view.ts'
import type { RunPlace } from './cursor.ts'
import { openSteps } from './open-steps.queries.ts'

export type RunFilter = {
  readonly tenant: string
  readonly flow?: string | undefined
  readonly status?: RunView['status'] | 'open' | undefined
  readonly labels: Readonly<Record<string, string>>
  /** Only runs of this tree, the one at its top included. */
  readonly root?: string | undefined
  /** Only runs that steps of this one started, or that run it again. */
  readonly parent?: string | undefined
  readonly after?: RunPlace | undefined
  readonly limit: number
}

// Open states that no later end has closed: of the same attempt, of the composed step itself, or of a step around it. Time never goes
// back within a run, so a later end is in a later partition.
const STILL_OPEN = `not exists (select from trace_steps e where e.run_id = s.run_id and e.tenant = s.tenant and e.at_ms >= s.at_ms and e.seq > s.seq
    and e.status in ('completed', 'failed') and ((e.path = s.path and (e.attempt = s.attempt or s.status = 'opened'))
      or starts_with(s.path, e.path || '/') or starts_with(s.path, e.path || '[')))`
const OPEN_STEPS = `from trace_steps s where s.run_id = r.run_id and s.tenant = r.tenant and s.status in ('opened', 'dispatched', 'waiting') and ${STILL_OPEN}`
const IDLE = `exists (select ${OPEN_STEPS} and s.kind in ('human', 'event', 'wait'))`
const PAUSED = `exists (select from trace_holds h where h.run_id = r.run_id and h.tenant = r.tenant and h.paused)`

const statusCondition = (status: NonNullable<RunFilter['status']>): string => {
  switch (status) {
    case 'completed':
      return `r.status = 'completed'`
    case 'failed':
    case 'cancelled':
      return `r.status <> 'completed' and r.status = '${status}'`
    case 'open':
      return `r.status <> 'completed' and r.status = 'running'`
    case 'paused':
      return `r.status <> 'completed' and r.status = 'running' and ${PAUSED}`
    case 'waiting':
      return `r.status <> 'completed' and r.status = 'running' and not ${PAUSED} and ${IDLE}`
    case 'running':
      return `r.status <> 'completed' and r.status = 'running' and not ${PAUSED} and not ${IDLE}`
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
  if (filter.root !== undefined) {
    const root = bind(filter.root)
    where.push(`(r.root_run_id = ${root} or r.run_id = ${root})`)
  }
  if (filter.parent !== undefined) where.push(`r.parent_run_id = ${bind(filter.parent)}`)
  if (filter.after !== undefined) {
    const { requestedAtMs, runId } = filter.after
    where.push(`(r.requested_at_ms, r.run_id) < (${bind(requestedAtMs)}::bigint, ${bind(runId)})`)
  }
  const { rows } = await db.query<RunRecord>(
    `select ${RUN_FIELDS} ${FROM_RUNS} where ${where.join(' and ')} order by r.requested_at_ms desc, r.run_id desc limit ${bind(filter.limit)}`,
    params,
  )
  return withOpenSteps(db, rows)
}

/** One run with its steps in progress; undefined when the tenant has none of this id. */
export const findRun = async (
  db: Database,
  { tenant, runId }: { tenant: string; runId: string },
): Promise<{ readonly run: RunView; readonly open: readonly OpenStep[] } | undefined> => {
  const { rows } = await db.query<RunRecord>(
    `select ${RUN_FIELDS} ${FROM_RUNS} where r.run_id = $1 and r.tenant = $2 limit 1`,
    [runId, tenant],
    { name: 'run-find' },
  )
  const [row] = rows
  if (row === undefined) return undefined
  const open = row.status === 'running' ? await openSteps(db, [row]) : []
  return { run: runView(row, open), open }
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

/** What a list of the runs around a run shows of each. */
export type RelatedRun = {
  readonly runId: string
  readonly flow: string
  readonly version: string
  readonly status: RunView['status']
  readonly requestedAtMs: number
  readonly latencyMs: number | null
  readonly costUsd: number
  readonly fault: RunView['fault']
  readonly rerunOf: string | null
}

/** Runs that steps of a run started, and those that run it again, oldest first. */
export const relatedRuns = async (
  db: Database,
  { tenant, runId, max }: { tenant: string; runId: string; max: number },
): Promise<readonly RelatedRun[]> => {
  const { rows } = await db.query<RunRecord>(
    `select ${RUN_FIELDS} ${FROM_RUNS} where r.tenant = $1 and (r.parent_run_id = $2 or r.rerun_of = $2) order by r.requested_at_ms, r.run_id limit ${max}`,
    [tenant, runId],
  )
  return rows.map((row) => {
    const { flow, version, status, requestedAtMs, latencyMs, costUsd, fault, rerunOf, runId: id } = runView(row, [])
    return { runId: id, flow, version, status, requestedAtMs, latencyMs, costUsd, fault, rerunOf }
  })
}
