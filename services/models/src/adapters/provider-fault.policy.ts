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

const codeOf = (status: number | undefined): FaultCode => {
  if (status === 429) return 'model.rate_limited'
  // No answer, a failing server, or a success that was not JSON: all may be over soon.
  if (status === undefined || status >= 500 || status < 400 || status === 409) return 'model.unavailable'
  return status === 408 ? 'model.timed_out' : 'model.refused'
}

const retryAfterOf = (headers: Readonly<Record<string, string>>, nowMs: number): number | undefined => {
  const precise = Number(headers['retry-after-ms'])
  return Number.isFinite(precise) ? precise : parseRetryAfter(headers['retry-after'], nowMs)
}

/** Cuts a message and takes out what looks like a key. */
const safe = (message: string): string => message.replaceAll(/\b(?:sk|key|Bearer)[-_ ][\w.-]{6,}/gi, '[secret]').slice(0, MESSAGE_CHARS_MAX)

/** The fault for an error of a call to `model`. */
export const providerFault = (model: string, error: CallError, nowMs: number): Fault => {
  const code = codeOf(error.status)
  const waits = code === 'model.rate_limited' || code === 'model.unavailable'
  const retryAfterMs = waits ? retryAfterOf(error.headers ?? {}, nowMs) : undefined
  const tooLong =
    code === 'model.refused' &&
    /context.{0,20}(?:length|window)|too many tokens|maximum.{0,20}tokens/i.test(`${error.message} ${error.body ?? ''}`)
  return new Fault(code, `${model}: ${safe(error.message)}`, {
    model,
    ...(error.status === undefined ? {} : { status: error.status }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(tooLong ? { reason: 'context_length' } : {}),
  })
}
