// The port between services and whatever carries their messages. Every adapter passes `contract.ts`.
//   B1. `publish` resolves only when every record is durable in its topic; records of one call to one partition keep their order.
//   B2. Lanes: messages of one key are handled one after the other, in order; different keys in parallel.
//   B3. Lanes: an offset passes the watermark only when its message and all before it are settled; unsettled ones come again after a crash.
//   B4. Lanes: a message that fails is retried in its lane, then through the retry topics of its service, then kept in the dead-letter
//       topic with its reason; none of these ever blocks another key, and each is durable before the message counts as settled.
//   B5. Log: batches of one partition arrive in order and without gaps from the position asked for; the reader owns the position.
//   B6. Table: the newest record of each key, first everything there is, then each change.
//   B7. `close` drains: nothing new is started, what runs may finish within the grace time, positions are stored.
import type { FaultData } from '@baton/contracts/fault'

/** A record read from a topic. `timestampMs` is the log's own append time. */
export type BusRecord = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string
  readonly value: Buffer
  readonly headers: Readonly<Record<string, string>>
  readonly timestampMs: number
}

/** A record to append. Without `partition` the key chooses it (murmur2). An empty value deletes the key of a table. */
export type OutgoingRecord = {
  readonly topic: string
  readonly key: string
  readonly value: Buffer
  readonly headers: Readonly<Record<string, string>>
  readonly partition?: number
}

/** What became of one message in a lane. `cause` is what was thrown: where in the code that was is kept with the failure. */
export type Settlement =
  | { readonly outcome: 'ack' }
  /** Try again, in the lane first, then through the retry topics; `afterMs` asks for at least that delay. */
  | { readonly outcome: 'retry'; readonly fault: FaultData; readonly afterMs?: number; readonly cause?: unknown }
  /** Never again: to the dead letters. */
  | { readonly outcome: 'reject'; readonly fault: FaultData; readonly cause?: unknown }
  /** Not now, and not an attempt: a dependency is down. */
  | { readonly outcome: 'defer'; readonly untilMs: number; readonly reason: string }

/** What a handler is told beside the record. */
export type Delivery = {
  /** 1 for the first time; lane retries and retry topics count on. */
  readonly attempt: number
  /** True when a further `retry` would end in the dead letters. */
  readonly lastAttempt: boolean
  /** Delay of the retry topic a `retry` would take now, 0 for a retry in the lane. Tells `step.retrying` its `untilMs`. */
  readonly nextDelayMs: number
  /** Aborted when the partition is lost or the drain ran out of time. */
  readonly signal: AbortSignal
}

export type LaneHandler = (record: BusRecord, delivery: Delivery) => Promise<Settlement>

export type RetryPolicy = {
  /** Tries in the lane before the first retry topic. Default 2. */
  readonly laneAttemptsMax: number
  /** Pause between tries in the lane. Default 100. */
  readonly laneDelayMs: number
  /** Retry topics, the shortest delay first, as manifest names without prefix. */
  readonly retryTopics: readonly { readonly topic: string; readonly delayMs: number }[]
  /** Waits between the tries after those in the lane; after the last one come the dead letters. Default the delay of each topic, once. */
  readonly rungsMs?: readonly number[]
  readonly deadLetterTopic: string
}

/** What a kind of message does otherwise than the policy of its consumer. */
export type RetryException = Partial<Pick<RetryPolicy, 'laneAttemptsMax' | 'laneDelayMs' | 'rungsMs'>>

export type LanesOptions = {
  /** Members of one group share the partitions of its topics. Retry topics of the policy are consumed by the same group. */
  readonly group: string
  readonly topics: readonly string[]
  readonly handler: LaneHandler
  readonly retry: RetryPolicy
  /** Messages that are tried again more often, less often or at other times than `retry` says. Must answer the same for the same headers. */
  readonly retryOf?: (record: BusRecord) => RetryException | undefined
  /** False where the order of one key does not matter: its messages are handled in parallel too, instead of B2. Default true. */
  readonly ordered?: boolean
  /** Messages handled at once over all lanes. Default 256. */
  readonly concurrencyMax?: number
  /** Messages taken but not settled, per partition, before the partition is paused. Default 2,000. */
  readonly pendingMax?: number
  /** Messages behind one that is not settled, per partition, before the partition is paused: what comes again after a crash. Default 10 times `pendingMax`. */
  readonly gapMax?: number
  /** Messages taken but not settled, of all partitions; a class below others stops sooner. Default 50,000. */
  readonly memoryMessagesMax?: number
  /** Their bytes. Default 64 MiB. */
  readonly memoryBytesMax?: number
  /** Messages of one tenant handled at once. Default 7/8 of `concurrencyMax`, so that no tenant takes the last slots. */
  readonly tenantRunningMax?: number
  /** Messages of one tenant taken but not settled, before more of it waits in the retry topics, where that helps others. Default half of `pendingMax`. */
  readonly tenantPendingMax?: number
  /** Turns of a tenant for each turn of one with weight 1, while both have messages waiting. Default 1 for all. */
  readonly tenantWeight?: (tenant: string) => number
  /** Nobody waits for the handling: messages may stay with the broker this long, so that fewer, larger batches come. Default 0. */
  readonly lingerMs?: number
}

export type LogOptions = {
  readonly topic: string
  /** Called with records of one owned partition, in order. The next batch of that partition waits for the promise. */
  readonly onBatch: (partition: number, records: readonly BusRecord[]) => Promise<void> | void
  /** The position is outside the log: `log.truncated`. The partition is not read any further. */
  readonly onFault: (partition: number, fault: FaultData) => void
  /** A broker answered, with records or without: it can be reached. Not called where there is no broker. */
  readonly onHeard?: () => void
}

export type LogReader = {
  /** Starts reading a partition at `next`; reading one that is owned already moves it. */
  seek(partition: number, next: number): Promise<void>
  /** Stops reading a partition. */
  release(partition: number): Promise<void>
  close(): Promise<void>
}

export type TableOptions = {
  readonly topic: string
  /** A record with an empty value is a deletion. */
  readonly onRecord: (record: BusRecord) => void
}

export type TableReader = {
  /** Resolves when everything that was in the topic at the start has been delivered. */
  readonly ready: Promise<void>
  close(): Promise<void>
}

/** Figures of a lane consumer, for metrics and readiness. */
export type LaneStats = {
  /** Messages being handled now. */
  readonly inFlight: number
  /** Keys that have a message here. */
  readonly lanes: number
  /** Messages between the positions and the last ones taken, without those that wait to be due. */
  readonly watermarkGap: number
  /** Since when the oldest message that is not settled is here. */
  readonly oldestMs: number
  /** How long ago the oldest message that is not settled was written. */
  readonly oldestAgeMs: number
  readonly settled: number
  /** Bytes of what is taken and not settled. */
  readonly heldBytes: number
  /** Messages in the retry topics of the own partitions, by topic. */
  readonly retryDepth: Readonly<Record<string, number>>
  /** Messages between the positions and the ends of the own partitions, by topic, retry topics aside. */
  readonly lag: Readonly<Record<string, number>>
  readonly partitions: number
  /** Partitions that take nothing now because a bound is reached. */
  readonly paused: number
  /** Partitions that came or went since the start. */
  readonly ownershipChanges: number
}

export type LaneConsumer = {
  stats(): LaneStats
  /** B7. Resolves when drained, or after `graceMs` with the rest aborted and left for redelivery. */
  close(options: { graceMs: number }): Promise<void>
}

export type PartitionRange = { readonly partition: number; readonly first: number; readonly next: number }

export type Bus = {
  /** Resolves with the position of each record, in the order given. */
  publish(records: readonly OutgoingRecord[]): Promise<readonly { readonly partition: number; readonly offset: number }[]>
  lanes(options: LanesOptions): Promise<LaneConsumer>
  log(options: LogOptions): Promise<LogReader>
  table(options: TableOptions): Promise<TableReader>
  /** First and next offset of each partition, and an id that changes when the topic was deleted and made again. */
  describe(topic: string): Promise<{ readonly topicId: string; readonly partitions: readonly PartitionRange[] }>
  /** Reads records at rest (dead letters, tools): at most `limit` from `offset` on. */
  read(position: { topic: string; partition: number; offset: number; limit: number }): Promise<readonly BusRecord[]>
  /** Number of partitions of a topic. */
  partitions(topic: string): number
  /**
   * Whether there is a topic of this name, also one that is not in the manifest: other teams make those. In one process, where there is
   * nobody else to make it, it is made.
   */
  findTopic(topic: string): Promise<boolean>
  /** Records published since the start and the requests that carried them; absent where there are no requests. */
  produced?(): { readonly records: number; readonly requests: number }
  /** Embedded only: nobody reads this partition before `before` any more (a checkpoint covers it), so its space may be taken back. */
  trim?(topic: string, partition: number, before: number): void
  /** Embedded only: how much of its disk space the log takes. At the limit `publish` fails with `disk.full`; intake should stop well before. */
  usage?(): { readonly usedBytes: number; readonly diskBytesMax: number }
  close(): Promise<void>
}
