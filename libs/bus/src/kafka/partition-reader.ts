// Reads partitions of one topic from given positions, without a consumer group: kafkajs can only read as a member of one, which costs a
// join, heartbeats and a reset to its own idea of the position when something goes wrong.
//   F1. A batch is what the broker's log holds from exactly the position asked for; a gap in it is a gap in the log. What arrives for
//       a position that was moved meanwhile is dropped.
//   F2. Batches of one partition are handed over in order, the next one after the promise of the one before.
//   F3. One partition that waits for its reader does not stop the others; one batch ahead is fetched for it.
//   F4. A position outside the log ends the partition with `log.truncated`; it is never reset silently.
//   F5. Lost connections and moved leaders are survived; reading goes on from the same position.
import { Fault, toFault } from '@baton/contracts/fault'
import type { BusRecord, PartitionRange } from '../bus.ts'
import { READ_COMMITTED, visibleRecords } from './kafkajs-internals.ts'
import type { Cluster, FetchedPartition } from './kafkajs-internals.ts'
import { busRecord } from './records.ts'
import { isOutOfRange } from './session.ts'
import type { KafkaSession } from './session.ts'

const FETCH_WAIT_MS = 100
const FETCH_BYTES_MAX = 10_485_760
const PARTITION_BYTES_MAX = 1_048_576
const RANGE_TIMEOUT_MS = 30_000
// No broker has this id, so asking it makes the poll refresh what is known of the cluster.
const NO_LEADER = -1

export type PartitionReaderOptions = {
  readonly session: KafkaSession
  /** Name on the wire. */
  readonly topic: string
  /** Name in the records handed over. */
  readonly name: string
  readonly onBatch: (partition: number, records: readonly BusRecord[]) => Promise<void> | void
  /** The partition is read up to `next`; also told when there was nothing to hand over. */
  readonly onPosition?: (partition: number, next: number) => void
  /** The partition is not read any further. */
  readonly onFault: (partition: number, fault: Fault) => void
}

type Batch = { readonly records: readonly BusRecord[]; readonly next: number }
type Reading = { readonly partition: number; fetchFrom: number; readonly batches: Batch[]; busy: boolean }

export class PartitionReader {
  private readonly options: PartitionReaderOptions
  private readonly readings = new Map<number, Reading>()
  private readonly polls = new Map<number, Promise<void>>()
  private closed = false

  constructor(options: PartitionReaderOptions) {
    this.options = options
  }

  /** Reads the partition from `next` on, wherever it was before. */
  read(partition: number, next: number): void {
    this.readings.set(partition, { partition, fetchFrom: next, batches: [], busy: false })
    this.pollLeaders()
  }

  /** Nothing of the partition is handed over from now on. */
  release(partition: number): void {
    this.readings.delete(partition)
  }

  async close(): Promise<void> {
    this.closed = true
    this.readings.clear()
    await Promise.all(this.polls.values())
  }

  /** One long poll a leader, for as long as it leads something to read. */
  private pollLeaders(): void {
    if (this.closed) return
    const leaders = this.leaders()
    for (const reading of this.readings.values()) {
      const nodeId = leaders.get(reading.partition) ?? NO_LEADER
      if (!this.polls.has(nodeId) && wantsMore(reading)) this.polls.set(nodeId, this.poll(nodeId))
    }
  }

  private leaders(): ReadonlyMap<number, number> {
    const { session, topic } = this.options
    try {
      return new Map(session.cluster.findTopicPartitionMetadata(topic).map(({ partitionId, leader }) => [partitionId, leader]))
    } catch {
      return new Map() // Nothing is known since the connections broke.
    }
  }

  private async poll(nodeId: number): Promise<void> {
    for (let failures = 0; !this.closed;) {
      try {
        const leaders = this.leaders()
        const wanted = [...this.readings.values()].filter(
          (reading) => (leaders.get(reading.partition) ?? NO_LEADER) === nodeId && wantsMore(reading),
        )
        if (wanted.length === 0) break
        await this.fetch(nodeId, wanted)
        failures = 0
      } catch (error) {
        if (this.closed) break
        if (isOutOfRange(error)) await this.dropTruncated()
        else await this.options.session.recover(error, ++failures) // F5
      }
    }
    this.polls.delete(nodeId)
    this.pollLeaders()
  }

  private async fetch(nodeId: number, wanted: readonly Reading[]): Promise<void> {
    const { session, topic } = this.options
    const asked = wanted.map((reading) => ({ reading, offset: reading.fetchFrom }))
    const partitions = asked.map(({ reading, offset }) => ({
      partition: reading.partition,
      fetchOffset: String(offset),
      maxBytes: PARTITION_BYTES_MAX,
    }))
    const broker = await session.cluster.findBroker({ nodeId })
    const limits = { maxWaitTime: FETCH_WAIT_MS, minBytes: 1, maxBytes: FETCH_BYTES_MAX, isolationLevel: READ_COMMITTED }
    const { responses } = await broker.fetch({ ...limits, topics: [{ topic, partitions }] })
    const answers = responses.flatMap((response) => response.partitions)
    const empty = answers.every(({ messages }) => messages.length === 0)
    for (const fetched of answers) {
      const ask = asked.find(({ reading }) => reading.partition === fetched.partition)
      // F1: the reading is another one when the partition was moved, released or closed meanwhile.
      if (ask !== undefined && this.readings.get(fetched.partition) === ask.reading) this.take(ask.reading, fetched, empty)
    }
  }

  private take(reading: Reading, fetched: FetchedPartition, emptyAnswer: boolean): void {
    const { topic, name } = this.options
    // In an answer that brought records, a partition without any may only have had no room left.
    if (fetched.messages.length === 0 && !emptyAnswer) return
    const next = positionAfter(reading.fetchFrom, fetched)
    if (next === reading.fetchFrom) return
    const records = visibleRecords(topic, String(reading.fetchFrom), fetched).map((raw) => busRecord(name, reading.partition, raw))
    reading.fetchFrom = next
    reading.batches.push({ records, next })
    this.handOver(reading)
  }

  private handOver(reading: Reading): void {
    const { onBatch, onPosition } = this.options
    while (!reading.busy && this.readings.get(reading.partition) === reading) {
      const batch = reading.batches.shift()
      if (batch === undefined) return
      const waits = this.guarded(reading, () => (batch.records.length > 0 ? onBatch(reading.partition, batch.records) : undefined))
      if (waits === undefined) {
        onPosition?.(reading.partition, batch.next)
        continue
      }
      reading.busy = true // F2
      void waits.then((done) => {
        reading.busy = false
        if (!done || this.readings.get(reading.partition) !== reading) return
        onPosition?.(reading.partition, batch.next)
        this.handOver(reading)
        this.pollLeaders()
      })
    }
  }

  /** Undefined when the work was done at once; otherwise whether it succeeded. A reader that fails ends its partition. */
  private guarded(reading: Reading, work: () => Promise<void> | void): Promise<boolean> | undefined {
    const failed = (error: unknown): false => {
      if (this.readings.get(reading.partition) === reading) this.end(reading.partition, toFault(error))
      return false
    }
    try {
      return work()?.then(() => true, failed)
    } catch (error) {
      failed(error)
      return undefined
    }
  }

  private async dropTruncated(): Promise<void> {
    const { session, topic } = this.options
    try {
      for (const range of await fetchRanges(session, topic)) {
        const reading = this.readings.get(range.partition)
        if (reading !== undefined && outside(range, reading.fetchFrom)) this.end(range.partition, truncated(range, reading.fetchFrom)) // F4
      }
    } catch (error) {
      await session.recover(error, 1) // The next fetch tells again.
    }
  }

  private end(partition: number, fault: Fault): void {
    this.release(partition)
    this.options.onFault(partition, fault)
  }
}

const wantsMore = (reading: Reading): boolean => reading.batches.length === 0 // F3

/** Where the log goes on after what was fetched. A record batch may end in records that compaction removed. */
const positionAfter = (from: number, { messages, highWatermark, lastStableOffset = highWatermark }: FetchedPartition): number => {
  const last = messages.at(-1)
  if (last === undefined) {
    // Bytes without a record: a batch that compaction emptied. It is passed one offset at a time, or it would be fetched for ever.
    return Number(lastStableOffset) > from ? from + 1 : from
  }
  const { batchContext } = last
  const end = batchContext === undefined ? Number(last.offset) : Number(batchContext.firstOffset) + batchContext.lastOffsetDelta
  return Math.max(from, end + 1)
}

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
  session.attempt(async (cluster) => {
    await cluster.addMultipleTargetTopics([topic])
    const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => ({ partition: partitionId }))
    const [first, next] = await Promise.all([
      offsets(cluster, { topic, partitions, fromBeginning: true }),
      offsets(cluster, { topic, partitions, fromBeginning: false }),
    ])
    return partitions
      .map(({ partition }) => ({ partition, first: first.get(partition) ?? 0, next: next.get(partition) ?? 0 }))
      .toSorted((a, b) => a.partition - b.partition)
  }, RANGE_TIMEOUT_MS)

type Offsets = { readonly topic: string; readonly partitions: readonly { readonly partition: number }[]; readonly fromBeginning: boolean }

const offsets = async (cluster: Cluster, query: Offsets): Promise<ReadonlyMap<number, number>> => {
  const answers = await cluster.fetchTopicsOffset([query])
  return new Map(answers.flatMap(({ partitions }) => partitions.map(({ partition, offset }) => [partition, Number(offset)])))
}
