// Real servers for suites, scripts and proofs. A project of its own, so that every lib's suites can use it without a cycle.
export { foreignClient, foreignConsume, foreignProduce } from './foreign-client.ts'
export type { ForeignConsumed, ForeignRecord, ForeignTopic } from './foreign-client.ts'
export { kafkaAvailable, startKafka } from './kafka-server.ts'
export type { KafkaOptions, KafkaServer } from './kafka-server.ts'
export type { Availability } from './machine.ts'
export { postgresAvailable, startPostgres } from './postgres-server.ts'
export type { PostgresOptions, PostgresServer } from './postgres-server.ts'
