// Answers to the very same question, by tenant and the hash of the question. The body is text, so that every character survives.
import type { Json } from '@baton/contracts/json'
import type { Database } from './database.ts'
import type { ModelCacheStore } from './model-ports.ts'

/** The cache over the database. */
export const modelCacheRepository = (db: Database): ModelCacheStore => ({
  find: async ({ tenant, key }) => {
    const { rows } = await db.query<{ body: string; leftMs: string }>(
      `select body, ceil(extract(epoch from expires_at - clock_timestamp()) * 1000)::bigint as "leftMs" from model_cache
       where tenant = $1 and key = $2 and expires_at > clock_timestamp()`,
      [tenant, key],
      { name: 'model-cache-find' },
    )
    // Written by `save` below as the JSON of a Json value.
    return rows[0] === undefined ? undefined : { body: JSON.parse(rows[0].body) as Json, leftMs: Number(rows[0].leftMs) }
  },
  save: async ({ tenant, key, body, ttlMs }) => {
    await db.query(
      `insert into model_cache (tenant, key, body, expires_at) values ($1, $2, $3, clock_timestamp() + $4::bigint * interval '1 millisecond')
       on conflict (tenant, key) do update set body = excluded.body, expires_at = excluded.expires_at`,
      [tenant, key, JSON.stringify(body), Math.ceil(ttlMs)],
      { name: 'model-cache-save' },
    )
  },
  forget: async ({ tenant, key }) => {
    await db.query('delete from model_cache where tenant = $1 and key = $2', [tenant, key], { name: 'model-cache-forget' })
  },
  sweep: async ({ limit }) => {
    const { rowCount } = await db.query(
      'delete from model_cache where (tenant, key) in (select tenant, key from model_cache where expires_at <= clock_timestamp() limit $1)',
      [limit],
    )
    return rowCount
  },
})
