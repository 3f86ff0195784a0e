// What is removed when its time is over, on the database's clock. Everything goes in batches, and every statement may be repeated.
//   K1. Ended runs go by whole partitions, the days of which are made ahead; what has no partition of its own goes in batches.
//   K2. A request is remembered at least as long as its run is, open or ended (L6).
//   K3. A payload stays while an open run refers to it, and for the time asked for after the end of the last run that did: the sweep
//       touches what open runs refer to, a run that is retired touches what it refers to, and only what nobody touched is removed.
//   K4. An effect stays while its root run is kept, and for the time asked for after somebody last asked for it (C4, L8).
// A lock on a busy table is waited for only briefly: who queues for it holds up everybody behind.
import type { Database, Queryable } from './database.ts'
import { touchPayloads } from './payload-marks.ts'
import type { RetentionStore } from './ports.ts'

/** Today and the days after it that have a partition. */
const DAYS_AHEAD = 3
const LOCK_KEY = 4_711_002
const LOCK_WAIT = `set local lock_timeout = '2s'`

const CLAIM = `insert into upkeep as u (name, owner_uuid, expires_at)
  values ($1, $2, clock_timestamp() + $3::int * interval '1 millisecond')
  on conflict (name) do update set owner_uuid = excluded.owner_uuid, expires_at = excluded.expires_at
  where u.owner_uuid = $2 or ((u.expires_at is null or u.expires_at <= clock_timestamp())
    and (u.done_at is null or u.done_at <= clock_timestamp() - $4::bigint * interval '1 millisecond'))
  returning name`
const FINISH = `update upkeep set owner_uuid = null, expires_at = null, done_at = clock_timestamp() where name = $1 and owner_uuid = $2`

const PARTITIONS = `select c.relname as name, c.oid::regclass::text as place from pg_inherits i join pg_class c on c.oid = i.inhrelid
  where i.inhparent = 'ended_runs'::regclass and c.relname ~ '^ended_runs_[0-9]{8}$' order by 1`
const DAYS = `select to_char(d, 'YYYYMMDD') as day, to_char(d, 'YYYY-MM-DD') as since, to_char(d + interval '1 day', 'YYYY-MM-DD') as until
  from generate_series((now() at time zone 'utc')::date, (now() at time zone 'utc')::date + ${DAYS_AHEAD - 1}, interval '1 day') as d`
const LAST_DROPPED = `select to_char((now() at time zone 'utc')::date - $1::int - 1, 'YYYYMMDD') as day`

const before = (column: string): string => `${column} < now() - $1::int * interval '1 day'`
const withoutRun = (runId: string): string => `not exists (select from run_states r where r.run_id = ${runId})
  and not exists (select from ended_runs e where e.run_id = ${runId})`
const SWEEPS = {
  ended_runs_default: `moved_on < (now() at time zone 'utc')::date - $1::int`,
  starts: `${before('begun_at')} and ${withoutRun('t.run_id')}`, // K2
  answers: before('saved_at'),
  effects: `${before('begun_at')} and ${before('touched_at')} and ${withoutRun(`split_part(t.key, '/', 1)`)}`, // K4
  payloads: `${before('stored_at')} and ${before('touched_at')}`, // K3
} as const
type Sweep = keyof typeof SWEEPS

const deletion = (table: Sweep): string =>
  `delete from ${table} where ctid = any(array(select t.ctid from ${table} t where ${SWEEPS[table]} limit $2::int)) and ${unlessTouched[table]}`
// Somebody may touch a row between the choice and the removal; the statement then looks at the row again.
const unlessTouched: Readonly<Record<Sweep, string>> = {
  ended_runs_default: 'true',
  starts: 'true',
  answers: 'true',
  effects: before('touched_at'),
  payloads: before('touched_at'),
}

/** Retention over the database. */
export const retentionRepository = (db: Database): RetentionStore => ({
  claim: async ({ name, ownerUuid, leaseMs, everyMs }) => (await db.query(CLAIM, [name, ownerUuid, leaseMs, everyMs])).rowCount > 0,
  finish: async ({ name, ownerUuid }) => {
    await db.query(FINISH, [name, ownerUuid])
  },
  prepare: () => prepare(db),
  dropEndedRuns: ({ keepDays }) => dropEndedRuns(db, keepDays),
  sweep: async ({ table, keepDays, limit }) => (await db.query(deletion(table), [keepDays, limit])).rowCount,
  markPayloads: async ({ after, limit }) => {
    const { rows } = await db.query<{ last: string | null; count: number }>(MARK, [after ?? '', limit])
    const [page] = rows
    return page === undefined || page.count < limit ? null : page.last
  },
  oldPayloads: async ({ keepDays }) => (await db.query(`select from payloads where ${SWEEPS.payloads} limit 1`, [keepDays])).rowCount > 0,
})

// K3: of runs that ended as well, for they touch their payloads only when they are retired.
const MARK = `with page as (
  select run_id, tenant, body from run_states where run_id > $1 order by run_id limit $2::int
), ${touchPayloads('page')}
select max(run_id) as last, count(*)::int as count from page`

type Partition = { readonly name: string; readonly place: string }

const partitionsOf = async (db: Queryable): Promise<readonly Partition[]> => (await db.query<Partition>(PARTITIONS)).rows

/** K1. */
const prepare = async (db: Database): Promise<readonly string[]> => {
  const { rows: days } = await db.query<{ day: string; since: string; until: string }>(DAYS)
  const missing = async (target: Queryable): Promise<typeof days> => {
    const there = new Set((await partitionsOf(target)).map(({ name }) => name))
    return days.filter(({ day }) => !there.has(`ended_runs_${day}`))
  }
  const made: string[] = []
  for (const { day, since, until } of await missing(db)) {
    const done = await db
      .transaction(async (tx) => {
        await tx.query(LOCK_WAIT)
        await tx.query('select pg_advisory_xact_lock($1)', [LOCK_KEY])
        if (!(await missing(tx)).some((other) => other.day === day)) return false
        await tx.query(`create table ended_runs_${day} partition of ended_runs for values from ('${since}') to ('${until}')`)
        return true
      })
      .catch((error: unknown) => {
        // The default partition holds rows of that day already: they stay there.
        if (error instanceof Error && Reflect.get(error, 'code') === '23514') return false
        throw error
      })
    if (done) made.push(`ended_runs_${day}`)
  }
  return made
}

/** K1. */
const dropEndedRuns = async (db: Database, keepDays: number): Promise<readonly string[]> => {
  const { rows } = await db.query<{ day: string }>(LAST_DROPPED, [keepDays])
  const last = `ended_runs_${rows[0]?.day ?? ''}`
  const old = (await partitionsOf(db)).filter(({ name }) => name <= last)
  for (const { place } of old) {
    await db.transaction(async (tx) => {
      await tx.query(LOCK_WAIT)
      await tx.query(`drop table if exists ${place}`)
    })
  }
  return old.map(({ name }) => name)
}
