// PGlite has no autovacuum: without this, dead rows would stay for ever and the planner would take every table for empty.
//   U1. A table is vacuumed when a fifth of it is dead, analysed when a tenth of it is new; small changes wait.
import type { Queryable } from './database.ts'

/** How often somebody looks. One look is one short query. */
export const UPKEEP_EVERY_MS = 60_000
const CHANGED_ROWS_MIN = 1_000

type Table = { readonly name: string; readonly dead: boolean }

// Thresholds as autovacuum has them by default, with a higher floor.
const DUE = `select format('%I.%I', schemaname, relname) as name, n_dead_tup > $1 + 0.2 * n_live_tup as dead from pg_stat_user_tables
  where n_dead_tup > $1 + 0.2 * n_live_tup or n_mod_since_analyze > $1 + 0.1 * n_live_tup order by 1`

/** Vacuums and analyses what is due; returns the tables. */
export const tidy = async (db: Queryable, { rowsMin = CHANGED_ROWS_MIN }: { rowsMin?: number } = {}): Promise<readonly string[]> => {
  const { rows } = await db.query<Table>(DUE, [rowsMin])
  for (const { name, dead } of rows) await db.query(dead ? `vacuum (analyze) ${name}` : `analyze ${name}`) // U1
  return rows.map(({ name }) => name)
}
