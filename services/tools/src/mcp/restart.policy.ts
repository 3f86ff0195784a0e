// When a server that ended is started again.
//   S1. The first end is forgiven at once; each further one without a success between waits twice as long, up to half a minute.
//   S2. From `BREAKER_FROM` ends in a row nobody waits for it: calls fail at once until its rest is over, then one is let through.
const FIRST_MS = 250
const LONGEST_MS = 30_000
const BREAKER_FROM = 5
/** Waits up to this are waited for by the call itself. */
const PATIENCE_MS = 2_000

export type Health = { readonly failures: number; readonly restUntilMs: number }
export const HEALTHY: Health = { failures: 0, restUntilMs: 0 }

/** After one more end or refusal of a server. `random` between 0 and 1 keeps many processes from coming back together. */
export const afterFailure = ({ failures }: Health, nowMs: number, random: number): Health => {
  const count = failures + 1
  if (count === 1) return { failures: count, restUntilMs: 0 } // S1
  const restMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** (count - 2)) * (0.75 + random / 4)
  return { failures: count, restUntilMs: nowMs + restMs }
}

/** What a call has to do before the server may be started. */
export const beforeStart = ({ failures, restUntilMs }: Health, nowMs: number): { readonly waitMs: number; readonly refuse: boolean } => {
  const waitMs = Math.max(0, Math.ceil(restUntilMs - nowMs))
  return { waitMs, refuse: waitMs > 0 && (failures >= BREAKER_FROM || waitMs > PATIENCE_MS) } // S2
}
