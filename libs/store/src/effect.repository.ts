// Intent and result around each effect (C4): the row is there before the effect is tried.
import { Fault } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import type { Database } from './database.ts'
import type { EffectStore } from './ports.ts'

type Known = { readonly tool: string; readonly argsHash: string; readonly result: string | null }

/** Effects over the database. */
export const effectRepository = (db: Database): EffectStore => ({
  find: async ({ tenant, key }) => {
    const { rows } = await db.query<Known>(
      'select tool, args_hash as "argsHash", result from effects where tenant = $1 and key = $2',
      [tenant, key],
      { name: 'effect-find' },
    )
    const [known] = rows
    if (known === undefined) return undefined
    const { argsHash, result } = known
    return result === null ? { argsHash } : { argsHash, result: JSON.parse(result) as Json } // as `finish` wrote it
  },
  begin: async ({ tenant, key, tool, argsHash }) => {
    const { rowCount } = await db.query(
      'insert into effects (tenant, key, tool, args_hash) values ($1, $2, $3, $4) on conflict do nothing returning key',
      [tenant, key, tool, argsHash],
      {
        name: 'effect-begin',
      },
    )
    if (rowCount > 0) return { state: 'new' }
    const { rows } = await db.query<Known>(
      'update effects set touched_at = now() where tenant = $1 and key = $2 returning tool, args_hash as "argsHash", result',
      [tenant, key],
      { name: 'effect-known' },
    )
    const [known] = rows
    if (known === undefined || known.tool !== tool || known.argsHash !== argsHash) return { state: 'conflict' }
    if (known.result === null) return { state: 'open' }
    // Written by `finish` below as the JSON of a Json value.
    return { state: 'done', result: JSON.parse(known.result) as Json }
  },
  finish: async ({ tenant, key, result }) => {
    // The first result stays: a repeat must not change what others may have read.
    const { rowCount } = await db.query(
      'update effects set result = coalesce(result, $3), finished_at = coalesce(finished_at, now()) where tenant = $1 and key = $2 returning key',
      [tenant, key, JSON.stringify(result)],
      { name: 'effect-finish' },
    )
    if (rowCount === 0) throw new Fault('request.not_found', 'this effect was never begun', { key })
  },
})
