// Reads partitions from given positions, without a consumer group: kafkajs can only read as a member of one, which costs a
// join, heartbeats and a reset to its own idea of the position when something goes wrong.
//   F1. A batch is what the broker's log holds from exactly the position asked for; a gap in it is a gap in the log. What arrives for
//       a position that was moved meanwhile is dropped.
//   F2. Batches of one partition are handed over in order, the next one after the promise of the one before.
//   F3. One partition that waits for its reader does not stop the others; one batch ahead is fetched for it.
//   F4. A position outside the log ends the partition with `log.truncated`; it is never reset silently.
//   F5. Lost connections and moved leaders are survived; reading goes on from the same position.
//   F6. A partition that this user has no right to read ends with `bus.unauthorized`; it is not asked for again and again in silence.
// A partition that may rest is asked again only after its rest, unless it brought something: idle retry topics cost next to nothing.
import { Fault, toFault } from '@baton/contracts/fault'
import type { BusRecord, PartitionRange } from '../bus.ts'
import type { Cluster, FetchedPartition } from './cluster.ts'
import { busRecord } from './records.ts'
import { lacksRights } from './kafka-fault.ts'
import { asFault, isOutOfRange } from './session.ts'
import type { KafkaSession } from './session.ts'

const FETCH_BYTES_MAX = 10_485_760
/** A lingering reader is answered before its time when so much waits. */
const LINGER_BYTES = 262_144
// The broker answers as soon as there is a record. The wait is how long a partition added meanwhile stays unasked, and what idling costs.
const FETCH_WAIT_MS = { busy: 100, idle: 500 } as const
const IDLE_AFTER_FETCHES = 20
const PARTITION_BYTES_MAX = 1_048_576
const RANGE_TIMEOUT_MS = 30_000
// No broker has this id, so asking it makes the poll refresh what is known of the cluster.
const NO_LEADER = -1

export type PartitionReaderOptions = {
  readonly session: KafkaSession
  /** In front of every name on the wire; records and callbacks carry names without it. */
  readonly topicPrefix: string
  /** While records come, how long they may wait for more. Default 0. */
  readonly lingerMs?: number
  /** How long a partition added in a quiet time may stay unasked. Default 500. */
  readonly idleWaitMs?: number
  /** How long a record of the partition may lie unread while the partition brings none. Default not at all. */
  readonly restMs?: (at: TopicPartition) => number
  readonly onBatch: (at: TopicPartition, records: readonly BusRecord[]) => Promise<void> | void
  /** The partition is read up to `next`; also told when there was nothing to hand over. */
  readonly onPosition?: (at: TopicPartition, next: number) => void
  /** A broker answered. */
  readonly onHeard?: () => void
  /** The partition is not read any further. */
  readonly onFault: (at: TopicPartition, fault: Fault) => void
}

export type TopicPartition = { readonly topic: string; readonly partition: number }

type Batch = { readonly records: readonly BusRecord[]; readonly next: number }
type Reading = {
  readonly at: TopicPartition
  readonly wireTopic: string
  readonly restMs: number
  /** Not asked before, on the clock of `performance.now`. */
  askFromMs: number
  fetchFrom: number
  readonly batches: Batch[]
  busy: boolean
  paused: boolean
}

export class PartitionReader {
  private readonly options: PartitionReaderOptions
  private readonly readings = new Map<string, Reading>()
  private readonly polls = new Map<number, Promise<void>>()
  private emptyFetches = 0
  private fetches = 0
  private timer: NodeJS.Timeout | undefined
  private closed = false

  constructor(options: PartitionReaderOptions) {
    this.options = options
  }

  /** Reads the partition from `next` on, wherever it was before. The session must know the topic. */
  read(at: TopicPartition, next: number): void {
    const wireTopic = this.options.topicPrefix + at.topic
    const restMs = this.options.restMs?.(at) ?? 0
    this.readings.set(idOf(at), { at, wireTopic, restMs, askFromMs: 0, fetchFrom: next, batches: [], busy: false, paused: false })
    this.pollLeaders()
  }

  /** Nothing of the partition is handed over until `resume`, apart from what is being handed over now. */
  pause(at: TopicPartition): void {
    const reading = this.readings.get(idOf(at))
    if (reading !== undefined) reading.paused = true
  }

  resume(at: TopicPartition): void {
    const reading = this.readings.get(idOf(at))
    if (reading === undefined || !reading.paused) return
    reading.paused = false
    this.handOver(reading)
    this.pollLeaders()
  }

  /** Nothing of the partition is handed over from now on. */
  release(at: TopicPartition): void {
    this.readings.delete(idOf(at))
  }

  async close(): Promise<void> {
    this.closed = true
    clearTimeout(this.timer)
    this.readings.clear()
    await Promise.all(this.polls.values())
  }

  /** One long poll a leader, for as long as it leads something to read. */
  private pollLeaders(): void {
    if (this.closed) return
    let restsUntilMs = Infinity
    const nowMs = performance.now()
    for (const reading of this.readings.values()) {
      if (!wantsMore(reading)) continue
      const nodeId = this.leaderOf(reading)
      if (this.polls.has(nodeId)) continue
      if (reading.askFromMs <= nowMs) this.polls.set(nodeId, this.poll(nodeId))
      else restsUntilMs = Math.min(restsUntilMs, reading.askFromMs)
    }
    if (restsUntilMs === Infinity || this.timer !== undefined) return
    // Nobody else is asked at this broker, or the resting ones would go along.
    this.timer = setTimeout(
      () => {
        this.timer = undefined
        this.pollLeaders()
      },
      restsUntilMs - nowMs + 1,
    )
  }

  private leaderOf({ wireTopic, at }: Reading): number {
    try {
      const known = this.options.session.cluster.findTopicPartitionMetadata(wireTopic)
      return known.find(({ partitionId }) => partitionId === at.partition)?.leader ?? NO_LEADER
    } catch {
      return NO_LEADER // Nothing is known since the connections broke.
    }
  }

  private async poll(nodeId: number): Promise<void> {
    for (let failures = 0; !this.closed;) {
      try {
        const nowMs = performance.now()
        const wanted = [...this.readings.values()].filter(
          (reading) => wantsMore(reading) && reading.askFromMs <= nowMs && this.leaderOf(reading) === nodeId,
        )
        if (wanted.length === 0) break
        await this.fetch(nodeId, wanted)
        failures = 0
      } catch (error) {
        if (this.closed) break
        const handled = isOutOfRange(error) && (await this.dropTruncated())
        if (!handled) await this.options.session.recover(error, ++failures) // F5
      }
    }
    this.polls.delete(nodeId)
    this.pollLeaders()
  }

  private async fetch(nodeId: number, wanted: Reading[]): Promise<void> {
    this.rest(wanted)
    wanted.push(...wanted.splice(0, this.fetches++ % wanted.length)) // The broker fills its answer in the order asked.
    const asked = new Map(wanted.map((reading) => [`${reading.wireTopic}/${reading.at.partition}`, reading]))
    const topics = [...new Set(wanted.map(({ wireTopic }) => wireTopic))].map((topic) => ({
      topic,
      partitions: wanted
        .filter(({ wireTopic }) => wireTopic === topic)
        .map(({ at, fetchFrom }) => ({ partition: at.partition, fetchOffset: fetchFrom, maxBytes: PARTITION_BYTES_MAX })),
    }))
    const answers = await this.options.session.cluster.fetch(nodeId, { maxBytes: FETCH_BYTES_MAX, ...this.patience(), topics })
    this.options.onHeard?.()
    const empty = answers.every((fetched) => fetched.empty)
    this.emptyFetches = empty ? this.emptyFetches + 1 : 0
    let failure: Error | undefined
    for (const fetched of answers) {
      const reading = asked.get(`${fetched.topic}/${fetched.partition}`)
      const { error } = fetched
      if (lacksRights(error) && reading !== undefined && this.isCurrent(reading))
        this.end(reading, asFault(error, { topic: reading.wireTopic })) // F6
      else failure = error ?? failure
      // F1: the reading is another one when the partition was moved, released or closed meanwhile.
      if (error === undefined && reading !== undefined && this.isCurrent(reading)) this.take(reading, fetched, empty)
    }
    if (failure !== undefined) throw failure
  }

  /** Its rest is over, or it brought something: idle retry topics cost next to nothing. */
  private rest(asked: readonly Reading[]): void {
    const nowMs = performance.now()
    for (const reading of asked) if (reading.restMs > 0) reading.askFromMs = nowMs + reading.restMs
  }

  /** When the broker answers. After a quiet time the first record is not kept waiting, however long the reader would linger. */
  private patience(): { readonly minBytes: number; readonly maxWaitTime: number } {
    const { lingerMs = 0, idleWaitMs = FETCH_WAIT_MS.idle } = this.options
    if (this.emptyFetches >= IDLE_AFTER_FETCHES) return { minBytes: 1, maxWaitTime: idleWaitMs }
    return lingerMs > 0 ? { minBytes: LINGER_BYTES, maxWaitTime: lingerMs } : { minBytes: 1, maxWaitTime: FETCH_WAIT_MS.busy }
  }

  private isCurrent(reading: Reading): boolean {
    return this.readings.get(idOf(reading.at)) === reading
  }

  private take(reading: Reading, fetched: FetchedPartition, emptyAnswer: boolean): void {
    // In an answer that brought records, a partition without any may only have had no room left.
    if (fetched.empty && !emptyAnswer) return
    const { next } = fetched
    if (next === reading.fetchFrom) return
    reading.askFromMs = 0
    const records = fetched.records.map((raw) => busRecord(reading.at.topic, reading.at.partition, raw))
    reading.fetchFrom = next
    reading.batches.push({ records, next })
    this.handOver(reading)
  }

  private handOver(reading: Reading): void {
    const { onBatch, onPosition } = this.options
    while (!reading.busy && !reading.paused && this.isCurrent(reading)) {
      const batch = reading.batches.shift()
      if (batch === undefined) return
      const waits = this.guarded(reading, () => (batch.records.length > 0 ? onBatch(reading.at, batch.records) : undefined))
      if (waits === undefined) {
        onPosition?.(reading.at, batch.next)
        continue
      }
      reading.busy = true // F2
      void waits.then((done) => {
        reading.busy = false
        if (!done || !this.isCurrent(reading)) return
        onPosition?.(reading.at, batch.next)
        this.handOver(reading)
        this.pollLeaders()
      })
    }
  }

  /** Undefined when the work was done at once; otherwise whether it succeeded. A reader that fails ends its partition. */
  private guarded(reading: Reading, work: () => Promise<void> | void): Promise<boolean> | undefined {
    const failed = (error: unknown): false => {
      if (this.isCurrent(reading)) this.end(reading, toFault(error))
      return false
    }
    try {
      return work()?.then(() => true, failed)
    } catch (error) {
      failed(error)
      return undefined
    }
  }

  /** False when every position is inside, or that could not be found out: the next fetch tells again. */
  private async dropTruncated(): Promise<boolean> {
    const { session } = this.options
    let dropped = false
    try {
      for (const wireTopic of new Set(Array.from(this.readings.values(), (reading) => reading.wireTopic))) {
        const ranges = new Map((await fetchRanges(session, wireTopic)).map((range) => [range.partition, range]))
        for (const reading of this.readings.values()) {
          const range = reading.wireTopic === wireTopic ? ranges.get(reading.at.partition) : undefined
          if (range === undefined || !outside(range, reading.fetchFrom)) continue
          this.end(reading, truncated(range, reading.fetchFrom)) // F4
          dropped = true
        }
      }
      return dropped
    } catch {
      return dropped
    }
  }

  private end({ at }: Reading, fault: Fault): void {
    this.release(at)
    this.options.onFault(at, fault)
  }
}

const idOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`

const wantsMore = (reading: Reading): boolean => reading.batches.length === 0 && !reading.paused // F3

/** Whether nothing can be read from the position, now or later. */
export const outside = ({ first, next }: PartitionRange, position: number): boolean => position < first || position > next

/** The fault of a position that is outside. */
export const truncated = ({ partition, first, next }: PartitionRange, position: number): Fault =>
  new Fault('log.truncated', `Partition ${partition} holds offsets ${first} to ${next}, asked for ${position}`, {
    partition,
    first,
    next,
    position,
  })

/** First and next offset of every partition. */
export const fetchRanges = (session: KafkaSession, topic: string): Promise<readonly PartitionRange[]> =>
  session.attempt(
    async (cluster) => {
      await cluster.addMultipleTargetTopics([topic])
      const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => ({ partition: partitionId }))
      const [first, next] = await Promise.all([
        offsets(cluster, { topic, partitions, fromBeginning: true }),
        offsets(cluster, { topic, partitions, fromBeginning: false }),
      ])
      return partitions
        .map(({ partition }) => ({ partition, first: first.get(partition) ?? 0, next: next.get(partition) ?? 0 }))
        .toSorted((a, b) => a.partition - b.partition)
    },
    RANGE_TIMEOUT_MS,
    { topic },
  )

type Offsets = { readonly topic: string; readonly partitions: readonly { readonly partition: number }[]; readonly fromBeginning: boolean }

const offsets = async (cluster: Cluster, query: Offsets): Promise<ReadonlyMap<number, number>> => {
  const answers = await cluster.fetchTopicsOffset([query])
  return new Map(answers.flatMap(({ partitions }) => partitions.map(({ partition, offset }) => [partition, Number(offset)])))
}
