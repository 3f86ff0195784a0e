// What other teams' workers write on the log, read as what was meant: ten lines in any language are enough.
//   T1. Structured CloudEvents and plain JSON with a `type` are read like events in binary mode.
//   T2. The attempt id alone names the run.
//   T3. A fault code that nobody knows is `tool.failed`, with the original in its detail; text alone is a fault too.
//   T4. An output that is too large fails its step with `step.output_too_large` and is not kept in the state of the run.
//   T5. A meter may say only what the worker knows; the rest is filled in, so that work is billed.
//   T6. What still does not fit its contract is refused with the first field that is wrong; it becomes a dead letter (R8).
import {
  checkMessage,
  contractOfType,
  Fault,
  isFaultCode,
  isJsonObject,
  parseJson,
  runIdOfAttempt,
  type FaultCode,
  type Message,
} from '@baton/contracts'
import type { BusRecord } from '@baton/bus/bus'

/** Largest answer of a worker that is not Baton's own, as it lies on the log. */
export const FOREIGN_ANSWER_BYTES_MAX = 262_144
const OWN_SOURCE = '/baton/'
const STRUCTURED = 'application/cloudevents+json'
const MESSAGE_CHARS_MAX = 4_000
const DETAIL_CHARS_MAX = 500
const DETAILS_MAX = 20
/** What it says where a worker gives none. */
const NO_REASON = 'the worker gave no reason'

type Foreign = Pick<BusRecord, 'headers' | 'value' | 'timestampMs'>
type Fields = { readonly [key: string]: unknown }

/** True for what is read here even where it would fit its contract (T4). */
export const isOversized = ({ headers, value }: Foreign): boolean =>
  value.byteLength > FOREIGN_ANSWER_BYTES_MAX && headers['ce_source']?.startsWith(OWN_SOURCE) !== true

/** A record that is not an event of Baton as it should be. Throws `message.undecodable` (T6). */
export const readForeign = (record: Foreign): Message => {
  const { type, fields } = unwrap(record)
  const name = type === undefined ? undefined : contractOfType(type)
  if (name === undefined) throw new Fault('message.undecodable', typeMissing(type), { field: 'type' })
  if (name.startsWith('step.')) {
    const mended = mend(name, fields, record)
    if (name === 'step.completed' && isOversized(record)) return tooLarge(mended, record)
    return pair(name, mended)
  }
  return pair(name, fields)
}

/** A contract and data that was checked against it are what the union pairs. */
const pair = (name: Message['name'], fields: unknown): Message => ({ name, data: checkMessage(name, fields) }) as Message

const typeMissing = (type: string | undefined): string =>
  type === undefined
    ? 'no event type: name it in the header ce_type, or in the field type'
    : `unknown event type ${type.slice(0, 200)}: answers are baton.step.completed.v1, baton.step.failed.v1 and baton.step.extended.v1`

/** T1. */
const unwrap = ({ headers, value }: Foreign): { readonly type: string | undefined; readonly fields: unknown } => {
  const body = parseJson(value)
  const type = headers['ce_type'] ?? headers['ce-type']
  if (!isJsonObject(body)) return { type, fields: body }
  const { data } = body
  if (headers['content-type']?.startsWith(STRUCTURED) === true || typeof body['specversion'] === 'string')
    return { type: text(body['type']) ?? type, fields: data === undefined ? decodedOf(body['data_base64']) : data }
  if (type !== undefined) return { type, fields: body }
  return { type: text(body['type']), fields: body['attemptId'] === undefined && isJsonObject(data) ? data : body }
}

const decodedOf = (base64: unknown): unknown => (typeof base64 === 'string' ? parseJson(Buffer.from(base64, 'base64')) : undefined)

const mend = (name: Message['name'], fields: unknown, { value, timestampMs }: Foreign): unknown => {
  if (!isJsonObject(fields)) return fields
  const { attemptId, runId, meter, untilMs } = fields
  const mended: Record<string, unknown> = { ...fields }
  if (runId === undefined && typeof attemptId === 'string' && attemptId.includes('/')) mended['runId'] = runIdOfAttempt(attemptId) // T2
  if (untilMs !== undefined) mended['untilMs'] = timeOf(untilMs)
  if (name === 'step.failed' || name === 'step.retrying') mended['fault'] = faultOf(fields['fault'] ?? fields['error']) // T3
  if (isJsonObject(meter)) mended['meter'] = meterOf(meter, { timestampMs, outputChars: value.byteLength }) // T5
  return mended
}

/** Whole milliseconds; clocks of other languages give fractions or ISO 8601. */
const timeOf = (time: unknown): unknown => {
  if (typeof time === 'number') return Math.floor(time)
  const parsed = typeof time === 'string' ? Date.parse(time) : Number.NaN
  return Number.isNaN(parsed) ? time : parsed
}

const faultOf = (fault: unknown): { readonly code: FaultCode; readonly message: string; readonly detail?: Fields } => {
  if (!isJsonObject(fault)) return { code: 'tool.failed', message: (text(fault) ?? NO_REASON).slice(0, MESSAGE_CHARS_MAX) }
  const { code } = fault
  const message = (text(fault['message']) ?? NO_REASON).slice(0, MESSAGE_CHARS_MAX)
  const facts = Object.entries(isJsonObject(fault['detail']) ? fault['detail'] : {})
    .filter(([, fact]) => ['string', 'number', 'boolean'].includes(typeof fact))
    .slice(0, DETAILS_MAX)
    .map(([name, fact]) => [name, typeof fact === 'string' ? fact.slice(0, DETAIL_CHARS_MAX) : fact] as const)
  const known = isFaultCode(code)
  const original = known || code === undefined ? [] : [['code', codeText(code).slice(0, DETAIL_CHARS_MAX)] as const]
  const detail = Object.fromEntries([...facts, ...original])
  return { code: known ? code : 'tool.failed', message, ...(Object.keys(detail).length === 0 ? {} : { detail }) }
}

const codeText = (code: unknown): string => (typeof code === 'string' ? code : JSON.stringify(code))

const meterOf = (meter: Fields, known: { readonly timestampMs: number; readonly outputChars: number }): Fields => {
  const latencyMs = typeof meter['latencyMs'] === 'number' ? meter['latencyMs'] : 0
  const startedAtMs = Math.max(0, Math.floor(known.timestampMs - latencyMs))
  return { startedAtMs, latencyMs, tries: 1, inputChars: 0, outputChars: known.outputChars, costMicroUsd: 0, ...meter }
}

/** T4. */
const tooLarge = (fields: unknown, { value }: Foreign): Message => {
  const { runId, attemptId, meter } = isJsonObject(fields) ? fields : {}
  const fault = {
    code: 'step.output_too_large',
    message: `the answer has ${value.byteLength} bytes, the limit is ${FOREIGN_ANSWER_BYTES_MAX}: put it into a store of yours and answer with its address`,
    detail: { bytes: value.byteLength, bytesMax: FOREIGN_ANSWER_BYTES_MAX },
  }
  return pair('step.failed', { runId, attemptId, fault, ...(meter === undefined ? {} : { meter }) })
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
