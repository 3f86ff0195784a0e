// What the loops of this adapter need of a Kafka client library: requests to chosen brokers, what is known of the cluster, membership in a
// group. There is one implementation for each library; names of topics are those on the wire. Errors carry what `session.ts` reads of
// them: `type` (Kafka's own name of the error) and `retriable`.
import type { RawRecord } from './records.ts'

export type FetchRequest = {
  readonly maxWaitTime: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly topics: readonly {
    readonly topic: string
    readonly partitions: readonly { readonly partition: number; readonly fetchOffset: number; readonly maxBytes: number }[]
  }[]
}

export type FetchedPartition = {
  readonly topic: string
  readonly partition: number
  /** Of this partition alone; the others have their records. */
  readonly error?: Error | undefined
  /** Without control records, aborted transactions and what lies before the offset asked for. */
  readonly records: readonly RawRecord[]
  /** Where the log goes on after what was fetched; a batch may end in records that compaction removed. */
  readonly next: number
  /** Nothing came, not even records that are not to be seen. */
  readonly empty: boolean
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

export type ProducedPartition = {
  readonly topic: string
  readonly partition: number
  readonly error?: Error | undefined
  readonly baseOffset: number
}

export type Cluster = {
  connect(): Promise<void>
  disconnect(): Promise<void>
  isConnected(): boolean
  refreshMetadata(): Promise<void>
  /** Topics whose leaders are to be known. Rejects when one does not exist. */
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>
  removeBroker(address: { host: string; port: number }): void
  /** Throws when nothing is known of the topic. */
  findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number; readonly leader: number }[]
  fetchTopicsOffset(
    topics: readonly { topic: string; partitions: readonly { partition: number }[]; fromBeginning: boolean }[],
  ): Promise<readonly { readonly topic: string; readonly partitions: readonly { readonly partition: number; readonly offset: string }[] }[]>
  fetch(nodeId: number, request: FetchRequest): Promise<readonly FetchedPartition[]>
  produce(nodeId: number, request: ProduceRequest): Promise<readonly ProducedPartition[]>
  /** The id the cluster gave the topic when it was made, in base64url. */
  topicId(topic: string): Promise<string>
  group(options: GroupOptions): ConsumerGroup
}

export type GroupOptions = {
  readonly groupId: string
  readonly topics: readonly string[]
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
}

export type GroupOffsets = {
  readonly topics: readonly {
    readonly topic: string
    readonly partitions: readonly { readonly partition: number; readonly offset: string }[]
  }[]
}

/** A partition of the assignment and where the group stopped reading it. */
export type Assigned = { readonly topic: string; readonly partition: number; readonly position: number }

/** Membership in a consumer group. The partitions are dealt out in turn, by the same rule in every library, so that members of both may mix. */
export type ConsumerGroup = {
  /** Joins, or comes back under the id it has. Partitions without a stored position start at their beginning. */
  join(): Promise<readonly Assigned[]>
  heartbeat(): Promise<void>
  commitOffsets(offsets: GroupOffsets): Promise<void>
  leave(): Promise<void>
  /** The next join is that of somebody new. */
  forget(): void
}

export type TopicCreation = {
  readonly topic: string
  readonly partitions: number
  readonly replicationFactor: number
  readonly config: Readonly<Record<string, string>>
}

/** `replicas` and `inSync` are those of the partition that has the fewest. */
type TopicPlaces = { readonly name: string; readonly leaders: readonly number[]; readonly replicas: number; readonly inSync: number }

/** Looks at topics and makes them. */
export type TopicAdmin = {
  connect(): Promise<void>
  disconnect(): Promise<void>
  /** All topics, or those named; rejects when one of them does not exist. `leaders` has an entry for each partition, -1 where nobody leads. */
  topics(names?: readonly string[]): Promise<readonly TopicPlaces[]>
  brokerCount(): Promise<number>
  /** A topic that somebody else made meanwhile is as good. Does not wait for leaders. */
  createTopics(topics: readonly TopicCreation[], timeoutMs: number): Promise<void>
  /** Value of one setting of each topic. */
  setting(topics: readonly string[], name: string): Promise<ReadonlyMap<string, string | null>>
}

/** A client library. */
export type KafkaLibrary = {
  /** A cluster with connections of its own. */
  readonly cluster: () => Cluster
  readonly admin: () => TopicAdmin
}
