// Aliases: where they point and how they came there.
//   A1. A move and its entry in the history are one transaction; moves of one alias come one after the other.
//   A2. A rollback goes back along the history, never to and fro: two of them undo two moves.
import { Fault } from '@baton/contracts/fault'
import type { Database, Queryable } from './database.ts'
import type { AliasMove, AliasStore } from './ports.ts'

type Alias = { readonly tenant: string; readonly flow: string; readonly alias: string }
type Target = Alias & {
  readonly version: string
  readonly hash: string
  readonly by: string
  readonly kind: AliasMove['kind']
  readonly reason?: string
  readonly back?: string | null
}
type LastMove = {
  readonly id: string
  readonly version: string
  readonly hash: string
  readonly back: string | null
  readonly by: string
}

/** Aliases over the database. */
export const aliasRepository = (db: Database): AliasStore => ({
  move: ({ tenant, flow, alias, version, by, reason = '' }) =>
    db.transaction(async (tx) => {
      const last = await lockAlias(tx, { tenant, flow, alias })
      const { rows } = await tx.query<{ hash: string }>('select hash from flow_versions where tenant = $1 and flow = $2 and version = $3', [
        tenant,
        flow,
        version,
      ])
      const hash = rows[0]?.hash
      if (hash === undefined) throw new Fault('flow.unknown', `${flow}@${version} is not published`, { field: 'version' })
      const changed = await recordMove(tx, { tenant, flow, alias, version, hash, by, reason, kind: 'move' }, last)
      return { version, hash, changed }
    }),
  rollback: ({ tenant, flow, alias, by, reason = '' }) => rollback(db, { tenant, flow, alias, by, reason }),
  history: async ({ tenant, flow, alias, limit }) => {
    const { rows } = await db.query<Omit<AliasMove, 'atMs'> & { readonly atMs: string }>(
      `select alias, version, hash, kind, moved_by as by, reason, (extract(epoch from moved_at) * 1000)::bigint as "atMs"
       from flow_alias_moves where tenant = $1 and flow = $2 and ($3::text is null or alias = $3) order by id desc limit $4`,
      [tenant, flow, alias ?? null, limit],
    )
    return rows.map((row) => ({ ...row, atMs: Number(row.atMs) }))
  },
})

const rollback = (db: Database, { tenant, flow, alias, by, reason }: Alias & { by: string; reason: string }) =>
  db.transaction(async (tx) => {
    const last = await lockAlias(tx, { tenant, flow, alias })
    if (last === undefined || last.back === null)
      throw new Fault('request.not_found', `${flow}@${alias} has no earlier version to go back to`, { flow, alias })
    const { rows } = await tx.query<LastMove>(
      `select m.id::text as id, m.version, v.hash, m.back::text as back, m.moved_by as by
       from flow_alias_moves m join flow_versions v using (tenant, flow, version) where m.id = $1`,
      [last.back],
    )
    const target = rows[0]
    if (target === undefined) throw new Fault('request.not_found', `the version that ${flow}@${alias} had before is gone`, { flow, alias })
    await recordMove(
      tx,
      { tenant, flow, alias, version: target.version, hash: target.hash, by, reason, kind: 'rollback', back: target.back },
      last,
    )
    return { version: target.version, hash: target.hash, from: last.version }
  })

/** Takes the alias for this transaction (A1), and gives its last move. */
export const lockAlias = async (tx: Queryable, { tenant, flow, alias }: Alias): Promise<LastMove | undefined> => {
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 4711002))', [`${tenant}/${flow}@${alias}`])
  const { rows } = await tx.query<LastMove>(
    `select id::text as id, version, hash, back::text as back, moved_by as by from flow_alias_moves
     where tenant = $1 and flow = $2 and alias = $3 order by id desc limit 1`,
    [tenant, flow, alias],
  )
  return rows[0]
}

/** Moves an alias and remembers it, unless it is there already. */
export const recordMove = async (tx: Queryable, target: Target, last: LastMove | undefined): Promise<boolean> => {
  const { tenant, flow, alias, version, hash, by, kind, reason = '' } = target
  if (last?.version === version && last.hash === hash && kind !== 'rollback') return false
  await tx.query(
    `insert into flow_aliases (tenant, flow, alias, version, moved_by) values ($1, $2, $3, $4, $5)
     on conflict (tenant, flow, alias) do update set version = excluded.version, moved_by = excluded.moved_by, moved_at = now()`,
    [tenant, flow, alias, version, by],
  )
  // A version that was replaced is the same place: a rollback does not stop at its old content, which has no version any more.
  const back = target.back !== undefined ? target.back : last?.version === version ? last.back : (last?.id ?? null) // A2
  await tx.query(
    `insert into flow_alias_moves (tenant, flow, alias, version, hash, kind, back, moved_by, reason)
     values ($1, $2, $3, $4, $5, $6, $7::bigint, $8, $9)`,
    [tenant, flow, alias, version, hash, kind, back, by, reason],
  )
  return true
}
