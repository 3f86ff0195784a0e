// Topics as the cluster has them.
import type { TopicAdmin } from './cluster.ts'

/** Settings that durability, time and retention depend on (L1, L12). */
const INSPECTED_SETTINGS = [
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
export const topicFacts = async (admin: TopicAdmin, wanted: readonly string[]): Promise<ReadonlyMap<string, TopicFacts>> => {
  const names = new Set(wanted)
  const present = (await admin.topics()).filter(({ name }) => names.has(name))
  if (present.length === 0) return new Map()
  const asked = present.map(({ name }) => name)
  const values = await Promise.all(INSPECTED_SETTINGS.map(async (setting) => [setting, await admin.setting(asked, setting)] as const))
  return new Map(
    present.map(({ name, leaders, replicas, inSync }) => [
      name,
      {
        partitions: leaders.length,
        replicas,
        inSync,
        settings: Object.fromEntries(values.flatMap(([setting, byTopic]) => [[setting, byTopic.get(name) ?? undefined]])),
      },
    ]),
  )
}
