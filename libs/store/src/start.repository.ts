// Which request became which run (L6). Calls of one tick are one statement; of equal requests in it the first counts.
import { batcher } from './batcher.ts'
import type { Database } from './database.ts'
import type { StartStore } from './ports.ts'

type Start = Parameters<StartStore['begin']>[0][number]
type Outcome = Awaited<ReturnType<StartStore['begin']>>[number]
type Key = Pick<Start, 'tenant' | 'source' | 'requestId'>

const INPUT = `select * from jsonb_to_recordset($1::jsonb) as s(tenant text, source text, "requestId" text, "runId" text, "bodyHash" text)`
const INSERT = `insert into starts (tenant, source, request_id, run_id, body_hash)
  select tenant, source, "requestId", "runId", "bodyHash" from (${INPUT}) as input
  on conflict do nothing
  returning tenant, source, request_id as "requestId"`
// A statement of its own: the insert does not see rows that others committed while it ran.
const STORED = `select starts.tenant, starts.source, starts.request_id as "requestId", starts.body_hash as "bodyHash"
  from (${INPUT}) as input join starts on starts.tenant = input.tenant and starts.source = input.source and starts.request_id = input."requestId"`

const keyOf = ({ tenant, source, requestId }: Key): string => JSON.stringify([tenant, source, requestId])

/** Starts over the database. */
export const startRepository = (db: Database): StartStore => {
  const begin = batcher<Start, Outcome>({ run: (starts) => beginAll(db, starts) })
  return { begin: (starts) => Promise.all(starts.map((start) => begin(start))) }
}

const beginAll = async (db: Database, starts: readonly Start[]): Promise<readonly Outcome[]> => {
  const first = new Map<string, Start>()
  for (const start of starts) if (!first.has(keyOf(start))) first.set(keyOf(start), start)
  const { rows } = await db.query<Key>(INSERT, [JSON.stringify([...first.values()])], { name: 'starts-insert' })
  const inserted = new Set(rows.map(keyOf))
  const others = [...first].filter(([key]) => !inserted.has(key)).map(([, start]) => start)
  const stored =
    others.length === 0
      ? []
      : (await db.query<Key & { bodyHash: string }>(STORED, [JSON.stringify(others)], { name: 'starts-stored' })).rows
  const hashes = new Map(stored.map((row) => [keyOf(row), row.bodyHash]))
  return starts.map((start) => {
    const key = keyOf(start)
    if (inserted.has(key) && first.get(key) === start) return 'new'
    const hash = hashes.get(key) ?? first.get(key)?.bodyHash
    return hash === start.bodyHash ? 'repeat' : 'conflict'
  })
}
