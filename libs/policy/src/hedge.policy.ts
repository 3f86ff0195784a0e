// When a slow call is started a second time beside the first (B7).
//   H1. Not before the call has taken longer than 95 of 100 of its kind did, or than the step says.
//   H2. Of all calls of a model at most a set share is started again: a provider that is slow all over is not asked twice.
//   H3. A call that was given up because another was faster counts with the time it had taken: leaving it out would make calls look
//       faster than they are.

/** Times of the last calls. */
const KEPT = 512
/** Fewer say nothing about the slowest of a hundred. */
const SEEN_MIN = 30
/** Percentiles are worked out anew after so many further calls. */
const ANEW = 16
const SMOOTHING = 0.1

export type Percentiles = { readonly p50: number; readonly p95: number; readonly ewma: number }

/** How long calls take: the last ones, and a moving mean. */
export class Latencies {
  readonly #kept: number[] = []
  #at = 0
  #seen = 0
  #ewma = 0
  #known: Percentiles | undefined

  add(latencyMs: number): void {
    this.#kept[this.#at] = latencyMs
    this.#at = (this.#at + 1) % KEPT
    this.#ewma = this.#seen === 0 ? latencyMs : this.#ewma + SMOOTHING * (latencyMs - this.#ewma)
    this.#seen += 1
    if (this.#seen >= SEEN_MIN && (this.#known === undefined || this.#seen % ANEW === 0)) this.#workOut()
  }

  /** Undefined until enough were seen. */
  get percentiles(): Percentiles | undefined {
    return this.#known === undefined ? undefined : { ...this.#known, ewma: this.#ewma }
  }

  get seen(): number {
    return this.#seen
  }

  #workOut(): void {
    const sorted = Float64Array.from(this.#kept).sort()
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
    this.#known = { p50: at(0.5), p95: at(0.95), ewma: this.#ewma }
  }
}

/** How much may be started again. */
export type HedgeSpec = {
  /** Share of calls (H2). */
  readonly share: number
  /** Starts again that may be saved up while nothing is slow. */
  readonly savedMax: number
}
export const HEDGE: HedgeSpec = { share: 0.05, savedMax: 10 }

/** The starts again that are left (H2). */
export class HedgeBudget {
  readonly #spec: HedgeSpec
  #left = 1

  constructor(spec: HedgeSpec = HEDGE) {
    this.#spec = spec
  }

  /** A call goes out. */
  called(): void {
    this.#left = Math.min(this.#spec.savedMax, this.#left + this.#spec.share)
  }

  /** Whether a call may be started again now; takes it off. */
  take(): boolean {
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }
}

/** After how long a call is started again; undefined: not at all (H1). */
export const hedgeDelayMs = (
  asked: { readonly afterMs: number } | undefined,
  seen: Percentiles | undefined,
  wanted: boolean,
): number | undefined => {
  if (asked !== undefined) return asked.afterMs
  return wanted && seen !== undefined ? Math.max(1, seen.p95) : undefined
}
