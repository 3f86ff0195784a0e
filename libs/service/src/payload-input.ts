// Values that live in the payload store: where one stands in a command's input it is fetched, where an output is too large it is kept.
import { isJsonObject, parseJson, Fault, type Json, type JsonObject, type PayloadRef } from '@baton/contracts'
import type { PayloadStore } from '@baton/store'

const MARK = Buffer.from('"$payload"')

/** Cheap test on the bytes, so that commands without payloads are not walked. */
export const mentionsPayload = (value: Buffer): boolean => value.includes(MARK)

const sha256Of = (reference: Json | undefined): string | undefined => {
  if (typeof reference === 'string') return reference
  const sha256 = isJsonObject(reference) ? reference['sha256'] : undefined
  return typeof sha256 === 'string' ? sha256 : undefined
}

const segmentsOf = (at: Json | undefined): readonly string[] => {
  if (Array.isArray(at)) return at.map(String)
  return typeof at === 'string' && at !== '' ? at.split('.') : []
}

const pick = (content: Json, at: readonly string[]): Json => {
  let value: Json | undefined = content
  for (const segment of at) {
    value = Array.isArray(value) ? value[Number(segment)] : isJsonObject(value) ? value[segment] : undefined
    if (value === undefined) throw new Fault('payload.missing', `the payload has no field ${at.join('.')}`, { field: at.join('.') })
  }
  return value
}

/** The value with every `{ $payload, at }` replaced by its content. Each payload is read once. Throws `payload.missing`. */
export const resolvePayloads = async (payloads: PayloadStore, tenant: string, input: Json): Promise<Json> => {
  const fetched = new Map<string, Promise<Json>>()
  const fetchOnce = (sha256: string): Promise<Json> => {
    const known = fetched.get(sha256)
    if (known !== undefined) return known
    // Payloads of steps and inputs are written as JSON by Baton itself.
    const loading = payloads.get({ tenant, sha256 }).then(({ content }) => parseJson(content) as Json)
    fetched.set(sha256, loading)
    return loading
  }
  const resolve = async (value: Json): Promise<Json> => {
    if (Array.isArray(value)) return Promise.all(value.map((item: Json) => resolve(item)))
    if (!isJsonObject(value)) return value
    const sha256 = sha256Of(value['$payload'])
    if (sha256 !== undefined) return pick(await fetchOnce(sha256), segmentsOf(value['at']))
    const fields = await Promise.all(Object.entries(value).map(async ([name, field]) => [name, await resolve(field)] as const))
    return Object.fromEntries(fields)
  }
  return resolve(input)
}

const SHA256 = /^[0-9a-f]{64}$/

/** Pictures, sound and files that stand in the payload store as they are: `{ ref: SHA-256 }` becomes `{ mediaType, base64 }`. Anything else stays. */
export const resolveMedia = async (payloads: Pick<PayloadStore, 'get'>, tenant: string, media: readonly Json[]): Promise<readonly Json[]> =>
  Promise.all(
    media.map(async (item) => {
      const ref = isJsonObject(item) ? item['ref'] : undefined
      if (typeof ref !== 'string' || !SHA256.test(ref)) return item
      const { content, mediaType } = await payloads.get({ tenant, sha256: ref })
      return { mediaType, base64: content.toString('base64') }
    }),
  )

/** A field up to this size stays inline when the whole goes to the payload store. */
const FIELD_BYTES_MAX = 2_048
const FIELDS_BYTES_MAX = 16_384

/** The small fields of a large object: what expressions can still read. Anything but an object has none. */
export const smallFields = (value: Json): JsonObject => {
  const kept: Record<string, Json> = {}
  if (!isJsonObject(value)) return kept
  let total = 0
  for (const [name, field] of Object.entries(value)) {
    const bytes = Buffer.byteLength(JSON.stringify(field))
    if (bytes > FIELD_BYTES_MAX || total + bytes > FIELDS_BYTES_MAX) continue
    total += bytes
    kept[name] = field
  }
  return kept
}

/** Stores a value as JSON and says how to find it. */
export const storeJson = (payloads: PayloadStore, tenant: string, value: Json): Promise<PayloadRef> =>
  payloads.put({ tenant, content: Buffer.from(JSON.stringify(value)), mediaType: 'application/json' })
