// Which request goes wrong, and how. A schedule is a list of rules; the first that applies to a request decides.
//   F1. The same schedule does the same to the same sequence of requests: shares are drawn from the number of the request, not from a clock.

export type RigFault =
  /** 429, 503, 529, 401, 400 …; `retryAfterMs` goes out as Retry-After, in seconds where they are whole. */
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterMs?: number; readonly message?: string; readonly code?: string }
  /** Takes the request and never answers. */
  | { readonly kind: 'hang' }
  /** Closes the connection before the answer, as a server does that is down. */
  | { readonly kind: 'reset' }
  /** The stream ends in the middle without its end mark; a body that is no stream is shorter than it said. */
  | { readonly kind: 'cut' }
  /** A success whose body is no JSON. */
  | { readonly kind: 'malformed' }
  /** Everything takes so many times longer. */
  | { readonly kind: 'slow'; readonly factor: number }
  /** Nothing comes for so long after the first piece; of an answer that is no stream, before it. */
  | { readonly kind: 'stall'; readonly stallMs: number }

export type FaultRule = {
  readonly fault: RigFault
  /** Absent: every model. */
  readonly model?: string
  /** Milliseconds since the schedule was set. */
  readonly fromMs?: number
  readonly untilMs?: number
  /** Share of the requests it applies to, drawn; absent: all. */
  readonly share?: number
  /** Only the first so many requests it applies to. */
  readonly times?: number
  /** Only requests from the so-manieth on that fit the rule otherwise, from 1. */
  readonly after?: number
}

/** A number in [0, 1) that looks drawn and depends on nothing but `seed` and `index`. */
export const drawn = (seed: number, index: number): number => {
  let bits = (Math.imul(index + 1, 0x9e_37_79_b1) ^ Math.imul(seed + 0x6d_2b, 0x85_eb_ca_6b)) >>> 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x21_f0_aa_ad) >>> 0
  bits = Math.imul(bits ^ (bits >>> 15), 0x73_5a_2d_97) >>> 0
  return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32
}

/** A schedule at work: asked once a request, in their order. */
export type FaultSchedule = (request: { readonly model: string; readonly sinceMs: number }) => RigFault | undefined

const fits = ({ model, fromMs = 0, untilMs = Number.POSITIVE_INFINITY }: FaultRule, request: { model: string; sinceMs: number }): boolean =>
  (model === undefined || model === request.model) && request.sinceMs >= fromMs && request.sinceMs < untilMs

/** Makes it (F1). */
export const faultSchedule = (rules: readonly FaultRule[], seed = 1): FaultSchedule => {
  const seen = rules.map(() => 0)
  const hit = rules.map(() => 0)
  const applies = (rule: FaultRule, at: number, { model, sinceMs }: { model: string; sinceMs: number }): boolean => {
    if (!fits(rule, { model, sinceMs })) return false
    const number = (seen[at] = (seen[at] ?? 0) + 1)
    if (number < (rule.after ?? 1)) return false
    if (rule.share !== undefined && drawn(seed + at * 7_919, number) >= rule.share) return false
    if ((hit[at] ?? 0) >= (rule.times ?? Number.POSITIVE_INFINITY)) return false
    hit[at] = (hit[at] ?? 0) + 1
    return true
  }
  return (request) => rules.find((rule, at) => applies(rule, at, request))?.fault
}
