// When commands that were put off come back: one after the other, not all at once.
//   Z1. Each gets a time of its own, about half as far from the next as answers were apart while all was well: what has piled up is done
//       at twice the usual rate.
//   Z2. Nobody comes back before the wait that was asked for.

export type PaceSpec = {
  /** At most so many a second come back where little is known, and at least. */
  readonly perSecondMin: number
  readonly faster: number
  /** Nobody is put off further than this beyond the wait. */
  readonly spanMaxMs: number
}
export const PACE: PaceSpec = { perSecondMin: 10, faster: 2, spanMaxMs: 300_000 }

const SMOOTH_MS = 5_000

/** The pace of one kind of command. Times are of any one clock. */
export class Pace {
  readonly #spec: PaceSpec
  #perMs = 0
  #lastMs = 0
  #slotMs = 0

  constructor(spec: PaceSpec = PACE) {
    this.#spec = spec
  }

  /** One was answered. Nothing is forgotten while nothing is answered. */
  answered(nowMs: number): void {
    const sinceMs = Math.min(SMOOTH_MS, Math.max(0, nowMs - this.#lastMs))
    this.#perMs = this.#perMs * Math.exp(-sinceMs / SMOOTH_MS) + 1 / SMOOTH_MS
    this.#lastMs = nowMs
  }

  get perSecond(): number {
    return this.#perMs * 1_000
  }

  /** How long one more is to wait, at least `waitMs`. */
  slot(nowMs: number, waitMs: number): number {
    const { perSecondMin, faster, spanMaxMs } = this.#spec
    const gapMs = 1_000 / Math.max(perSecondMin, this.perSecond * faster)
    this.#slotMs = Math.min(Math.max(nowMs + waitMs, this.#slotMs + gapMs), nowMs + waitMs + spanMaxMs) // Z1, Z2
    return this.#slotMs - nowMs
  }
}
