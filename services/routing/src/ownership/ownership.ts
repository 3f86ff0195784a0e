// Which partitions of the run log this process owns (DESIGN L4). Leases lie in the database and run on its clock.
//   O1. Nothing is decided or published when the last confirmed renewal is older than half the lease, measured on a monotonic clock.
//   O2. A partition that is no longer ours is reported lost once, before it can be taken again.
//   O3. A failing database means that nothing is owned, not that everything is.
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

export type Ownership = {
  /** O1: whether deciding is allowed right now. */
  confirmed(): boolean
  /** Gives one partition back to the pool of this process, to be taken anew with its stored position. */
  drop(partition: number): void
  owns(partition: number): boolean
  close(): Promise<void>
}

/** Takes what is free, keeps what it has, and tells the run loop about both. Resolves after the first round. */
export const startOwnership = async (options: OwnershipOptions): Promise<Ownership> => {
  const { leases, prefix, ownerUuid, leaseMs, monotonicMs, logger } = options
  const owned = new Set<number>()
  let confirmedAtMs = Number.NEGATIVE_INFINITY
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let round: Promise<void> = Promise.resolve()

  const confirmed = (): boolean => !closed && monotonicMs() - confirmedAtMs < leaseMs / 2
  const lose = (partition: number): void => {
    if (owned.delete(partition)) options.onLost(partition) // O2
  }

  const renew = async (): Promise<void> => {
    if (owned.size === 0) return
    const askedAtMs = monotonicMs()
    const kept = new Set(await leases.renew({ prefix, ownerUuid, leaseMs }))
    confirmedAtMs = askedAtMs
    for (const partition of [...owned]) if (!kept.has(partition)) lose(partition)
  }

  const take = async (): Promise<void> => {
    const wanted = Array.from({ length: options.partitions }, (_, partition) => partition).filter((partition) => !owned.has(partition))
    if (wanted.length === 0) return
    const askedAtMs = monotonicMs()
    const taken = await leases.acquire({ prefix, ownerUuid, wanted, leaseMs })
    if (taken.length === 0) return
    if (owned.size === 0) confirmedAtMs = askedAtMs
    for (const lease of taken) owned.add(lease.partition)
    logger.info({ partitions: taken.length, owned: owned.size }, 'partitions taken')
    await Promise.all(taken.map((lease) => options.onTaken(lease)))
  }

  const tick = async (): Promise<void> => {
    try {
      await renew()
      if (!closed) await take()
    } catch (error) {
      logger.warn({ error: error instanceof Error ? error.message : String(error) }, 'lease round failed')
      if (!confirmed()) for (const partition of [...owned]) lose(partition) // O3
    }
  }
  const schedule = (): void => {
    if (closed) return
    const pauseMs = owned.size === options.partitions ? leaseMs / 4 : options.pollMs
    timer = setTimeout(() => {
      round = tick().then(schedule)
    }, pauseMs)
  }

  round = tick()
  await round
  schedule()

  return {
    confirmed,
    drop: lose,
    owns: (partition) => owned.has(partition),
    close: async () => {
      closed = true
      clearTimeout(timer)
      await round
      await leases.release({ prefix, ownerUuid }).catch((error: unknown) => logger.warn({ error: String(error) }, 'leases not released'))
    },
  }
}
