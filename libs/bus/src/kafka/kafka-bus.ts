// The Bus port on Apache Kafka, through either client library.
import { Fault } from '@baton/contracts/fault'
import { partitionOf } from '@baton/contracts/ids'
import type {
  Bus,
  BusRecord,
  LaneConsumer,
  LanesOptions,
  LogOptions,
  LogReader,
  OutgoingRecord,
  PartitionRange,
  TableOptions,
  TableReader,
} from '../bus.ts'
import { BatchingProducer } from './batching-producer.ts'
import type { Position, ProducerRecord } from './batching-producer.ts'
import type { KafkaLibrary, TopicAdmin } from './cluster.ts'
import type { KafkaConnection } from './connection.ts'
import { KafkaLaneConsumer } from './lane-consumer.ts'
import { fetchRanges } from './partition-reader.ts'
import { openLog, openTable, readAtRest } from './position-readers.ts'
import type { RestQuery } from './position-readers.ts'
import { asFault, isUnknownTopic, KafkaSession } from './session.ts'
import { findDrift, prepareTopics } from './topics.ts'
import type { TopicSettings } from './topics.ts'

const PUBLISH_TIMEOUT_MS = 30_000
const PRODUCE_IN_FLIGHT_MAX = 2
const SESSION_TIMEOUT_MS = 10_000
const HEARTBEAT_INTERVAL_MS = 1_000
const REBALANCE_TIMEOUT_MS = 10_000
const METADATA_TIMEOUT_MS = 5_000
const CLOSE_GRACE_MS = 10_000

export type KafkaClient = 'kafkajs' | 'platformatic'

export type KafkaBusOptions = KafkaConnection &
  TopicSettings & {
    /** The client library. Default kafkajs. */
    readonly client?: KafkaClient
    /** How long a publish is tried while brokers fail. Default 30,000. */
    readonly publishTimeoutMs?: number
    /** Produce requests on the way at once, each for partitions of its own. Default 2. */
    readonly produceInFlightMax?: number
    /** Bytes of records that may wait to be sent; a publish beyond that is refused with `bus.unavailable`. Default 64 MiB. */
    readonly publishBufferBytesMax?: number
    /** A member of a group that is silent for so long has lost its partitions. Default 10,000. */
    readonly sessionTimeoutMs?: number
    /** Also how soon a member notices that the group changes. Default 500. */
    readonly heartbeatIntervalMs?: number
  }

/** The work of `openKafkaBus`. */
export const connectKafkaBus = async (options: KafkaBusOptions, library: KafkaLibrary): Promise<Bus> => {
  const admin = library.admin()
  const producing = new KafkaSession(library.cluster())
  const asking = new KafkaSession(library.cluster())
  try {
    await admin.connect()
    const partitions = await prepareTopics(admin, options)
    if (options.onDrift !== undefined) tellDrift(admin, options)
    await producing.open()
    await asking.open()
    return new KafkaBus({ library, admin, producing, asking, partitions, options })
  } catch (error) {
    await Promise.allSettled([admin.disconnect(), producing.close(), asking.close()])
    throw asFault(error)
  }
}

/** Beside the start, which need not wait for it; who may not look at settings finds no drift. */
const tellDrift = (admin: TopicAdmin, options: KafkaBusOptions): void => {
  findDrift(admin, options).then(
    (differences) => (differences.length > 0 ? options.onDrift?.(differences) : undefined),
    () => undefined,
  )
}

type Parts = {
  readonly library: KafkaLibrary
  readonly admin: TopicAdmin
  readonly producing: KafkaSession
  readonly asking: KafkaSession
  readonly partitions: ReadonlyMap<string, number>
  readonly options: KafkaBusOptions
}

type Closable = { close(): Promise<void> }

class KafkaBus implements Bus {
  private readonly parts: Parts
  private readonly producer: BatchingProducer
  private readonly partitionCounts: Map<string, number>
  private readonly compacted: ReadonlySet<string>
  private readonly consumers = new Set<KafkaLaneConsumer>()
  private readonly readers = new Set<Closable>()
  private closing: Promise<void> | undefined

  constructor(parts: Parts) {
    this.parts = parts
    const {
      publishTimeoutMs = PUBLISH_TIMEOUT_MS,
      produceInFlightMax = PRODUCE_IN_FLIGHT_MAX,
      publishBufferBytesMax,
      topics,
    } = parts.options
    this.producer = new BatchingProducer(parts.producing, {
      timeoutMs: publishTimeoutMs,
      inFlightMax: produceInFlightMax,
      ...(publishBufferBytesMax === undefined ? {} : { bufferBytesMax: publishBufferBytesMax }),
    })
    this.partitionCounts = new Map(parts.partitions)
    this.compacted = new Set(topics.filter(({ compacted }) => compacted).map(({ name }) => name))
  }

  async publish(records: readonly OutgoingRecord[]): Promise<readonly Position[]> {
    const unknown = records.find(({ topic }) => !this.partitionCounts.has(topic))
    if (unknown !== undefined) await this.learn(records)
    return this.producer.send(records.map((record) => this.outgoing(record)))
  }

  async lanes(options: LanesOptions): Promise<LaneConsumer> {
    this.refuseWhenClosing()
    const { sessionTimeoutMs = SESSION_TIMEOUT_MS, heartbeatIntervalMs = HEARTBEAT_INTERVAL_MS, topicPrefix } = this.parts.options
    const group = { sessionTimeoutMs, heartbeatIntervalMs, rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS }
    const session = await this.session()
    const onRefused = ({ message, detail }: Fault): void => this.parts.options.onWarning?.(message, detail)
    const consumer = new KafkaLaneConsumer({ session, topicPrefix, group, publish: (records) => this.publish(records), onRefused }, options)
    this.consumers.add(consumer)
    try {
      await consumer.start()
    } catch (error) {
      this.consumers.delete(consumer)
      await consumer.close({ graceMs: 0 })
      throw error
    }
    return consumer
  }

  async log(options: LogOptions): Promise<LogReader> {
    const session = await this.session()
    const log = openLog({ session, topicPrefix: this.parts.options.topicPrefix }, options)
    return {
      seek: (partition, next) => log.seek(partition, next),
      release: (partition) => log.release(partition),
      close: this.closer(log, session),
    }
  }

  async table(options: TableOptions): Promise<TableReader> {
    const session = await this.session()
    const table = await openTable({ session, topicPrefix: this.parts.options.topicPrefix }, options)
    return { ready: table.ready, close: this.closer(table, session) }
  }

  async describe(topic: string): Promise<{ readonly topicId: string; readonly partitions: readonly PartitionRange[] }> {
    const { asking } = this.parts
    const wireTopic = this.wire(topic)
    const partitions = await fetchRanges(asking, wireTopic)
    const topicId = await asking.attempt((cluster) => cluster.topicId(wireTopic), METADATA_TIMEOUT_MS)
    return { topicId, partitions }
  }

  read(query: RestQuery): Promise<readonly BusRecord[]> {
    return readAtRest({ session: this.parts.asking, topicPrefix: this.parts.options.topicPrefix }, query)
  }

  produced(): { readonly records: number; readonly requests: number } {
    return this.producer.produced
  }

  partitions(topic: string): number {
    const count = this.partitionCounts.get(topic)
    if (count === undefined) throw new Fault('config.invalid', `Topic ${topic} is not in the manifest`, { topic })
    return count
  }

  async findTopic(topic: string): Promise<boolean> {
    try {
      return (await this.countPartitions(topic)) > 0
    } catch (error) {
      if (error instanceof Fault && error.code === 'config.invalid') return false
      throw error
    }
  }

  close(): Promise<void> {
    this.closing ??= this.finish()
    return this.closing
  }

  private async finish(): Promise<void> {
    await Promise.all(Array.from(this.consumers, (consumer) => consumer.close({ graceMs: CLOSE_GRACE_MS })))
    await Promise.all(Array.from(this.readers, (reader) => reader.close()))
    await this.producer.close()
    const { admin, producing, asking } = this.parts
    await Promise.allSettled([admin.disconnect(), producing.close(), asking.close()])
  }

  private wire(topic: string): string {
    return this.parts.options.topicPrefix + topic
  }

  private outgoing({ topic, key, value, headers, partition }: OutgoingRecord): ProducerRecord {
    // Kafka's deletion is a record without a value.
    const content = value.length === 0 && this.compacted.has(topic) ? null : value
    return {
      topic: this.wire(topic),
      partition: partition ?? partitionOf(key, this.partitions(topic)),
      message: { key, value: content, headers },
    }
  }

  /** Topics that are not in the manifest: result topics a flow names, task topics of other teams. */
  private async learn(records: readonly OutgoingRecord[]): Promise<void> {
    for (const topic of new Set(records.map((record) => record.topic))) {
      if (!this.partitionCounts.has(topic)) this.partitionCounts.set(topic, await this.countPartitions(topic))
    }
  }

  private async countPartitions(topic: string): Promise<number> {
    try {
      const [found] = await this.parts.admin.topics([this.wire(topic)])
      return found?.leaders.length ?? 0
    } catch (error) {
      if (isUnknownTopic(error)) throw new Fault('config.invalid', `There is no topic ${this.wire(topic)}`, { topic: this.wire(topic) })
      throw asFault(error, { topic: this.wire(topic) })
    }
  }

  /** A long poll keeps its connection busy, so that each reader has its own. */
  private async session(): Promise<KafkaSession> {
    this.refuseWhenClosing()
    const session = new KafkaSession(this.parts.library.cluster())
    await session.open()
    return session
  }

  private closer(reader: Closable, session: KafkaSession): () => Promise<void> {
    const closable = {
      close: async () => {
        this.readers.delete(closable)
        await reader.close()
        await session.close()
      },
    }
    this.readers.add(closable)
    return closable.close
  }

  private refuseWhenClosing(): void {
    if (this.closing !== undefined) throw new Fault('bus.draining', 'The bus is closed')
  }
}
