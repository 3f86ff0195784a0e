// Which runs this owner can exclude to exist without asking the database.
//   N1. A request is new without a look-up only if it was made after everything this owner may have forgotten: what came before it
//       took the partition over, and what has left the ring. The intake's clock may be off by CLOCK_SKEW_MS.
import type { MessageOf } from '@baton/contracts'

/** How far the clocks of intake and owner may be apart. */
const CLOCK_SKEW_MS = 5_000

/** Ids of runs that left memory, oldest first. */
export class ForgottenRuns {
  readonly #ring = new Map<string, number>()
  readonly #max: number
  #horizonMs: number

  /** `sinceMs`: when the partition was taken over; null when its log begins with this owner. */
  constructor({ max, sinceMs }: { max: number; sinceMs: number | null }) {
    this.#max = max
    this.#horizonMs = sinceMs === null ? -Infinity : sinceMs + CLOCK_SKEW_MS
  }

  add(runId: string, requestedAtMs: number): void {
    this.#ring.delete(runId)
    this.#ring.set(runId, requestedAtMs)
    if (this.#ring.size <= this.#max) return
    for (const [oldest, atMs] of this.#ring) {
      this.#ring.delete(oldest)
      this.#horizonMs = Math.max(this.#horizonMs, atMs)
      return
    }
  }

  /** N1. */
  excludes({ runId, repeat, requestedAtMs }: MessageOf<'run.requested'>): boolean {
    return !repeat && requestedAtMs > this.#horizonMs && !this.#ring.has(runId)
  }
}
