// A tenant that sends far more than it is served would, with one log for all, keep everybody waiting behind it. What is too much of it goes
// on in the retry topics, so that the log is read past it. Pure: it counts, the runner forwards.
//   O1. Put off is only what a tenant has beyond `tenantPendingMax` messages here, when those alone take a while, and while another tenant
//       was heard of lately that has few: alone, or where all have much, everything simply waits with the broker.
//   O2. It comes back about when it can be served, neither as an attempt nor as a rung of the ladder.
//   O3. What is put off keeps the order of its key: later messages of the key are put off too, and not to an earlier time.

type Message = { readonly tenant: string; readonly key: string; readonly returning: boolean }

/** A tenant counts as there so long after its last message. */
const ABSENT_AFTER_MS = 60_000
const WAIT_MS = { least: 1_000, most: 300_000 } as const
/** A put-off message may come back so late; after that its key is free. */
const LATE_MS = 2_000
const KEYS_KEPT = 10_000
const SWEEP_MS = 500
const RATE_WINDOW_MS = 500
/** What a tenant has here takes at least so long, or those behind it need no help. */
const BACKLOG_MS = 500

type Tenant = { name: string; pending: number; putOff: number; done: number; windowAtMs: number; donePerMs: number; seenAtMs: number }

export type OverflowOptions = { readonly tenantPendingMax: number; readonly ordered: boolean }

export class Overflow {
  private readonly options: OverflowOptions
  private readonly tenants = new Map<string, Tenant>()
  /** Until when later messages of a key wait. */
  private readonly keys = new Map<string, number>()
  private sweptAtMs = -Infinity
  private tenantsKept = KEYS_KEPT
  /** The tenants heard of last, two different ones. */
  private last: Tenant | undefined
  private lastOther: Tenant | undefined

  constructor(options: OverflowOptions) {
    this.options = options
  }

  /** A message came. How long it is put off, or 0 when it is to be handled. */
  take({ tenant: name, key, returning }: Message, nowMs: number): number {
    const tenant = this.heardOf(name, nowMs)
    if (returning) tenant.putOff = Math.max(0, tenant.putOff - 1)
    const keyUntilMs = this.keys.size === 0 || returning ? -Infinity : (this.keys.get(key) ?? -Infinity)
    if (keyUntilMs + LATE_MS > nowMs) return this.putOff(tenant, { key, waitMs: Math.max(WAIT_MS.least, keyUntilMs - nowMs), nowMs }) // O3
    if (tenant.pending < this.options.tenantPendingMax || !this.delaysOthers(tenant, nowMs)) {
      tenant.pending++
      return 0
    }
    const drainMs = tenant.donePerMs > 0 ? (tenant.putOff + tenant.pending) / tenant.donePerMs : WAIT_MS.least
    return this.putOff(tenant, { key, waitMs: Math.min(WAIT_MS.most, Math.max(WAIT_MS.least, Math.ceil(drainMs))), nowMs }) // O2
  }

  /** A message that was to be handled is over. */
  done({ tenant: name }: Message): void {
    const tenant = this.last?.name === name ? this.last : this.tenants.get(name)
    if (tenant === undefined) return
    tenant.pending = Math.max(0, tenant.pending - 1)
    tenant.done++
  }

  private putOff(tenant: Tenant, { key, waitMs, nowMs }: { key: string; waitMs: number; nowMs: number }): number {
    tenant.putOff++
    if (!this.options.ordered || key === '') return waitMs
    if (this.keys.size >= KEYS_KEPT) this.forgetKeys(nowMs)
    if (this.keys.size < KEYS_KEPT) this.keys.set(key, nowMs + waitMs)
    return waitMs
  }

  /** At most every `SWEEP_MS`: in a flood it is asked for with every message. */
  private forgetKeys(nowMs: number): void {
    if (nowMs - this.sweptAtMs < SWEEP_MS) return
    this.sweptAtMs = nowMs
    for (const [key, untilMs] of this.keys) if (untilMs + LATE_MS <= nowMs) this.keys.delete(key)
  }

  private delaysOthers(tenant: Tenant, nowMs: number): boolean {
    const other = tenant === this.last ? this.lastOther : this.last
    if (other === undefined || nowMs - other.seenAtMs >= ABSENT_AFTER_MS) return false
    if (other.pending > this.options.tenantPendingMax / 2) return false
    const passedMs = nowMs - tenant.windowAtMs
    if (passedMs >= RATE_WINDOW_MS) {
      // A long window holds a quiet time: it says nothing about what can be done now.
      tenant.donePerMs = passedMs < 2 * RATE_WINDOW_MS ? tenant.done / passedMs : Infinity
      tenant.done = 0
      tenant.windowAtMs = nowMs
    }
    return tenant.pending >= tenant.donePerMs * BACKLOG_MS
  }

  private heardOf(name: string, nowMs: number): Tenant {
    let tenant = this.last?.name === name ? this.last : this.tenants.get(name)
    if (tenant === undefined) {
      if (this.tenants.size >= this.tenantsKept) this.forgetIdle()
      tenant = { name, pending: 0, putOff: 0, done: 0, windowAtMs: nowMs, donePerMs: Infinity, seenAtMs: nowMs }
      this.tenants.set(name, tenant)
    }
    tenant.seenAtMs = nowMs
    if (tenant !== this.last) {
      this.lastOther = this.last
      this.last = tenant
    }
    return tenant
  }

  private forgetIdle(): void {
    for (const tenant of this.tenants.values()) if (tenant.pending === 0) this.tenants.delete(tenant.name)
    this.tenantsKept = Math.max(KEYS_KEPT, 2 * this.tenants.size) // Or with many busy ones each new one would look at all.
  }
}
