// How long to wait before the next try.
//   W1. A wait never exceeds `maxDelayMs`, except when the other side named a longer one (Retry-After): asking sooner is pointless.
//   W2. Jitter only shortens, by up to half, so that `maxDelayMs` stays a promise and clients that failed together do not return together.

export type Backoff = {
  readonly backoff: 'fixed' | 'exponential'
  readonly delayMs: number
  readonly maxDelayMs: number
  readonly jitter: boolean
}

/** Milliseconds to wait after the `failed`-th failed try (1 for the first). `random` is in [0, 1). */
export const backoffMs = (
  spec: Backoff,
  { failed, random, retryAfterMs }: { failed: number; random: number; retryAfterMs?: number },
): number => {
  const factor = spec.backoff === 'fixed' ? 1 : 2 ** Math.min(30, Math.max(0, failed - 1))
  const full = Math.min(spec.maxDelayMs, spec.delayMs * factor)
  const waitMs = spec.jitter ? full * (1 - random / 2) : full // W2
  return Math.round(Math.max(waitMs, retryAfterMs ?? 0)) // W1
}

/** Reads a Retry-After header: seconds, or an HTTP date against `nowMs`. Undefined when it says nothing usable. */
export const parseRetryAfter = (header: string | undefined, nowMs: number): number | undefined => {
  const text = header?.trim() ?? ''
  if (/^\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1_000)
  const at = httpDateMs(text)
  return at === undefined ? undefined : Math.max(0, at - nowMs)
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const HTTP_DATE = /^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/

/** Milliseconds since 1970 of an IMF-fixdate (RFC 9110 §5.6.7), by the civil-from-days rule run backwards; no clock is read. */
const httpDateMs = (text: string): number | undefined => {
  const [, day, name, year, hour, minute, second] = HTTP_DATE.exec(text) ?? []
  const month = MONTHS.indexOf(name ?? '') + 1
  if (month === 0) return undefined
  const shifted = month <= 2 ? Number(year) - 1 : Number(year)
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + Number(day) - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  const days = era * 146_097 + dayOfEra - 719_468
  return ((days * 24 + Number(hour)) * 60 + Number(minute)) * 60_000 + Number(second) * 1_000
}
