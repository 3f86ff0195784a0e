import type { DeadLetter } from '@baton/bus'
import { contractOfType, decodeEvent, decodeRequest, Fault, isJsonObject, TOPICS, type Json, type ServiceName } from '@baton/contracts'
import { redactJson, redactText } from '@baton/service'
import { daysLeft, LETTER_RETENTION_MS, type DeskLetter } from './letter-desk.ts'
import { letterId, serviceOf, type LetterPlace } from './letter-id.ts'
import { maskHeaders } from './letter-mask.ts'

/** A dead letter in a list. */
export type DeadLetterItem = Omit<DeskLetter, 'deadAtMs'> & {
  readonly id: string
  readonly failedAtMs: number
  readonly daysLeft: number
  readonly redriven: boolean
}

/** What a message says, as far as it can be read. */
type Decoded = {
  /** The contract it is of: `request`, `model.invoke`, … */
  readonly contract: string | null
  /** Why it cannot be read as that; absent when it can. */
  readonly problem?: string
  /** Its body, secrets masked; null when it is no JSON. */
  readonly data: Json
}

/** One letter with everything that is needed to judge it, secrets masked. The bytes themselves are in `raw`, for those who ask for them. */
export type DeadLetterView = DeadLetterItem & {
  readonly headers: Readonly<Record<string, string>>
  readonly origin: DeadLetter['failure']['origin']
  readonly detail?: Readonly<Record<string, string | number | boolean>>
  readonly frames: readonly string[]
  readonly first: DeadLetter['first']
  readonly history: DeadLetter['history']
  readonly redriveId?: string
  readonly actions: DeadLetter['actions']
  readonly expiresAtMs: number
  readonly decoded: Decoded
  /** The body as text. */
  readonly value: string
  readonly raw?: { readonly headers: Readonly<Record<string, string>>; readonly valueBase64: string }
}

export const itemOf = ({ deadAtMs, ...letter }: DeskLetter, nowMs: number): DeadLetterItem => ({
  id: letterId(letter),
  ...letter,
  message: redactText(letter.message),
  failedAtMs: deadAtMs,
  daysLeft: daysLeft(deadAtMs, nowMs),
  redriven: letter.state === 'redriven',
})

export const viewOf = (summary: DeskLetter, letter: DeadLetter, { nowMs, raw }: { nowMs: number; raw: boolean }): DeadLetterView => {
  const { headers, failure, value, history, first, redriveId, actions } = letter
  const detail = failure.fault?.detail
  return {
    ...itemOf(summary, nowMs),
    message: redactText(failure.fault?.message ?? ''),
    headers: maskHeaders(headers),
    origin: failure.origin,
    ...(detail === undefined ? {} : { detail }),
    frames: failure.frames ?? [],
    first: { ...first, message: redactText(first.message) },
    history,
    ...(redriveId === undefined ? {} : { redriveId }),
    actions,
    expiresAtMs: letter.deadAtMs + LETTER_RETENTION_MS,
    decoded: decodedOf(letter),
    value: textOf(value),
    ...(raw ? { raw: { headers, valueBase64: value.toString('base64') } } : {}),
  }
}

/** JSON is masked by its fields, anything else as text. */
const textOf = (value: Buffer): string => {
  const text = value.toString('utf8')
  const data = jsonOf(text)
  if (data === undefined) return redactText(text)
  const masked = redactJson(data)
  return JSON.stringify(masked) === JSON.stringify(data) ? text : JSON.stringify(masked)
}

const jsonOf = (text: string): Json | undefined => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const decodedOf = ({ key, value, headers, failure: { origin } }: DeadLetter): Decoded => {
  const data = jsonOf(value.toString('utf8'))
  const type = headers['ce_type']
  const isRequest = origin.topic === TOPICS.requests
  const contract = isRequest ? 'request' : type === undefined ? null : (contractOfType(type) ?? null)
  const shown = { contract, data: data === undefined ? null : redactJson(data) }
  try {
    if (isRequest) decodeRequest({ ...origin, key, value, headers })
    else if (type !== undefined) decodeEvent({ headers, value })
    else if (data === undefined) return { ...shown, problem: 'is not JSON' }
    return shown
  } catch (error) {
    return { ...shown, problem: redactText(error instanceof Fault ? error.message : String(error)) }
  }
}

/** Whether it belongs to a run, and to which. */
export const runIdOf = ({ key, headers, value }: DeadLetter): string => {
  const subject = headers['ce_subject']
  if (subject !== undefined && subject !== '') return subject
  const body = jsonOf(value.toString('utf8'))
  const runId = isJsonObject(body) ? body['runId'] : undefined
  return typeof runId === 'string' ? runId : key
}

/** Where a page ended, as text. */
export const cursorText = ({ service, offset }: LetterPlace): string => `${service}/0/${offset}`

/** Throws `request.malformed` for what `cursorText` did not make. */
export const parseCursor = (text: string): LetterPlace => {
  const match = /^([a-z]+)\/\d{1,6}\/(-1|\d{1,15})$/.exec(text)
  if (match === null) throw new Fault('request.malformed', 'cursor is not from a page before', { field: 'cursor' })
  const service: ServiceName = serviceOf(match[1] ?? '')
  return { service, offset: Number(match[2]) }
}
