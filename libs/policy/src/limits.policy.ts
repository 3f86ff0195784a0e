// How often something may be done, and what of it a replica may do without asking (B8).
//   L1. In no stretch of time as long as the period is more than `count` done: what may come at once and what comes in over the period are
//       together `count`.
//   L2. A replica asks for a slice and spends it alone. A slice that was not spent in time is forgotten, so that what was saved up here
//       and there cannot come all at once.

export type RateSpec = {
  readonly count: number
  readonly periodMs: number
  /** Share of the count that may come at once. */
  readonly burst?: number
}

/** A bucket: holds `capacity`, fills with `perMs`. */
export type Bucket = { readonly capacity: number; readonly perMs: number }

const BURST = 0.2
/** A slice is spent within this time or forgotten (L2). */
export const SLICE_MS = 1_000

/** The bucket that keeps a rate (L1). At least one comes at once, or nothing ever could. */
export const bucketOf = ({ count, periodMs, burst = BURST }: RateSpec): Bucket => {
  const capacity = Math.min(count, Math.max(1, count * burst))
  // Where all of it comes at once, a new one comes in when the period is over.
  const refill = Math.max(count - capacity, count <= 1 ? 1 : 0)
  return { capacity, perMs: refill / (periodMs + SLICE_MS) } // What was taken just before the stretch may be spent in it.
}

/** What a replica holds of a bucket. */
export class Slice {
  #left = 0
  #untilMs = 0
  /** Recent use, for the size of the next slice. */
  #perMs = 0
  #lastMs = 0

  /** Takes from what is held. */
  take(amount: number, nowMs: number): boolean {
    this.#use(amount, nowMs)
    if (nowMs >= this.#untilMs) this.#left = 0 // L2
    if (this.#left < amount) return false
    this.#left -= amount
    return true
  }

  /** Gives back what was not needed; forgotten when the slice is. */
  giveBack(amount: number, nowMs: number): void {
    if (nowMs < this.#untilMs) this.#left += amount
  }

  granted(amount: number, nowMs: number): void {
    if (nowMs >= this.#untilMs) this.#left = 0
    this.#left += amount
    this.#untilMs = nowMs + SLICE_MS
  }

  /** How much to ask for when `amount` is needed: enough for the life of a slice at the recent rate, never much of the whole. */
  want(amount: number, { capacity }: Bucket): number {
    return Math.max(amount, Math.min(capacity / 4, this.#perMs * SLICE_MS))
  }

  #use(amount: number, nowMs: number): void {
    const sinceMs = Math.max(1, nowMs - this.#lastMs)
    this.#lastMs = nowMs
    const keep = Math.exp(-sinceMs / 500)
    this.#perMs = this.#perMs * keep + (amount / 500) * Math.min(1, keep + 0.5)
  }
}
