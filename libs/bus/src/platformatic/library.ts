// The library port on @platformatic/kafka: its connections and wire code under the loops of the Kafka adapter, as with kafkajs.
import type { KafkaLibrary } from '../kafka/cluster.ts'
import type { KafkaConnection } from '../kafka/connection.ts'
import { Brokers } from './brokers.ts'
import { clusterOn } from './cluster.ts'
import { topicAdmin } from './topic-admin.ts'

export const platformatic = (connection: KafkaConnection): KafkaLibrary => ({
  cluster: () => clusterOn(new Brokers(connection)),
  admin: () => topicAdmin(new Brokers(connection)),
})
