// Changing a message before it is sent again.
//   E1. What says which message it is stays: key, the identity headers, and in the body the ids, the tenant and the key of the effect ledger.
//       So a product gets one run, and an effect is had once, however often it is mended.
//   E2. What was shown masked is sent as it was: a mask in an edit that stands where the original had it means "unchanged". Any other mask
//       is refused, or a mask would be sent in place of a secret.
//   E3. What is kept of an edit says what changed from what to what, without secrets.
import { isDeepStrictEqual } from 'node:util'
import type { DeadLetter, LetterEdit } from '@baton/bus'
import { IDENTITY_HEADERS } from '@baton/bus'
import { Fault, isJsonObject, type Json, type JsonObject } from '@baton/contracts'
import { redactJson, redactText } from '@baton/service'
import { bodyChanges, child, headerChanges } from './letter-changes.ts'
import type { EditBody } from './letter-edit-body.ts'
import { maskHeaders } from './letter-mask.ts'

/** Top-level fields that say which message it is, or which effect. */
const IDENTITY_FIELDS = [
  'id',
  'source',
  'tenant',
  'requestId',
  'runId',
  'rootRunId',
  'attemptId',
  'effectKey',
  'effectBase',
  'planHash',
  'engineVersion',
  'nodeId',
  'path',
  'reservation',
  'answerPartition',
] as const
const OURS = /^baton\./

/** Throws `request.malformed` for an edit that would make another message of it (E1), or that cannot be applied. */
export const applyEdit = (letter: DeadLetter, edit: EditBody): LetterEdit => {
  const before = parse(letter.value)
  const headers = editHeaders(letter, edit.headers ?? {})
  const { value, after } = editBody(letter, before, edit)
  if (OURS.test(letter.failure.origin.topic) && isJsonObject(before) && isJsonObject(after)) keepIdentity(before, after)
  const changes = [...headerChanges(letter.headers, headers), ...bodyChanges(letter.value, value, { before, after })]
  if (changes.length === 0) throw refused('edit', 'nothing would change; redrive it without an edit')
  return { value, headers, changes }
}

const refused = (field: string, reason: string): Fault => new Fault('request.malformed', `${field}: ${reason}`, { field })

const parse = (value: Buffer): Json | undefined => {
  try {
    return JSON.parse(value.toString('utf8'))
  } catch {
    return undefined
  }
}

const editHeaders = ({ headers }: DeadLetter, edits: Readonly<Record<string, string | null>>): Readonly<Record<string, string>> => {
  const masked = maskHeaders(headers)
  const edited = { ...headers }
  for (const [name, value] of Object.entries(edits)) {
    const original = headers[name]
    if (value !== null && value === masked[name]) continue // E2
    if (value !== null && hasMask(value) && value !== original) throw refused(`edit.headers.${name}`, 'a mask stands where a secret was')
    if (IDENTITY_HEADERS.some((known) => known === name.toLowerCase()) && value !== (original ?? null))
      throw refused(`edit.headers.${name}`, 'it says which message this is, and stays') // E1
    if (name.toLowerCase().startsWith('x-redrive')) throw refused(`edit.headers.${name}`, 'headers of a redrive are set by it')
    if (value === null) Reflect.deleteProperty(edited, name)
    else edited[name] = value
  }
  return edited
}

type Edited = { readonly value: Buffer; readonly after: Json | undefined }

const editBody = (letter: DeadLetter, before: Json | undefined, { body, text, base64, patch }: EditBody): Edited => {
  if (base64 !== undefined) {
    const value = Buffer.from(base64, 'base64')
    return { value, after: parse(value) }
  }
  if (text !== undefined) {
    const original = letter.value.toString('utf8')
    if (text === redactText(original)) return { value: letter.value, after: before } // E2
    if (newMask(text, original)) throw refused('edit.text', 'a mask stands where a secret was; send the bytes as base64')
    const value = Buffer.from(text)
    return { value, after: parse(value) }
  }
  if (patch !== undefined) {
    if (!isJsonObject(before)) throw refused('edit.patch', 'the message is no JSON object')
    return encoded(unmask(merge(before, patch), before, { masked: redactJson(before), at: 'edit.patch' }))
  }
  if (body === undefined) return { value: letter.value, after: before }
  return encoded(unmask(body, before ?? null, { masked: redactJson(before ?? null), at: 'edit.body' }))
}

const encoded = (after: Json): Edited => ({ value: Buffer.from(JSON.stringify(after)), after })

/** RFC 7396. */
const merge = (target: Json, patch: Json): Json => {
  if (!isJsonObject(patch)) return patch
  const merged: Record<string, Json> = isJsonObject(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(merged, name)
    else
      Object.defineProperty(merged, name, {
        value: merge(merged[name] ?? null, value),
        enumerable: true,
        writable: true,
        configurable: true,
      })
  }
  return merged
}

const MASKS = /\[(?:secret|email|card|iban|phone)\]/
const hasMask = (text: string): boolean => MASKS.test(text)
const newMask = (text: string, original: string): boolean => hasMask(text) && !hasMask(original)

/** E2: the edit with what was masked put back. */
const unmask = (edit: Json, original: Json | undefined, { masked, at }: { masked: Json | undefined; at: string }): Json => {
  if (typeof edit === 'string') {
    if (typeof original === 'string' && edit === masked) return original
    if (newMask(edit, typeof original === 'string' ? original : '')) throw refused(at, 'a mask stands where a secret was')
    return edit
  }
  if (Array.isArray(edit))
    return edit.map((item: Json, n) => unmask(item, child(original, n), { masked: child(masked, n), at: `${at}[${n}]` }))
  if (!isJsonObject(edit)) return edit
  return Object.fromEntries(
    Object.entries(edit).map(([name, item]) => [
      name,
      unmask(item, child(original, name), { masked: child(masked, name), at: `${at}.${name}` }),
    ]),
  )
}

/** E1. A field that cannot be an identity, as an id that is no text, may be what is to be mended. */
const keepIdentity = (before: JsonObject, after: JsonObject): void => {
  for (const name of IDENTITY_FIELDS) {
    const was = child(before, name)
    const isIdentity = typeof was === 'string' || typeof was === 'number' || (was === undefined && name === 'id')
    if (isIdentity && !isDeepStrictEqual(was, child(after, name)))
      throw refused(`edit.body.${name}`, 'it says which message or effect this is, and stays; for another one make a new request')
  }
}
