// Checkpoints of runs: one statement a batch, the lease checked in the same statement (L3, L4). Runs that ended go to a table of their own.
//   E1. A run is moved as it is, in one statement. Its row is deleted in its newest version or not at all, so a checkpoint beside the
//       move is never lost: before it, it makes the run too young to be moved; after it, it brings the run back.
//   E2. A row of the hot table is newer than any of the ended ones, because only the owner of the run writes it.
//   E3. A move waits for nobody and locks no partition: what a checkpoint is writing it leaves for the next time.
import { Fault } from '@baton/contracts/fault'
import type { Database, Queryable } from './database.ts'
import { touchPayloads } from './payload-marks.ts'
import type { EndedRun, RunRow, RunStore } from './ports.ts'

type Checkpoint = Parameters<RunStore['checkpoint']>[0]

/** Rows of one statement; more go in further statements of the same transaction. */
const ROWS_MAX = 1_000

// Rows travel as arrays without names, which both databases read faster than objects or an array a column.
const INPUT = `input as (
  select r ->> 0 as "runId", r ->> 1 as tenant, (r ->> 2)::int as partition, r ->> 3 as status, (r ->> 4)::bigint as "wakeAtMs",
    (r ->> 5)::bigint as seq, (r ->> 6)::bigint as "appliedOffset", (r ->> 7)::int as "formatVersion", (r ->> 8)::int as "engineVersion", r ->> 9 as body
  from jsonb_array_elements($1::jsonb) as r
)`
const inputOf = (runs: readonly RunRow[]): string =>
  JSON.stringify(
    runs.map((run) => [
      run.runId,
      run.tenant,
      run.partition,
      run.status,
      run.wakeAtMs,
      run.seq,
      run.appliedOffset,
      run.formatVersion,
      run.engineVersion,
      run.body,
    ]),
  )
const UPSERT = `insert into run_states (run_id, tenant, partition, status, wake_at_ms, seq, applied_offset, format_version, engine_version, body)
  select "runId", tenant, partition, status, "wakeAtMs", seq, "appliedOffset", "formatVersion", "engineVersion", body from input`
const REPLACE = `on conflict (run_id, tenant) do update set partition = excluded.partition, status = excluded.status, wake_at_ms = excluded.wake_at_ms,
    seq = excluded.seq, applied_offset = excluded.applied_offset, format_version = excluded.format_version,
    engine_version = excluded.engine_version, body = excluded.body, updated_at = now()`

// `for update` keeps a taker from raising an epoch between the check and the commit.
const GUARDED = `with ${INPUT}, claim as (
  select * from jsonb_to_recordset($2::jsonb) as c(partition int, epoch bigint, next bigint)
), held as (
  select p.prefix, p.partition, c.next from log_partitions p join claim c on c.partition = p.partition
  where p.owner_uuid = $3 and p.epoch = c.epoch
  for update of p
), moved as (
  update log_partitions p set next = held.next from held
  where p.prefix = held.prefix and p.partition = held.partition and (select count(*) from held) = $4
), written as (
  ${UPSERT} where (select count(*) from held) = $4
  ${REPLACE}
)
select count(*)::int as held from held`

const KEPT = 'run_id, tenant, partition, status, wake_at_ms, seq, applied_offset, format_version, engine_version, body, updated_at'
// The partitions are only looked at (E3): a taker that comes in between finds each run in one table or the other, as whole as before.
const RETIRE = `with chosen as (
  select s.run_id, s.tenant from run_states s join jsonb_to_recordset($1::jsonb) as r("runId" text, tenant text)
    on s.run_id = r."runId" and s.tenant = r.tenant
  where s.status = 'ended' and s.updated_at <= now() - $4::bigint * interval '1 millisecond'
    and exists (
      select from log_partitions p join jsonb_to_recordset($2::jsonb) as c(partition int, epoch bigint) on c.partition = p.partition
      where p.partition = s.partition and p.owner_uuid = $3 and p.epoch = c.epoch)
  for update of s skip locked
), gone as (
  delete from run_states s using chosen c where s.run_id = c.run_id and s.tenant = c.tenant returning s.*
), ${touchPayloads('gone')}
insert into ended_runs as e (${KEPT}) select ${KEPT} from gone
on conflict (run_id, tenant, moved_on) do update set partition = excluded.partition, status = excluded.status, wake_at_ms = excluded.wake_at_ms,
  seq = excluded.seq, applied_offset = excluded.applied_offset, format_version = excluded.format_version,
  engine_version = excluded.engine_version, body = excluded.body, updated_at = excluded.updated_at
returning run_id`

const COLUMNS = `run_id as "runId", tenant, partition, status, wake_at_ms as "wakeAtMs", seq, applied_offset as "appliedOffset",
  format_version as "formatVersion", engine_version as "engineVersion", body`

/** bigint columns arrive as text. */
type Stored = Omit<RunRow, 'wakeAtMs' | 'seq' | 'appliedOffset'> & {
  readonly wakeAtMs: string | null
  readonly seq: string
  readonly appliedOffset: string
}

const LOAD = `select ${COLUMNS} from run_states where run_id = any($1::text[])`
// A run may have been moved twice.
const LOAD_ENDED = `select distinct on (run_id, tenant) ${COLUMNS} from ended_runs where run_id = any($1::text[]) order by run_id, tenant, seq desc`

const runOf = (row: Stored): RunRow => ({
  ...row,
  wakeAtMs: row.wakeAtMs === null ? null : Number(row.wakeAtMs),
  seq: Number(row.seq),
  appliedOffset: Number(row.appliedOffset),
})

/** Run states over the database. */
export const runRepository = (db: Database): RunStore => ({
  checkpoint: async (change) => {
    const owned = new Set(change.partitions.map(({ partition }) => partition))
    if (change.runs.some(({ partition }) => !owned.has(partition)))
      throw lost('a run lies on a partition that the checkpoint does not claim')
    if (owned.size === 0) return
    if (change.runs.length <= ROWS_MAX) return guarded(db, change, change.runs)
    await db.transaction(async (tx) => {
      await guarded(tx, change, change.runs.slice(0, ROWS_MAX))
      for (let at = ROWS_MAX; at < change.runs.length; at += ROWS_MAX) {
        await tx.query(`with ${INPUT} ${UPSERT} ${REPLACE}`, [inputOf(change.runs.slice(at, at + ROWS_MAX))], {
          name: 'checkpoint-rest',
        })
      }
    })
  },
  load: async (runIds) => {
    if (runIds.length === 0) return []
    const { rows: hot } = await db.query<Stored>(LOAD, [runIds], { name: 'runs-load' })
    const found = new Set(hot.map(({ runId }) => runId))
    const others = runIds.filter((runId) => !found.has(runId))
    if (others.length === 0) return hot.map(runOf)
    // Afterwards: what leaves the hot table in between is found here.
    const { rows: ended } = await db.query<Stored>(LOAD_ENDED, [others], { name: 'runs-load-ended' })
    return [...hot, ...ended].map(runOf) // E2
  },
  retire: async ({ ownerUuid, partitions, runs, endedForMs }) => {
    if (runs.length === 0 || partitions.length === 0) return 0
    const params = [JSON.stringify(runs), JSON.stringify(partitions), ownerUuid, endedForMs]
    return (await db.query(RETIRE, params, { name: 'runs-retire' })).rowCount
  },
  ended: async ({ partitions, limit }) => {
    const { rows } = await db.query<EndedRun>(
      `select run_id as "runId", tenant, partition from run_states where status = 'ended' and partition = any($1::int[]) limit $2`,
      [partitions, limit],
    )
    return rows
  },
  timers: async (partition) => {
    const { rows } = await db.query<{ runId: string; wakeAtMs: string }>(
      `select run_id as "runId", wake_at_ms as "wakeAtMs" from run_states
       where partition = $1 and status <> 'ended' and wake_at_ms is not null order by wake_at_ms, run_id`,
      [partition],
    )
    return rows.map(({ runId, wakeAtMs }) => ({ runId, wakeAtMs: Number(wakeAtMs) }))
  },
})

const guarded = async (target: Queryable, { ownerUuid, partitions }: Checkpoint, runs: readonly RunRow[]): Promise<void> => {
  const { rows } = await target.query<{ held: number }>(
    GUARDED,
    [inputOf(runs), JSON.stringify(partitions), ownerUuid, partitions.length],
    { name: 'checkpoint' },
  )
  if (rows[0]?.held !== partitions.length) throw lost('another owner or a newer epoch holds a partition of the checkpoint')
}

const lost = (message: string): Fault => new Fault('lease.lost', message)
