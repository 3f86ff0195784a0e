/* oxlint-disable jest/valid-describe-callback, jest/valid-title, jest/expect-expect, jest/no-disabled-tests -- this module makes suites, it is none */
// Suites that need a real server. Without one they are skipped and say why; where `CI=true` that is a failure.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, it } from '@jest/globals'
import { containersWanted, startKafkaContainer, startPostgresContainer } from './container-servers.ts'
import { kafkaAvailable, startKafka } from './kafka-server.ts'
import type { KafkaServer } from './kafka-server.ts'
import type { Availability } from './machine.ts'
import { postgresAvailable, startPostgres } from './postgres-server.ts'
import type { PostgresServer } from './postgres-server.ts'

const START_TIMEOUT_MS = 660_000 // The first start on a machine downloads the broker.
const STOP_TIMEOUT_MS = 60_000

/** Kafka as a suite sees it; the addresses can be read once the suite runs. */
export type KafkaSuite = {
  readonly brokers: readonly string[]
  /** The suite's own broker. Undefined when it is somebody else's (`KAFKA_BROKERS`) or a container. */
  readonly server: KafkaServer | undefined
  /** True when there will be a `server`; known before the suite runs. */
  readonly owned: boolean
}

/** PostgreSQL as a suite sees it. */
export type PostgresSuite = {
  readonly url: string
  /** The suite's own server. Undefined when it is somebody else's (`DATABASE_URL`) or a container. */
  readonly server: PostgresServer | undefined
  /** True when there will be a `server`; known before the suite runs. */
  readonly owned: boolean
  /** Address of a new empty database, dropped after the suite. */
  freshDatabase(): Promise<string>
}

/** A suite with a broker of its own, or with the one that `KAFKA_BROKERS` names. Started once, before its first test. */
export const describeWithKafka = (name: string, define: (kafka: KafkaSuite) => void): void => {
  describeWhen({
    name,
    available: kafkaAvailable(),
    define: () => {
      let kafka: Opened<{ readonly brokers: readonly string[] }, KafkaServer> | undefined
      beforeAll(async () => {
        kafka = await openKafka()
      }, START_TIMEOUT_MS)
      afterAll(() => kafka?.close(), STOP_TIMEOUT_MS)
      define({
        get brokers() {
          return started(kafka).address.brokers
        },
        get server() {
          return kafka?.server
        },
        owned: !process.env['KAFKA_BROKERS'] && !containersWanted(),
      })
    },
  })
}

/** A suite with a PostgreSQL of its own, or with the one that `DATABASE_URL` names. Started once, before its first test. */
export const describeWithPostgres = (name: string, define: (postgres: PostgresSuite) => void): void => {
  describeWhen({
    name,
    available: postgresAvailable(),
    define: () => {
      let postgres: Opened<{ readonly url: string }, PostgresServer> | undefined
      const databases: string[] = []
      const url = (): string => started(postgres).address.url
      beforeAll(async () => {
        postgres = await openPostgres()
      }, START_TIMEOUT_MS)
      afterAll(async () => {
        if (process.env['DATABASE_URL'])
          for (const database of databases) await execute(url(), `drop database if exists ${database} with (force)`)
        await postgres?.close()
      }, STOP_TIMEOUT_MS)
      define({
        get url() {
          return url()
        },
        get server() {
          return postgres?.server
        },
        owned: !process.env['DATABASE_URL'] && !containersWanted(),
        freshDatabase: async () => {
          const database = `baton_${randomUUID().replaceAll('-', '')}`
          await execute(url(), `create database ${database}`)
          databases.push(database)
          const address = new URL(url())
          address.pathname = `/${database}`
          return address.href
        },
      })
    },
  })
}

/** `server` is there when the suite may stop it. */
type Opened<Address, Server> = { readonly address: Address; readonly server?: Server; close(): Promise<void> }

const openKafka = async (): Promise<Opened<{ readonly brokers: readonly string[] }, KafkaServer>> => {
  const external = process.env['KAFKA_BROKERS']
  if (external) return { address: { brokers: external.split(',') }, close: async () => undefined }
  if (containersWanted()) {
    const container = await startKafkaContainer()
    return { address: container, close: () => container.stop() }
  }
  const dir = await mkdtemp(join(tmpdir(), 'baton-kafka-'))
  const server = await startKafka({ dir })
  return { address: server, server, close: () => discard(server, dir) }
}

const openPostgres = async (): Promise<Opened<{ readonly url: string }, PostgresServer>> => {
  const external = process.env['DATABASE_URL']
  if (external) return { address: { url: external }, close: async () => undefined }
  if (containersWanted()) {
    const container = await startPostgresContainer()
    return { address: container, close: () => container.stop() }
  }
  const dir = await mkdtemp(join(tmpdir(), 'baton-postgres-'))
  const server = await startPostgres({ dir })
  return { address: server, server, close: () => discard(server, dir) }
}

/** Nothing of it is needed any more. */
const discard = async (server: { kill(): Promise<void> }, dir: string): Promise<void> => {
  await server.kill()
  await rm(dir, { recursive: true, force: true })
}

const started = <T>(server: T | undefined): T => {
  if (server === undefined) throw new Error('The server is started before the first test: read its address inside a test or a hook')
  return server
}

const execute = async (url: string, statement: string): Promise<void> => {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

type Conditional = { readonly name: string; readonly available: Availability; readonly define: () => void }

const describeWhen = ({ name, available, define }: Conditional): void => {
  if (available.ok) {
    describe(name, define)
    return
  }
  const { reason } = available
  // On the machine that decides, a suite that did not run must not look like one that passed.
  if (process.env['CI'] === 'true') {
    describe(name, () => {
      it('has the server it needs', () => {
        throw new Error(`${name} cannot run: ${reason}`)
      })
    })
    return
  }
  process.stderr.write(`skipped: ${name}: ${reason}\n`)
  describe.skip(`${name} (${reason})`, define)
}
