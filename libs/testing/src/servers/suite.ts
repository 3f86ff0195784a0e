/* oxlint-disable jest/valid-describe-callback, jest/valid-title, jest/expect-expect, jest/no-disabled-tests -- this module makes suites, it is none */
// Suites that need a real server. Without one they are skipped and say why; where `CI=true` that is a failure.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, it } from '@jest/globals'
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
  /** The suite's own broker. Undefined when `KAFKA_BROKERS` names somebody else's, which no test may stop. */
  readonly server: KafkaServer | undefined
  /** True when the suite starts its own broker, known before it runs. */
  readonly owned: boolean
}

/** PostgreSQL as a suite sees it. */
export type PostgresSuite = {
  readonly url: string
  /** The suite's own server. Undefined when `DATABASE_URL` names somebody else's, which no test may stop. */
  readonly server: PostgresServer | undefined
  /** True when the suite starts its own server, known before it runs. */
  readonly owned: boolean
  /** Address of a new empty database, dropped after the suite. */
  freshDatabase(): Promise<string>
}

/** A suite with a broker of its own, or with the one that `KAFKA_BROKERS` names. Started once, before its first test. */
export const describeWithKafka = (name: string, define: (kafka: KafkaSuite) => void): void => {
  const external = process.env['KAFKA_BROKERS']
  describeWhen({
    name,
    available: kafkaAvailable(),
    define: () => {
      let server: KafkaServer | undefined
      let dir: string | undefined
      beforeAll(async () => {
        if (external) return
        dir = await mkdtemp(join(tmpdir(), 'baton-kafka-'))
        server = await startKafka({ dir })
      }, START_TIMEOUT_MS)
      afterAll(async () => {
        await server?.kill() // Nothing of it is needed any more.
        if (dir) await rm(dir, { recursive: true, force: true })
      }, STOP_TIMEOUT_MS)
      define({
        get brokers() {
          return external ? external.split(',') : started(server).brokers
        },
        get server() {
          return server
        },
        owned: !external,
      })
    },
  })
}

/** A suite with a PostgreSQL of its own, or with the one that `DATABASE_URL` names. Started once, before its first test. */
export const describeWithPostgres = (name: string, define: (postgres: PostgresSuite) => void): void => {
  const external = process.env['DATABASE_URL']
  describeWhen({
    name,
    available: postgresAvailable(),
    define: () => {
      let server: PostgresServer | undefined
      let dir: string | undefined
      const databases: string[] = []
      const url = (): string => external || started(server).url
      beforeAll(async () => {
        if (external) return
        dir = await mkdtemp(join(tmpdir(), 'baton-postgres-'))
        server = await startPostgres({ dir })
      }, START_TIMEOUT_MS)
      afterAll(async () => {
        if (external) for (const database of databases) await execute(url(), `drop database if exists ${database} with (force)`)
        await server?.kill() // Nothing of it is needed any more.
        if (dir) await rm(dir, { recursive: true, force: true })
      }, STOP_TIMEOUT_MS)
      define({
        get url() {
          return url()
        },
        get server() {
          return server
        },
        owned: !external,
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
