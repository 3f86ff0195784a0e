// What a cluster has, for whoever checks an installation. Reads only; makes no topic.
import type { Admin } from 'kafkajs'
import type { KafkaConnection } from './connection.ts'
import { metadataOf } from './metadata.ts'

/** Settings of a topic that durability and time depend on (L1, L12). */
const INSPECTED_SETTINGS = [
  'message.timestamp.type',
  'min.insync.replicas',
  'unclean.leader.election.enable',
  'flush.messages',
  'cleanup.policy',
] as const

export type TopicFacts = {
  readonly partitions: number
  /** Of the partition that has the fewest. */
  readonly replicas: number
  /** Replicas in sync, of the partition that has the fewest. */
  readonly inSync: number
  readonly settings: Readonly<Partial<Record<(typeof INSPECTED_SETTINGS)[number], string>>>
}

export type KafkaFacts = {
  readonly brokers: number
  /** By name with prefix; those that exist. */
  readonly topics: ReadonlyMap<string, TopicFacts>
  /** Id of the one topic that was asked for; absent when it is not there. */
  readonly topicId?: string
}

export type InspectionOptions = { readonly connection: KafkaConnection; readonly topics: readonly string[]; readonly idOf: string }

const TOPIC_ID_TIMEOUT_MS = 5_000

/** Asks the cluster about topics, by their names with prefix. Rejects with `bus.unavailable`. */
export const inspectKafka = async ({ connection, topics, idOf }: InspectionOptions): Promise<KafkaFacts> => {
  // Only who asks pays for the client.
  const [{ kafkaClient }, { asFault, KafkaSession }, { fetchTopicId }] = await Promise.all([
    import('./connection.ts'),
    import('./session.ts'),
    import('./topic-id.ts'),
  ])
  const admin = kafkaClient(connection).admin()
  const session = new KafkaSession(connection)
  try {
    await admin.connect()
    const { brokers } = await admin.describeCluster()
    const found = await placesOf(admin, new Set(topics))
    const settings = await settingsOf(admin, [...found.keys()])
    const facts = new Map([...found].map(([name, places]) => [name, { ...places, settings: settings.get(name) ?? {} }]))
    if (!facts.has(idOf)) return { brokers: brokers.length, topics: facts }
    await session.open()
    const topicId = await session.attempt(async (cluster) => {
      await cluster.addMultipleTargetTopics([idOf])
      return fetchTopicId(cluster, idOf)
    }, TOPIC_ID_TIMEOUT_MS)
    return { brokers: brokers.length, topics: facts, topicId }
  } catch (error) {
    throw asFault(error)
  } finally {
    await Promise.allSettled([admin.disconnect(), session.close()])
  }
}

type Places = Pick<TopicFacts, 'partitions' | 'replicas' | 'inSync'>

const placesOf = async (admin: Admin, wanted: ReadonlySet<string>): Promise<ReadonlyMap<string, Places>> => {
  const { topics } = await metadataOf(admin)
  return new Map(
    topics
      .filter(({ name }) => wanted.has(name))
      .map(({ name, partitions }) => [
        name,
        {
          partitions: partitions.length,
          replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
          inSync: Math.min(...partitions.map(({ isr }) => isr.length)),
        },
      ]),
  )
}

const settingsOf = async (admin: Admin, names: readonly string[]): Promise<ReadonlyMap<string, TopicFacts['settings']>> => {
  if (names.length === 0) return new Map()
  const { default: kafkajs } = await import('kafkajs')
  const type = kafkajs.ConfigResourceTypes.TOPIC
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({ type, name, configNames: [...INSPECTED_SETTINGS] })),
  })
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  )
}
