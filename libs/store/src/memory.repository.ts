// What is known of users, with where it comes from.
//   M1. A newer memory takes the place of the one with its id, an older one never does, in whatever order they come.
//   M2. Who is erased is gone from all of it in one transaction, and what was learned before that and comes later is not kept (H7).
import type { Json } from '@baton/contracts/json'
import type { Database } from './database.ts'
import type { Memory, MemoryStore } from './memory.ports.ts'

type Row = {
  readonly id: string
  readonly kind: Memory['kind']
  readonly key: string
  readonly value: string
  readonly source: string
  readonly said_by: string
  readonly run_id: string | null
  readonly at_ms: string
  readonly expires_at_ms: string | null
}

const PUT = `insert into user_memories (tenant, user_id, id, kind, key, value, source, said_by, run_id, at_ms, expires_at_ms)
  select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
  where not exists (select 1 from erased_users e where e.tenant = $1 and e.user_id = $2 and e.at_ms >= $10)
  on conflict (tenant, user_id, id) do update set kind = excluded.kind, key = excluded.key, value = excluded.value, source = excluded.source,
    said_by = excluded.said_by, run_id = excluded.run_id, at_ms = excluded.at_ms, expires_at_ms = excluded.expires_at_ms
  where user_memories.at_ms <= excluded.at_ms
  returning id`

const memoryOf = (row: Row): Memory => ({
  id: row.id,
  kind: row.kind,
  key: row.key,
  value: JSON.parse(row.value) as Json, // Written as JSON by `put`.
  source: row.source,
  by: row.said_by,
  runId: row.run_id,
  atMs: Number(row.at_ms),
  expiresAtMs: row.expires_at_ms === null ? null : Number(row.expires_at_ms),
})

/** Memories over the database. */
export const memoryRepository = (db: Database): MemoryStore => ({
  put: async ({ tenant, userId, id, kind, key, value, source, by, runId, atMs, expiresAtMs }) => {
    const { rows } = await db.query(PUT, [tenant, userId, id, kind, key, JSON.stringify(value), source, by, runId, atMs, expiresAtMs]) // M1, M2
    return rows.length > 0
  },
  list: async ({ tenant, userId, kind, nowMs, limit }) => {
    const { rows } = await db.query<Row>(
      `select id, kind, key, value, source, said_by, run_id, at_ms, expires_at_ms from user_memories
       where tenant = $1 and user_id = $2 and ($3::text is null or kind = $3) and (expires_at_ms is null or expires_at_ms > $4)
       order by at_ms desc, id limit $5`,
      [tenant, userId, kind ?? null, nowMs, limit],
      { name: 'memories-list' },
    )
    return rows.map(memoryOf)
  },
  forget: async ({ tenant, userId, id }) => {
    const { rowCount } = await db.query('delete from user_memories where tenant = $1 and user_id = $2 and id = $3', [tenant, userId, id])
    return rowCount > 0
  },
  erase: async ({ tenant, userId, by, atMs }) =>
    db.transaction(async (tx) => {
      await tx.query(
        `insert into erased_users (tenant, user_id, at_ms, said_by) values ($1, $2, $3, $4)
         on conflict (tenant, user_id) do update set at_ms = greatest(erased_users.at_ms, excluded.at_ms), said_by = excluded.said_by`,
        [tenant, userId, atMs, by],
      )
      const gone = async (table: string): Promise<number> =>
        (await tx.query(`delete from ${table} where tenant = $1 and user_id = $2`, [tenant, userId])).rowCount
      return { memories: await gone('user_memories'), turns: await gone('session_turns'), state: await gone('session_state') } // M2
    }),
})
