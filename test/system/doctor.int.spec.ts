import { afterAll, expect, it } from '@jest/globals'
import { openKafkaBus } from '@baton/bus'
import { TOPICS, topicManifest } from '@baton/contracts'
import { readEnvironment } from '@baton/service'
import { openPostgres, openStore } from '@baton/store'
import { describeWithKafka, describeWithPostgres } from '@baton/testing/suite'
import { clusterFindings } from '../../cli/src/doctor/cluster.ts'
import { databaseReport } from '../../cli/src/doctor/database.ts'
import type { Finding } from '../../cli/src/doctor/finding.ts'

const TIMEOUT_MS = 60_000
const levels = (findings: readonly Finding[]): readonly string[] => findings.map(({ check, level }) => `${check} ${level}`)

describeWithPostgres('doctor on PostgreSQL', (postgres) => {
  it('tells a database that has never been used from one that is up to date, and changes neither', async () => {
    const url = await postgres.freshDatabase()
    const environment = readEnvironment({ DATABASE_URL: url })
    const fresh = await databaseReport(url, environment)
    expect(levels(fresh.findings)).toEqual(['database pass', 'sessions pass', 'migrations warn'])
    expect(fresh.installed).toBeUndefined()
    expect(levels((await databaseReport(url, environment)).findings)).toEqual(levels(fresh.findings))

    const db = openPostgres({ url })
    const stores = await openStore(db)
    await stores.leases.install({ prefix: '', partitions: 3, topicId: 'id', engineVersion: 1 })
    const used = await databaseReport(url, environment)
    expect(levels(used.findings)).toEqual(['database pass', 'sessions pass', 'migrations pass'])
    expect(used.installed).toEqual({ partitions: 3, topicIds: ['id'] })

    await db.query(`insert into schema_migrations (scope, name) values ('baton', '999-of-tomorrow')`)
    expect((await databaseReport(url, environment)).findings.at(-1)).toMatchObject({
      level: 'warn',
      message: expect.stringContaining('999-of-tomorrow'),
    })
    await db.close()
  })

  it('rejects where nobody answers', async () => {
    const url = 'postgres://127.0.0.1:1/none'
    await expect(databaseReport(url, readEnvironment({ DATABASE_URL: url }))).rejects.toThrow('ECONNREFUSED')
  })
})

describeWithKafka('doctor on Kafka', (kafka) => {
  const closing: (() => Promise<void>)[] = []
  afterAll(() => Promise.all(closing.map((close) => close())))

  it(
    'L12: warns of a single broker, and knows the log of the installation',
    async () => {
      const topicPrefix = `doctor${Date.now()}.`
      const environment = readEnvironment({
        KAFKA_BROKERS: kafka.brokers.join(','),
        DATABASE_URL: 'postgres://127.0.0.1/none',
        BATON_TOPIC_PREFIX: topicPrefix,
        BATON_EVENTS_PARTITIONS: '3',
      })
      const settings = environment.kafka
      if (settings === undefined) throw new Error('Kafka is configured')
      expect(levels(await clusterFindings(settings, environment, undefined))).toEqual(['kafka pass', 'topics warn'])

      const topics = topicManifest({ eventsPartitions: 3 })
      const bus = await openKafkaBus({ brokers: kafka.brokers, clientId: 'spec', topicPrefix, topics, ensureTopics: true })
      closing.push(() => bus.close())
      const { topicId } = await bus.describe(TOPICS.events)
      const found = await clusterFindings(settings, environment, { partitions: 3, topicIds: [topicId] })
      expect(levels(found)).toEqual([
        'kafka pass',
        'topics pass',
        'partitions pass',
        'clock pass',
        'durability warn',
        'drift pass',
        'installation pass',
      ])
      const other = await clusterFindings(settings, environment, { partitions: 3, topicIds: ['another'] })
      expect(levels(other)).toContain('installation fail')
    },
    TIMEOUT_MS,
  )
})
