// One partition a day for each table that grows; old ones are dropped.
//   D1. Today's and tomorrow's partitions exist before rows for them come; what fits none is in the default partition.
//   D2. Retention drops whole partitions, and takes old rows of the rest in batches, so that no transaction grows with the data.
import type { Database } from '@baton/store'
import type { Logger } from '@baton/telemetry'
import { toFault } from '@baton/contracts'

const DAY_MS = 86_400_000
const TABLES = { trace_runs: 'requested_at_ms', trace_steps: 'at_ms', trace_events: 'at_ms' } as const
const DELETE_ROWS_MAX = 5_000
const EVERY_MS = 3_600_000

type Table = keyof typeof TABLES
const tables = Object.keys(TABLES) as Table[] // the keys of the constant above

const dayOf = (atMs: number): number => Math.floor(atMs / DAY_MS)
const nameOf = (table: Table, day: number): string => `${table}_d${day}`

/** Makes the partitions of today and tomorrow (D1). */
export const ensurePartitions = async (db: Database, nowMs: number): Promise<void> => {
  const days = [dayOf(nowMs), dayOf(nowMs) + 1]
  const wanted = tables.flatMap((table) => days.map((day) => ({ table, day })))
  const { rows } = await db.query<{ name: string }>('select relname as name from pg_class where relname = any($1::text[])', [
    wanted.map(({ table, day }) => nameOf(table, day)),
  ])
  const there = new Set(rows.map(({ name }) => name))
  const missing = wanted.filter(({ table, day }) => !there.has(nameOf(table, day)))
  for (const { table, day } of missing) await makePartition(db, table, day)
}

const makePartition = async (db: Database, table: Table, day: number): Promise<void> => {
  try {
    await db.query(
      `create table if not exists ${nameOf(table, day)} partition of ${table} for values from (${day * DAY_MS}) to (${(day + 1) * DAY_MS})`,
    )
  } catch (error) {
    // Another process made it, or the default partition holds rows of that day already: they stay there.
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
    if (!['23514', '42P07', '42P17', '23505'].includes(String(code))) throw error
  }
}

/** Takes away what is older than `keepMs`; returns the partitions dropped (D2). */
export const dropOld = async (db: Database, { nowMs, keepMs }: { nowMs: number; keepMs: number }): Promise<readonly string[]> => {
  const beforeMs = nowMs - keepMs
  const { rows } = await db.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
     where p.relname = any($1::text[]) and c.relname ~ '_d[0-9]+$'`,
    [tables],
  )
  const old = rows.map(({ name }) => name).filter((name) => (Number(/\d+$/.exec(name)?.[0]) + 1) * DAY_MS <= beforeMs)
  for (const name of old) await db.query(`drop table if exists ${name}`)
  for (const table of tables) {
    await deleteBatches(
      db,
      `delete from ${table}_default where ctid = any(array(select ctid from ${table}_default where ${TABLES[table]} < $1 limit ${DELETE_ROWS_MAX}))`,
      beforeMs,
    )
  }
  const results = `delete from trace_results where ctid = any(array(select ctid from trace_results where stored_at < to_timestamp($1::double precision / 1000) limit ${DELETE_ROWS_MAX}))`
  await deleteBatches(db, results, beforeMs)
  const holds = `delete from trace_holds where ctid = any(array(select ctid from trace_holds where at_ms < $1::bigint limit ${DELETE_ROWS_MAX}))`
  await deleteBatches(db, holds, beforeMs)
  const waits = `delete from trace_waits where ctid = any(array(select ctid from trace_waits where at_ms < $1::bigint limit ${DELETE_ROWS_MAX}))`
  await deleteBatches(db, waits, beforeMs)
  return old
}

const deleteBatches = async (db: Database, statement: string, beforeMs: number): Promise<void> => {
  while ((await db.query(statement, [beforeMs])).rowCount >= DELETE_ROWS_MAX);
}

/** Looks after the partitions every hour until it is stopped. */
export const keepPartitions = (options: {
  db: Database
  nowMs: () => number
  keepMs: number
  logger: Logger
}): { stop: () => Promise<void> } => {
  const { db, nowMs, keepMs, logger } = options
  let running = Promise.resolve()
  const look = async (): Promise<void> => {
    try {
      await ensurePartitions(db, nowMs())
      const dropped = await dropOld(db, { nowMs: nowMs(), keepMs })
      if (dropped.length > 0) logger.info({ dropped: dropped.length }, 'old traces dropped')
    } catch (error) {
      const { code, message } = toFault(error)
      logger.warn({ code, reason: message }, 'partitions of traces could not be looked after; trying again in an hour')
    }
  }
  const timer = setInterval(() => {
    running = running.then(look)
  }, EVERY_MS)
  timer.unref()
  return {
    stop: () => {
      clearInterval(timer)
      return running
    },
  }
}
