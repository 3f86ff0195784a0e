// The part of kafkajs below its public consumer and producer: cluster, broker, group membership, wire decoding. Used for reading partitions of
// our own choice (kafkajs has no manual assignment), for producing without its per-call overhead, for group membership apart from reading,
// and for asking a topic's id. The version is pinned and no longer
// changes upstream; the types below state what is used of it, and only this file knows where it lies.
import { createRequire } from 'node:module'
import type { ISocketFactory, KafkaConfig, logCreator } from 'kafkajs'
import type { GroupOffsets } from './cluster.ts'
import type { TopicPartitions } from './deal.policy.ts'
import { coPartitionedAssigner } from './kafkajs-assigner.ts'
import type { HeaderValue } from './records.ts'

export type FetchedRecord = {
  readonly offset: string
  readonly timestamp: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, HeaderValue>>
  readonly batchContext?: { readonly firstOffset: string; readonly lastOffsetDelta: number }
}

export type KafkaJsFetched = {
  readonly partition: number
  readonly errorCode: number
  readonly highWatermark: string
  readonly lastStableOffset?: string
  readonly messages: readonly FetchedRecord[]
}

export type KafkaJsFetchRequest = {
  readonly maxWaitTime: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly isolationLevel: number
  readonly topics: readonly {
    readonly topic: string
    readonly partitions: readonly { readonly partition: number; readonly fetchOffset: string; readonly maxBytes: number }[]
  }[]
}

export type ProduceResponse = {
  readonly topics: readonly {
    readonly topicName: string
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number; readonly baseOffset: string }[]
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
  readonly requestTimeout?: number
}

export type FetchResponse = {
  readonly responses: readonly { readonly topicName: string; readonly partitions: readonly KafkaJsFetched[] }[]
}

export type Broker = {
  readonly versions: Readonly<Record<number, { readonly maxVersion: number } | undefined>> | null
  readonly connectionPool: { send<T>(request: RawRequest<T>): Promise<T> }
  findGroupCoordinator(of: { groupId: string; coordinatorType: number }): Promise<unknown>
}

export type KafkaJsCluster = {
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

/** Membership in a consumer group. `memberId` is set to null to join as somebody new. */
export type KafkaJsGroup = {
  memberId: string | null
  /** The positions of the assignment; null before the first join. */
  readonly offsetManager: {
    resolveOffsets(): Promise<void>
    nextOffset(topic: string, partition: number): { toString(): string }
  } | null
  joinAndSync(): Promise<void>
  assigned(): readonly { readonly topic: string; readonly partitions: readonly number[] }[]
  /** Beats when the last beat is `interval` ms ago. */
  heartbeat(options: { interval: number }): Promise<void>
  commitOffsets(offsets: GroupOffsets): Promise<void>
  leave(): Promise<void>
}

export type ConsumerGroupOptions = {
  readonly cluster: KafkaJsCluster
  readonly groupId: string
  readonly topics: readonly string[]
  readonly sessionTimeout: number
  readonly rebalanceTimeout: number
  readonly retry: NonNullable<KafkaConfig['retry']>
  /** What the member has; the leader of the group leaves it there as far as it can. */
  readonly owned: () => readonly TopicPartitions[]
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
const KafkaCluster = load('kafkajs/src/cluster') as new (options: object) => KafkaJsCluster
const { createLogger } = load('kafkajs/src/loggers') as { createLogger: (options: object) => object }
const Batch = load('kafkajs/src/consumer/batch') as new (topic: string, fetchOffset: string, fetched: KafkaJsFetched) => FetchedBatch
const KafkaConsumerGroup = load('kafkajs/src/consumer/consumerGroup') as new (options: object) => KafkaJsGroup
const Emitter = load('kafkajs/src/instrumentation/emitter') as new () => object
const assigners = load('kafkajs/src/consumer/assigners') as { roundRobin: (options: object) => object }
const silent = createLogger({ level: 0, logCreator: () => () => undefined })
type Protocols = Readonly<Record<'Produce' | 'Fetch', { protocol(of: { version: number }): (request: object) => RawRequest<unknown> }>>
const { requests } = load('kafkajs/src/protocol/requests') as { requests: Protocols }
const { createErrorFromCode } = load('kafkajs/src/protocol/error') as { createErrorFromCode: (code: number) => Error }
/** CRC-32C. */
export const crc32C = load('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number
const Encoder = load('kafkajs/src/protocol/encoder') as new (bytes: number) => object

type FetchedBatch = { readonly messages: readonly FetchedRecord[] }

/** A cluster of its own connections: one for requests and one for fetches to each broker. */
export const createCluster = ({ logLevel, logCreator, ...options }: ClusterOptions): KafkaJsCluster =>
  new KafkaCluster({
    ...options,
    logger: createLogger({ level: logLevel, logCreator }),
    metadataMaxAge: METADATA_MAX_AGE_MS,
    allowAutoTopicCreation: false,
    isolationLevel: READ_COMMITTED,
    enforceRequestTimeout: true,
  })

/** A member that has not joined yet. Partitions without a stored position start at their beginning. */
export const createConsumerGroup = ({ cluster, groupId, topics, owned, ...options }: ConsumerGroupOptions): KafkaJsGroup =>
  new KafkaConsumerGroup({
    ...options,
    cluster,
    groupId,
    topics,
    topicConfigurations: Object.fromEntries(topics.map((topic) => [topic, { fromBeginning: true }])),
    assigners: [coPartitionedAssigner({ cluster, owned }), assigners.roundRobin({ groupId, logger: silent, cluster })],
    autoCommit: false,
    isolationLevel: READ_COMMITTED,
    logger: silent,
    instrumentationEmitter: new Emitter(),
  })

const PRODUCE_VERSION = 7
const FETCH_VERSION = 11

// kafkajs throws the first error of an answer and drops the rest of it: what other partitions took would be sent again, what they brought
// would be lost. Here the answer comes as it is, with an error code for each partition.
const asItIs = <T>(protocol: RawRequest<unknown>): RawRequest<T> => ({
  ...protocol,
  // The decoder of the same protocol version made it.
  response: { decode: protocol.response.decode, parse: async (decoded) => decoded as T },
})

/** `body` is what `encodeProduceBody` makes. */
export const produceRequest = (body: Buffer): RawRequest<ProduceResponse> => {
  const { request, response } = requests.Produce.protocol({ version: PRODUCE_VERSION })({ topicData: [] })
  return asItIs({ request: { ...request, encode: async () => requestBody(body) }, response })
}

/** kafkajs gives a broker 100 ms beyond the wait it was asked for, which a pause of its collector exceeds. */
const FETCH_GRACE_MS = 2_000

export const fetchRequest = (request: KafkaJsFetchRequest): RawRequest<FetchResponse> => ({
  ...asItIs<FetchResponse>(requests.Fetch.protocol({ version: FETCH_VERSION })(request)),
  requestTimeout: request.maxWaitTime + FETCH_GRACE_MS,
})

/** The error of a code in an answer; undefined for success. */
export const errorOf = (code: number): Error | undefined => (code === 0 ? undefined : createErrorFromCode(code))

/** What a fetch brought, without control records, aborted transactions and what lies before the offset asked for. */
export const visibleRecords = (topic: string, fetchOffset: string, fetched: KafkaJsFetched): readonly FetchedRecord[] =>
  new Batch(topic, fetchOffset, fetched).messages

/** Bytes as kafkajs wants a request body. They are not copied. */
export const requestBody = (bytes: Buffer): unknown => Object.assign(new Encoder(0), { buf: bytes, offset: bytes.length })
