// Questions to a database: reading only, within limits, whatever is asked.
//   B1. Every query runs in a transaction that cannot write, as one statement inside of another, so that it is a question or nothing.
//   B2. Time, rows and bytes have limits that the database itself keeps; what was left out is said. PGlite cannot end a query: its thread
//       is ended, and the database opened again by the next one.
//   B3. With a role the query runs as that role, and sees what it may see.
import { z } from 'zod'
import { Fault, parseJson, type Json } from '@baton/contracts'
import type { Database } from '@baton/store'
import { defineTool, type Tool } from '../tool.ts'

export type QueryLimits = { readonly timeoutMs: number; readonly rowsMax: number; readonly bytesMax: number; readonly rowBytesMax: number }
export const QUERY_LIMITS: QueryLimits = { timeoutMs: 5_000, rowsMax: 200, bytesMax: 262_144, rowBytesMax: 65_536 }

type Row = { readonly row: string | null; readonly bytes: number }

/** What a statement ends with whose time is over. */
const CANCELED = '57014'

const tooLong = (): Fault => new Fault('tool.arguments_invalid', 'sql: the query takes too long', { field: 'sql' })

const reasonOf = (error: unknown): Fault => {
  const message = error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error)
  if (error instanceof Fault && error.code === 'config.invalid') return error
  if (error instanceof Fault && error.detail['sqlState'] === CANCELED) return tooLong()
  if (error instanceof Fault && error.code === 'store.unavailable') return new Fault('tool.unreachable', 'the database cannot be reached')
  return new Fault('tool.arguments_invalid', `sql: ${message.slice(0, 300)}`, { field: 'sql' })
}

export type DatabaseQuery = Tool & { readonly close: () => Promise<void> }

/** `database/query` over a database of the installation. `open` is called at the first use, and again when its thread had to be ended. */
export const databaseQuery = (open: () => Promise<Database>, limits: QueryLimits = QUERY_LIMITS, role?: string): DatabaseQuery => {
  let opened: Promise<Database> | undefined
  const database = async (): Promise<Database> => {
    opened ??= open()
    try {
      return await opened
    } catch (error) {
      opened = undefined
      throw reasonOf(error)
    }
  }
  const close = async (): Promise<void> => (await opened?.catch(() => undefined))?.close()
  const tool = defineTool({
    name: 'database/query',
    about: 'Asks a database with one SELECT (PostgreSQL, $1 for parameters). Nothing can be changed by it.',
    effect: 'read',
    private: true,
    input: z.strictObject({
      sql: z.string().min(1).max(20_000),
      params: z
        .array(z.union([z.string().max(10_000), z.number(), z.boolean(), z.null()]))
        .max(100)
        .default([]),
      /** Rows that are wanted, never more than may be. */
      max: z.number().int().positive().optional(),
    }),
    output: z.object({ rows: z.array(z.custom<Json>()), count: z.number(), more: z.boolean(), left: z.number() }),
    timeoutMs: limits.timeoutMs + 2_000,
    run: async ({ sql, params, max = limits.rowsMax }) => {
      const rowsMax = Math.min(max, limits.rowsMax)
      const db = await database()
      const begunMs = performance.now()
      const inner = sql.trim().replace(/;\s*$/, '')
      // A comment at the end must not swallow what follows.
      const whole = `select case when octet_length(j) > ${limits.rowBytesMax} then null else j end as row, octet_length(j) as bytes
        from (select row_to_json(q)::text as j from (\n${inner}\n) as q limit ${rowsMax + 1}) as r`
      try {
        const { rows } = await db.transaction(async (tx) => {
          await tx.query('set transaction read only') // B1
          await tx.query(`set local statement_timeout = ${limits.timeoutMs}`) // B2
          if (role !== undefined) await tx.query(`set local role "${role}"`) // B3
          return tx.query<Row>(whole, params)
        })
        return fitted(rows, { ...limits, rowsMax })
      } catch (error) {
        if (db.kind !== 'pglite' || !(error instanceof Fault) || error.code !== 'store.unavailable') throw reasonOf(error)
        opened = undefined
        throw performance.now() - begunMs >= limits.timeoutMs ? tooLong() : reasonOf(error) // B2
      }
    },
  })
  return { ...tool, close }
}

const fitted = (
  found: readonly Row[],
  { rowsMax, bytesMax }: QueryLimits,
): { rows: Json[]; count: number; more: boolean; left: number } => {
  const rows: Json[] = []
  let bytes = 0
  let left = 0
  for (const one of found.slice(0, rowsMax)) {
    bytes += one.bytes
    if (one.row === null || bytes > bytesMax) left += 1
    else rows.push(parseJson(Buffer.from(one.row)) as Json) // made by row_to_json
  }
  return { rows, count: rows.length, more: found.length > rowsMax || left > 0, left }
}
