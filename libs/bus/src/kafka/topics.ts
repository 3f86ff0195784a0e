// Topics as the manifest wants them and as the cluster has them.
//   T1. A topic is made from the manifest or not at all; a name nobody declared is an error.
//   T2. A topic that exists with another number of partitions, or without the broker's clock where it is needed, is refused:
//       keys would be looked for in the wrong partition, and time would be the sender's.
import { Fault } from '@baton/contracts/fault'
import type { TopicSpec } from '@baton/contracts/topics'
import { setTimeout } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import type { Admin, ITopicConfig } from 'kafkajs'
import { metadataOf } from './metadata.ts'
import { asFault } from './session.ts'

export type TopicSettings = {
  readonly topicPrefix: string
  readonly topics: readonly TopicSpec[]
  /** Make what is missing; otherwise a missing topic is a fault. */
  readonly ensureTopics: boolean
  /** Default 3, or as many as there are brokers. */
  readonly replicationFactor?: number
  /** Replicas that must have a record before it is acknowledged. Default 2 of 3, else 1. */
  readonly minInsyncReplicas?: number
  /** The broker writes every batch to disk before it acknowledges: durable against power loss on one broker, at about a third of the throughput. */
  readonly flushEveryBatch?: boolean
}

const CREATE_TIMEOUT_MS = 30_000
const LEADER_PAUSE_MS = 20
const REPLICATION_DEFAULT = 3
const MAX_MESSAGE_BYTES = 1_048_588

/** Checks and makes the topics; resolves with the number of partitions of each, by name without prefix. */
export const prepareTopics = async (admin: Admin, settings: TopicSettings): Promise<ReadonlyMap<string, number>> => {
  try {
    const existing = await partitionCounts(admin)
    const missing = settings.topics.filter(({ name }) => !existing.has(settings.topicPrefix + name))
    if (missing.length > 0) await create(admin, settings, missing)
    const present = settings.topics.filter((topic) => !missing.includes(topic))
    for (const topic of present) checkPartitions(topic, settings, existing.get(settings.topicPrefix + topic.name) ?? 0)
    await checkClock(admin, settings, present)
    return new Map(settings.topics.map(({ name, partitions }) => [name, partitions]))
  } catch (error) {
    throw asFault(error)
  }
}

const partitionCounts = async (admin: Admin): Promise<ReadonlyMap<string, number>> => {
  const { topics } = await metadataOf(admin)
  return new Map(topics.map(({ name, partitions }) => [name, partitions.length]))
}

const create = async (admin: Admin, settings: TopicSettings, missing: readonly TopicSpec[]): Promise<void> => {
  const names = missing.map(({ name }) => settings.topicPrefix + name)
  if (!settings.ensureTopics) throw new Fault('config.invalid', `Topics are missing: ${names.join(', ')}`, { topics: names.join(',') }) // T1
  const replicas = await replicasOf(admin, settings)
  // False when another process made one of them meanwhile, which is as good.
  await admin.createTopics({
    topics: missing.map((topic) => creation(topic, settings, replicas)),
    timeout: CREATE_TIMEOUT_MS,
    waitForLeaders: false,
  })
  await untilLed(admin, names)
}

// kafkajs's own wait fails on the first broker that has not heard of a topic yet.
const untilLed = async (admin: Admin, names: readonly string[]): Promise<void> => {
  for (const deadline = performance.now() + CREATE_TIMEOUT_MS; ; await setTimeout(LEADER_PAUSE_MS)) {
    const { topics } = await metadataOf(admin)
    const led = new Set(topics.filter(({ partitions }) => partitions.every(({ leader }) => leader >= 0)).map(({ name }) => name))
    const waiting = names.filter((name) => !led.has(name))
    if (waiting.length === 0) return
    if (performance.now() > deadline)
      throw new Fault('bus.unavailable', `No broker leads ${waiting.join(', ')}`, { topics: waiting.join(',') })
  }
}

type Replicas = { readonly factor: number; readonly inSyncMin: number }

const replicasOf = async (admin: Admin, { replicationFactor, minInsyncReplicas }: TopicSettings): Promise<Replicas> => {
  const factor = replicationFactor ?? Math.min(REPLICATION_DEFAULT, (await admin.describeCluster()).brokers.length)
  return { factor, inSyncMin: minInsyncReplicas ?? (factor >= REPLICATION_DEFAULT ? 2 : 1) }
}

const creation = (topic: TopicSpec, settings: TopicSettings, { factor, inSyncMin }: Replicas): ITopicConfig => ({
  topic: settings.topicPrefix + topic.name,
  numPartitions: topic.partitions,
  replicationFactor: factor,
  configEntries: Object.entries({
    'cleanup.policy': topic.compacted ? 'compact' : 'delete',
    ...(topic.compacted ? {} : { 'retention.ms': String(topic.retentionMs) }),
    'message.timestamp.type': topic.logAppendTime ? 'LogAppendTime' : 'CreateTime',
    'min.insync.replicas': String(inSyncMin),
    'unclean.leader.election.enable': 'false',
    'max.message.bytes': String(MAX_MESSAGE_BYTES),
    ...(settings.flushEveryBatch ? { 'flush.messages': '1' } : {}),
  }).map(([name, value]) => ({ name, value })),
})

const checkPartitions = (topic: TopicSpec, { topicPrefix }: TopicSettings, partitions: number): void => {
  if (partitions === topic.partitions) return
  const name = topicPrefix + topic.name
  const message = `Topic ${name} has ${partitions} partitions, the manifest wants ${topic.partitions}; keys would move between partitions` // T2
  throw new Fault('config.invalid', message, { topic: name, partitions, wanted: topic.partitions })
}

const checkClock = async (admin: Admin, { topicPrefix }: TopicSettings, present: readonly TopicSpec[]): Promise<void> => {
  const names = present.filter(({ logAppendTime }) => logAppendTime).map(({ name }) => topicPrefix + name)
  if (names.length === 0) return
  // Taken from the default export: the others of kafkajs are not visible to ES modules.
  const type = kafkajs.ConfigResourceTypes.TOPIC
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({ type, name, configNames: ['message.timestamp.type'] })),
  })
  const wrong = resources.filter(({ configEntries }) => configEntries.some(({ configValue }) => configValue !== 'LogAppendTime'))
  if (wrong.length === 0) return
  const list = wrong.map(({ resourceName }) => resourceName).join(', ')
  throw new Fault('config.invalid', `Topics need message.timestamp.type=LogAppendTime: ${list}`, { topics: list }) // T2
}
