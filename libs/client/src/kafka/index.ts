export { openKafkaClient, type KafkaClientOptions } from './kafka-client.ts'
