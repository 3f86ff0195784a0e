// What the broker is told about a topic. From this come creation, drift and the manifests of an operator.
import type { TopicSpec } from './topics.ts'

const MAX_MESSAGE_BYTES = 1_048_588

export type TopicDurability = {
  /** Replicas that must have a record before it is acknowledged. */
  readonly minInsyncReplicas: number
  /** The broker writes every batch to disk before it acknowledges. */
  readonly flushEveryBatch?: boolean | undefined
}

/** Settings of a topic by Kafka's names. */
export const topicConfig = (
  { compacted, retentionMs, logAppendTime }: TopicSpec,
  { minInsyncReplicas, flushEveryBatch = false }: TopicDurability,
): Readonly<Record<string, string>> => ({
  'cleanup.policy': compacted ? 'compact' : 'delete',
  ...(compacted ? {} : { 'retention.ms': String(retentionMs) }),
  'message.timestamp.type': logAppendTime ? 'LogAppendTime' : 'CreateTime',
  'min.insync.replicas': String(minInsyncReplicas),
  'unclean.leader.election.enable': 'false',
  // Whatever a foreign producer compresses with, every reader can read it; our own batches are not compressed.
  'compression.type': 'uncompressed',
  'max.message.bytes': String(MAX_MESSAGE_BYTES),
  ...(flushEveryBatch ? { 'flush.messages': '1' } : {}),
})

const REPLICATION_DEFAULT = 3

/** Replicas of a topic: as it says, else as the installation says, else three, or as many as there are brokers. */
export const replicationOf = (
  { replication }: Pick<TopicSpec, 'replication'>,
  { brokers, wanted }: { brokers: number; wanted?: number | undefined },
): number => replication ?? wanted ?? Math.min(REPLICATION_DEFAULT, brokers)

/** Replicas that must confirm: as said, else two of three or more, else one. */
export const minInsyncOf = (
  { minInsyncReplicas }: Pick<TopicSpec, 'minInsyncReplicas'>,
  { replication, wanted }: { replication: number; wanted?: number | undefined },
): number => minInsyncReplicas ?? wanted ?? (replication >= REPLICATION_DEFAULT ? 2 : 1)
