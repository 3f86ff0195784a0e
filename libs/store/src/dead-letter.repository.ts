// Kinds of dead letters, by fingerprint. They belong to the installation, not to a tenant.
//   D1. Of all processes that meet a kind for the first time, or again after a long rest, one is told so.
import type { Database } from './database.ts'
import type { DeadLetterStore } from './ports.ts'

/** A kind that was not met for so long is new again; after this much longer it is forgotten. */
const REST_DAYS = 7
const KEPT_DAYS = 400
/** A kind that is met all the time is written down this often. */
const NOTED_EACH = '10 minutes'

const AT = 'to_timestamp($2::double precision / 1000)'
const MEET = `insert into dead_letter_kinds (fingerprint, service, code, first_seen_at, last_seen_at) values ($1, $3, $4, ${AT}, ${AT})
  on conflict (fingerprint) do nothing`
const RETURN = `update dead_letter_kinds set last_seen_at = ${AT} where fingerprint = $1 and last_seen_at < ${AT} - interval '${REST_DAYS} days'`
const NOTE = `update dead_letter_kinds set last_seen_at = ${AT} where fingerprint = $1 and last_seen_at < ${AT} - interval '${NOTED_EACH}'`
const FORGET = `delete from dead_letter_kinds where last_seen_at < now() - interval '${KEPT_DAYS} days'`

/** Kinds of dead letters over the database. */
export const deadLetterRepository = (db: Database): DeadLetterStore => ({
  meet: async ({ fingerprint, service, code, atMs }) => {
    if ((await db.query(MEET, [fingerprint, atMs, service, code], { name: 'dead-letter-meet' })).rowCount > 0) {
      await db.query(FORGET)
      return true // D1
    }
    if ((await db.query(RETURN, [fingerprint, atMs])).rowCount > 0) return true
    await db.query(NOTE, [fingerprint, atMs])
    return false
  },
  firstSeen: async (fingerprints) => {
    const { rows } = await db.query<{ fingerprint: string; atMs: string }>(
      `select fingerprint, (extract(epoch from first_seen_at) * 1000)::bigint as "atMs" from dead_letter_kinds where fingerprint = any($1::text[])`,
      [fingerprints],
    )
    return new Map(rows.map(({ fingerprint, atMs }) => [fingerprint, Number(atMs)]))
  },
})
