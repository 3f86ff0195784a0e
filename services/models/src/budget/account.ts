// One budget in one period as this process spends it: slices, and what of them is open.
//   A1. A call is let through only against a slice that this process holds: what it spends is never more than what it leased.
//   A2. A slice that could not be renewed for half its lease is not used any more; by then another process may count it as spent.
//   A3. When nothing is left but others hold what they do not use, they are asked for it, and the call waits a moment.
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '@baton/contracts/fault'
import { type BudgetStanding, goneAtMs, periodOf, sliceOf, standingOf } from '@baton/policy'
import type { BudgetStore } from '@baton/store'
import type { BudgetRule } from '../limits/limits-config.ts'

export const LEASE_MS = 10_000
/** How long a call waits for money that others may give back. */
const PATIENCE_MS = 1_500
const ASK_AGAIN_MS = 60
const IDLE_MS = 400
/** How far back the rate of reservations looks. */
const RECENT_MS = 2_000
/** More is leased when so much of a slice is free. */
const LOW_SHARE = 0.3
/** Only slices up to this share of the cap are leased ahead. */
const AHEAD_SHARE = 0.05

type Held = {
  readonly sliceId: string
  amount: number
  spent: number
  open: number
  renewedAtMs: number
  usedAtMs: number
  closing: boolean
  gone: boolean
}
type Share = { readonly slice: Held; readonly amount: number }
/** Money that a call may spend. */
export type Part = { readonly settle: (costMicroUsd: number) => void }

export class Account {
  readonly rule: BudgetRule
  readonly startMs: number
  readonly endMs: number
  readonly #store: BudgetStore
  readonly #holder: string
  readonly #clockMs: () => number
  #slices: Held[] = []
  #used = 0
  #leasing: Promise<boolean> | undefined
  #waiting = 0
  #perSecond = 0
  #notedAtMs = 0

  constructor(given: { rule: BudgetRule; atMs: number; store: BudgetStore; holder: string; clockMs: () => number }) {
    this.rule = given.rule
    const { startMs, endMs } = periodOf(given.rule.per, given.atMs)
    this.startMs = startMs
    this.endMs = endMs
    this.#store = given.store
    this.#holder = given.holder
    this.#clockMs = given.clockMs
  }

  /** What is known to be spent or promised, this process's own free money aside. */
  get used(): number {
    return this.#used - this.#slices.reduce((sum, { amount, spent, open }) => sum + Math.max(0, amount - spent - open), 0)
  }
  get standing(): BudgetStanding {
    return standingOf(this.used, this.rule.capMicroUsd, this.rule.softAt)
  }
  goneAtMs(nowMs: number): number | undefined {
    return goneAtMs({ used: this.used, cap: this.rule.capMicroUsd, startMs: this.startMs, endMs: this.endMs }, nowMs)
  }
  get idle(): boolean {
    return this.#slices.length === 0 && this.#leasing === undefined && this.#waiting === 0
  }

  /** Takes so much, or throws `budget.exceeded`. */
  async take(need: number, signal: AbortSignal): Promise<Part> {
    const untilMs = this.#clockMs() + PATIENCE_MS
    this.#waiting += need
    try {
      for (;;) {
        const shares = this.#find(need)
        if (shares !== undefined) {
          const part = this.#part(shares, need)
          this.#lookAhead(need)
          return part
        }
        if (this.#leasing !== undefined) {
          await this.#leasing
          continue
        }
        this.#leasing = this.#lease(need).finally(() => (this.#leasing = undefined))
        if (await this.#leasing) continue
        if (this.#clockMs() >= untilMs) throw this.#exceeded()
        await sleep(ASK_AGAIN_MS, undefined, { signal }) // A3
      }
    } finally {
      this.#waiting -= need
    }
  }

  /** Leases before it is needed, so that nobody waits for it; what is refused then is asked for when it is needed. */
  #lookAhead(need: number): void {
    const { capMicroUsd: cap } = this.rule
    const slice = sliceOf(need, cap, this.#perSecond)
    // Of a small budget nothing is held that is not needed.
    if (this.#leasing !== undefined || slice > cap * AHEAD_SHARE || this.#free() >= slice * LOW_SHARE) return
    this.#leasing = this.#lease(need)
      .catch(() => false)
      .finally(() => (this.#leasing = undefined))
  }

  /** So much of what is known to be spent counts no more. */
  forgiven(microUsd: number): void {
    this.#used = Math.max(0, this.#used - microUsd)
  }

  /** What to tell the store, now. */
  report(): readonly { sliceId: string; spent: number; amount: number; close: boolean }[] {
    const nowMs = this.#clockMs()
    return this.#slices.map((slice) => {
      if (slice.open === 0 && nowMs - slice.usedAtMs >= IDLE_MS) slice.closing = true
      return { sliceId: slice.sliceId, spent: slice.spent, amount: slice.amount, close: slice.closing && slice.open === 0 }
    })
  }

  /** What the store said to `report`: which are still held, and of which somebody needs what is not used. */
  renewed(sent: ReturnType<Account['report']>, held: ReadonlyMap<string, boolean>, sentAtMs: number): void {
    const told = new Map(sent.map((report) => [report.sliceId, report]))
    this.#slices = this.#slices.filter((slice) => {
      const report = told.get(slice.sliceId)
      if (report === undefined) return true // Leased meanwhile.
      const wanted = held.get(slice.sliceId)
      if (report.close || wanted === undefined) {
        slice.gone = true
        if (report.close) this.#used -= Math.max(0, slice.amount - slice.spent)
        return false
      }
      slice.renewedAtMs = sentAtMs
      if (wanted) {
        const kept = Math.min(slice.amount, slice.spent + slice.open)
        this.#used -= slice.amount - kept
        slice.amount = kept // A3: the next report gives it back.
      }
      return true
    })
  }

  /** Gives back all that nobody uses, for the end of this process. */
  closeAll(): void {
    for (const slice of this.#slices) slice.closing = true
  }

  #usable(): readonly { readonly slice: Held; readonly free: number }[] {
    const nowMs = this.#clockMs()
    return this.#slices
      .filter((slice) => !slice.closing && nowMs - slice.renewedAtMs < LEASE_MS / 2) // A1, A2
      .map((slice) => ({ slice, free: Math.max(0, slice.amount - slice.spent - slice.open) }))
  }

  #free(): number {
    return this.#usable().reduce((sum, { free }) => sum + free, 0)
  }

  /** Slices with enough free money together, the fewest: what is left of one and the other is money as well. */
  #find(need: number): readonly Share[] | undefined {
    const usable = this.#usable()
    const whole = usable.find(({ free }) => free >= need)
    if (whole !== undefined) return [{ slice: whole.slice, amount: need }]
    const shares: Share[] = []
    let missing = need
    for (const { slice, free } of usable.toSorted((left, right) => right.free - left.free)) {
      if (missing <= 0 || free <= 0) break
      const amount = Math.min(free, missing)
      shares.push({ slice, amount })
      missing -= amount
    }
    return missing > 0 ? undefined : shares
  }

  #part(shares: readonly Share[], need: number): Part {
    const nowMs = this.#clockMs()
    for (const { slice, amount } of shares) {
      slice.open += amount
      slice.usedAtMs = nowMs
    }
    this.#note(need)
    let open = true
    const settle = (cost: number): void => {
      if (!open) return
      open = false
      let left = cost
      for (const [at, { slice, amount }] of shares.entries()) {
        // What it cost more than was reserved is the last one's.
        const own = at === shares.length - 1 ? left : Math.min(left, amount)
        this.#settle(slice, { reserved: amount, cost: own })
        left -= own
      }
    }
    return { settle }
  }

  #settle(slice: Held, { reserved, cost }: { reserved: number; cost: number }): void {
    slice.open -= reserved
    slice.spent += cost
    slice.usedAtMs = this.#clockMs()
    const over = slice.spent + slice.open - slice.amount
    if (over <= 0 || slice.gone) return
    this.#used += over
    slice.amount += over // It cost more than was reserved: that is told, not hidden.
  }

  async #lease(need: number): Promise<boolean> {
    const { key, capMicroUsd: cap } = this.rule
    const min = Math.max(1, need - this.#free())
    const want = Math.max(min, sliceOf(need, cap, this.#perSecond), Math.min(this.#waiting, cap))
    const askedAtMs = this.#clockMs()
    const { slice, used, elsewhere } = await this.#store.lease({
      key,
      startMs: this.startMs,
      cap,
      want,
      min,
      holder: this.#holder,
      leaseMs: LEASE_MS,
    })
    this.#used = used
    if (slice === undefined) {
      if (elsewhere <= 0) throw this.#exceeded()
      return false
    }
    const fresh = { spent: 0, open: 0, renewedAtMs: askedAtMs, usedAtMs: askedAtMs, closing: false, gone: false }
    this.#slices.push({ ...slice, ...fresh })
    return true
  }

  /** Reservations of late, a second: what the next slice has to be enough for. */
  #note(need: number): void {
    const nowMs = this.#clockMs()
    const keep = Math.exp(-Math.max(0, nowMs - this.#notedAtMs) / RECENT_MS)
    this.#notedAtMs = nowMs
    this.#perSecond = this.#perSecond * keep + (need * 1_000) / RECENT_MS
  }

  #exceeded(): Fault {
    const { key, capMicroUsd } = this.rule
    return new Fault('budget.exceeded', `The budget ${key} of ${(capMicroUsd / 1e6).toFixed(2)} dollars is used up until ${this.endMs}.`, {
      budget: key,
      capMicroUsd,
      untilMs: this.endMs,
    })
  }
}
