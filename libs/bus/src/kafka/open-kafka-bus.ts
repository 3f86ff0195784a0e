import type { Bus } from '../bus.ts'
import type { KafkaLibrary } from './cluster.ts'
import type { KafkaBusOptions } from './kafka-bus.ts'
import type { KafkaConnection } from './connection.ts'
import type { TopicSettings } from './topics.ts'

/** Connects, checks the topics and makes the missing ones. Rejects with `config.invalid`, `bus.unauthorized` or `bus.unavailable`. Loads the client only when called. */
export const openKafkaBus = async (options: KafkaBusOptions): Promise<Bus> => {
  const [{ connectKafkaBus }, library] = await Promise.all([import('./kafka-bus.ts'), libraryOf(options)])
  return connectKafkaBus(options, library)
}

/** The client library that was chosen. */
export const libraryOf = async (options: KafkaConnection & Pick<KafkaBusOptions, 'client'>): Promise<KafkaLibrary> => {
  if (options.client === 'platformatic') return (await import('../platformatic/library.ts')).platformatic(options)
  return (await import('./kafkajs-cluster.ts')).kafkaJs(options)
}

/** Makes the missing topics and no bus. Rejects with `config.invalid`, `bus.unauthorized` or `bus.unavailable`. */
export const createKafkaTopics = async (options: KafkaConnection & TopicSettings & Pick<KafkaBusOptions, 'client'>): Promise<void> => {
  const [library, { prepareTopics }, { asFault }] = await Promise.all([libraryOf(options), import('./topics.ts'), import('./session.ts')])
  const admin = library.admin()
  try {
    await admin.connect()
    await prepareTopics(admin, options)
  } catch (error) {
    throw asFault(error)
  } finally {
    await admin.disconnect()
  }
}
