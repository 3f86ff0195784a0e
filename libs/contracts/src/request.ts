// A record of the public request topic as a request, whatever its sender speaks: plain JSON, CloudEvents binary, CloudEvents structured.
//   Q1. Tenant and source come from the header, else the body, else `default` and `kafka`; a request without an id is named by its place.
//   Q2. What cannot be understood is `request.malformed` with the first field that is wrong; nothing else is ever thrown.
import { Fault } from './fault.ts'
import { DEFAULT_TENANT } from './ids.ts'
import { isJsonObject, type Json, type JsonObject } from './json.ts'
import { RunRequest } from './messages/run.ts'
import { Tenant } from './messages/shared.ts'

/** Source of requests that name none. */
export const DEFAULT_SOURCE = 'kafka'

/** A record as it was read from the request topic. */
export type RequestRecord = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string
  readonly value: Uint8Array
  readonly headers: Readonly<Record<string, string>>
}

/** A request with its identity: the run id is the hash of tenant, source and request id. */
export type DecodedRequest = { readonly request: RunRequest; readonly requestId: string; readonly tenant: string; readonly source: string }

const malformed = (field: string, reason: string): Fault => new Fault('request.malformed', `${field}: ${reason}`, { field })

const parseAny = (value: Uint8Array): Json => {
  try {
    return JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8'))
  } catch (error) {
    throw malformed('(root)', `is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const parse = (value: Uint8Array): JsonObject => {
  const body = parseAny(value)
  if (!isJsonObject(body)) throw malformed('(root)', 'must be a JSON object')
  return body
}

/** Attributes and data of a structured event; for anything else no attributes and the body itself. */
const unwrap = (body: JsonObject, contentType: string | undefined): { attributes: JsonObject; data: Json | undefined } => {
  const structured =
    contentType?.startsWith('application/cloudevents+json') === true ||
    (typeof body['specversion'] === 'string' && body['data'] !== undefined)
  return structured ? { attributes: body, data: body['data'] } : { attributes: {}, data: body }
}

const text = (...candidates: readonly unknown[]): string | undefined =>
  candidates.find((value): value is string => typeof value === 'string' && value !== '')

const check = (data: unknown): RunRequest => {
  const parsed = RunRequest.safeParse(data)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw malformed(issue === undefined || issue.path.length === 0 ? '(root)' : issue.path.join('.'), issue?.message ?? 'invalid') // Q2
}

/** What somebody else's record says: its data, and the tenant it names, if any. */
export type ForeignEvent = { readonly data: Json; readonly tenant?: string }

/** Decodes a record that another team wrote, of whatever shape: plain JSON, CloudEvents binary or structured. Throws `request.malformed`. */
export const decodeForeignEvent = ({ headers, value }: Pick<RequestRecord, 'headers' | 'value'>): ForeignEvent => {
  const body = parseAny(value)
  const { attributes, data } = isJsonObject(body) ? unwrap(body, headers['content-type']) : { attributes: {}, data: body }
  if (data === undefined) throw malformed('data', 'a CloudEvent that starts something carries JSON data')
  const tenant = text(headers['ce_tenant'], attributes['tenant']) // Q1
  if (tenant === undefined) return { data }
  if (!Tenant.safeParse(tenant).success) throw malformed('tenant', 'may hold small letters, digits, dot, dash and underscore')
  return { data, tenant }
}

const ID_CHARS_MAX = 256

/** Decodes a record of `baton.requests`. Throws `request.malformed`. */
export const decodeRequest = (record: RequestRecord): DecodedRequest => {
  const { headers, topic, partition, offset } = record
  const { attributes, data } = unwrap(parse(record.value), headers['content-type'])
  const request = check(data)
  const tenant = text(headers['ce_tenant'], attributes['tenant'], request.tenant) ?? DEFAULT_TENANT // Q1
  if (!Tenant.safeParse(tenant).success) throw malformed('tenant', 'may hold small letters, digits, dot, dash and underscore')
  const requestId = text(request.id, headers['ce_id'], attributes['id']) ?? `${topic}/${partition}/${offset}` // Q1
  const source = text(headers['ce_source'], attributes['source'], request.source) ?? DEFAULT_SOURCE // Q1
  if (requestId.length > ID_CHARS_MAX || source.length > ID_CHARS_MAX)
    throw malformed(requestId.length > ID_CHARS_MAX ? 'id' : 'source', `is longer than ${ID_CHARS_MAX} characters`)
  return { request, requestId, tenant, source }
}
