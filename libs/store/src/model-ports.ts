// What the models service keeps beside answers: money, rates, rests and answers that may be used again.
import type { Json } from '@baton/contracts/json'

/** One budget in one period. `key` names what it is for: `tenant:acme/day`. */
export type BudgetName = { readonly key: string; readonly startMs: number }

/** A part of a budget that one process may spend without asking. */
export type BudgetSlice = { readonly sliceId: string; readonly amount: number }

/** How a budget stands, in micro-dollars. */
export type BudgetRow = BudgetName & {
  readonly cap: number
  /** Spent for certain, or taken to be: see `lost`. */
  readonly spent: number
  /** In the hands of processes and not spent yet. */
  readonly reserved: number
  /** Of what is spent: slices of processes that died, whose use nobody knows. */
  readonly lost: number
}

/**
 * Money that several processes spend, by slices.
 *   G1. What was spent and what is in slices together is never above the cap, whoever asks when; only a call that cost more than was
 *       reserved for it can pass it, and is told all the same.
 *   G2. A slice whose process does not renew it counts as spent: its calls may have been paid for.
 *   G3. A slice that counts as spent is gone for its process: `renew` does not name it.
 */
export type BudgetStore = {
  /** Leases up to `want`, at least `min`; nothing where that is not left. `elsewhere`: what other slices hold unspent. */
  lease(budget: BudgetName & { cap: number; want: number; min: number; holder: string; leaseMs: number }): Promise<{
    readonly slice: BudgetSlice | undefined
    readonly used: number
    readonly elsewhere: number
  }>
  /**
   * Tells what was spent of slices, and shrinks or closes them. Returns those that are still held; `wanted`: somebody else needs what
   * is not used of it.
   */
  renew(of: {
    holder: string
    leaseMs: number
    slices: readonly { sliceId: string; spent: number; amount: number; close: boolean }[]
  }): Promise<readonly { readonly sliceId: string; readonly wanted: boolean }[]>
  /** Every budget of periods that are not over for long, as it stands. */
  list(options: { sinceMs: number; limit: number }): Promise<readonly BudgetRow[]>
  /** Forgives what was spent and lost of a budget so far; what processes hold stays theirs. Says how much; undefined: there is none. */
  forgive(budget: BudgetName): Promise<number | undefined>
  /** Forgets budgets of periods that began before. */
  sweep(options: { beforeMs: number; limit: number }): Promise<number>
}

/** Rates and places that several processes share. */
export type LimitStore = {
  /** Takes `want` from a bucket, or what there is of it if that is at least `min`, or nothing and says how long to wait for `min`. */
  take(of: {
    key: string
    capacity: number
    perMs: number
    want: number
    min: number
  }): Promise<{ readonly granted: number; readonly waitMs: number }>
  /** Sets how many of `max` places a process holds, as far as others leave them. Held for `leaseMs`. */
  places(of: { key: string; holder: string; want: number; max: number; leaseMs: number }): Promise<number>
}

/** Reason of a rest that somebody ended. */
export const ENDED = 'ended'

/** What is left alone for a while, known to all processes. */
export type CooldownStore = {
  rest(of: { key: string; restMs: number; reason: string; by: string }): Promise<void>
  /** Ends a rest before its time; that it was ended is listed for `noticeMs` with the reason `ENDED`. */
  end(of: { key: string; by: string; noticeMs: number }): Promise<void>
  /** What rests now; `leftMs` on the database's clock. */
  list(): Promise<readonly { readonly key: string; readonly leftMs: number; readonly reason: string; readonly by: string }[]>
}

/** Answers to the very same question (B10). */
export type ModelCacheStore = {
  find(of: { tenant: string; key: string }): Promise<{ readonly body: Json; readonly leftMs: number } | undefined>
  /** The newest answer counts. */
  save(of: { tenant: string; key: string; body: Json; ttlMs: number }): Promise<void>
  forget(of: { tenant: string; key: string }): Promise<void>
  /** Removes at most `limit` that nobody may use any more. */
  sweep(options: { limit: number }): Promise<number>
}
