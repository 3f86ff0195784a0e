// The tries of one dispatch: who is asked next, for how long, and when to give up (B5, B6).
//   T1. One try walks the failover list from the front; a candidate that refused for good is not asked again in this dispatch.
//   T2. A fault with remedy `stop` or `human` ends the dispatch at once: no other model mends it.
//   T3. An answer that does not fit is asked for again once a candidate, with the error; after that the next candidate is asked.
//   T4. `timeoutMs` bounds one try, all its candidates together. A candidate leaves time for those behind it, by weight, so that
//       failing over is still possible when it hangs.
//   T5. Waits of up to `waitMaxMs` between tries are part of the plan; a longer one ends it, for the retry topics to do.
//   T7. An answer that is not good enough for a cascade is no failure: the next candidate is asked, this one not again in this dispatch.
//   T6. Every plan ends: at most `attempts` tries, each of at most two calls a candidate.
import { FAULTS, type FaultCode } from '@baton/contracts/fault'
import { type Backoff, backoffMs } from './backoff.policy.ts'

export type Candidate = {
  readonly name: string
  /** Whether asking the same question again can give another answer. */
  readonly reaskable: boolean
  /** Its share of a try's time beside the others: 1 for a call over a network, little for one in this process (T4). */
  readonly weight: number
}

export type TrySpec = Backoff & {
  readonly attempts: number
  /** Time of one try. */
  readonly timeoutMs: number
  /** Longest wait between two tries that is done here. */
  readonly waitMaxMs: number
}

/** What has happened so far; opaque to callers. */
export type Progress = {
  readonly tryNumber: number
  /** Index of the candidate being asked, and whether it is the second question. */
  readonly at: number
  readonly reasked: boolean
  readonly out: readonly string[]
  /** Candidates that failed, with their codes, in order. */
  readonly failures: readonly { readonly name: string; readonly code: FaultCode; readonly retryAfterMs?: number }[]
  /** Failures before the present try. */
  readonly failuresBefore: number
}

export type Move =
  /** Ask this candidate. `waitMs` is 0 within a try. `reask` present: the error of its last answer goes along. */
  | {
      readonly do: 'ask'
      readonly candidate: number
      readonly waitMs: number
      readonly newTry: boolean
      readonly reask: boolean
      readonly progress: Progress
    }
  /** Give up. `failure` indexes `progress.failures`: the one that says best what would help. `retryAfterMs`: the wait that was too long. */
  | { readonly do: 'stop'; readonly failure: number; readonly retryAfterMs?: number; readonly progress: Progress }

const START: Progress = { tryNumber: 1, at: 0, reasked: false, out: [], failures: [], failuresBefore: 0 }

/** The first move. `candidates` must not be empty. */
export const firstMove = (): Move => ({ do: 'ask', candidate: 0, waitMs: 0, newTry: true, reask: false, progress: START })

/** What lasts: asking this candidate again in this dispatch is pointless. Time-outs and bad answers may pass. */
const LASTING: ReadonlySet<FaultCode> = new Set([
  'model.refused',
  'model.unknown',
  'model.none_configured',
  'model.context_too_long',
  'model.unauthorized',
  'model.request_invalid',
])

const nextUsable = (candidates: readonly Candidate[], out: readonly string[], from: number): number =>
  candidates.findIndex((candidate, at) => at >= from && !out.includes(candidate.name))

/** The failure to report: the latest that a later try can mend, else the latest. */
const mostHopeful = (failures: Progress['failures'], from: number): number => {
  const retryable = failures.findLastIndex(({ code }, at) => at >= from && FAULTS[code].remedy === 'retry')
  return retryable >= 0 ? retryable : failures.length - 1
}

const nextTry = (progress: Progress, spec: TrySpec, candidates: readonly Candidate[], random: number): Move => {
  const failure = mostHopeful(progress.failures, progress.failuresBefore)
  const first = nextUsable(candidates, progress.out, 0)
  if (progress.tryNumber >= spec.attempts || first < 0) return { do: 'stop', failure, progress } // T6
  const named = progress.failures.slice(progress.failuresBefore).flatMap(({ retryAfterMs }) => retryAfterMs ?? [])
  const retryAfterMs = named.length > 0 ? Math.min(...named) : undefined
  const waitMs = backoffMs(spec, { failed: progress.tryNumber, random, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })
  if (waitMs > spec.waitMaxMs) return { do: 'stop', failure, retryAfterMs: waitMs, progress } // T5
  const started = { ...progress, tryNumber: progress.tryNumber + 1, at: first, reasked: false, failuresBefore: progress.failures.length }
  return { do: 'ask', candidate: first, waitMs, newTry: true, reask: false, progress: started }
}

/** The move after a failure of the candidate last asked. `random` is in [0, 1). */
export const nextMove = (
  before: Progress,
  failed: { readonly code: FaultCode; readonly retryAfterMs?: number },
  { spec, candidates, random }: { spec: TrySpec; candidates: readonly Candidate[]; random: number },
): Move => {
  const asked = candidates[before.at]
  const name = asked?.name ?? ''
  const failures = [...before.failures, { name, ...failed }]
  const out = LASTING.has(failed.code) ? [...before.out, name] : before.out // T1
  const progress = { ...before, failures, out }
  const { remedy } = FAULTS[failed.code]
  if ((remedy === 'stop' || remedy === 'human') && !LASTING.has(failed.code)) return { do: 'stop', failure: failures.length - 1, progress } // T2
  if (remedy === 'reask' && asked?.reaskable === true && !before.reasked) {
    return { do: 'ask', candidate: before.at, waitMs: 0, newTry: false, reask: true, progress: { ...progress, reasked: true } } // T3
  }
  const next = nextUsable(candidates, out, before.at + 1)
  if (next < 0) return nextTry(progress, spec, candidates, random)
  return { do: 'ask', candidate: next, waitMs: 0, newTry: false, reask: false, progress: { ...progress, at: next, reasked: false } }
}

/**
 * The move after an answer that a cascade did not take; undefined: there is nobody behind it (T7). `from`: the first candidate of the
 * next stage; those before it are done with.
 */
export const passMove = (before: Progress, candidates: readonly Candidate[], from: number = before.at + 1): Move | undefined => {
  const out = [...new Set([...before.out, ...candidates.slice(0, from).map(({ name }) => name)])]
  const next = nextUsable(candidates, out, from)
  if (next < 0) return undefined
  return { do: 'ask', candidate: next, waitMs: 0, newTry: false, reask: false, progress: { ...before, out, at: next, reasked: false } }
}

/** The move past a candidate that cannot be asked just now; undefined: there is nobody behind it. It may be asked in the next try. */
export const skipMove = (before: Progress, candidates: readonly Candidate[]): Move | undefined => {
  const next = nextUsable(candidates, before.out, before.at + 1)
  if (next < 0) return undefined
  return { do: 'ask', candidate: next, waitMs: 0, newTry: false, reask: false, progress: { ...before, at: next, reasked: false } }
}

/** Milliseconds that a candidate may take of what is left of its try (T4). */
export const shareOfTry = (candidates: readonly Candidate[], progress: Progress, leftMs: number): number => {
  const behind = candidates.slice(progress.at + 1).filter(({ name }) => !progress.out.includes(name))
  const own = candidates[progress.at]?.weight ?? 1
  const total = behind.reduce((sum, { weight }) => sum + weight, own)
  return Math.max(0, Math.floor((leftMs * own) / total))
}
