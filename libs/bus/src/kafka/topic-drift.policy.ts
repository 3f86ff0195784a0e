// Where the topics of a cluster are not what the manifest wants.
//   D1. Only what the manifest says is compared: a setting it is silent about is the operator's own.
//   D2. Every difference comes with the ordinary command that ends it, or with the reason why none can.
import { minInsyncOf, replicationOf, topicConfig, type TopicSpec } from '@baton/contracts/topics'
import type { TopicFacts } from './topic-facts.ts'

export type TopicDifference = {
  /** Name on the wire. */
  readonly topic: string
  /** `missing`, `partitions`, `replication`, or Kafka's name of a setting. */
  readonly what: string
  readonly wanted: string
  readonly found: string
  /** What ends it. */
  readonly help: string
}

export type TopicPlan = {
  readonly topicPrefix: string
  readonly topics: readonly TopicSpec[]
  readonly replicationFactor?: number | undefined
  readonly minInsyncReplicas?: number | undefined
  readonly flushEveryBatch?: boolean | undefined
}

type Cluster = { readonly brokers: number; readonly topics: ReadonlyMap<string, TopicFacts> }

/** All differences, in the order of the manifest. */
export const topicDrift = (plan: TopicPlan, cluster: Cluster): readonly TopicDifference[] =>
  plan.topics.flatMap((spec) => {
    const topic = plan.topicPrefix + spec.name
    const facts = cluster.topics.get(topic)
    if (facts === undefined) return [{ topic, what: 'missing', wanted: 'a topic', found: 'none', help: 'baton topics --create' }]
    return differencesOf(topic, { spec, facts, plan, brokers: cluster.brokers })
  })

type Compared = { readonly spec: TopicSpec; readonly facts: TopicFacts; readonly plan: TopicPlan; readonly brokers: number }

const differencesOf = (topic: string, { spec, facts, plan, brokers }: Compared): readonly TopicDifference[] => {
  const replication = replicationOf(spec, { brokers, wanted: plan.replicationFactor })
  const minInsyncReplicas = minInsyncOf(spec, { replication, wanted: plan.minInsyncReplicas })
  const settings = topicConfig(spec, { minInsyncReplicas, flushEveryBatch: plan.flushEveryBatch })
  const differences: TopicDifference[] = []
  if (facts.partitions !== spec.partitions) {
    const help = 'keys would move between partitions: no command can end this; set the manifest to what the topic was made with'
    differences.push({ topic, what: 'partitions', wanted: String(spec.partitions), found: String(facts.partitions), help })
  }
  if (facts.replicas !== replication) {
    const help = `kafka-reassign-partitions with ${replication} replicas for every partition of ${topic}`
    differences.push({ topic, what: 'replication', wanted: String(replication), found: String(facts.replicas), help })
  }
  const found: Readonly<Partial<Record<string, string>>> = facts.settings
  for (const [name, wanted] of Object.entries(settings)) {
    const value = found[name]
    if (value === undefined || value === wanted) continue // D1: a user without the right to see settings sees none.
    const help = `kafka-configs --alter --entity-type topics --entity-name ${topic} --add-config ${name}=${wanted}`
    differences.push({ topic, what: name, wanted, found: value, help }) // D2
  }
  return differences
}
