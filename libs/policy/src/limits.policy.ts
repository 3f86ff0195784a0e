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

type Lot = { left: number; readonly untilMs: number }
/** A slice is low when so much of the last grant is left, or of its time. */
const LOW_SHARE = 0.3
const RECENT_MS = 500

/** What a replica holds of a bucket: what was granted, each grant for its own time. */
export class Slice {
  #lots: Lot[] = []
  #granted = 0
  /** Recent use, for the size of the next slice. */
  #perMs = 0
  #lastMs = 0

  /** Takes from what is held, the oldest first. */
  take(amount: number, nowMs: number): boolean {
    this.#use(amount, nowMs)
    if (this.#held(nowMs) < amount) return false
    let missing = amount
    for (const lot of this.#lots) {
      const taken = Math.min(lot.left, missing)
      lot.left -= taken
      missing -= taken
    }
    return true
  }

  /** Gives back what was not needed; forgotten when nothing is held. */
  giveBack(amount: number, nowMs: number): void {
    this.#held(nowMs)
    const [oldest] = this.#lots
    if (oldest !== undefined) oldest.left += amount
  }

  granted(amount: number, nowMs: number): void {
    this.#held(nowMs)
    this.#granted = amount
    this.#lots.push({ left: amount, untilMs: nowMs + SLICE_MS })
  }

  /** Whether it is time to ask for more, so that nobody has to wait for it. */
  isLow(nowMs: number): boolean {
    const newest = this.#lots.at(-1)
    if (newest === undefined || this.#granted <= 1) return false
    return this.#held(nowMs) < this.#granted * LOW_SHARE || newest.untilMs - nowMs < SLICE_MS * LOW_SHARE
  }

  /** How much to ask for when `amount` is needed: enough for the life of a slice at the recent rate, never much of the whole. */
  want(amount: number, { capacity }: Bucket): number {
    return Math.max(amount, Math.min(capacity / 4, this.#perMs * SLICE_MS))
  }

  #held(nowMs: number): number {
    if (this.#lots.some(({ untilMs }) => nowMs >= untilMs)) this.#lots = this.#lots.filter(({ untilMs }) => nowMs < untilMs) // L2
    return this.#lots.reduce((sum, { left }) => sum + left, 0)
  }

  #use(amount: number, nowMs: number): void {
    const sinceMs = Math.max(0, nowMs - this.#lastMs)
    this.#lastMs = nowMs
    this.#perMs = this.#perMs * Math.exp(-sinceMs / RECENT_MS) + amount / RECENT_MS
  }
}
