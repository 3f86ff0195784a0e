// Which partitions of the run log this process owns (DESIGN L4). Leases lie in the database and run on its clock.
//   O1. Nothing is decided or published when the last confirmed renewal is older than half the lease, measured on a monotonic clock.
//   O2. A partition that is no longer ours is reported lost once, before it can be taken again.
//   O3. A failing database means that nothing is owned, not that everything is.
//   O4. A partition that could not be opened is not owned; one that is given up again and again is taken later and later.
//   O5. A process that stands aside owns nothing and takes nothing.
import { toFault } from '@baton/contracts/fault'
import type { LeaseStore, PartitionLease } from '@baton/store'
import type { Logger } from '@baton/telemetry'

export type OwnershipOptions = {
  readonly leases: LeaseStore
  readonly prefix: string
  readonly ownerUuid: string
  readonly partitions: number
  readonly leaseMs: number
  /** How often free partitions are looked for while some are missing. */
  readonly pollMs: number
  readonly monotonicMs: () => number
  readonly onTaken: (lease: PartitionLease) => Promise<void>
  readonly onLost: (partition: number) => void
  readonly logger: Logger
}

/** The longest a partition rests between being given up and taken again. */
const REST_MS_MAX = 2_000
/** A partition that was kept for so long begins anew. */
const REST_FORGOTTEN_MS = 10_000

type Rest = { readonly ms: number; readonly untilMs: number }

/** Takes what is free, keeps what it has, and tells the run loop about both. */
export class Ownership {
  readonly #options: OwnershipOptions
  readonly #owned = new Set<number>()
  readonly #opening = new Map<number, Promise<void>>()
  readonly #rests = new Map<number, Rest>()
  #confirmedAtMs = Number.NEGATIVE_INFINITY
  #draining = false
  #aside = false
  #closed = false
  #timer: NodeJS.Timeout | undefined
  #round: Promise<void> | undefined
  #asking: Promise<void> | undefined

  constructor(options: OwnershipOptions) {
    this.#options = options
  }

  /** Resolves after the first round, with everything open that it took. */
  async start(): Promise<void> {
    await this.#tick()
    this.#schedule()
    await Promise.all(this.#opening.values())
  }

  /** O1: whether deciding is allowed right now. */
  confirmed(): boolean {
    return !this.#closed && this.#options.monotonicMs() - this.#confirmedAtMs < this.#options.leaseMs / 2
  }

  /** Asks for the leases now instead of at the next round: an owner that was only slow need not lose its memory. */
  confirm(): Promise<void> {
    this.#asking ??= this.#renew()
      .catch((error: unknown) => this.#options.logger.warn(reasonOf(error), 'leases not confirmed'))
      .finally(() => (this.#asking = undefined))
    return this.#asking
  }

  owns(partition: number): boolean {
    return this.#owned.has(partition)
  }

  /** Gives one partition back to the pool of this process, to be taken anew with its stored position. */
  drop(partition: number): void {
    if (!this.#owned.has(partition)) return
    const nowMs = this.#options.monotonicMs()
    const before = this.#rests.get(partition)
    const again = before !== undefined && nowMs - before.untilMs < REST_FORGOTTEN_MS
    const ms = again ? Math.min(REST_MS_MAX, Math.max(this.#options.pollMs, before.ms * 2)) : 0
    this.#rests.set(partition, { ms, untilMs: nowMs + ms }) // O4
    this.#lose(partition)
    if (this.#round === undefined) this.#schedule(ms)
  }

  /** Takes nothing more, keeps what it has. */
  drain(): void {
    this.#draining = true
  }

  /** Leaves everything to others until `comeBack`: this process cannot do its part (O5). */
  async standAside(): Promise<void> {
    this.#aside = true
    for (const partition of this.#owned) this.#lose(partition)
    const { leases, prefix, ownerUuid, logger } = this.#options
    await leases.release({ prefix, ownerUuid }).catch((error: unknown) => logger.warn(reasonOf(error), 'leases not released'))
  }

  comeBack(): void {
    this.#aside = false
  }

  /** Releases everything. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#round
    await Promise.all(this.#opening.values())
    const { leases, prefix, ownerUuid, logger } = this.#options
    await leases.release({ prefix, ownerUuid }).catch((error: unknown) => logger.warn(reasonOf(error), 'leases not released'))
  }

  #schedule(pauseMs = this.#owned.size === this.#options.partitions ? this.#options.leaseMs / 4 : this.#options.pollMs): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    this.#timer = setTimeout(() => {
      this.#round = this.#tick().finally(() => {
        this.#round = undefined
        this.#schedule()
      })
    }, pauseMs)
  }

  async #tick(): Promise<void> {
    try {
      await this.#renew()
      if (!this.#draining && !this.#aside) await this.#take()
    } catch (error) {
      this.#options.logger.warn(reasonOf(error), 'lease round failed')
      if (!this.confirmed()) for (const partition of this.#owned) this.#lose(partition) // O3
    }
  }

  async #renew(): Promise<void> {
    if (this.#owned.size === 0) return
    const { leases, prefix, ownerUuid, leaseMs, monotonicMs } = this.#options
    const askedAtMs = monotonicMs()
    const kept = new Set(await leases.renew({ prefix, ownerUuid, leaseMs }))
    this.#confirmedAtMs = askedAtMs
    for (const partition of this.#owned) if (!kept.has(partition)) this.#lose(partition)
  }

  async #take(): Promise<void> {
    const { leases, prefix, ownerUuid, leaseMs, monotonicMs, partitions, logger } = this.#options
    const askedAtMs = monotonicMs()
    const wanted = Array.from({ length: partitions }, (_, partition) => partition).filter(
      (partition) =>
        !this.#owned.has(partition) && !this.#opening.has(partition) && (this.#rests.get(partition)?.untilMs ?? askedAtMs) <= askedAtMs,
    )
    if (wanted.length === 0) return
    const taken = await leases.acquire({ prefix, ownerUuid, wanted, leaseMs })
    if (taken.length === 0) return
    if (this.#owned.size === 0) this.#confirmedAtMs = askedAtMs
    for (const lease of taken) {
      this.#owned.add(lease.partition)
      // Beside the rounds: leases are renewed however long it takes.
      this.#opening.set(lease.partition, this.#open(lease))
    }
    logger.info({ partitions: taken.length, owned: this.#owned.size }, 'partitions taken')
  }

  async #open(lease: PartitionLease): Promise<void> {
    try {
      await this.#options.onTaken(lease)
    } catch (error) {
      this.#options.logger.warn({ partition: lease.partition, ...reasonOf(error) }, 'partition not opened')
      this.drop(lease.partition) // O4
    } finally {
      this.#opening.delete(lease.partition)
    }
  }

  #lose(partition: number): void {
    if (this.#owned.delete(partition)) this.#options.onLost(partition) // O2
  }
}

const reasonOf = (error: unknown): { readonly reason: string } => ({ reason: toFault(error).message })
