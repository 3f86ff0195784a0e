// Content by its hash. Base64 text crosses to the database, because PGlite takes bytes five times as slowly.
import { Fault } from '@baton/contracts/fault'
import { sha256 } from '@baton/contracts/ids'
import type { Database } from './database.ts'
import type { PayloadStore } from './ports.ts'

/** Payloads over the database. */
export const payloadRepository = (db: Database): PayloadStore => ({
  put: async ({ tenant, content, mediaType }) => {
    const hash = sha256(content)
    await db.query(
      `insert into payloads (tenant, sha256, media_type, size_bytes, content) values ($1, $2, $3, $4, decode($5, 'base64'))
       on conflict (tenant, sha256) do update set touched_at = now() where payloads.touched_at < now() - interval '1 day'`,
      [tenant, hash, mediaType, content.length, content.toString('base64')],
      { name: 'payload-put' },
    )
    return { sha256: hash, sizeBytes: content.length, mediaType }
  },
  get: async ({ tenant, sha256: hash }) => {
    const { rows } = await db.query<{ mediaType: string; content: string }>(
      `select media_type as "mediaType", encode(content, 'base64') as content from payloads where tenant = $1 and sha256 = $2`,
      [tenant, hash],
      { name: 'payload-get' },
    )
    const [row] = rows
    if (row === undefined) throw new Fault('payload.missing', `payload ${hash.slice(0, 12)} is not stored`, { sha256: hash })
    return { content: Buffer.from(row.content, 'base64'), mediaType: row.mediaType }
  },
})
