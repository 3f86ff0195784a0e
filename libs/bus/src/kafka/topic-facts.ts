// Topics as the cluster has them.
import type { Admin } from 'kafkajs'
import { metadataOf } from './metadata.ts'

/** Settings that durability, time and retention depend on (L1, L12). */
export const INSPECTED_SETTINGS = [
  'message.timestamp.type',
  'min.insync.replicas',
  'unclean.leader.election.enable',
  'flush.messages',
  'cleanup.policy',
  'retention.ms',
  'max.message.bytes',
] as const

export type TopicFacts = {
  readonly partitions: number
  /** Of the partition that has the fewest. */
  readonly replicas: number
  /** Replicas in sync, of the partition that has the fewest. */
  readonly inSync: number
  readonly settings: Readonly<Partial<Record<(typeof INSPECTED_SETTINGS)[number], string>>>
}

/** Those of the topics that exist and that this user may see, by name on the wire. */
export const topicFacts = async (admin: Admin, names: readonly string[]): Promise<ReadonlyMap<string, TopicFacts>> => {
  const found = await placesOf(admin, new Set(names))
  const settings = await settingsOf(admin, [...found.keys()])
  return new Map([...found].map(([name, places]) => [name, { ...places, settings: settings.get(name) ?? {} }]))
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
  // Taken from the default export: the others of kafkajs are not visible to ES modules.
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
