import type { DeadLetter, LetterPlace } from '@baton/bus'
import { Fault, SERVICES, type ServiceName } from '@baton/contracts'

/** A dead letter in a list. */
export type DeadLetterItem = {
  readonly service: ServiceName
  readonly offset: number
  readonly key: string
  readonly originTopic: string
  readonly code: string
  readonly message: string
  readonly attempts: number
  readonly bytes: number
  readonly firstFailedAtMs?: number
  readonly failedAtMs: number
  readonly redriven: boolean
}

/** One letter with everything that is needed to judge it. `value` is its text; the bytes themselves are in `valueBase64`. */
export type DeadLetterView = DeadLetterItem & {
  readonly headers: Readonly<Record<string, string>>
  readonly origin: DeadLetter['failure']['origin']
  readonly detail?: Readonly<Record<string, string | number | boolean>>
  readonly value: string
  readonly valueBase64: string
}

export const itemOf = (service: ServiceName, { offset, key, value, failure, deadAtMs, redriven }: DeadLetter): DeadLetterItem => ({
  service,
  offset,
  key,
  originTopic: failure.origin.topic,
  code: failure.fault?.code ?? 'handler.failed',
  message: failure.fault?.message ?? '',
  attempts: failure.attempts,
  bytes: value.length,
  ...(failure.firstFailedAtMs === undefined ? {} : { firstFailedAtMs: failure.firstFailedAtMs }),
  failedAtMs: deadAtMs,
  redriven,
})

export const viewOf = (service: ServiceName, letter: DeadLetter): DeadLetterView => {
  const { headers, failure, value } = letter
  const detail = failure.fault?.detail
  return {
    ...itemOf(service, letter),
    headers,
    origin: failure.origin,
    ...(detail === undefined ? {} : { detail }),
    value: value.toString('utf8'),
    valueBase64: value.toString('base64'),
  }
}

/** Where a page ended, as text. */
export type Cursor = { readonly service: ServiceName; readonly after?: LetterPlace }

export const serviceOf = (name: string): ServiceName => {
  const service = SERVICES.find((known) => known === name)
  if (service === undefined) throw new Fault('request.malformed', `service must be one of ${SERVICES.join(', ')}`, { field: 'service' })
  return service
}

export const cursorText = ({ service, after }: Cursor): string =>
  after === undefined ? service : `${service}/${after.partition}/${after.offset}`

/** Throws `request.malformed` for what `cursorText` did not make. */
export const parseCursor = (text: string): Cursor => {
  const match = /^([a-z]+)(?:\/(\d{1,6})\/(\d{1,15}))?$/.exec(text)
  if (match === null) throw new Fault('request.malformed', 'cursor is not from a page before', { field: 'cursor' })
  const service = serviceOf(match[1] ?? '')
  return match[2] === undefined ? { service } : { service, after: { partition: Number(match[2]), offset: Number(match[3]) } }
}
