// Runs migrations that have not run yet, in order, on both databases.
//   M1. One process at a time: an advisory lock is held for the whole transaction, and either all of them apply or none.
//   M2. Expand only: version n-1 keeps running, so a step adds tables, columns with defaults and indexes, and never takes away.
import { Fault } from '@baton/contracts/fault'
import type { Database } from './database.ts'

/** `name` is its identity: never rename, never change what has been released. Each statement runs alone, without parameters. */
export type Migration = { readonly name: string; readonly statements: readonly string[] }

const LOCK_KEY = 4_711_001

/** Applies what is missing of `migrations`; `scope` keeps the lists of different services apart. Returns the names applied. */
export const migrate = async (
  db: Database,
  options: { readonly scope: string; readonly migrations: readonly Migration[] },
): Promise<readonly string[]> => {
  const names = options.migrations.map(({ name }) => name)
  if (new Set(names).size !== names.length) throw new Fault('config.invalid', `migrations of ${options.scope} have equal names`)
  return db.transaction(async (tx) => {
    await tx.query('select pg_advisory_xact_lock($1)', [LOCK_KEY]) // M1
    const { rows: schemas } = await tx.query<{ wanted: string; found: string | null }>(
      `select trim(split_part(current_setting('search_path'), ',', 1), '" ') as wanted, current_schema() as found`,
    )
    const { wanted, found } = schemas[0] ?? { wanted: '', found: null }
    if (found === null && /^\w+$/.test(wanted)) await tx.query(`create schema if not exists "${wanted}"`)
    await tx.query(
      'create table if not exists schema_migrations (scope text, name text, applied_at timestamptz not null default now(), primary key (scope, name))',
    )
    const { rows } = await tx.query<{ name: string }>('select name from schema_migrations where scope = $1', [options.scope])
    const applied = new Set(rows.map(({ name }) => name))
    const missing = options.migrations.filter(({ name }) => !applied.has(name))
    for (const { name, statements } of missing) {
      for (const statement of statements) await tx.query(statement)
      await tx.query('insert into schema_migrations (scope, name) values ($1, $2)', [options.scope, name])
    }
    return missing.map(({ name }) => name)
  })
}

/** What is still to be applied, and what is there that this binary does not know: the database of a newer one. Changes nothing. */
export const compareMigrations = async (
  db: Database,
  options: { readonly scope: string; readonly migrations: readonly Migration[] },
): Promise<{ readonly missing: readonly string[]; readonly unknown: readonly string[] }> => {
  const names = options.migrations.map(({ name }) => name)
  const { rows: tables } = await db.query<{ found: string | null }>(`select to_regclass('schema_migrations')::text as found`)
  if (tables[0]?.found == null) return { missing: names, unknown: [] }
  const { rows } = await db.query<{ name: string }>('select name from schema_migrations where scope = $1', [options.scope])
  const applied = rows.map(({ name }) => name)
  return { missing: names.filter((name) => !applied.includes(name)), unknown: applied.filter((name) => !names.includes(name)) }
}
