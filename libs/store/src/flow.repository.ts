// Published plans. A hash is content: it never changes; a version is fixed unless replaced on purpose; an alias moves.
import { Fault } from '@baton/contracts/fault'
import { lockAlias, recordMove } from './alias.repository.ts'
import type { Database } from './database.ts'
import type { FlowStore } from './ports.ts'

type Publication = Parameters<FlowStore['publish']>[0]

/** Flows over the database. */
export const flowRepository = (db: Database): FlowStore => ({
  publish: (flow) => publish(db, flow),
  plan: async (hash) => {
    const { rows } = await db.query<{ body: string }>('select body from plans where hash = $1 limit 1', [hash], { name: 'flow-plan' })
    return rows[0]?.body
  },
  resolve: async ({ tenant, flow, at }) => {
    if (at.startsWith(HASH_PREFIX)) return resolveHash(db, { tenant, flow, hash: at.slice(HASH_PREFIX.length) })
    // A version wins over an alias of the same name.
    const { rows } = await db.query<{ hash: string; version: string }>(
      `select hash, version from flow_versions where tenant = $1 and flow = $2 and version = $3
       union all
       select v.hash, v.version from flow_aliases a join flow_versions v using (tenant, flow, version) where tenant = $1 and flow = $2 and alias = $3
       limit 1`,
      [tenant, flow, at],
      { name: 'flow-resolve' },
    )
    return rows[0]
  },
  list: async (tenant) => {
    const { rows } = await db.query<{ flow: string; version: string; hash: string; aliases: string[]; publishedAtMs: string }>(
      `select v.flow, v.version, v.hash, coalesce(array_agg(a.alias order by a.alias) filter (where a.alias is not null), '{}') as aliases,
         (extract(epoch from v.published_at) * 1000)::bigint as "publishedAtMs"
       from flow_versions v left join flow_aliases a using (tenant, flow, version)
       where tenant = $1 group by tenant, v.flow, v.version order by v.flow, v.published_at desc, v.version desc`,
      [tenant],
    )
    return rows.map((row) => ({ ...row, publishedAtMs: Number(row.publishedAtMs) }))
  },
})

/** In front of a plan's hash where a version is expected. */
const HASH_PREFIX = 'sha256:'

/** A plan stays after its version was replaced: whoever pinned it keeps what was checked. */
const resolveHash = async (db: Database, { tenant, flow, hash }: { tenant: string; flow: string; hash: string }) => {
  const { rows } = await db.query<{ hash: string; version: string }>(
    `select p.hash, coalesce(v.version, p.body::json->>'version') as version
     from plans p left join flow_versions v on v.tenant = p.tenant and v.flow = $2 and v.hash = p.hash
     where p.tenant = $1 and p.hash = $3 and (v.hash is not null or p.body::json->>'flow' = $2) limit 1`,
    [tenant, flow, hash],
    { name: 'flow-resolve-hash' },
  )
  return rows[0]
}

const publish = (
  db: Database,
  { tenant, flow, version, hash, body, alias, replace, by, yields = false }: Publication,
): Promise<{ changed: boolean }> =>
  db.transaction(async (tx) => {
    await tx.query('insert into plans (hash, tenant, body) values ($1, $2, $3) on conflict do nothing', [hash, tenant, body])
    const written = await tx.query(
      `insert into flow_versions (tenant, flow, version, hash, published_by) values ($1, $2, $3, $4, $5)
       on conflict (tenant, flow, version) do update set hash = excluded.hash, published_by = excluded.published_by, published_at = now()
       where flow_versions.hash <> excluded.hash and $6 returning version`,
      [tenant, flow, version, hash, by, replace],
    )
    const { rows } = await tx.query<{ hash: string }>('select hash from flow_versions where tenant = $1 and flow = $2 and version = $3', [
      tenant,
      flow,
      version,
    ])
    if (rows[0]?.hash !== hash) {
      throw new Fault('request.conflicting', `${flow}@${version} was published with other content; choose a new version`, { flow, version })
    }
    const last = await lockAlias(tx, { tenant, flow, alias })
    if (yields && written.rowCount === 0 && last !== undefined && last.by !== by) return { changed: false }
    const moved = await recordMove(tx, { tenant, flow, alias, version, hash, by, kind: 'publish' }, last)
    return { changed: written.rowCount > 0 || moved }
  })
