// The run loop of a process: partitions owned by lease, fed from the log, checkpointed behind (DESIGN §5).
//   L3. Outputs are published at once; a checkpoint snapshots states and positions together, waits for its outputs, then commits once.
//   L4. Nothing is decided without a confirmed lease; what was decided without one is dropped with its memory.
//   L5. A position outside the log, or another topic under the old name, stops the partition and says so; the others go on.
//   L7. Taking over: due times from the store, position from the lease, then the log from there.
import { randomUUID } from 'node:crypto'
import type { BusRecord, LogReader } from '@baton/bus/bus'
import { DEFAULT_TENANT, Fault, TOPICS, toFault, type FaultData } from '@baton/contracts'
import { ENGINE_VERSION } from '@baton/engine'
import { createPlanCache, type Platform } from '@baton/service'
import type { PartitionLease } from '@baton/store'
import type { Logger } from '@baton/telemetry'
import { BusWatch } from '../ownership/bus-watch.ts'
import { Ownership } from '../ownership/ownership.ts'
import { EndedRuns } from '../upkeep/ended-runs.ts'
import { Checkpoints } from './checkpoints.ts'
import { ALONE_AFTER_CRASHES } from './killers.policy.ts'
import { createMissingTopics } from './missing-topics.ts'
import { OwnedPartition, type PartitionDeps, type Suspicion } from './owned-partition.ts'
import { createProgramCache, type ProgramCache } from './program-cache.ts'
import { createAlarm } from './timers.ts'

export type RunLoopOptions = {
  readonly platform: Platform
  /** Default 75: the most that is decided again after a crash. */
  readonly checkpointMs?: number
  /** Default 1,500. */
  readonly leaseMs?: number
  /** How often a standby looks for free partitions. Default 100. */
  readonly pollMs?: number
  /** How long a run that ended stays in the hot table. Default 60,000. */
  readonly endedForMs?: number
  /** Clock of the lease. Default `performance.now`. */
  readonly monotonicMs?: () => number
  /** Default: compiled from the plans of the store. */
  readonly programs?: ProgramCache
}

export type RunLoopStats = {
  readonly owned: number
  readonly confirmed: boolean
  readonly resident: number
  readonly waiting: number
  readonly uncommitted: number
}

/** A timer far away is looked at again after this time, so that a changed system clock does no lasting harm. */
const ALARM_PAUSE_MS_MAX = 60_000
/** The bus is asked after when nothing came from it for so long. */
const BUS_SILENT_MS = 1_000
/** Programs that a process compiles before it needs them. */
const PROGRAMS_AHEAD_MAX = 100

/** Starts the loop. Throws `config.invalid` when the log has another number of partitions than this installation was made with. */
export const startRunLoop = async (options: RunLoopOptions): Promise<RunLoop> => {
  const { bus, stores, config } = options.platform
  const { topicId } = await bus.describe(TOPICS.events)
  const partitions = bus.partitions(TOPICS.events)
  const prefix = config.topicPrefix
  await stores.leases.install({ prefix, partitions, topicId, engineVersion: ENGINE_VERSION })
  // Of one process there is no older one beside it.
  if (config.embedded) await stores.leases.raiseEngine({ prefix, engineVersion: ENGINE_VERSION })
  const loop = new RunLoop(options, { topicId, partitions })
  await loop.start()
  return loop
}

/** What the log was when the process started. */
type Log = { readonly topicId: string; readonly partitions: number }

export class RunLoop {
  readonly #platform: Platform
  readonly #logger: Logger
  readonly #ownerUuid = randomUUID()
  readonly #topicId: string
  readonly #ownership: Ownership
  readonly #checkpoints: Checkpoints
  readonly #endedRuns: EndedRuns
  readonly #busWatch: BusWatch
  readonly #deps: Pick<PartitionDeps, 'bus' | 'runs' | 'programs' | 'missingTopics' | 'nowMs' | 'mayDecide' | 'confirm' | 'hurry'>
  readonly #owned = new Map<number, OwnedPartition>()
  readonly #faults = new Map<number, FaultData>()
  readonly #alarm: ReturnType<typeof createAlarm>
  #reader: LogReader | undefined

  constructor(
    {
      platform,
      checkpointMs = 75,
      leaseMs = 1_500,
      pollMs = 100,
      endedForMs,
      monotonicMs = () => performance.now(),
      programs,
    }: RunLoopOptions,
    { topicId, partitions }: Log,
  ) {
    const { bus, stores, config, nowMs } = platform
    this.#platform = platform
    this.#topicId = topicId
    const logger = platform.telemetry.logger.child({ service: 'routing' })
    this.#logger = logger
    this.#alarm = createAlarm({ nowMs, pauseMsMax: ALARM_PAUSE_MS_MAX, onRing: () => this.#wake() })
    this.#ownership = new Ownership({
      leases: stores.leases,
      prefix: config.topicPrefix,
      ownerUuid: this.#ownerUuid,
      partitions,
      leaseMs,
      pollMs,
      monotonicMs,
      logger,
      onTaken: (lease) => this.#take(lease),
      onLost: (partition) => this.#lose(partition),
    })
    this.#busWatch = this.#watchBus({ answerMs: leaseMs, monotonicMs })
    this.#endedRuns = new EndedRuns({
      runs: stores.runs,
      ownerUuid: this.#ownerUuid,
      epochOf: (partition) => this.#owned.get(partition)?.lease.epoch,
      telemetry: { ...platform.telemetry, logger },
      everyMs: config.retireEveryMs,
      endedForMs,
      monotonicMs: () => performance.now(),
    })
    this.#checkpoints = new Checkpoints({
      runs: stores.runs,
      ownerUuid: this.#ownerUuid,
      partitions: () => this.#owned.values(),
      isOwned: (partition) => this.#owned.get(partition.lease.partition) === partition,
      onCommitted: (snapshot) => {
        bus.trim?.(TOPICS.events, snapshot.partition, snapshot.next)
        this.#endedRuns.committed(snapshot)
      },
      onLost: (partition, reason) => this.#giveUp(partition, reason),
      everyMs: checkpointMs,
      logger,
    })
    this.#deps = {
      bus,
      runs: stores.runs,
      programs: programs ?? createProgramCache({ plans: createPlanCache(stores.flows) }),
      missingTopics: createMissingTopics({ topicPrefix: config.topicPrefix, nowMs }),
      nowMs,
      mayDecide: () => this.#ownership.confirmed(),
      confirm: () => this.#ownership.confirm(),
      hurry: () => this.#checkpoints.hurry(),
    }
  }

  /** Who cannot reach the bus leaves its partitions to those who can. */
  #watchBus(times: { readonly answerMs: number; readonly monotonicMs: () => number }): BusWatch {
    return new BusWatch({
      ask: () => this.#platform.bus.describe(TOPICS.events),
      silentMs: BUS_SILENT_MS,
      ...times,
      onGone: () => void this.#ownership.standAside(),
      onBack: () => this.#ownership.comeBack(),
      logger: this.#logger,
    })
  }

  async start(): Promise<void> {
    this.#reader = await this.#platform.bus.log({
      topic: TOPICS.events,
      onBatch: (partition, records) => this.#decide(partition, records),
      onFault: (partition, fault) => this.#halt(partition, fault),
      onHeard: () => this.#busWatch.heard(),
    })
    await this.#ownership.start()
    if (!this.#platform.config.embedded) this.#busWatch.start()
    this.#warmUp().catch((error: unknown) => this.#logger.debug({ reason: toFault(error).message }, 'programs not loaded ahead'))
  }

  stats(): RunLoopStats {
    const total = { resident: 0, waiting: 0, uncommitted: 0 }
    for (const partition of this.#owned.values()) {
      const { resident, waiting, uncommitted } = partition.stats()
      total.resident += resident
      total.waiting += waiting
      total.uncommitted += uncommitted
    }
    return { owned: this.#owned.size, confirmed: this.#ownership.confirmed(), ...total }
  }

  /** Partitions that stand still until somebody helps, with the reason. */
  faults(): ReadonlyMap<number, FaultData> {
    return this.#faults
  }

  /** Stores what is decided and releases the partitions. What does not become durable within the time is left to the next owner. */
  async close({ graceMs = 10_000 }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#ownership.drain()
    this.#busWatch.stop()
    this.#alarm.stop()
    const late = setTimeout(() => {
      for (const partition of this.#owned.values()) partition.stop()
    }, graceMs)
    await this.#reader?.close()
    await Promise.all([this.#checkpoints.close(), this.#endedRuns.close()])
    clearTimeout(late)
    for (const partition of this.#owned.values()) partition.stop()
    await this.#ownership.close()
    this.#owned.clear()
  }

  async #decide(partition: number, records: readonly BusRecord[]): Promise<void> {
    const mine = this.#owned.get(partition)
    if (mine === undefined) return
    try {
      this.#checkpoints.noticed()
      await mine.take(records) // L4: checked where it decides.
      this.#checkpoints.noticed()
      this.#alarm.set(mine.nextWakeAtMs())
    } catch (error) {
      this.#giveUp(mine, error)
    }
  }

  /** L7. */
  async #take(lease: PartitionLease): Promise<void> {
    const { partition, next, crashCount } = lease
    if (lease.topicId !== this.#topicId) return this.#halt(partition, otherTopic(lease.topicId, this.#topicId)) // L5
    const logEnd = crashCount < ALONE_AFTER_CRASHES ? Number.POSITIVE_INFINITY : await this.#logEnd(partition)
    if (!this.#ownership.owns(partition)) return
    const opened: OwnedPartition = new OwnedPartition(
      lease,
      this.#depsOf(lease, () => opened),
      logEnd,
    )
    this.#owned.set(partition, opened)
    this.#endedRuns.taken(partition)
    await Promise.all([opened.armed, this.#reader?.seek(partition, next)])
    this.#alarm.set(opened.nextWakeAtMs())
  }

  #depsOf({ partition, epoch }: PartitionLease, self: () => OwnedPartition): PartitionDeps {
    const { stores, config, telemetry } = this.#platform
    const owner = { ownerUuid: this.#ownerUuid, epoch }
    return {
      ...this.#deps,
      suspect: (suspicion: Suspicion) => stores.leases.suspect({ prefix: config.topicPrefix, partition, owner, ...suspicion }),
      onBroken: (reason) => this.#giveUp(self(), reason),
      onPassedOver: ({ offset, key }, fault) => {
        telemetry.metrics.count('baton_routing_records_passed_over_total')
        this.#logger.error({ partition, offset, runId: key, code: fault.code }, 'record passed over, its run is set aside')
      },
    }
  }

  /** What a takeover will need is made ready before: the programs of flows in use. */
  async #warmUp(): Promise<void> {
    const flows = await this.#platform.stores.flows.list(DEFAULT_TENANT)
    const current = flows.filter(({ aliases }) => aliases.length > 0).slice(0, PROGRAMS_AHEAD_MAX)
    await this.#deps.programs.load(current.map(({ hash }) => hash))
  }

  async #logEnd(partition: number): Promise<number> {
    const { partitions } = await this.#platform.bus.describe(TOPICS.events)
    return partitions.find((range) => range.partition === partition)?.next ?? 0
  }

  #giveUp(mine: OwnedPartition, reason: unknown): void {
    const { partition } = mine.lease
    mine.stop()
    if (this.#owned.get(partition) !== mine) return
    const { code, message } = toFault(reason)
    this.#logger.warn({ partition, code, reason: message }, 'partition given up, to be taken over again')
    this.#ownership.drop(partition)
  }

  #lose(partition: number): void {
    this.#owned.get(partition)?.stop()
    this.#owned.delete(partition)
    this.#faults.delete(partition)
    this.#reader
      ?.release(partition)
      .catch((error: unknown) => this.#logger.warn({ partition, reason: toFault(error).message }, 'partition not released'))
  }

  /** L5: it stays ours, so that no other process stumbles over it. */
  #halt(partition: number, fault: FaultData): void {
    this.#logger.error({ partition, code: fault.code, reason: fault.message }, 'the log cannot be read on; the partition stands still')
    this.#faults.set(partition, fault)
    this.#owned.get(partition)?.stop()
    this.#owned.delete(partition)
  }

  #wake(): void {
    for (const partition of this.#owned.values()) {
      partition.wake()
      this.#alarm.set(partition.nextWakeAtMs())
    }
  }
}

const otherTopic = (installed: string, found: string): FaultData =>
  new Fault('log.truncated', `${TOPICS.events} is not the topic this installation was made with: it was deleted and made again`, {
    installed,
    found,
  }).data
