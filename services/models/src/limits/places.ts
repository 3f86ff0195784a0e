// Places that processes share: this one holds some of them by a lease, and asks for more when it needs them (R3).
import type { LimitStore } from '@baton/store'

const LEASE_MS = 10_000
const RENEW_MS = 3_000
/** Idle places are given back after this. */
const IDLE_MS = 500
/** After others were asked in vain. */
const REST_MS = 50

export type PlacesOptions = {
  readonly key: string
  readonly max: number
  readonly holder: string
  readonly store: LimitStore
  readonly onIdle: () => void
}

export class Places {
  readonly #options: PlacesOptions
  #held = 0
  #used = 0
  #asking: Promise<void> | undefined
  #refusedAtMs = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #renewedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: PlacesOptions) {
    this.#options = options
  }

  /** Takes one; false when there is none. */
  async take(): Promise<boolean> {
    for (;;) {
      // A lease that could not be renewed is nobody's: what others hold by now is not known.
      if (performance.now() - this.#renewedAtMs > LEASE_MS / 2) this.#held = 0
      if (this.#used < this.#held) {
        this.#used += 1
        return true
      }
      if (this.#asking !== undefined) {
        await this.#asking // Somebody else's: it may have been to give back what was idle.
        continue
      }
      if (performance.now() - this.#refusedAtMs < REST_MS) return false
      const want = Math.min(this.#options.max, Math.ceil((this.#used + 1) * 1.5))
      this.#asking = this.#ask(want).finally(() => (this.#asking = undefined))
      await this.#asking
      // Those who waited may have taken what came; only when less came than was asked for, or all there are, there is no more.
      if (this.#used < this.#held || (this.#held >= want && this.#held < this.#options.max)) continue
      this.#refusedAtMs = performance.now()
      return false
    }
  }

  free(): void {
    this.#used = Math.max(0, this.#used - 1)
    this.#schedule(this.#used === 0 ? IDLE_MS : RENEW_MS)
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    if (this.#held > 0) await this.#ask(0).catch(() => undefined)
    clearTimeout(this.#timer)
  }

  async #ask(want: number): Promise<void> {
    const { key, max, holder, store } = this.#options
    const askedAtMs = performance.now()
    this.#held = await store.places({ key, holder, want, max, leaseMs: LEASE_MS })
    this.#renewedAtMs = askedAtMs
    if (this.#held > 0) this.#schedule(RENEW_MS)
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#keep().catch(() => this.#schedule(RENEW_MS)), delayMs).unref()
  }

  /** Renews what is used and gives back what is not. */
  async #keep(): Promise<void> {
    if (this.#asking !== undefined) return
    this.#asking = this.#ask(this.#used).finally(() => (this.#asking = undefined))
    await this.#asking
    if (this.#held === 0 && this.#used === 0) {
      clearTimeout(this.#timer)
      this.#options.onIdle()
    }
  }
}
