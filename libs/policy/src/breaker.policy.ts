// When something is left alone because it fails, and how it is taken up again (B6).
//   K1. It opens after so many failures in a row, or when of enough calls in a window too many failed; at once when it asks for a rest.
//   K2. While it is open nothing is let through. Each time it opens again without a success in between it stays open longer.
//   K3. Afterwards one probe is let through at a time; each that succeeds doubles how many may be out, so that nobody storms what
//       has just come back. One failure opens it again. After enough successes it is closed, and for about as long as it was open no more
//       are let through at once than twice what was usual before.
//   K6. A rest that was asked for is no failure: when it is over everything is as before.
//   K4. A success is told when an answer is whole, not when it begins. A call that was given up says nothing either way.
//   Time and chance are inputs: it reads no clock and draws no number.

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
  /** After it closed, at once: so many times what was usual, and at least so many. */
  readonly usualTimes: number
  readonly usualMin: number
  /** How long that holds at least and at most. */
  readonly recoverMs: number
  readonly recoverMaxMs: number
}

export const BREAKER: BreakerSpec = {
  rowMax: 5,
  windowMs: 10_000,
  callsMin: 20,
  failedShare: 0.5,
  openMs: 2_000,
  openMaxMs: 60_000,
  closeAfter: 8,
  usualTimes: 2,
  usualMin: 8,
  recoverMs: 5_000,
  recoverMaxMs: 60_000,
}

export type BreakerState = 'closed' | 'open' | 'half_open'
/** What somebody may do who wants to call: call, call as a probe, or not. */
export type Admission = 'call' | 'probe' | 'wait'

/** Share by which the time of being open is drawn out, so that replicas do not return together. */
const SPREAD = 0.5

type Window = { readonly startMs: number; calls: number; failed: number; most: number }
const emptyWindow = (startMs: number): Window => ({ startMs, calls: 0, failed: 0, most: 0 })

/** One breaker. Times are milliseconds of any one clock. */
export class Breaker {
  readonly #spec: BreakerSpec
  #openUntilMs = 0
  #pausedUntilMs = 0
  /** Whether it has not been closed since it was open. */
  #tripped = false
  #times = 0
  #row = 0
  #windows: [Window, Window] = [emptyWindow(0), emptyWindow(0)]
  /** Calls that are out, probes among them. */
  #out = 0
  /** The most that were out at once before it opened. */
  #usual = 0
  #trippedAtMs = 0
  #recoverUntilMs = 0
  #probes = 0
  #probesMax = 1
  #successes = 0

  constructor(spec: BreakerSpec = BREAKER) {
    this.#spec = spec
  }

  state(nowMs: number): BreakerState {
    if (nowMs < this.openUntilMs) return 'open'
    return this.#tripped || nowMs < this.#recoverUntilMs ? 'half_open' : 'closed'
  }

  /** Until when nothing is let through; in the past where it is not open. */
  get openUntilMs(): number {
    return Math.max(this.#openUntilMs, this.#pausedUntilMs)
  }

  /** Asks whether a call may go out. Whoever gets `probe` tells how it ended, or that it was given up. */
  admit(nowMs: number): Admission {
    const state = this.state(nowMs)
    if (state === 'open') return 'wait' // K2
    if (!this.#tripped) {
      const { usualMin, usualTimes } = this.#spec
      if (state === 'half_open' && this.#out >= Math.max(usualMin, this.#usual * usualTimes)) return 'wait' // K3
      this.#out += 1
      const window = this.#windowAt(nowMs)
      window.most = Math.max(window.most, this.#out)
      return 'call'
    }
    if (this.#probes >= this.#probesMax) return 'wait' // K3
    this.#probes += 1
    this.#out += 1
    return 'probe'
  }

  succeeded(nowMs: number, admission: Admission): void {
    this.#note(nowMs, 0)
    this.#row = 0
    this.released(admission)
    if (admission !== 'probe' || !this.#tripped || this.state(nowMs) === 'open') return
    this.#successes += 1
    this.#probesMax *= 2 // K3
    if (this.#successes >= this.#spec.closeAfter) this.#close(nowMs)
  }

  /** `random` in [0, 1). Says whether it opened now. */
  failed(nowMs: number, admission: Admission, random: number): boolean {
    this.#note(nowMs, 1)
    this.#row += 1
    this.released(admission)
    const state = this.state(nowMs)
    if (state === 'open') return false // Calls that were out when it opened say nothing new.
    if (this.#tripped && admission !== 'probe') return false
    if (!this.#tripped && !this.#isTooMany()) return false // K1
    const fullMs = Math.min(this.#spec.openMaxMs, this.#spec.openMs * 2 ** Math.min(20, this.#times)) // K2
    this.#times += 1
    this.rest(nowMs + fullMs * (1 + random * SPREAD), nowMs)
    return true
  }

  /** The call was given up by whoever made it (K4). */
  released(admission: Admission): void {
    if (admission !== 'wait') this.#out = Math.max(0, this.#out - 1)
    if (admission === 'probe') this.#probes = Math.max(0, this.#probes - 1)
  }

  /** Lets nothing through until then, because that was asked for (K6). */
  pause(untilMs: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, untilMs)
  }

  /** Opens until then at least: another replica saw it fail, or a person wants that. */
  rest(untilMs: number, nowMs: number): void {
    if (untilMs <= this.#openUntilMs) return
    this.#openUntilMs = untilMs
    if (!this.#tripped && nowMs >= this.#recoverUntilMs) {
      this.#trippedAtMs = nowMs
      this.#usual = Math.max(this.#windows[0].most, this.#windows[1].most)
    }
    this.#tripped = true
    this.#probesMax = 1
    this.#successes = 0
  }

  /** Somebody says that it is well again: it is tried at once, one call first, as after any rest (K3). */
  retry(): void {
    this.#openUntilMs = 0
    this.#pausedUntilMs = 0
    this.#times = 0
    this.#row = 0
    this.#windows = [emptyWindow(0), emptyWindow(0)]
  }

  #close(nowMs: number): void {
    const { recoverMs, recoverMaxMs } = this.#spec
    this.#tripped = false
    this.#times = 0
    this.#row = 0
    this.#recoverUntilMs = nowMs + Math.min(recoverMaxMs, Math.max(recoverMs, nowMs - this.#trippedAtMs)) // K3
    this.#windows = [emptyWindow(0), emptyWindow(0)]
  }

  #windowAt(nowMs: number): Window {
    const { windowMs } = this.#spec
    const startMs = Math.floor(nowMs / windowMs) * windowMs
    const [, newest] = this.#windows
    if (newest.startMs === startMs) return newest
    const window = emptyWindow(startMs)
    this.#windows = [newest.startMs === startMs - windowMs ? newest : emptyWindow(startMs - windowMs), window]
    return window
  }

  #note(nowMs: number, failed: 0 | 1): void {
    const window = this.#windowAt(nowMs)
    window.calls += 1
    window.failed += failed
  }

  #isTooMany(): boolean {
    const { rowMax, callsMin, failedShare } = this.#spec
    const calls = this.#windows[0].calls + this.#windows[1].calls
    const failed = this.#windows[0].failed + this.#windows[1].failed
    return this.#row >= rowMax || (calls >= callsMin && failed / calls >= failedShare)
  }
}
