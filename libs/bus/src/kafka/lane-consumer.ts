// Lanes over a kafkajs consumer group. The poll loop only enqueues, so it heartbeats however long a handler runs.
//   K1. A partition that stays assigned keeps its lanes, also when this process had to join anew: what runs goes on, and a position is only
//       ever stored when all before it is settled, whoever had the partition meanwhile. A lost partition's handlers are aborted.
//   K2. Positions are stored every `COMMIT_INTERVAL_MS`, when the group rebalances and at the end; only those of partitions owned now.
//       A store that fails is not repeated as it was: the next one carries what is true then.
//   K3. A consumer that gave up is started anew until it is closed.
//   K4. When the log no longer holds the position (retention, a topic made again), lanes go on with what the log holds, from its beginning.
import type { BusRecord, LaneConsumer, LanesOptions, OutgoingRecord } from '../bus.ts'
import { LaneRunner } from '../lanes/lane-runner.ts'
import type { Batch, Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import { busRecord } from './records.ts'

const COMMIT_INTERVAL_MS = 200
const FETCH_WAIT_MS = 100
const PARTITION_BYTES_MAX = 1_048_576
const RESTART_PAUSE_MS = 1_000
const RETRY = { initialRetryTime: 20, maxRetryTime: 200 } as const

export type GroupSettings = {
  readonly kafka: Kafka
  readonly topicPrefix: string
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly rebalanceTimeoutMs: number
  readonly publish: (records: readonly OutgoingRecord[]) => Promise<unknown>
}

type Partition = { readonly topic: string; readonly partition: number; next: number; stored: number }
type Commit = EachBatchPayload['commitOffsetsIfNecessary']

export class KafkaLaneConsumer implements LaneConsumer {
  private readonly settings: GroupSettings
  private readonly options: LanesOptions
  private readonly topics: readonly string[]
  private readonly runner: LaneRunner
  /** Partitions with a lane, by topic and number. */
  private readonly held = new Map<string, Partition>()
  private readonly timer: NodeJS.Timeout
  private readonly paused = new Map<string, { readonly topic: string; readonly partition: number }>()
  private consumer: Consumer | undefined
  private commit: Commit | undefined
  private storing: Promise<void> | undefined
  private restart: NodeJS.Timeout | undefined
  private closing: Promise<void> | undefined

  constructor(settings: GroupSettings, options: LanesOptions) {
    this.settings = settings
    this.options = options
    this.topics = [...options.topics, ...options.retry.retryTopics.map(({ topic }) => topic)]
    this.runner = new LaneRunner({
      ...options,
      publish: settings.publish,
      nowMs: Date.now,
      pause: (topic, partition) => this.pause(topic, partition),
      resume: (topic, partition) => this.resume(topic, partition),
    })
    this.timer = setInterval(() => void this.store(), COMMIT_INTERVAL_MS)
  }

  /** Resolves when the consumer has joined its group, or when the brokers failed and it keeps trying. */
  async start(): Promise<void> {
    const { kafka, topicPrefix, sessionTimeoutMs, heartbeatIntervalMs, rebalanceTimeoutMs } = this.settings
    const consumer = kafka.consumer({
      groupId: topicPrefix + this.options.group,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: heartbeatIntervalMs,
      rebalanceTimeout: rebalanceTimeoutMs,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      minBytes: 1,
      maxBytesPerPartition: PARTITION_BYTES_MAX,
      allowAutoTopicCreation: false,
      // For as long as the session lasts: the group still knows this member when the broker is back by then.
      retry: {
        ...RETRY,
        retries: Math.ceil(sessionTimeoutMs / RETRY.maxRetryTime),
        restartOnFailure: async () => this.closing === undefined,
      },
    })
    this.consumer = consumer
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => this.joined(payload.memberAssignment))
    consumer.on(consumer.events.REBALANCING, () => void this.store())
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) this.startAgain(consumer)
    })
    try {
      await consumer.connect()
      await consumer.subscribe({ topics: this.topics.map((topic) => topicPrefix + topic), fromBeginning: true })
      await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: (payload) => this.take(payload) })
    } catch {
      this.startAgain(consumer)
    }
  }

  stats(): ReturnType<LaneConsumer['stats']> {
    return this.runner.stats()
  }

  close({ graceMs }: { graceMs: number }): Promise<void> {
    this.closing ??= this.finish(graceMs)
    return this.closing
  }

  private async finish(graceMs: number): Promise<void> {
    clearTimeout(this.restart)
    // The group goes on with heartbeats while the lanes drain, so that nobody takes over what is still handled.
    this.pauseAll()
    await this.runner.drain({ graceMs })
    clearInterval(this.timer)
    await this.storing
    await this.store()
    clearTimeout(this.restart)
    await this.consumer?.disconnect().catch(() => undefined) // The group notices by itself when the session ends.
  }

  private async take(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload
    this.commit = (offsets) => payload.commitOffsetsIfNecessary(offsets)
    const last = batch.messages.at(-1)
    if (last === undefined || this.closing !== undefined) return
    const topic = batch.topic.slice(this.settings.topicPrefix.length)
    const { partition } = batch
    const records: readonly BusRecord[] = batch.messages.map((message) => busRecord(topic, partition, message))
    const from = fetchOffsetOf(batch)
    let held = this.held.get(laneId(topic, partition))
    if (held !== undefined && from < held.next) {
      if (payload.isStale()) return // Fetched before the seek of `joined` took effect.
      held = undefined // K4: every fetch but one after a reset starts where the last one ended.
    }
    held ??= this.assign(topic, partition, from)
    held.next = Math.max(held.next, Number(last.offset) + 1)
    this.runner.enqueue(topic, partition, records)
    payload.resolveOffset(last.offset)
  }

  private assign(topic: string, partition: number, position: number): Partition {
    const held = { topic, partition, next: position, stored: position }
    this.held.set(laneId(topic, partition), held)
    this.runner.assign(topic, partition, position)
    return held
  }

  private joined(assignment: Readonly<Record<string, readonly number[]>>): void {
    const { topicPrefix } = this.settings
    for (const { topic, partition, next } of this.held.values()) {
      if (assignment[topicPrefix + topic]?.includes(partition)) {
        // K1. kafkajs would read again from the stored position; what was taken since is still in its lane.
        this.consumer?.seek({ topic: topicPrefix + topic, partition, offset: String(next) })
        continue
      }
      this.held.delete(laneId(topic, partition))
      this.runner.revoke(topic, partition)
      this.resume(topic, partition) // The pause was of the lane that is gone.
    }
    for (const { topic, partition } of this.paused.values()) this.gate('pause', topic, partition) // A new consumer reads everything.
    if (this.closing !== undefined) this.pauseAll()
  }

  private pause(topic: string, partition: number): void {
    this.paused.set(laneId(topic, partition), { topic, partition })
    this.gate('pause', topic, partition)
  }

  private resume(topic: string, partition: number): void {
    this.paused.delete(laneId(topic, partition))
    if (this.closing === undefined) this.gate('resume', topic, partition)
  }

  private pauseAll(): void {
    for (const topic of this.topics) this.gate('pause', topic)
  }

  private gate(way: 'pause' | 'resume', topic: string, partition?: number): void {
    const name = this.settings.topicPrefix + topic
    try {
      this.consumer?.[way]([partition === undefined ? { topic: name } : { topic: name, partitions: [partition] }])
    } catch {
      // Between two lives of the consumer nothing is read, so there is nothing to pause or resume.
    }
  }

  private store(): Promise<void> {
    this.storing ??= this.storeNow().finally(() => {
      this.storing = undefined
    })
    return this.storing
  }

  private async storeNow(): Promise<void> {
    const moved = this.runner.positions().flatMap(({ topic, partition, next }) => {
      const held = this.held.get(laneId(topic, partition))
      return held !== undefined && next > held.stored ? [{ held, next }] : []
    })
    if (moved.length === 0 || this.commit === undefined) return
    const names = [...new Set(moved.map(({ held }) => held.topic))]
    const topics = names.map((name) => ({
      topic: this.settings.topicPrefix + name,
      partitions: moved
        .filter(({ held }) => held.topic === name)
        .map(({ held, next }) => ({ partition: held.partition, offset: String(next) })),
    }))
    try {
      await this.commit({ topics })
      for (const { held, next } of moved) held.stored = Math.max(held.stored, next)
    } catch {
      // K2. A rebalance or a broker that is away; what is not stored comes again.
    }
  }

  /** K3. Only for failures after which kafkajs does not start again by itself. */
  private startAgain(consumer: Consumer): void {
    if (this.closing !== undefined || consumer !== this.consumer) return
    void consumer.disconnect().catch(() => undefined)
    this.commit = undefined
    this.restart = setTimeout(() => void this.start(), RESTART_PAUSE_MS)
  }
}

const laneId = (topic: string, partition: number): string => `${topic}/${partition}`

// The offset the fetch asked for is a field of the pinned kafkajs version that its types leave out; the first record may lie behind it.
const fetchOffsetOf = (batch: Batch): number =>
  Number((batch as Batch & { readonly fetchedOffset?: string }).fetchedOffset ?? batch.firstOffset() ?? 0)
