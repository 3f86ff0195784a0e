// Money of flows, users and tenants, reserved before a call and settled after it (B9).
//   B1. All calls of a dispatch are under one reservation; its id is the attempt's, so a repeat of a command that is still being done
//       reserves nothing more.
//   B2. A reservation holds against every budget that applies, or against none.
//   B3. Most calls ask nobody: slices are leased ahead and told of every fifth of a second, in one statement.
//   B4. A budget that is nearly used up, or will be before its time, is said once, and shown as a figure.
import { Fault } from '@baton/contracts/fault'
import { periodOf } from '@baton/policy'
import type { BudgetStore } from '@baton/store'
import type { Telemetry } from '@baton/telemetry'
import { budgetsOf, type LimitsFile, type Subject } from '../limits/limits-config.ts'
import { Account, LEASE_MS, type Part } from './account.ts'
import { periodIn, shownBudget, type ShownBudget } from './shown-budget.policy.ts'

export type Reservation = {
  /** Makes sure that so much is reserved in all, before a further call. Throws `budget.exceeded`. */
  readonly cover: (microUsd: number, signal: AbortSignal) => Promise<void>
  /** The dispatch is over and cost so much; the rest is free again. */
  readonly settle: (costMicroUsd: number) => void
}
/** How the budgets of somebody stand, as far as this process knows: a soft limit is reached, cheaper models go first. */
type Standing = { readonly frugal: boolean }
export type BudgetBook = {
  readonly reserve: (of: { id: string; subject: Subject }) => Reservation
  readonly standing: (subject: Subject) => Standing
  readonly list: () => Promise<readonly ShownBudget[]>
  /** Forgives what was spent of a budget in this period; undefined: there is none. */
  readonly forgive: (key: string, by: string) => Promise<number | undefined>
  readonly close: () => Promise<void>
}
export type BudgetOptions = {
  readonly file: LimitsFile
  readonly store: BudgetStore
  readonly telemetry: Pick<Telemetry, 'logger' | 'metrics'>
  readonly holder: string
  readonly clockMs: () => number
  readonly nowMs: () => number
}

const TELL_MS = 200
const ACCOUNTS_MAX = 20_000
const LISTED_MAX = 1_000
const SWEEP_EVERY_MS = 3_600_000
const SWEEP_MAX = 10_000
const TWO_MONTHS_MS = 62 * 86_400_000
const NOTHING: Reservation = { cover: () => Promise.resolve(), settle: () => undefined }

class Open implements Reservation {
  readonly #accounts: readonly Account[]
  readonly #parts: Part[][]
  readonly #done: () => void
  #covered = 0
  #open = true

  constructor(accounts: readonly Account[], done: () => void) {
    this.#accounts = accounts
    this.#parts = accounts.map(() => [])
    this.#done = done
  }

  async cover(microUsd: number, signal: AbortSignal): Promise<void> {
    const more = Math.ceil(microUsd - this.#covered)
    if (more <= 0 || !this.#open) return
    this.#covered += more
    const taken = await Promise.allSettled(this.#accounts.map((account) => account.take(more, signal)))
    const failed = taken.find((outcome) => outcome.status === 'rejected')
    for (const [at, outcome] of taken.entries()) {
      if (outcome.status === 'rejected') continue
      if (failed === undefined && this.#open) this.#parts[at]?.push(outcome.value)
      else outcome.value.settle(0) // B2
    }
    if (failed === undefined) return
    this.#covered -= more
    throw failed.reason instanceof Fault ? failed.reason : new Fault('bus.draining', 'The call was given up while it waited for money.')
  }

  settle(costMicroUsd: number): void {
    if (!this.#open) return
    this.#open = false
    for (const parts of this.#parts) for (const [at, part] of parts.entries()) part.settle(at === 0 ? costMicroUsd : 0)
    this.#done()
  }
}

class Book implements BudgetBook {
  readonly #options: BudgetOptions
  readonly #accounts = new Map<string, Account>()
  readonly #reservations = new Map<string, Reservation>()
  readonly #warned = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #telling: Promise<void> | undefined
  #sweptAtMs = 0

  constructor(options: BudgetOptions) {
    this.#options = options
  }

  reserve({ id, subject }: { id: string; subject: Subject }): Reservation {
    const known = this.#reservations.get(id)
    if (known !== undefined) return known // B1
    const accounts = this.#accountsOf(subject)
    if (accounts.length === 0) return NOTHING
    const reservation = new Open(accounts, () => this.#reservations.delete(id))
    this.#reservations.set(id, reservation)
    this.#schedule()
    return reservation
  }

  standing(subject: Subject): Standing {
    return { frugal: this.#accountsOf(subject).some(({ standing }) => standing !== 'free') }
  }

  async list(): Promise<readonly ShownBudget[]> {
    const { store, nowMs, file } = this.#options
    const rows = await store.list({ sinceMs: nowMs() - TWO_MONTHS_MS, limit: LISTED_MAX })
    return rows.map((row) => shownBudget(row, file, nowMs()))
  }

  async forgive(key: string, by: string): Promise<number | undefined> {
    const { store, nowMs, telemetry } = this.#options
    const per = periodIn(key)
    if (per === undefined) return undefined
    const forgiven = await store.forgive({ key, startMs: periodOf(per, nowMs()).startMs })
    if (forgiven !== undefined) telemetry.logger.warn({ budget: key, forgivenMicroUsd: forgiven, by }, 'what was spent is forgiven')
    this.#accounts.get(key)?.forgiven(forgiven ?? 0)
    return forgiven
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#telling
    for (const account of this.#accounts.values()) account.closeAll()
    await this.#tell().catch(() => undefined)
    clearTimeout(this.#timer)
  }

  #accountsOf(subject: Subject): readonly Account[] {
    const { file, nowMs } = this.#options
    if (file.budgets.length === 0) return []
    const atMs = nowMs()
    return budgetsOf(file, subject).map((rule) => {
      const known = this.#accounts.get(rule.key)
      if (known !== undefined && atMs < known.endMs) return known
      const account = new Account({ ...this.#options, rule, atMs })
      if (known !== undefined) this.#accounts.set(`${rule.key}@${known.startMs}`, known) // What is open of it is still to be settled.
      this.#accounts.set(rule.key, account)
      return account
    })
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#telling = this.#tell().catch(() => undefined)
      void this.#telling.then(() => {
        if ([...this.#accounts.values()].some(({ idle }) => !idle) || this.#reservations.size > 0) this.#schedule()
      })
    }, TELL_MS).unref()
  }

  /** Tells of every slice in one statement (B3). */
  async #tell(): Promise<void> {
    const { store, holder, clockMs } = this.#options
    const accounts = [...this.#accounts.values()]
    const reports = accounts.map((account) => ({ account, sent: account.report() }))
    const slices = reports.flatMap(({ sent }) => sent)
    this.#show(accounts)
    if (slices.length > 0) {
      const sentAtMs = clockMs()
      const held = new Map((await store.renew({ holder, leaseMs: LEASE_MS, slices })).map(({ sliceId, wanted }) => [sliceId, wanted]))
      for (const { account, sent } of reports) account.renewed(sent, held, sentAtMs)
    }
    this.#forget()
    this.#sweep()
  }

  /** Periods that are long over need not be kept. */
  #sweep(): void {
    const { store, nowMs } = this.#options
    if (nowMs() - this.#sweptAtMs < SWEEP_EVERY_MS) return
    this.#sweptAtMs = nowMs()
    void store.sweep({ beforeMs: nowMs() - TWO_MONTHS_MS, limit: SWEEP_MAX }).catch(() => 0)
  }

  #forget(): void {
    const nowMs = this.#options.nowMs()
    for (const [key, account] of this.#accounts)
      if (account.idle && (nowMs >= account.endMs || this.#accounts.size > ACCOUNTS_MAX)) this.#accounts.delete(key)
  }

  /** B4 */
  #show(accounts: readonly Account[]): void {
    const { telemetry, nowMs } = this.#options
    const shares = new Map<string, { of: string; per: string; used: number; left: number }>()
    for (const account of accounts) {
      const { of, per, key, capMicroUsd } = account.rule
      const share = account.used / capMicroUsd
      const goneAt = account.goneAtMs(nowMs())
      const known = shares.get(`${of}/${per}`) ?? { of, per, used: 0, left: (account.endMs - nowMs()) / 1_000 }
      known.used = Math.max(known.used, share)
      if (goneAt !== undefined) known.left = Math.min(known.left, (goneAt - nowMs()) / 1_000)
      shares.set(`${of}/${per}`, known)
      this.#warn(`${key}@${account.startMs}`, account, goneAt)
    }
    for (const { of, per, used, left } of shares.values()) {
      telemetry.metrics.gauge('baton_budget_used_ratio', used, { of, per })
      telemetry.metrics.gauge('baton_budget_lasts_seconds', left * 1_000, { of, per })
    }
  }

  #warn(id: string, account: Account, goneAt: number | undefined): void {
    const reason = account.standing === 'free' ? (goneAt === undefined ? undefined : 'forecast') : account.standing
    if (reason === undefined || this.#warned.has(`${id}/${reason}`)) return
    if (this.#warned.size > ACCOUNTS_MAX) this.#warned.clear()
    this.#warned.add(`${id}/${reason}`)
    const { key: budget, capMicroUsd } = account.rule
    const { metrics, logger } = this.#options.telemetry
    metrics.count('baton_budget_alerts_total', { of: account.rule.of, reason })
    logger.warn({ budget, capMicroUsd, usedMicroUsd: account.used, goneAtMs: goneAt ?? null, reason }, 'budget is running out')
  }
}

/** Makes it. */
export const createBudgetBook = (options: BudgetOptions): BudgetBook => new Book(options)
