// Waits are measured on a clock that nobody sets; when somebody else's clock, or this host's own, jumps, no message waits longer for it.
//   S1. What is due at a time of day is due after what remains until then now, and after no more than `mostMs`, which is as long as
//       anybody asked it to wait; that the clock jumps afterwards changes nothing.
//   S2. While the clock of the day does not jump, two times of day are as far apart here as there: what is due together stays in order.

/** Less is a clock being kept right, not a jump. */
const JUMP_MS = 1_000

export class SteadyClock {
  private readonly wallMs: () => number
  private readonly steadyMs: () => number
  private aheadMs: number

  /** `wallMs` is the time of day, `steadyMs` never goes back and never jumps. */
  constructor(wallMs: () => number, steadyMs: () => number) {
    this.wallMs = wallMs
    this.steadyMs = steadyMs
    this.aheadMs = wallMs() - steadyMs()
  }

  nowMs(): number {
    return this.steadyMs()
  }

  /** When a time of day is here, at most `mostMs` from now. */
  dueMs(wallAtMs: number, mostMs: number): number {
    const nowMs = this.steadyMs()
    const aheadMs = this.wallMs() - nowMs
    if (Math.abs(aheadMs - this.aheadMs) > JUMP_MS) this.aheadMs = aheadMs
    return Math.min(wallAtMs - this.aheadMs, nowMs + mostMs) // S1, S2
  }
}
