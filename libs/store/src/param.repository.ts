// Overrides of params, and who changed them.
//   O1. A change and its entry in the audit are one transaction, with the old value as it was in it.
//   O2. The weakest first: for all, for an environment, for a tenant, for a tenant in an environment.
import type { Json } from '@baton/contracts/json'
import type { Database } from './database.ts'
import type { ParamChange, ParamScope, ParamStore } from './ports.ts'

type Row = { readonly tenant: string; readonly environment: string; readonly name: string; readonly value: Json }

/** Params over the database. */
export const paramRepository = (db: Database): ParamStore => ({
  overrides: async ({ flow, tenant, environment }) => {
    const { rows } = await db.query<Row>(
      `select tenant, environment, name, value from flow_params where flow = $1 and tenant in ('', $2) and environment in ('', $3)
       order by tenant <> '', environment <> '', name`,
      [flow, tenant, environment],
      { name: 'flow-params' },
    )
    return grouped(rows)
  },
  all: async (flow) => {
    const { rows } = await db.query<Row>(
      `select tenant, environment, name, value from flow_params where flow = $1 order by tenant <> '', tenant, environment <> '', environment, name`,
      [flow],
    )
    return grouped(rows)
  },
  set: (change) => set(db, change),
  history: async ({ flow, tenant, environment, limit }) => {
    const { rows } = await db.query<Omit<ParamChange, 'atMs'> & { readonly atMs: string }>(
      `select tenant, environment, name, old_value as old, new_value as new, changed_by as by, reason,
         (extract(epoch from changed_at) * 1000)::bigint as "atMs"
       from flow_param_changes where flow = $1 and ($2::text is null or tenant = $2) and ($3::text is null or environment = $3)
       order by id desc limit $4`,
      [flow, tenant ?? null, environment ?? null, limit],
    )
    return rows.map((row) => ({ ...row, atMs: Number(row.atMs) }))
  },
})

const grouped = (rows: readonly Row[]): Awaited<ReturnType<ParamStore['all']>> => {
  const groups = new Map<string, { scope: Omit<ParamScope, 'flow'>; values: Record<string, Json> }>()
  for (const { tenant, environment, name, value } of rows) {
    const key = `${tenant}\n${environment}`
    const group = groups.get(key) ?? { scope: { tenant, environment }, values: {} }
    group.values[name] = value
    groups.set(key, group) // O2: the order of the rows
  }
  return [...groups.values()]
}

const set = (db: Database, { flow, tenant, environment, values, by, reason = '' }: Parameters<ParamStore['set']>[0]) =>
  db.transaction(async (tx) => {
    await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 4711003))', [`${flow}\n${tenant}\n${environment}`]) // O1
    let changed = 0
    for (const [name, value] of Object.entries(values)) {
      const { rows } = await tx.query<{ value: Json }>(
        'select value from flow_params where flow = $1 and tenant = $2 and environment = $3 and name = $4',
        [flow, tenant, environment, name],
      )
      const old = rows[0]?.value ?? null
      if (JSON.stringify(old) === JSON.stringify(value)) continue
      changed++
      if (value === null)
        await tx.query('delete from flow_params where flow = $1 and tenant = $2 and environment = $3 and name = $4', [
          flow,
          tenant,
          environment,
          name,
        ])
      else
        await tx.query(
          `insert into flow_params (flow, tenant, environment, name, value) values ($1, $2, $3, $4, $5::jsonb)
           on conflict (flow, tenant, environment, name) do update set value = excluded.value`,
          [flow, tenant, environment, name, JSON.stringify(value)],
        )
      await tx.query(
        `insert into flow_param_changes (flow, tenant, environment, name, old_value, new_value, changed_by, reason)
         values ($1, $2, $3, $4, $5::jsonb, $6::jsonb, $7, $8)`,
        [
          flow,
          tenant,
          environment,
          name,
          old === null ? null : JSON.stringify(old),
          value === null ? null : JSON.stringify(value),
          by,
          reason,
        ],
      )
    }
    return { changed }
  })
