// When something is left alone because it fails, and how it is taken up again (B6).
//   K1. It opens after so many failures in a row, or when of enough calls in a window too many failed; at once when it asks for a rest.
//   K2. While it is open nothing is let through. Each time it opens again without a success in between it stays open longer.
//   K3. Afterwards one probe is let through at a time; each that succeeds doubles how many may be out, so that nobody storms what
//       has just come back. Enough successes close it, one failure opens it.
//   K4. A success is told when an answer is whole, not when it begins. A call that was given up says nothing either way.
//   K5. It reads no clock and draws no number.

export type BreakerSpec = {
  /** Failures in a row that open it. */
  readonly rowMax: number
  /** Of at least `callsMin` calls in the last two windows, this share of failures opens it. */
  readonly windowMs: number
  readonly callsMin: number
  readonly failedShare: number
  /** How long it is open the first time, and at most. */
  readonly openMs: number
  readonly openMaxMs: number
  /** Successes in a row that close it. */
  readonly closeAfter: number
}

export const BREAKER: BreakerSpec = {
  rowMax: 5,
  windowMs: 10_000,
  callsMin: 20,
  failedShare: 0.5,
  openMs: 2_000,
  openMaxMs: 60_000,
  closeAfter: 8,
}

export type BreakerState = 'closed' | 'open' | 'half_open'
/** What somebody may do who wants to call: call, call as a probe, or not. */
export type Admission = 'call' | 'probe' | 'wait'

/** Share by which the time of being open is drawn out, so that replicas do not return together. */
const SPREAD = 0.5

type Window = { readonly startMs: number; calls: number; failed: number }

/** One breaker. Times are milliseconds of any one clock. */
export class Breaker {
  readonly #spec: BreakerSpec
  #openUntilMs = 0
  /** Whether it has not been closed since it was open. */
  #tripped = false
  #times = 0
  #row = 0
  #windows: [Window, Window] = [
    { startMs: 0, calls: 0, failed: 0 },
    { startMs: 0, calls: 0, failed: 0 },
  ]
  #probes = 0
  #probesMax = 1
  #successes = 0

  constructor(spec: BreakerSpec = BREAKER) {
    this.#spec = spec
  }

  state(nowMs: number): BreakerState {
    if (nowMs < this.#openUntilMs) return 'open'
    return this.#tripped ? 'half_open' : 'closed'
  }

  /** Until when nothing is let through; in the past where it is not open. */
  get openUntilMs(): number {
    return this.#openUntilMs
  }

  /** Asks whether a call may go out. Whoever gets `probe` tells how it ended, or that it was given up. */
  admit(nowMs: number): Admission {
    const state = this.state(nowMs)
    if (state === 'closed') return 'call'
    if (state === 'open' || this.#probes >= this.#probesMax) return 'wait' // K2, K3
    this.#probes += 1
    return 'probe'
  }

  succeeded(nowMs: number, admission: Admission): void {
    this.#note(nowMs, 0)
    this.#row = 0
    if (admission !== 'probe') return
    this.#probes = Math.max(0, this.#probes - 1)
    if (this.state(nowMs) !== 'half_open') return
    this.#successes += 1
    this.#probesMax *= 2 // K3
    if (this.#successes >= this.#spec.closeAfter) this.#close()
  }

  /** `random` in [0, 1). Says whether it opened now. */
  failed(nowMs: number, admission: Admission, random: number): boolean {
    this.#note(nowMs, 1)
    this.#row += 1
    if (admission === 'probe') this.#probes = Math.max(0, this.#probes - 1)
    const state = this.state(nowMs)
    if (state === 'open') return false // Calls that were out when it opened say nothing new.
    if (state === 'half_open' && admission !== 'probe') return false
    if (state === 'closed' && !this.#isTooMany()) return false // K1
    const fullMs = Math.min(this.#spec.openMaxMs, this.#spec.openMs * 2 ** Math.min(20, this.#times)) // K2
    this.#times += 1
    this.rest(nowMs + fullMs * (1 + random * SPREAD))
    return true
  }

  /** The call was given up by whoever made it (K4). */
  released(admission: Admission): void {
    if (admission === 'probe') this.#probes = Math.max(0, this.#probes - 1)
  }

  /** Opens until then at least: it asked for a rest, or another replica saw it fail. */
  rest(untilMs: number): void {
    if (untilMs <= this.#openUntilMs) return
    this.#openUntilMs = untilMs
    this.#tripped = true
    this.#probesMax = 1
    this.#successes = 0
  }

  #close(): void {
    this.#tripped = false
    this.#times = 0
    this.#probes = 0
    this.#windows = [
      { startMs: 0, calls: 0, failed: 0 },
      { startMs: 0, calls: 0, failed: 0 },
    ]
  }

  #note(nowMs: number, failed: 0 | 1): void {
    const startMs = Math.floor(nowMs / this.#spec.windowMs) * this.#spec.windowMs
    if (this.#windows[1].startMs !== startMs) {
      const before = this.#windows[1].startMs === startMs - this.#spec.windowMs ? this.#windows[1] : { startMs, calls: 0, failed: 0 }
      this.#windows = [before, { startMs, calls: 0, failed: 0 }]
    }
    this.#windows[1].calls += 1
    this.#windows[1].failed += failed
  }

  #isTooMany(): boolean {
    const { rowMax, callsMin, failedShare } = this.#spec
    const calls = this.#windows[0].calls + this.#windows[1].calls
    const failed = this.#windows[0].failed + this.#windows[1].failed
    return this.#row >= rowMax || (calls >= callsMin && failed / calls >= failedShare)
  }
}
