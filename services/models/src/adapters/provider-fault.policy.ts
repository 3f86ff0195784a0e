// What a provider's error means, by status, headers and body; its words are passed on cut and without secrets.
import { Fault, type FaultCode } from '@baton/contracts/fault'
import { parseRetryAfter } from '@baton/policy'

/** An error of a call, as far as it can be told. `status` absent: no answer came. */
export type CallError = {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly message: string
  readonly body?: string
}

const MESSAGE_CHARS_MAX = 300

const TOO_LONG = /context.{0,20}(?:length|window)|too many (?:input )?tokens|maximum.{0,20}tokens|prompt is too long|request_too_large/i
const CONTENT = /content[_ ](?:filter|policy|management)|safety (?:system|policy)|responsible ?ai/i
const UNPAID = /insufficient_quota|credit balance|billing/i
const BUSY = /overloaded|at capacity|server_busy|model is (?:currently )?loading/i

/** What a status of 4xx means, with the words beside it. */
const refusalOf = (status: number, words: string): FaultCode => {
  if (status === 413 || TOO_LONG.test(words)) return 'model.context_too_long'
  if (CONTENT.test(words)) return 'model.content_refused'
  if (status === 401 || status === 403 || UNPAID.test(words)) return 'model.unauthorized'
  return status === 400 || status === 404 || status === 422 ? 'model.request_invalid' : 'model.refused'
}

const codeOf = ({ status, message, body = '' }: CallError): FaultCode => {
  const words = `${message} ${body}`
  // An account without money is not mended by waiting.
  if (status === 429) return UNPAID.test(words) ? 'model.unauthorized' : 'model.rate_limited'
  if (status === 529 || BUSY.test(words)) return 'model.overloaded'
  // No answer, a failing server, or a success that was not JSON: all may be over soon.
  if (status === undefined || status >= 500 || status < 400 || status === 409) return 'model.unavailable'
  return status === 408 ? 'model.timed_out' : refusalOf(status, words)
}

const retryAfterOf = (headers: Readonly<Record<string, string>>, nowMs: number): number | undefined => {
  const precise = Number(headers['retry-after-ms'])
  return Number.isFinite(precise) ? precise : parseRetryAfter(headers['retry-after'], nowMs)
}

/** Cuts a message and takes out what looks like a key. */
const safe = (message: string): string => message.replaceAll(/\b(?:sk|key|Bearer)[-_ ][\w.-]{6,}/gi, '[secret]').slice(0, MESSAGE_CHARS_MAX)

/** The fault for an error of a call to `model`. */
export const providerFault = (model: string, error: CallError, nowMs: number): Fault => {
  const code = codeOf(error)
  const waits = code === 'model.rate_limited' || code === 'model.unavailable' || code === 'model.overloaded'
  const retryAfterMs = waits ? retryAfterOf(error.headers ?? {}, nowMs) : undefined
  return new Fault(code, `${model}: ${safe(error.message)}`, {
    model,
    ...(error.status === undefined ? {} : { status: error.status }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}
