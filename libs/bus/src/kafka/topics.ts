// Topics as the manifest wants them and as the cluster has them.
//   T1. A topic is made from the manifest or not at all; a name nobody declared is an error.
//   T2. A topic that exists with another number of partitions, or without the broker's clock where it is needed, is refused:
//       keys would be looked for in the wrong partition, and time would be the sender's.
//   T3. Every other difference is told and left alone: what an operator changed is not changed back behind their back.
import { Fault } from '@baton/contracts/fault'
import { minInsyncOf, replicationOf, topicConfig } from '@baton/contracts/topics'
import type { TopicSpec } from '@baton/contracts/topics'
import { setTimeout } from 'node:timers/promises'
import type { TopicAdmin, TopicCreation } from './cluster.ts'
import { lacksRights } from './kafka-fault.ts'
import { asFault } from './session.ts'
import { topicDrift } from './topic-drift.policy.ts'
import type { TopicDifference } from './topic-drift.policy.ts'
import { topicFacts } from './topic-facts.ts'

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
  /** Told once, soon after the start, when topics are not what they should be. */
  readonly onDrift?: (differences: readonly TopicDifference[]) => void
}

const CREATE_TIMEOUT_MS = 30_000
const LEADER_PAUSE_MS = 20

/** Checks and makes the topics; resolves with the number of partitions of each, by name without prefix. */
export const prepareTopics = async (admin: TopicAdmin, settings: TopicSettings): Promise<ReadonlyMap<string, number>> => {
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

const partitionCounts = async (admin: TopicAdmin): Promise<ReadonlyMap<string, number>> => {
  const topics = await admin.topics()
  return new Map(topics.map(({ name, leaders }) => [name, leaders.length]))
}

const create = async (admin: TopicAdmin, settings: TopicSettings, missing: readonly TopicSpec[]): Promise<void> => {
  const names = missing.map(({ name }) => settings.topicPrefix + name)
  if (!settings.ensureTopics) throw new Fault('config.invalid', `Topics are missing: ${names.join(', ')}`, { topics: names.join(',') }) // T1
  try {
    const brokers = await admin.brokerCount()
    await admin.createTopics(
      missing.map((topic) => creation(topic, settings, brokers)),
      CREATE_TIMEOUT_MS,
    )
  } catch (error) {
    throw lacksRights(error) ? unseen(names, error) : error
  }
  await untilLed(admin, names)
}

const untilLed = async (admin: TopicAdmin, names: readonly string[]): Promise<void> => {
  for (const deadline = performance.now() + CREATE_TIMEOUT_MS; ; await setTimeout(LEADER_PAUSE_MS)) {
    const topics = await admin.topics()
    const led = new Set(topics.filter(({ leaders }) => leaders.every((leader) => leader >= 0)).map(({ name }) => name))
    const waiting = names.filter((name) => !led.has(name))
    if (waiting.length === 0) return
    if (performance.now() > deadline)
      throw new Fault('bus.unavailable', `No broker leads ${waiting.join(', ')}`, { topics: waiting.join(',') })
  }
}

const NAMES_SHOWN = 4
const shortened = (names: readonly string[]): string =>
  names.length <= NAMES_SHOWN + 1 ? names.join(', ') : `${names.slice(0, NAMES_SHOWN).join(', ')} and ${names.length - NAMES_SHOWN} more`

/** A user sees no topic that it has no right to, so that one may be there all the same. */
const unseen = (names: readonly string[], cause: unknown): Fault => {
  const message = [
    `Kafka: this user may neither see nor make these topics: ${shortened(names)}`,
    '`baton topics --create` makes them, as a user that administers the cluster',
    '`baton topics --acls --commands` prints the rights of every service',
  ].join('; ')
  return new Fault('bus.unauthorized', message, { reason: 'topic', topics: names.join(',') }, { cause })
}

const creation = (topic: TopicSpec, settings: TopicSettings, brokers: number): TopicCreation => {
  const { replicationFactor, minInsyncReplicas, flushEveryBatch, topicPrefix } = settings
  const name = topicPrefix + topic.name
  const replication = replicationOf(topic, { brokers, wanted: replicationFactor })
  if (replication > brokers) {
    const message = `Topic ${name} is to have ${replication} replicas, and the cluster has ${brokers} broker${brokers === 1 ? '' : 's'}`
    throw new Fault('config.invalid', message, { topic: name, replication, brokers })
  }
  const inSync = minInsyncOf(topic, { replication, wanted: minInsyncReplicas })
  const config = topicConfig(topic, { minInsyncReplicas: inSync, flushEveryBatch })
  return { topic: name, partitions: topic.partitions, replicationFactor: replication, config }
}

const checkPartitions = (topic: TopicSpec, { topicPrefix }: TopicSettings, partitions: number): void => {
  if (partitions === topic.partitions) return
  const name = topicPrefix + topic.name
  const message = `Topic ${name} has ${partitions} partitions, the manifest wants ${topic.partitions}; keys would move between partitions` // T2
  throw new Fault('config.invalid', message, { topic: name, partitions, wanted: topic.partitions })
}

const checkClock = async (admin: TopicAdmin, { topicPrefix }: TopicSettings, present: readonly TopicSpec[]): Promise<void> => {
  const names = present.filter(({ logAppendTime }) => logAppendTime).map(({ name }) => topicPrefix + name)
  if (names.length === 0) return
  const clocks = await admin.setting(names, 'message.timestamp.type')
  const wrong = [...clocks].filter(([, clock]) => clock !== 'LogAppendTime')
  if (wrong.length === 0) return
  const list = wrong.map(([name]) => name).join(', ')
  throw new Fault('config.invalid', `Topics need message.timestamp.type=LogAppendTime: ${list}`, { topics: list }) // T2
}

/** Compares what is there with what the manifest wants (T3). */
export const findDrift = async (admin: TopicAdmin, settings: TopicSettings): Promise<readonly TopicDifference[]> => {
  const names = settings.topics.map(({ name }) => settings.topicPrefix + name)
  const [brokers, facts] = await Promise.all([admin.brokerCount(), topicFacts(admin, names)])
  return topicDrift(settings, { brokers, topics: facts })
}
