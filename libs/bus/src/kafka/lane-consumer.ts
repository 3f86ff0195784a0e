// Lanes over a consumer group.
//   K1. A partition that stays assigned keeps its lanes, also when this process had to join anew: what runs goes on, and a position is only
//       ever stored when all before it is settled, whoever had the partition meanwhile. A lost partition's handlers are aborted.
//   K2. Positions are stored every `COMMIT_INTERVAL_MS`, before the group is dealt out anew and at the end; only those of partitions owned
//       now. A store that fails is not repeated as it was: the next one carries what is true then.
//   K3. When the log no longer holds the position (retention, a topic made again), lanes go on with what it holds, from its beginning.
//   K4. A partition that this user may not read is said and looked at again later, since a right that is given then has to take effect.
//   K5. A member that has not heard of its group for a session (it slept, it is cut off) starts nothing until it has: others may have its
//       partitions by now.
//   K6. Before the group is dealt out anew nothing is started, and what runs may end within `HAND_OVER_MS`, so that a partition that goes
//       to another member takes nothing with it that is half done. What takes longer is aborted where its partition goes (K1).
import type { Fault } from '@baton/contracts/fault'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LaneConsumer, LanesOptions, LaneStats, OutgoingRecord, RetryPolicy } from '../bus.ts'
import { LaneRunner } from '../lanes/lane-runner.ts'
import type { Assigned } from './cluster.ts'
import { GroupMember } from './group-member.ts'
import type { GroupTiming } from './group-member.ts'
import { fetchRanges, PartitionReader } from './partition-reader.ts'
import type { TopicPartition } from './partition-reader.ts'
import type { KafkaSession } from './session.ts'

const COMMIT_INTERVAL_MS = 200
/** Less than the session, in which the group waits; starts are held back no longer than that, whatever the others do. */
const HAND_OVER_MS = 3_000
const REFUSED_PAUSE_MS = 5_000
/** A retry topic is looked at so often. */
const REST_MAX_MS = 5_000
/** How often the ends of the partitions are asked for, while somebody asks for figures. */
const ENDS_INTERVAL_MS = 10_000
/** A rebalance takes longer than this by itself. */
const IDLE_WAIT_MS = 1_000

export type LaneSettings = {
  /** Of this consumer alone. */
  readonly session: KafkaSession
  readonly topicPrefix: string
  readonly group: GroupTiming
  readonly publish: (records: readonly OutgoingRecord[]) => Promise<unknown>
  readonly onRefused?: (fault: Fault) => void
}

/** A partition of this member; `stored` is the position the group knows. */
type Held = TopicPartition & { stored: number }

export class KafkaLaneConsumer implements LaneConsumer {
  private readonly settings: LaneSettings
  private readonly member: GroupMember
  private readonly reader: PartitionReader
  private readonly runner: LaneRunner
  private readonly held = new Map<string, Held>()
  private readonly ends = new Map<string, number>()
  private endsAtMs = -Infinity
  private timer: NodeJS.Timeout | undefined
  private storing: Promise<void> | undefined
  /** While nothing is started because the group is dealt out anew. */
  private heldBack: NodeJS.Timeout | undefined
  private closing: Promise<void> | undefined

  constructor(settings: LaneSettings, options: LanesOptions) {
    this.settings = settings
    const { session, topicPrefix, group, publish } = settings
    const topics = [...options.topics, ...options.retry.retryTopics.map(({ topic }) => topic)]
    this.reader = new PartitionReader({
      session,
      topicPrefix,
      lingerMs: options.lingerMs ?? 0,
      idleWaitMs: IDLE_WAIT_MS,
      restMs: restOf(options.retry),
      onBatch: ({ topic, partition }, records) => {
        this.runner.enqueue(topic, partition, records)
      },
      onFault: (at, fault) => void this.startOver(at, fault),
    })
    this.runner = new LaneRunner({
      ...options,
      publish,
      nowMs: Date.now,
      steadyMs: () => performance.now(),
      isOwner: () => this.member.isHeard() && this.heldBack === undefined, // K5, K6
      pause: (topic, partition) => this.reader.pause({ topic, partition }),
      resume: (topic, partition) => this.reader.resume({ topic, partition }),
      onSettled: () => this.storeSoon(),
      endOf: (topic, partition) => this.ends.get(idOf({ topic, partition })),
    })
    this.member = new GroupMember({
      ...group,
      session,
      groupId: topicPrefix + options.group,
      topics: topics.map((topic) => topicPrefix + topic),
      onAssigned: (assigned) => this.take(assigned),
      beforeRejoin: () => this.handOver(),
      onHeard: () => this.goOn(),
    })
  }

  /** Resolves when the group has dealt out its partitions. */
  start(): Promise<void> {
    return this.member.start()
  }

  /** The ends of the partitions, and with them the lag, are those of a moment ago: asking for figures asks the broker for the next ones. */
  stats(): LaneStats {
    void this.learnEnds()
    return this.runner.stats()
  }

  close({ graceMs }: { graceMs: number }): Promise<void> {
    this.closing ??= this.finish(graceMs)
    return this.closing
  }

  private async finish(graceMs: number): Promise<void> {
    // The member goes on beating while the lanes drain, so that nobody takes over what is still handled.
    await Promise.all([this.reader.close(), this.runner.drain({ graceMs })])
    clearTimeout(this.timer)
    clearTimeout(this.heldBack)
    this.timer = undefined
    await this.storing
    await this.store()
    await this.member.close()
    await this.settings.session.close()
  }

  /** K6. */
  private async handOver(): Promise<void> {
    const graceMs = Math.min(HAND_OVER_MS, this.settings.group.sessionTimeoutMs / 3)
    clearTimeout(this.heldBack)
    this.heldBack = setTimeout(() => this.goOn(), 2 * graceMs)
    await this.runner.quiet(graceMs)
    await this.storing // It may have begun before the last of them ended.
    await this.store()
  }

  private goOn(): void {
    clearTimeout(this.heldBack)
    this.heldBack = undefined
    this.runner.wake()
  }

  private take(assigned: readonly Assigned[]): void {
    const { topicPrefix } = this.settings
    const mine = new Map(
      assigned.map(({ topic, partition, position }) => {
        const at = { topic: topic.slice(topicPrefix.length), partition }
        return [idOf(at), { at, position }]
      }),
    )
    for (const [id, at] of this.held) {
      if (mine.has(id)) continue // K1
      this.held.delete(id)
      this.reader.release(at)
      this.runner.revoke(at.topic, at.partition)
    }
    for (const [id, { at, position }] of mine) if (!this.held.has(id)) this.begin(at, position)
  }

  private begin(at: TopicPartition, position: number): void {
    if (this.closing !== undefined) return
    this.held.set(idOf(at), { ...at, stored: position })
    this.runner.assign(at.topic, at.partition, position)
    this.reader.read(at, position)
  }

  /** K3. The reader found that the log does not hold the position. */
  private async startOver(at: TopicPartition, fault: Fault): Promise<void> {
    const held = this.held.get(idOf(at))
    if (fault.code === 'bus.unauthorized') {
      this.settings.onRefused?.(fault) // K4
      await sleep(REFUSED_PAUSE_MS, undefined, { ref: false })
      if (held !== undefined && this.held.get(idOf(at)) === held) this.begin(at, held.stored)
      return
    }
    if (held === undefined) return
    const ranges = await fetchRanges(this.settings.session, this.settings.topicPrefix + at.topic).catch(() => [])
    if (this.held.get(idOf(at)) !== held) return
    this.begin(at, ranges.find(({ partition }) => partition === at.partition)?.first ?? 0)
  }

  private async learnEnds(): Promise<void> {
    if (this.closing !== undefined || performance.now() - this.endsAtMs < ENDS_INTERVAL_MS) return
    this.endsAtMs = performance.now()
    for (const topic of new Set(Array.from(this.held.values(), (at) => at.topic))) {
      const ranges = await fetchRanges(this.settings.session, this.settings.topicPrefix + topic).catch(() => [])
      for (const { partition, next } of ranges) this.ends.set(idOf({ topic, partition }), next)
    }
  }

  /** After something was settled; an idle consumer is not woken. */
  private storeSoon(): void {
    if (this.closing !== undefined) return
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      void this.store().finally(() => {
        if (this.moved().length > 0) this.storeSoon()
      })
    }, COMMIT_INTERVAL_MS)
  }

  private moved(): readonly { readonly held: Held; readonly next: number }[] {
    return this.runner.positions().flatMap(({ topic, partition, next }) => {
      const held = this.held.get(idOf({ topic, partition }))
      return held !== undefined && next !== held.stored ? [{ held, next }] : []
    })
  }

  private store(): Promise<void> {
    this.storing ??= this.storeNow().finally(() => {
      this.storing = undefined
    })
    return this.storing
  }

  private async storeNow(): Promise<void> {
    const moved = this.moved()
    if (moved.length === 0) return
    const topics = [...new Set(moved.map(({ held }) => held.topic))].map((name) => ({
      topic: this.settings.topicPrefix + name,
      partitions: moved
        .filter(({ held }) => held.topic === name)
        .map(({ held, next }) => ({ partition: held.partition, offset: String(next) })),
    }))
    try {
      await this.member.commit({ topics })
      for (const { held, next } of moved) held.stored = next
    } catch {
      // K2. A rebalance or a broker that is away; what is not stored comes again.
    }
  }
}

/** A record must be known before it is due; and a long wait may be a little longer. */
const restOf = ({ retryTopics }: RetryPolicy): ((at: TopicPartition) => number) => {
  const rests = new Map(retryTopics.map(({ topic, delayMs }) => [topic, Math.min(REST_MAX_MS, Math.floor(delayMs / 2))]))
  return ({ topic }) => rests.get(topic) ?? 0
}

const idOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`
