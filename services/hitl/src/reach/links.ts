// Links in the database: each can be used once, whoever has it.
//   L3. A link is used up in the moment before its decision is made; one that would decide nothing, or whose decision is refused for its
//       content, can be used again.
//   The secret is drawn once and lies in the database, so that every process and every restart knows the same one.
import { randomBytes, randomUUID } from 'node:crypto'
import { Fault } from '@baton/contracts'
import type { Database } from '@baton/store'
import { signLink, type Link } from './link-token.ts'

export type Links = {
  make(link: Omit<Link, 'jti'>): Promise<string>
  secret(): Promise<Uint8Array>
  /** Whether it was used. */
  used(jti: string): Promise<boolean>
  /** Uses it up; throws `review.closed` when it was used before. */
  use(jti: string, atMs: number): Promise<void>
  giveBack(jti: string): Promise<void>
}

const NAME = 'links'

export const createLinks = (db: Database): Links => {
  let known: Promise<Uint8Array> | undefined
  const draw = async (): Promise<Uint8Array> => {
    await db.query('insert into review_secrets (name, secret) values ($1, $2) on conflict (name) do nothing', [
      NAME,
      randomBytes(32).toString('base64'),
    ])
    const { rows } = await db.query<{ secret: string }>('select secret from review_secrets where name = $1', [NAME])
    return Buffer.from(rows[0]?.secret ?? '', 'base64')
  }
  const secret = async (): Promise<Uint8Array> => {
    known ??= draw()
    try {
      return await known
    } catch (error) {
      known = undefined
      throw error
    }
  }
  return {
    secret,
    make: async (link) => {
      const jti = randomUUID()
      const { tenant, taskId, person, expiresAtMs } = link
      await db.query(
        `with old as (delete from review_links where expires_at_ms < $5::bigint - 604800000)
         insert into review_links (jti, tenant, task_id, made_for, expires_at_ms) values ($1, $2, $3, $4, $5::bigint)`,
        [jti, tenant, taskId, person, expiresAtMs],
      )
      return signLink({ ...link, jti }, await secret())
    },
    used: async (jti) => {
      const { rows } = await db.query<{ used: boolean }>('select used_at_ms is not null as used from review_links where jti = $1', [jti])
      return rows[0]?.used ?? true
    },
    use: async (jti, atMs) => {
      const { rowCount } = await db.query('update review_links set used_at_ms = $2::bigint where jti = $1 and used_at_ms is null', [
        jti,
        atMs,
      ])
      if (rowCount === 0) throw new Fault('review.closed', 'this link was used before') // L3
    },
    giveBack: async (jti) => void (await db.query('update review_links set used_at_ms = null where jti = $1', [jti])),
  }
}
