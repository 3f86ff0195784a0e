// The library port on @platformatic/kafka: its connections and wire code under the loops of the Kafka adapter, as with kafkajs.
import { Fault } from '@baton/contracts/fault'
import type { KafkaLibrary } from '../kafka/cluster.ts'
import type { KafkaConnection } from '../kafka/connection.ts'
import { Brokers } from './brokers.ts'
import { clusterOn } from './cluster.ts'
import { topicAdmin } from './topic-admin.ts'

/** Rejects with `config.invalid` on a Node.js that the library does not run on. */
export const platformatic = (connection: KafkaConnection): KafkaLibrary => {
  // On an older one it fails in the middle of its first request, by a name that says nothing.
  if (!('withResolvers' in Promise))
    throw new Fault('config.invalid', `BATON_KAFKA_CLIENT=platformatic needs Node.js 22.22 or 24.6; this is ${process.version}`)
  return {
    cluster: () => clusterOn(new Brokers(connection)),
    admin: () => topicAdmin(new Brokers(connection)),
  }
}
