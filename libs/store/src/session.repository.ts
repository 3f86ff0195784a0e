// Conversations and state of sessions.
//   S1. A turn is kept once, whatever is delivered twice; its text is never changed.
//   S2. An answer belongs to the session of its question. Late, early or twice, it comes to lie behind it.
//   S3. An entry of the state that two write at once is taken from the one whose version is right; the other is told.
import type { Json } from '@baton/contracts/json'
import { batcher } from './batcher.ts'
import type { Database } from './database.ts'
import type { SessionEntry, SessionStore, SessionTurn } from './memory.ports.ts'

type Run = { readonly tenant: string; readonly runId: string }
type TurnRow = {
  readonly run_id: string
  readonly role: 'user' | 'assistant'
  readonly text: string
  readonly tokens: number | null
  readonly at_ms: string
}

const SAID = `insert into session_turns (tenant, session, run_id, role, user_id, text, at_ms)
  select $1, $2, $3, 'user', $4, $5, $6
  where not exists (select 1 from erased_users e where e.tenant = $1 and e.user_id = $4 and e.at_ms >= $6)
  on conflict do nothing`
const ANSWERED = `insert into session_turns (tenant, session, run_id, role, user_id, text, at_ms)
  select tenant, session, run_id, 'assistant', user_id, $3, greatest($4::bigint, at_ms) from session_turns
  where tenant = $1 and run_id = $2 and role = 'user'
  on conflict do nothing`
const HISTORY = `select run_id, role, text, tokens, at_ms from (
    select t.*, min(t.at_ms) over (partition by t.run_id) as asked_at from session_turns t where t.tenant = $1 and t.session = $2 and t.run_id <> $4
  ) as turns order by asked_at desc, run_id desc, (role = 'user'), at_ms desc limit $3`
const SET = `insert into session_state (tenant, session, key, value, run_id, user_id, at_ms) select $1, $2, $3, $4, $5, $6, $7 where coalesce($8::bigint, 0) = 0
  on conflict (tenant, session, key) do update set value = excluded.value, run_id = excluded.run_id, user_id = excluded.user_id, at_ms = excluded.at_ms,
    version = session_state.version + 1 where $8::bigint is null
  returning version`
const SET_AT = `update session_state set value = $4, run_id = $5, user_id = $6, at_ms = $7, version = version + 1
  where tenant = $1 and session = $2 and key = $3 and version = $8 returning version`

const sessionsOf = async (db: Database, runs: readonly Run[]): Promise<readonly (string | undefined)[]> => {
  const { rows } = await db.query<{ tenant: string; run_id: string; session: string }>(
    `select t.tenant, t.run_id, t.session from jsonb_to_recordset($1::jsonb) as r (tenant text, "runId" text)
     join session_turns t on t.tenant = r.tenant and t.run_id = r."runId" and t.role = 'user'`,
    [JSON.stringify(runs)],
    { name: 'session-of-runs' },
  )
  const found = new Map(rows.map((row) => [`${row.tenant}/${row.run_id}`, row.session]))
  return runs.map(({ tenant, runId }) => found.get(`${tenant}/${runId}`))
}

const turnOf = (row: TurnRow): SessionTurn => ({
  runId: row.run_id,
  role: row.role,
  text: row.text,
  tokens: row.tokens,
  atMs: Number(row.at_ms),
})

const sweep = async (db: Database, { beforeMs, limit }: { beforeMs: number; limit: number }): Promise<number> => {
  let removed = 0
  for (const table of ['session_turns', 'session_state']) {
    const { rowCount } = await db.query(
      `delete from ${table} where ctid = any(array(select ctid from ${table} where at_ms < $1 limit $2))`,
      [beforeMs, limit],
    )
    removed += rowCount
  }
  return removed
}

/** Sessions over the database. */
export const sessionRepository = (db: Database): SessionStore => ({
  said: async ({ tenant, session, runId, userId, text, atMs }) => {
    await db.query(SAID, [tenant, session, runId, userId ?? null, text, atMs], { name: 'session-said' }) // S1
  },
  sessionOf: batcher<Run, string | undefined>({ run: (runs) => sessionsOf(db, runs) }),
  answered: async ({ tenant, runId, text, atMs }) => {
    await db.query(ANSWERED, [tenant, runId, text, atMs], { name: 'session-answered' }) // S1, S2
  },
  history: async ({ tenant, session, limit, exceptRunId }) => {
    const { rows } = await db.query<TurnRow>(HISTORY, [tenant, session, limit, exceptRunId ?? ''], { name: 'session-history' })
    return rows.map(turnOf).toReversed()
  },
  counted: async ({ tenant, session, turns }) => {
    await db.query(
      `update session_turns t set tokens = c.tokens from jsonb_to_recordset($3::jsonb) as c ("runId" text, role text, tokens integer)
       where t.tenant = $1 and t.session = $2 and t.run_id = c."runId" and t.role = c.role`,
      [tenant, session, JSON.stringify(turns)],
    )
  },
  state: async ({ tenant, session }) => {
    const { rows } = await db.query<{ key: string; value: string; version: string; run_id: string; at_ms: string }>(
      'select key, value, version, run_id, at_ms from session_state where tenant = $1 and session = $2 order by key',
      [tenant, session],
    )
    return rows.map((row): SessionEntry => ({
      key: row.key,
      value: JSON.parse(row.value) as Json, // Written as JSON below.
      version: Number(row.version),
      runId: row.run_id,
      atMs: Number(row.at_ms),
    }))
  },
  set: async ({ tenant, session, key, value, runId, userId, atMs, version }) => {
    const params = [tenant, session, key, JSON.stringify(value), runId, userId ?? null, atMs, version ?? null]
    const { rows } = await db.query(version === undefined || version === 0 ? SET : SET_AT, params) // S3
    return rows.length > 0
  },
  forget: async ({ tenant, session }) =>
    db.transaction(async (tx) => {
      await tx.query('delete from session_state where tenant = $1 and session = $2', [tenant, session])
      return (await tx.query('delete from session_turns where tenant = $1 and session = $2', [tenant, session])).rowCount
    }),
  sweep: (options) => sweep(db, options),
})
