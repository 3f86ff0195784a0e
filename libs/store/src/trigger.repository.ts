// What is remembered of triggers. What they are stands in the plan that the alias `stable` points to; a row follows it.
//   T1. The rows of a flow change together, and only to what its alias points to at that moment: an older view changes nothing.
//   T2. A due time is claimed by one gateway, and gone when it was handled; a claim that nobody follows up on ends.
//   T3. A method and path belong to the flow that had them first.
import type { Database, Queryable } from './database.ts'
import type { TriggerRow, TriggerStore } from './ports.ts'

type Row = Omit<TriggerRow, 'nextDueMs' | 'lastRunAtMs' | 'lastErrorAtMs'> & {
  readonly nextDueMs: string | null
  readonly lastRunAtMs: string | null
  readonly lastErrorAtMs: string | null
}

const COLUMNS = `id, tenant, flow, plan_hash as "planHash", kind, subject, paused, next_due_ms as "nextDueMs", begins_at as "beginsAt",
  last_run_id as "lastRunId", (extract(epoch from last_run_at) * 1000)::bigint as "lastRunAtMs",
  last_error as "lastError", (extract(epoch from last_error_at) * 1000)::bigint as "lastErrorAtMs"`

/** Alias whose plans have triggers that are in force. */
const ALIAS = 'stable'
const STABLE = `flow_aliases a join flow_versions v using (tenant, flow, version) where a.alias = '${ALIAS}'`

/** Triggers over the database. */
export const triggerRepository = (db: Database): TriggerStore => ({
  stable: async () => {
    const { rows } = await db.query<{ tenant: string; flow: string; hash: string }>(
      `select tenant, flow, v.hash from ${STABLE} order by a.moved_at, flow`,
      [],
      { name: 'trigger-stable' },
    )
    return rows
  },
  list: async (tenant) => {
    const { rows } = await db.query<Row>(
      `select ${COLUMNS} from flow_triggers where $1::text is null or tenant = $1 order by tenant, flow, kind, subject, id`,
      [tenant ?? null],
    )
    return rows.map(fromRow)
  },
  sync: (flow) => db.transaction((tx) => sync(tx, flow)),
  begin: async ({ id, beginsAt }) => {
    const { rows } = await db.query<Pick<TriggerRow, 'beginsAt'>>(
      'update flow_triggers set begins_at = coalesce(begins_at, $2::jsonb) where id = $1 returning begins_at as "beginsAt"',
      [id, JSON.stringify(beginsAt)],
    )
    return rows[0]?.beginsAt ?? undefined
  },
  schedule: async ({ id, nextDueMs }) => {
    await db.query('update flow_triggers set next_due_ms = $2 where id = $1 and next_due_ms is null', [id, nextDueMs])
  },
  claim: async ({ id, planHash, dueMs, leaseMs }) => {
    const { rowCount } = await db.query(
      `update flow_triggers set claimed_until = now() + make_interval(secs => $4::float8 / 1000)
       where id = $1 and plan_hash = $2 and next_due_ms = $3 and not paused and (claimed_until is null or claimed_until < now())`,
      [id, planHash, dueMs, leaseMs],
    ) // T2
    return rowCount > 0
  },
  advance: async ({ id, dueMs, nextDueMs, lastRunId, lastError }) => {
    const { rowCount } = await db.query(
      `update flow_triggers set next_due_ms = $3, claimed_until = null,
         last_run_id = coalesce($4, last_run_id), last_run_at = case when $4::text is null then last_run_at else now() end,
         last_error = $5, last_error_at = case when $5::text is null then null else now() end
       where id = $1 and next_due_ms = $2`,
      [id, dueMs, nextDueMs, lastRunId ?? null, lastError ?? null],
    ) // T2
    return rowCount > 0
  },
  note: async ({ id, lastRunId, lastError }) => {
    await db.query(
      `update flow_triggers set
         last_run_id = coalesce($2, last_run_id), last_run_at = case when $2::text is null then last_run_at else now() end,
         last_error = coalesce($3, last_error), last_error_at = case when $3::text is null then last_error_at else now() end
       where id = $1`,
      [id, lastRunId ?? null, lastError ?? null],
    )
  },
  pause: async ({ id, tenant, paused, by }) => {
    const { rowCount } = await db.query(
      // What was due meanwhile is not made up for.
      `update flow_triggers set paused = $3, paused_by = $4, next_due_ms = case when paused and not $3 then null else next_due_ms end
       where id = $1 and tenant = $2`,
      [id, tenant, paused, by],
    )
    return rowCount > 0
  },
})

const numberOrNull = (value: string | null): number | null => (value === null ? null : Number(value))

const fromRow = (row: Row): TriggerRow => ({
  ...row,
  nextDueMs: numberOrNull(row.nextDueMs),
  lastRunAtMs: numberOrNull(row.lastRunAtMs),
  lastErrorAtMs: numberOrNull(row.lastErrorAtMs),
})

const sync = async (tx: Queryable, { tenant, flow, hash, triggers }: Parameters<TriggerStore['sync']>[0]): Promise<boolean> => {
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 4711012))', [tenant]) // T1, T3: of a tenant, as paths are
  const { rows } = await tx.query<{ hash: string }>(`select v.hash from ${STABLE} and tenant = $1 and flow = $2`, [tenant, flow])
  if ((rows[0]?.hash ?? null) !== hash) return false // T1
  await tx.query('delete from flow_triggers where tenant = $1 and flow = $2 and not (id = any($3::text[]))', [
    tenant,
    flow,
    triggers.map(({ id }) => id),
  ])
  for (const { id, kind, subject } of triggers)
    await tx.query(
      `insert into flow_triggers (id, tenant, flow, plan_hash, kind, subject)
       select $1, $2, $3, $4, $5, $6
       where $5 <> 'http' or not exists (select 1 from flow_triggers where tenant = $2 and kind = 'http' and subject = $6 and id <> $1)
       on conflict (id) do update set plan_hash = excluded.plan_hash`,
      [id, tenant, flow, hash, kind, subject],
    ) // T3
  return true
}
