// Rates, places and rests that processes share, on the database's clock.
//   T1. A bucket gives what has come in and no more, whoever asks when: the row is changed by one statement.
//   T2. Together the processes hold no more places than there are; those of a process that does not renew are free again.
import type { Database } from './database.ts'
import { type CooldownStore, ENDED, type LimitStore } from './model-ports.ts'

const HELD = `least($2::float8, b.tokens + $3::float8 * greatest(0, extract(epoch from clock_timestamp() - b.filled_at)::float8 * 1000))`
const GRANTED = `case when ${HELD} >= $4::float8 then $4::float8 when ${HELD} >= $5::float8 then ${HELD} else 0 end`
const TAKE = `insert into limit_buckets as b (key, tokens, granted, filled_at)
    values ($1, $2::float8 - least($2::float8, $4::float8), case when $2::float8 >= $5::float8 then least($2::float8, $4::float8) else 0 end, clock_timestamp())
  on conflict (key) do update set tokens = ${HELD} - ${GRANTED}, granted = ${GRANTED}, filled_at = greatest(b.filled_at, clock_timestamp())
  returning tokens, granted` // T1

const PLACES = `with others as (select coalesce(sum(places), 0) as held from limit_places
    where key = $1 and holder <> $2 and expires_at > clock_timestamp())
  insert into limit_places (key, holder, places, expires_at)
    select $1, $2, least($3::int, greatest(0, $4::int - held)), clock_timestamp() + $5::int * interval '1 millisecond' from others
  on conflict (key, holder) do update set places = excluded.places, expires_at = excluded.expires_at
  returning places`

/** Rates and places over the database. */
export const limitRepository = (db: Database): LimitStore => ({
  take: async ({ key, capacity, perMs, want, min }) => {
    const { rows } = await db.query<{ tokens: number; granted: number }>(TAKE, [key, capacity, perMs, want, min], { name: 'limit-take' })
    const { tokens = 0, granted = 0 } = rows[0] ?? {}
    const missing = Math.max(0, min - tokens)
    return { granted, waitMs: granted > 0 ? 0 : Math.ceil(perMs > 0 ? missing / perMs : Number.MAX_SAFE_INTEGER) }
  },
  places: ({ key, holder, want, max, leaseMs }) =>
    db.transaction(async (tx) => {
      // Updating takes the row's lock: one process after the other counts.
      await tx.query('insert into limit_gates as g (key) values ($1) on conflict (key) do update set key = g.key', [key], {
        name: 'limit-gate',
      })
      const { rows } = await tx.query<{ places: number }>(PLACES, [key, holder, want, max, leaseMs], { name: 'limit-places' }) // T2
      return rows[0]?.places ?? 0
    }),
})

/** Rests over the database. */
export const cooldownRepository = (db: Database): CooldownStore => ({
  rest: async ({ key, restMs, reason, by }) => {
    await db.query(
      `insert into cooldowns as c (key, until_at, reason, by) values ($1, clock_timestamp() + $2::int * interval '1 millisecond', $3, $4)
       on conflict (key) do update set until_at = greatest(c.until_at, excluded.until_at), reason = excluded.reason, by = excluded.by`,
      [key, Math.ceil(restMs), reason, by],
      { name: 'cooldown-rest' },
    )
  },
  end: async ({ key, by, noticeMs }) => {
    await db.query(
      `insert into cooldowns (key, until_at, reason, by) values ($1, clock_timestamp() + $2::int * interval '1 millisecond', $3, $4)
       on conflict (key) do update set until_at = excluded.until_at, reason = excluded.reason, by = excluded.by`,
      [key, noticeMs, ENDED, by],
    )
  },
  list: async () => {
    const { rows } = await db.query<{ key: string; leftMs: string; reason: string; by: string }>(
      `select key, ceil(extract(epoch from until_at - clock_timestamp()) * 1000)::bigint as "leftMs", reason, by from cooldowns
       where until_at > clock_timestamp() order by key`,
      [],
      { name: 'cooldown-list' },
    )
    return rows.map((row) => ({ ...row, leftMs: Number(row.leftMs) }))
  },
})
