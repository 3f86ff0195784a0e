// JSON of the payload store, kept in memory: a conversation is read anew at every turn, and only its last piece is new.
//   M1. Content is named by its hash, so what is kept is always right; at most `bytesMax` are kept, the longest unused go first.
//   M2. A payload belongs to its tenant: another tenant's read goes to the store.
import { parseJson, type Json, type PayloadRef } from '@baton/contracts'
import type { Platform } from '@baton/service'

type Payloads = Platform['stores']['payloads']
type Kept = { readonly value: Json; readonly bytes: number }

export type PayloadCache = {
  /** The JSON behind a reference and its size. Throws `payload.missing`. */
  get(tenant: string, sha256: string): Promise<Kept>
  /** Stores JSON and keeps it. */
  put(tenant: string, value: Json): Promise<PayloadRef>
}

const BYTES_MAX = 32 * 1024 * 1024

/** A cache in front of the payload store. */
export const createPayloadCache = (payloads: Payloads, bytesMax: number = BYTES_MAX): PayloadCache => {
  const kept = new Map<string, Kept>()
  let total = 0
  const keep = (key: string, entry: Kept): void => {
    total += entry.bytes - (kept.get(key)?.bytes ?? 0)
    kept.delete(key)
    kept.set(key, entry)
    for (const [oldest, { bytes }] of kept) {
      if (total <= bytesMax) break // M1
      kept.delete(oldest)
      total -= bytes
    }
  }
  return {
    get: async (tenant, sha256) => {
      const key = `${tenant}/${sha256}` // M2
      const known = kept.get(key)
      if (known !== undefined) {
        keep(key, known)
        return known
      }
      const { content } = await payloads.get({ tenant, sha256 })
      const entry = { value: parseJson(content) as Json, bytes: content.length } // Written as JSON by Baton itself.
      keep(key, entry)
      return entry
    },
    put: async (tenant, value) => {
      const content = Buffer.from(JSON.stringify(value))
      const ref = await payloads.put({ tenant, content, mediaType: 'application/json' })
      keep(`${tenant}/${ref.sha256}`, { value, bytes: content.length })
      return ref
    },
  }
}
