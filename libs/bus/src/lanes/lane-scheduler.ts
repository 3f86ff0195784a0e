// Which message may be handled now. Pure: it holds tasks and counts, the runner does the work.
//   S1. Tasks of one key start one after the other, in the order offered; the next only after the one before is done.
//   S2. Keys are independent: a key that waits (parked) holds no slot and delays no other key.
//   S3. At most `concurrencyMax` tasks run at once, at most `tenantRunningMax` of one tenant; keys that are ready take turns.
//   S4. A task with an empty key has no order and no neighbours.
//   S5. Tenants of one class take turns by weight (tenant-ring.ts): who has much waiting delays nobody who has little.
//   S6. Classes take turns by weight while all have work, and none is ever left out; one whose head has waited `agingMs` counts with the
//       weight of the class above. A class may not take the slots kept for those above it.
import { Fifo } from './fifo.ts'
import { CLASS_WEIGHTS, CLASSES, type PriorityClass } from './priority.policy.ts'
import { TenantRing, type Tenant } from './tenant-ring.ts'
import type { Aged } from './aged-queue.ts'

/** `takenAtMs` is when it came here, on the clock `next` is called with. */
export type LaneTask = Aged & {
  readonly key: string
  readonly tenant: string
  readonly priority: PriorityClass
  readonly takenAtMs: number
}

export type SchedulerOptions = {
  readonly concurrencyMax: number
  /** Of each class with those below it. Default `concurrencyMax` for all. */
  readonly classLimits?: readonly [number, number, number]
  /** Default `concurrencyMax`. */
  readonly tenantRunningMax?: number
  /** Turns of a tenant for each turn of one with weight 1. Default 1 for all. */
  readonly tenantWeight?: (tenant: string) => number
  /** Default 2,000. */
  readonly agingMs?: number
}

const AGING_MS = 2_000
const WEIGHT = { least: 0.05, most: 100 } as const
/** Tenants that have nothing here are forgotten above it. */
const TENANTS_KEPT = 1_000

export class LaneScheduler<Task extends LaneTask> {
  private readonly concurrencyMax: number
  private readonly classLimits: readonly [number, number, number]
  private readonly agingMs: number
  private readonly tenantWeight: (tenant: string) => number
  /** Of each busy key, the tasks behind the one that is ready, running or parked. */
  private readonly lanes = new Map<string, Fifo<Task> | undefined>()
  private readonly rings: readonly [TenantRing<Task>, TenantRing<Task>, TenantRing<Task>]
  private readonly tenants = new Map<string, Tenant>()
  private tenantsKept = TENANTS_KEPT
  private readonly parked = new Set<Task>()
  private readonly runningOf: [number, number, number] = [0, 0, 0]
  /** Virtual time of each class: it grows by 1/weight with every start, and who is behind is next. */
  private readonly passed: [number, number, number] = [0, 0, 0]
  private readonly idle: [boolean, boolean, boolean] = [true, true, true]
  private virtualNow = 0
  private active = 0

  constructor({ concurrencyMax, classLimits, tenantRunningMax, tenantWeight, agingMs }: SchedulerOptions) {
    this.concurrencyMax = Math.max(1, concurrencyMax)
    this.classLimits = classLimits ?? [this.concurrencyMax, this.concurrencyMax, this.concurrencyMax]
    this.agingMs = agingMs ?? AGING_MS
    this.tenantWeight = tenantWeight ?? (() => 1)
    const ring = (): TenantRing<Task> => new TenantRing(Math.max(1, tenantRunningMax ?? this.concurrencyMax))
    this.rings = [ring(), ring(), ring()]
  }

  /** Tasks that hold a slot. */
  get running(): number {
    return this.active
  }

  /** Keys that have a task here: ready, running or parked. */
  get busyKeys(): number {
    return this.lanes.size
  }

  offer(task: Task): void {
    if (task.key === '') return this.ready(task) // S4
    const { lanes } = this
    if (!lanes.has(task.key)) {
      lanes.set(task.key, undefined)
      return this.ready(task)
    }
    const waiting = lanes.get(task.key) ?? new Fifo<Task>()
    waiting.push(task) // S1
    lanes.set(task.key, waiting)
  }

  /** A task to start, or nothing while all slots are taken (S3). Its slot is held until `done` or `park`. */
  next(nowMs: number): Task | undefined {
    if (this.active >= this.concurrencyMax) return undefined
    const chosen = this.choose()
    if (chosen === undefined) return undefined
    const task = this.rings[chosen].shift()
    if (task === undefined) return undefined
    const aged = chosen > 0 && nowMs - task.takenAtMs >= this.agingMs
    this.virtualNow = this.passed[chosen]
    this.passed[chosen] += 1 / (CLASS_WEIGHTS[aged ? chosen - 1 : chosen] ?? 1) // S6
    this.hold(task)
    return task
  }

  /** The task waits for something: its slot is free, its key stays taken (S2). */
  park(task: Task): void {
    if (this.parked.has(task)) return
    this.parked.add(task)
    this.release(task)
  }

  /** The wait is over; `next` will hand it out again. */
  unpark(task: Task): void {
    if (this.parked.delete(task)) this.ready(task)
  }

  /** The task is over, whatever became of it: slot and key are free. */
  done(task: Task): void {
    if (!this.parked.delete(task)) this.release(task)
    this.advance(task.key)
  }

  /** Forgets tasks that have not started or are parked; those that run are not touched. */
  drop(matches: (task: Task) => boolean): readonly Task[] {
    const dropped: Task[] = []
    for (const waiting of this.lanes.values()) if (waiting !== undefined) dropped.push(...waiting.remove(matches))
    const heads = this.rings.flatMap((ring) => ring.remove(matches))
    for (const task of this.parked) {
      if (!matches(task)) continue
      this.parked.delete(task)
      heads.push(task)
    }
    for (const task of heads) this.advance(task.key)
    return [...dropped, ...heads]
  }

  private choose(): PriorityClass | undefined {
    let best: PriorityClass | undefined
    let below = this.active
    for (const one of CLASSES) {
      if (below >= this.classLimits[one]) break // Running tasks of this class and those below it.
      below -= this.runningOf[one]
      if (this.rings[one].peek() === undefined) {
        this.idle[one] = true
        continue
      }
      if (this.idle[one]) {
        this.idle[one] = false
        this.passed[one] = Math.max(this.passed[one], this.virtualNow) // Nothing is saved up while there is nothing to do.
      }
      if (best === undefined || this.passed[one] < this.passed[best]) best = one
    }
    return best
  }

  private ready(task: Task): void {
    this.rings[task.priority].push(this.tenantOf(task.tenant), task)
  }

  private hold(task: Task): void {
    this.active++
    this.runningOf[task.priority]++
    this.tenantOf(task.tenant).running++
  }

  private release(task: Task): void {
    this.active--
    this.runningOf[task.priority]--
    const tenant = this.tenantOf(task.tenant)
    tenant.running--
    if (tenant.waiting > 0) for (const ring of this.rings) ring.wake(tenant)
  }

  private tenantOf(name: string): Tenant {
    const known = this.tenants.get(name)
    if (known !== undefined) return known
    if (this.tenants.size >= this.tenantsKept) this.forgetIdle()
    const weight = Math.min(WEIGHT.most, Math.max(WEIGHT.least, this.tenantWeight(name)))
    const tenant: Tenant = { name, weight, running: 0, waiting: 0 }
    this.tenants.set(name, tenant)
    return tenant
  }

  private forgetIdle(): void {
    for (const tenant of this.tenants.values()) {
      if (tenant.running > 0 || tenant.waiting > 0) continue
      this.tenants.delete(tenant.name)
      for (const ring of this.rings) ring.forget(tenant)
    }
    this.tenantsKept = Math.max(TENANTS_KEPT, 2 * this.tenants.size) // Or with many busy ones each new one would look at all.
  }

  private advance(key: string): void {
    if (key === '') return
    const following = this.lanes.get(key)?.shift()
    if (following === undefined) this.lanes.delete(key)
    else this.ready(following)
  }
}
