// The same servers as containers, for machines with a container engine and neither Java nor PostgreSQL. Asked for by BATON_TEST_CONTAINERS=1,
// because pulling images in the middle of a test run must be somebody's wish.
import { freePorts } from './machine.ts'

const KAFKA_IMAGE = 'apache/kafka:4.1.1'
const POSTGRES_IMAGE = 'postgres:17'
const KAFKA_PORT = 29_092
const POSTGRES_PORT = 5_432
const USER = 'baton'

/** Whether suites should take their servers from the container engine. */
export const containersWanted = (): boolean => process.env['BATON_TEST_CONTAINERS'] === '1'

/** A server in a container; the engine removes it with this process if `stop` is never called. */
export type Container<Address> = Address & { stop(): Promise<void> }

/** One broker that is its own controller. */
export const startKafkaContainer = async (): Promise<Container<{ readonly brokers: readonly string[] }>> => {
  const { GenericContainer, Wait } = await import('testcontainers')
  // Clients are told the address to come back to, so the port outside must be known before the broker starts.
  const [port = 0] = await freePorts(1)
  const container = await new GenericContainer(KAFKA_IMAGE)
    .withExposedPorts({ container: KAFKA_PORT, host: port })
    .withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_LISTENERS: `PLAINTEXT://:${KAFKA_PORT},CONTROLLER://:9093`,
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS: '1000',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
    })
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .start()
  return { brokers: [`127.0.0.1:${port}`], stop: async () => void (await container.stop()) }
}

/** A database `baton`. */
export const startPostgresContainer = async (): Promise<Container<{ readonly url: string }>> => {
  const { GenericContainer, Wait } = await import('testcontainers')
  const container = await new GenericContainer(POSTGRES_IMAGE)
    .withExposedPorts(POSTGRES_PORT)
    .withEnvironment({ POSTGRES_USER: USER, POSTGRES_PASSWORD: USER, POSTGRES_DB: USER })
    // The image starts the server once to initialise it and once to serve.
    .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2))
    .start()
  const url = `postgres://${USER}:${USER}@${container.getHost()}:${container.getMappedPort(POSTGRES_PORT)}/${USER}`
  return { url, stop: async () => void (await container.stop()) }
}
