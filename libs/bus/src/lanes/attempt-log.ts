// The tries a message has behind it, as they travel with it: small enough for a header, whatever happens to the message.
//   A1. The first try is never forgotten; of the others the newest stay.
import { isFaultCode } from '@baton/contracts/fault'

/** One try that failed. `attempt` counts from one again after each redrive. */
export type AttemptNote = { readonly attempt: number; readonly atMs: number; readonly code: string }

/** Tries that are kept. */
export const ATTEMPTS_KEPT_MAX = 32

/** The log with one try more (A1). */
export const withAttempts = (log: readonly AttemptNote[], more: readonly AttemptNote[]): readonly AttemptNote[] => {
  const all = [...log, ...more]
  return all.length <= ATTEMPTS_KEPT_MAX ? all : [...all.slice(0, 1), ...all.slice(1 - ATTEMPTS_KEPT_MAX)]
}

/** A try as `ATTEMPT@MS:CODE`; none of the three can hold a comma. */
export const encodeAttempts = (log: readonly AttemptNote[]): string =>
  log.map(({ attempt, atMs, code }) => `${attempt}@${atMs}:${code}`).join(',')

/** What can be read of it; the rest is left out. */
export const decodeAttempts = (text: string | undefined): readonly AttemptNote[] => {
  if (text === undefined) return []
  const notes = text.split(',', ATTEMPTS_KEPT_MAX + 1).flatMap((note): AttemptNote[] => {
    const [, attempt, atMs, code] = /^(\d{1,6})@(\d{1,15}):([a-z_.]{1,64})$/.exec(note) ?? []
    return code !== undefined && isFaultCode(code) ? [{ attempt: Number(attempt), atMs: Number(atMs), code }] : []
  })
  return withAttempts([], notes)
}
