// Whose turn it is among the tenants of one priority class: deficit round robin.
//   T1. While several tenants have tasks to start, each starts as many as its weight says, whatever the others have waiting.
//   T2. A tenant that has as many tasks running as it may is passed over until one is done; it keeps no turn for later.
import { AgedQueue, type Aged } from './aged-queue.ts'
import { Fifo } from './fifo.ts'

/** A tenant as all classes see it. */
export type Tenant = { readonly name: string; readonly weight: number; running: number; waiting: number }

type Share<Task extends Aged> = { readonly tenant: Tenant; readonly tasks: AgedQueue<Task>; credit: number; inRing: boolean }

export class TenantRing<Task extends Aged> {
  private readonly runningMax: number
  private readonly shares = new Map<Tenant, Share<Task>>()
  private readonly ring = new Fifo<Share<Task>>()

  constructor(runningMax: number) {
    this.runningMax = runningMax
  }

  push(tenant: Tenant, task: Task): void {
    let share = this.shares.get(tenant)
    if (share === undefined) {
      share = { tenant, tasks: new AgedQueue(), credit: 0, inRing: false }
      this.shares.set(tenant, share)
    }
    share.tasks.push(task)
    tenant.waiting++
    this.enter(share)
  }

  /** The next task to start, or nothing when no tenant has one that it may start. */
  peek(): Task | undefined {
    return this.current()?.tasks.peek()
  }

  /** Takes out what `peek` showed. */
  shift(): Task | undefined {
    const share = this.current()
    if (share === undefined) return undefined
    if (this.ring.size > 1) {
      share.credit-- // T1. Alone nobody needs credit.
      if (share.credit < 1) this.rotate()
    }
    share.tenant.waiting--
    return share.tasks.shift()
  }

  /** The tenant has fewer running than before: it may have a turn again. */
  wake(tenant: Tenant): void {
    const share = this.shares.get(tenant)
    if (share !== undefined && share.tasks.size > 0) this.enter(share)
  }

  forget(tenant: Tenant): void {
    const share = this.shares.get(tenant)
    if (share?.tasks.size === 0) this.shares.delete(tenant) // In the ring it is passed over and gone.
  }

  remove(matches: (task: Task) => boolean): Task[] {
    const removed: Task[] = []
    for (const { tasks, tenant } of this.shares.values()) {
      const gone = tasks.remove(matches)
      tenant.waiting -= gone.length
      removed.push(...gone)
    }
    return removed
  }

  private enter(share: Share<Task>): void {
    if (share.inRing) return
    share.inRing = true
    this.ring.push(share)
  }

  /** The tenant whose turn it is, with credit for one task at least. */
  private current(): Share<Task> | undefined {
    for (let share = this.ring.peek(); share !== undefined; share = this.ring.peek()) {
      if (share.tasks.size === 0 || share.tenant.running >= this.runningMax) {
        this.ring.shift()
        share.inRing = false
        share.credit = 0 // T2
        continue
      }
      if (this.ring.size === 1 || share.credit >= 1) return share
      share.credit += share.tenant.weight
      if (share.credit < 1) this.rotate()
    }
    return undefined
  }

  private rotate(): void {
    const share = this.ring.shift()
    if (share !== undefined) this.ring.push(share)
  }
}
