// What a cluster has, for whoever checks an installation. Reads only; makes no topic.
import type { KafkaConnection } from './connection.ts'
import { topicFacts } from './topic-facts.ts'
import type { TopicFacts } from './topic-facts.ts'

export type { TopicFacts } from './topic-facts.ts'

export type KafkaFacts = {
  readonly brokers: number
  /** By name with prefix; those that exist. */
  readonly topics: ReadonlyMap<string, TopicFacts>
  /** Id of the one topic that was asked for; absent when it is not there. */
  readonly topicId?: string
}

export type InspectionOptions = { readonly connection: KafkaConnection; readonly topics: readonly string[]; readonly idOf: string }

const TOPIC_ID_TIMEOUT_MS = 5_000

/** Asks the cluster about topics, by their names with prefix. Rejects with `bus.unavailable` or `bus.unauthorized`. */
export const inspectKafka = async ({ connection, topics, idOf }: InspectionOptions): Promise<KafkaFacts> => {
  // Only who asks pays for the client.
  const [{ kafkaClient }, { asFault, KafkaSession }, { kafkaJs }] = await Promise.all([
    import('./connection.ts'),
    import('./session.ts'),
    import('./kafkajs-cluster.ts'),
  ])
  const admin = kafkaClient(connection).admin()
  const session = new KafkaSession(kafkaJs(connection).cluster())
  try {
    await admin.connect()
    const { brokers } = await admin.describeCluster()
    const facts = await topicFacts(admin, topics)
    if (!facts.has(idOf)) return { brokers: brokers.length, topics: facts }
    await session.open()
    const topicId = await session.attempt(async (cluster) => {
      await cluster.addMultipleTargetTopics([idOf])
      return cluster.topicId(idOf)
    }, TOPIC_ID_TIMEOUT_MS)
    return { brokers: brokers.length, topics: facts, topicId }
  } catch (error) {
    throw asFault(error)
  } finally {
    await Promise.allSettled([admin.disconnect(), session.close()])
  }
}
