// The run loop of a process: partitions owned by lease, fed from the log, checkpointed behind (DESIGN §5).
//   L3. Outputs are published at once; a checkpoint snapshots states and positions together, waits for its outputs, then commits once.
//   L4. Nothing is decided without a confirmed lease; what was decided without one is dropped with its memory.
//   L7. Taking over: due times from the store, position from the lease, then the log from there.
import { randomUUID } from 'node:crypto'
import type { LogReader } from '@baton/bus/bus'
import { Fault, TOPICS, toFault, type FaultData } from '@baton/contracts'
import { ENGINE_VERSION, type PartitionSnapshot } from '@baton/engine'
import { createPlanCache, type Platform } from '@baton/service'
import type { PartitionLease } from '@baton/store'
import { startOwnership, type Ownership } from '../ownership/ownership.ts'
import { openPartition, type OwnedPartition } from './owned-partition.ts'
import { createProgramCache } from './program-cache.ts'
import { createAlarm } from './timers.ts'

export type RunLoopOptions = {
  readonly platform: Platform
  /** Default 75: the most that is decided again after a crash. */
  readonly checkpointMs?: number
  /** Default 1,500. */
  readonly leaseMs?: number
  /** How often a standby looks for free partitions. Default 100. */
  readonly pollMs?: number
}

export type RunLoop = {
  /** All partitions this process owns, and whether it may decide. */
  stats(): { readonly owned: number; readonly confirmed: boolean; readonly resident: number; readonly waiting: number; readonly uncommitted: number }
  close(): Promise<void>
}

/** Starts the loop. Throws `config.invalid` when the log has another number of partitions than this installation was made with. */
export const startRunLoop = async ({ platform, checkpointMs = 75, leaseMs = 1_500, pollMs = 100 }: RunLoopOptions): Promise<RunLoop> => {
  const { bus, stores, config, nowMs } = platform
  const logger = platform.telemetry.logger.child({ service: 'routing' })
  const prefix = config.topicPrefix
  const ownerUuid = randomUUID()
  const programs = createProgramCache({ plans: createPlanCache(stores.flows) })
  const owned = new Map<number, OwnedPartition>()
  const { topicId } = await bus.describe(TOPICS.events)
  const partitions = bus.partitions(TOPICS.events)
  await stores.leases.install({ prefix, partitions, topicId, engineVersion: ENGINE_VERSION })
  let ownership: Ownership | undefined
  let closing = false

  const lose = (partition: number): void => {
    owned.get(partition)?.stop()
    owned.delete(partition)
    reader.release(partition).catch((error: unknown) => logger.warn({ partition, reason: toFault(error).message }, 'partition not released'))
  }
  const giveUp = (partition: number, reason: unknown): void => {
    logger.warn({ partition, reason: toFault(reason).message }, 'partition given up, to be taken over again')
    ownership?.drop(partition)
  }

  const onBatch: Parameters<typeof bus.log>[0]['onBatch'] = async (partition, records) => {
    const mine = owned.get(partition)
    if (mine === undefined) return
    if (ownership?.confirmed() === false) return giveUp(partition, new Fault('lease.lost', 'the lease was not confirmed in time')) // L4
    try {
      await mine.take(records)
      alarm.set(mine.nextWakeAtMs())
    } catch (error) {
      giveUp(partition, error)
    }
  }
  const onFault = (partition: number, fault: FaultData): void => {
    logger.error({ partition, code: fault.code, reason: fault.message }, 'the log cannot be read on')
    owned.get(partition)?.stop()
    owned.delete(partition)
  }
  const reader: LogReader = await bus.log({ topic: TOPICS.events, onBatch, onFault })

  const alarm = createAlarm({
    nowMs,
    pauseMsMax: 60_000,
    onRing: () => {
      for (const partition of owned.values()) partition.wake()
      armAll()
    },
  })
  const armAll = (): void => {
    for (const partition of owned.values()) alarm.set(partition.nextWakeAtMs())
  }

  const onTaken = async (lease: PartitionLease): Promise<void> => {
    const { partition } = lease
    if (lease.topicId !== topicId) return onFault(partition, new Fault('log.truncated', `${TOPICS.events} is not the topic this installation was made with`).data)
    const opened = await openPartition(lease, { bus, runs: stores.runs, programs, nowMs, onBroken: (reason) => giveUp(partition, reason) })
    owned.set(partition, opened)
    alarm.set(opened.nextWakeAtMs())
    await reader.seek(partition, lease.next) // L7
  }

  const checkpoint = async (): Promise<void> => {
    // L3: all snapshots in one turn; what is decided while we wait belongs to the next checkpoint.
    const taken = [...owned.values()].flatMap((partition): readonly { partition: OwnedPartition; snapshot: PartitionSnapshot }[] => {
      const snapshot = partition.snapshot()
      return snapshot === null ? [] : [{ partition, snapshot }]
    })
    if (taken.length === 0) return
    await Promise.all(taken.map(({ partition, snapshot }) => partition.durable(snapshot)))
    const still = taken.filter(({ partition }) => owned.get(partition.lease.partition) === partition)
    try {
      await stores.runs.checkpoint({
        ownerUuid,
        partitions: still.map(({ partition, snapshot }) => ({ partition: snapshot.partition, epoch: partition.lease.epoch, next: snapshot.next })),
        runs: still.flatMap(({ snapshot }) => snapshot.rows),
      })
    } catch (error) {
      for (const { partition, snapshot } of still) partition.abandoned(snapshot)
      if (toFault(error).code !== 'lease.lost') throw error
      for (const { partition } of still) giveUp(partition.lease.partition, error)
      return
    }
    for (const { partition, snapshot } of still) {
      partition.committed(snapshot)
      bus.trim?.(TOPICS.events, snapshot.partition, snapshot.next)
    }
  }
  let timer: NodeJS.Timeout | undefined
  let round: Promise<void> = Promise.resolve()
  const schedule = (): void => {
    if (closing) return
    timer = setTimeout(() => {
      round = checkpoint()
        .catch((error: unknown) => logger.warn({ reason: toFault(error).message }, 'checkpoint failed, tried again'))
        .then(schedule)
    }, checkpointMs)
  }
  ownership = await startOwnership({ leases: stores.leases, prefix, ownerUuid, partitions, leaseMs, pollMs, monotonicMs: () => performance.now(), onTaken, onLost: lose, logger })
  schedule()

  const sum = (figure: (stats: ReturnType<OwnedPartition['stats']>) => number): number => [...owned.values()].reduce((total, partition) => total + figure(partition.stats()), 0)
  return {
    stats: () => ({
      owned: owned.size,
      confirmed: ownership?.confirmed() === true,
      resident: sum((stats) => stats.resident),
      waiting: sum((stats) => stats.waiting),
      uncommitted: sum((stats) => stats.uncommitted),
    }),
    close: async () => {
      closing = true
      clearTimeout(timer)
      alarm.stop()
      await round
      await reader.close()
      await checkpoint().catch((error: unknown) => logger.warn({ reason: toFault(error).message }, 'last checkpoint failed'))
      await ownership?.close()
      for (const partition of owned.values()) partition.stop()
      owned.clear()
    },
  }
}
