// Writes the rows of a batch in one statement: all of them or none.
import type { Queryable } from '@baton/store'
import { EVENT_COLUMNS, HOLD_COLUMNS, RESULT_COLUMNS, RUN_COLUMNS, STEP_COLUMNS, WAIT_COLUMNS, type TraceRows } from '../storage/rows.ts'

// Rows travel as arrays without names, which both databases read faster than objects or an array a column.
const insert = (
  table: string,
  columns: Readonly<Record<string, string>>,
  { param, conflict }: { param: number; conflict: string },
): string => {
  const names = Object.keys(columns)
  const values = Object.values(columns).map((type, index) =>
    type === 'jsonb' ? `nullif(r -> ${index}, 'null'::jsonb)` : type === 'text' ? `r ->> ${index}` : `(r ->> ${index})::${type}`,
  )
  return `insert into ${table} as t (${names.join(', ')}) select ${values.join(', ')} from jsonb_array_elements($${param}::jsonb) as r ${conflict}`
}

const FILLED = [
  'plan_hash',
  'request_id',
  'source',
  'priority',
  'labels',
  'started_at_ms',
  'parent_run_id',
  'root_run_id',
  'rerun_of',
] as const
const ENDED = [
  'ended_at_ms',
  'latency_ms',
  'working_ms',
  'waited_ms',
  'cost_micro_usd',
  'steps',
  'escalated',
  'fault_code',
  'fault_message',
] as const
// J1: each half is written once; a repeat changes nothing and writes nothing.
const MERGE = `on conflict (run_id, tenant, requested_at_ms) do update set
  status = case when t.ended_at_ms is null then excluded.status else t.status end,
  ${[...FILLED, ...ENDED].map((name) => `${name} = coalesce(t.${name}, excluded.${name})`).join(', ')}
  where (t.started_at_ms is null and excluded.started_at_ms is not null) or (t.ended_at_ms is null and excluded.ended_at_ms is not null)`

// J6: the newest word holds, in whatever order they come.
const NEWEST = `on conflict (run_id, tenant) do update set
  seq = excluded.seq, at_ms = excluded.at_ms, paused = excluded.paused, made_by = excluded.made_by where t.seq < excluded.seq`

const TABLES = [
  { key: 'runs', table: 'trace_runs', columns: RUN_COLUMNS, conflict: MERGE },
  { key: 'steps', table: 'trace_steps', columns: STEP_COLUMNS, conflict: 'on conflict do nothing' },
  { key: 'events', table: 'trace_events', columns: EVENT_COLUMNS, conflict: 'on conflict do nothing' },
  { key: 'results', table: 'trace_results', columns: RESULT_COLUMNS, conflict: 'on conflict do nothing' },
  { key: 'holds', table: 'trace_holds', columns: HOLD_COLUMNS, conflict: NEWEST },
  { key: 'waits', table: 'trace_waits', columns: WAIT_COLUMNS, conflict: 'on conflict do nothing' },
] as const satisfies readonly { key: keyof TraceRows; table: string; columns: Readonly<Record<string, string>>; conflict: string }[]

/** Writes what is there. Repeats are recognised by the keys of the rows. */
export const writeTrace = async (db: Queryable, rows: TraceRows): Promise<void> => {
  const used = TABLES.filter(({ key }) => rows[key].length > 0)
  if (used.length === 0) return
  const parts = used.map(
    ({ table, columns, conflict }, index) => `w${index} as (${insert(table, columns, { param: index + 1, conflict })})`,
  )
  const params = used.map(({ key, columns }) => storable(tuples(rows[key], Object.keys(columns))))
  await db.query(`with ${parts.join(', ')} select 1`, params, { name: `trace-write-${used.map(({ key }) => key).join('-')}` })
}

const tuples = (rows: readonly object[], names: readonly string[]): unknown[][] =>
  rows.map((row) => names.map((name): unknown => cell(row, name)))

/** Facts travel as JSON text. */
const cell = (row: object, name: string): unknown => {
  const value: unknown = Reflect.get(row, name)
  return name === 'facts' ? JSON.stringify(value) : value
}

/** JSON that PostgreSQL takes: it holds neither NUL nor half a surrogate pair, which `JSON.stringify` writes as escapes. */
const storable = (value: unknown): string => {
  const text = JSON.stringify(value)
  if (!text.includes('\\u0000') && !text.includes('\\ud')) return text
  return text.replace(/\\u(?:0000|d[89a-f][0-9a-f]{2})/g, '\\ufffd')
}
