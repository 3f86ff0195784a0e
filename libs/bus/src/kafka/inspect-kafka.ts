// What a cluster has, for whoever checks an installation. Reads only; makes no topic.
import type { KafkaConnection } from './connection.ts'
import type { KafkaBusOptions } from './kafka-bus.ts'
import { libraryOf } from './open-kafka-bus.ts'
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

export type InspectionOptions = {
  readonly connection: KafkaConnection & Pick<KafkaBusOptions, 'client'>
  readonly topics: readonly string[]
  readonly idOf: string
}

const TOPIC_ID_TIMEOUT_MS = 5_000

/** Asks the cluster about topics, by their names with prefix, through the chosen client library. Rejects with `bus.unavailable` or `bus.unauthorized`. */
export const inspectKafka = async ({ connection, topics, idOf }: InspectionOptions): Promise<KafkaFacts> => {
  // Only who asks pays for the client.
  const [library, { asFault, KafkaSession }] = await Promise.all([libraryOf(connection), import('./session.ts')])
  const admin = library.admin()
  const session = new KafkaSession(library.cluster())
  try {
    await admin.connect()
    const [brokers, facts] = await Promise.all([admin.brokerCount(), topicFacts(admin, topics)])
    if (!facts.has(idOf)) return { brokers, topics: facts }
    await session.open()
    const topicId = await session.attempt(async (cluster) => {
      await cluster.addMultipleTargetTopics([idOf])
      return cluster.topicId(idOf)
    }, TOPIC_ID_TIMEOUT_MS)
    return { brokers, topics: facts, topicId }
  } catch (error) {
    throw asFault(error)
  } finally {
    await Promise.allSettled([admin.disconnect(), session.close()])
  }
}
