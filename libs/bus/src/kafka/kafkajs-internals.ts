// The part of kafkajs below its public consumer and producer: cluster, broker, wire decoding. Used for reading without a group (kafkajs has
// no manual assignment), for producing without its per-call overhead, and for asking a topic's id. The version is pinned and no longer
// changes upstream; the types below state what is used of it, and only this file knows where it lies.
import { createRequire } from 'node:module'
import type { ISocketFactory, KafkaConfig, logCreator } from 'kafkajs'

export type FetchedRecord = {
  readonly offset: string
  readonly timestamp: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, HeaderValue>>
  readonly batchContext?: { readonly firstOffset: string; readonly lastOffsetDelta: number }
}
export type HeaderValue = Buffer | string | null | undefined | readonly (Buffer | string)[]

export type FetchedPartition = {
  readonly partition: number
  readonly highWatermark: string
  readonly lastStableOffset?: string
  readonly messages: readonly FetchedRecord[]
}

export type FetchRequest = {
  readonly maxWaitTime: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly isolationLevel: number
  readonly topics: readonly {
    readonly topic: string
    readonly partitions: readonly { readonly partition: number; readonly fetchOffset: string; readonly maxBytes: number }[]
  }[]
}

export type ProducedMessage = {
  readonly key: string | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string>>
}

export type ProduceRequest = {
  readonly acks: number
  readonly timeout: number
  readonly topicData: readonly {
    readonly topic: string
    readonly partitions: readonly { readonly partition: number; readonly messages: readonly ProducedMessage[] }[]
  }[]
}

export type ProduceResponse = {
  readonly topics: readonly {
    readonly topicName: string
    readonly partitions: readonly { readonly partition: number; readonly baseOffset: string }[]
  }[]
}

/** A request as the connection sends it: the body after the client id, the answer after the correlation id. */
export type RawRequest<T> = {
  readonly request: {
    readonly apiKey: number
    readonly apiVersion: number
    readonly apiName: string
    readonly encode: () => Promise<unknown>
  }
  readonly response: { readonly decode: (raw: Buffer) => Promise<object>; readonly parse: (decoded: object) => Promise<T> }
}

export type Broker = {
  readonly versions: Readonly<Record<number, { readonly maxVersion: number } | undefined>> | null
  readonly connectionPool: { send<T>(request: RawRequest<T>): Promise<T> }
  fetch(
    request: FetchRequest,
  ): Promise<{ readonly responses: readonly { readonly topicName: string; readonly partitions: readonly FetchedPartition[] }[] }>
  produce(request: ProduceRequest): Promise<ProduceResponse>
}

export type Cluster = {
  connect(): Promise<void>
  disconnect(): Promise<void>
  isConnected(): boolean
  refreshMetadata(): Promise<void>
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>
  removeBroker(address: { host: string; port: number }): void
  getNodeIds(): readonly string[]
  findBroker(node: { nodeId: string | number }): Promise<Broker>
  findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number; readonly leader: number }[]
  fetchTopicsOffset(
    topics: readonly { topic: string; partitions: readonly { partition: number }[]; fromBeginning: boolean }[],
  ): Promise<readonly { readonly topic: string; readonly partitions: readonly { readonly partition: number; readonly offset: string }[] }[]>
}

export type ClusterOptions = Pick<KafkaConfig, 'ssl' | 'sasl' | 'clientId' | 'connectionTimeout' | 'requestTimeout' | 'retry'> & {
  readonly brokers: readonly string[]
  readonly socketFactory: ISocketFactory
  readonly logLevel: number
  readonly logCreator: logCreator
}

export const READ_COMMITTED = 1

const METADATA_MAX_AGE_MS = 300_000

const load = createRequire(import.meta.url)
// No types are published for these; the shapes are those of the pinned version.
const KafkaCluster = load('kafkajs/src/cluster') as new (options: object) => Cluster
const { createLogger } = load('kafkajs/src/loggers') as { createLogger: (options: object) => object }
const Batch = load('kafkajs/src/consumer/batch') as new (topic: string, fetchOffset: string, fetched: FetchedPartition) => FetchedBatch
const Encoder = load('kafkajs/src/protocol/encoder') as new () => { writeBuffer(bytes: Buffer): unknown }

type FetchedBatch = { readonly messages: readonly FetchedRecord[] }

/** A cluster of its own connections: one for requests and one for fetches to each broker. */
export const createCluster = ({ logLevel, logCreator, ...options }: ClusterOptions): Cluster =>
  new KafkaCluster({
    ...options,
    logger: createLogger({ level: logLevel, logCreator }),
    metadataMaxAge: METADATA_MAX_AGE_MS,
    allowAutoTopicCreation: false,
    isolationLevel: READ_COMMITTED,
    enforceRequestTimeout: true,
  })

/** What a fetch brought, without control records, aborted transactions and what lies before the offset asked for. */
export const visibleRecords = (topic: string, fetchOffset: string, fetched: FetchedPartition): readonly FetchedRecord[] =>
  new Batch(topic, fetchOffset, fetched).messages

/** Bytes as kafkajs wants a request body. */
export const requestBody = (bytes: Buffer): unknown => new Encoder().writeBuffer(bytes)
