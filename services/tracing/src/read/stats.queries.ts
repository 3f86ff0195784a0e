// Figures of flows over time, computed where the rows are.
import type { Database, Param } from '@baton/store'
import { usd } from './run-view.ts'

export type FlowStats = {
  readonly flow: string
  readonly runs: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  readonly open: number
  readonly escalated: number
  /** Of the runs that ended, 0 to 1; null when none did. */
  readonly completionRate: number | null
  /** Of all runs, 0 to 1. */
  readonly escalationRate: number
  readonly meanLatencyMs: number
  readonly p95LatencyMs: number
  /** Without the time people were waited for. */
  readonly meanWorkingMs: number
  readonly costUsd: number
  readonly meanCostUsd: number
}

type Row = {
  flow: string
  runs: string
  completed: string
  failed: string
  cancelled: string
  open: string
  escalated: string
  meanLatencyMs: number | null
  p95LatencyMs: number | null
  meanWorkingMs: number | null
  costMicroUsd: string | null
}

/** Of the runs requested from `sinceMs` on, by flow. Latencies are those of ended runs. */
export const flowStats = async (
  db: Database,
  { tenant, flow, sinceMs }: { tenant: string; flow?: string | undefined; sinceMs: number },
): Promise<readonly FlowStats[]> => {
  const params: Param[] = flow === undefined ? [tenant, sinceMs] : [tenant, sinceMs, flow]
  const { rows } = await db.query<Row>(
    `select flow, count(*) as runs, count(*) filter (where status = 'completed') as completed, count(*) filter (where status = 'failed') as failed,
       count(*) filter (where status = 'cancelled') as cancelled, count(*) filter (where status = 'running') as open,
       count(*) filter (where escalated) as escalated, avg(latency_ms) as "meanLatencyMs",
       percentile_cont(0.95) within group (order by latency_ms) as "p95LatencyMs", avg(working_ms) as "meanWorkingMs",
       sum(cost_micro_usd)::text as "costMicroUsd"
     from trace_runs where tenant = $1 and requested_at_ms >= $2::bigint ${flow === undefined ? '' : 'and flow = $3'}
     group by flow order by flow`,
    params,
  )
  return rows.map(statsOf)
}

const statsOf = (row: Row): FlowStats => {
  const [runs, completed, failed, cancelled, open, escalated] = [
    row.runs,
    row.completed,
    row.failed,
    row.cancelled,
    row.open,
    row.escalated,
  ].map(Number) as [number, number, number, number, number, number]
  const ended = completed + failed + cancelled
  const costUsd = usd(Number(row.costMicroUsd ?? 0))
  return {
    flow: row.flow,
    runs,
    completed,
    failed,
    cancelled,
    open,
    escalated,
    completionRate: ended === 0 ? null : completed / ended,
    escalationRate: escalated / runs,
    meanLatencyMs: row.meanLatencyMs ?? 0,
    p95LatencyMs: row.p95LatencyMs ?? 0,
    meanWorkingMs: row.meanWorkingMs ?? 0,
    costUsd,
    meanCostUsd: ended === 0 ? 0 : costUsd / ended,
  }
}
