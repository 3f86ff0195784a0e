// `baton topics` against a real broker: what is missing is made, what differs is said, nothing that exists is changed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { openKafkaBus, type TopicDifference } from '@baton/bus'
import { topicManifest } from '@baton/contracts'
import { describeWithKafka } from '@baton/testing/suite'
import kafkajs from 'kafkajs'
import { until } from './system.ts'
import { topicsCommand } from '../../cli/src/commands/topics.ts'

jest.setTimeout(120_000)
const PREFIX = 'cmd.'
const folder = mkdtempSync(join(tmpdir(), 'baton-topics-'))
const before = { ...process.env }
const quiet = (): void => undefined

describeWithKafka('baton topics', (kafka) => {
  let printed = ''
  let failed = false
  const baton = async (...args: readonly string[]): Promise<string> => {
    printed = ''
    failed = false
    const print = (text: string): void => void (printed += text)
    await topicsCommand({
      terminal: { interactive: false, print, note: quiet, status: quiet, settle: quiet },
      fail: () => (failed = true),
    }).parseAsync([...args], { from: 'user' })
    return printed
  }
  const diff = async (): Promise<readonly TopicDifference[]> => JSON.parse(await baton('--diff', '--json')) as readonly TopicDifference[]

  beforeAll(() => {
    const set = { KAFKA_BROKERS: kafka.brokers.join(','), DATABASE_URL: 'postgres://u@h/d', BATON_TOPIC_PREFIX: PREFIX }
    Object.assign(process.env, set, { BATON_CONFIG_DIR: folder, BATON_EVENTS_PARTITIONS: '2' })
  })
  beforeEach(() => writeFileSync(join(folder, 'topics.yaml'), 'topics: { baton.journal: { retention: 30d } }\n'))
  afterAll(() => {
    process.env = before
    rmSync(folder, { recursive: true })
  })

  it('tells what is missing, makes it with the settings of the file, and then nothing differs', async () => {
    const missing = await diff()
    expect(missing.map(({ topic, what }) => [topic, what])).toEqual(topicManifest().map(({ name }) => [PREFIX + name, 'missing']))
    expect(failed).toBe(true)
    expect(JSON.parse(await baton('--create', '--json'))).toMatchObject({ made: missing.map(({ topic }) => topic), differences: [] })
    expect(failed).toBe(false)
    expect(await diff()).toEqual([])
    expect(await baton('--create')).toBe('nothing was missing')
  })

  it('T3: what somebody changed is said with the command that ends it, at the start of a process too, and left alone', async () => {
    await baton('--create')
    const admin = new kafkajs.Kafka({ brokers: [...kafka.brokers], logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: `${PREFIX}baton.results`,
          configEntries: [
            { name: 'retention.ms', value: '1000' },
            { name: 'message.timestamp.type', value: 'LogAppendTime' },
          ],
        },
      ],
    })
    await admin.disconnect()
    const wanted = { topic: `${PREFIX}baton.results`, what: 'retention.ms', wanted: '604800000', found: '1000' }
    const found = await until('the change to arrive', async () => {
      const now = await diff()
      return now.length > 0 ? now : undefined
    })
    expect(found).toContainEqual(expect.objectContaining(wanted))
    expect(found.find(({ what }) => what === 'retention.ms')?.help).toContain('kafka-configs --alter')
    expect(failed).toBe(true)
    const told = await new Promise<readonly TopicDifference[]>((resolve, reject) => {
      const topics = topicManifest({ eventsPartitions: 2 })
      const opening = openKafkaBus({
        brokers: kafka.brokers,
        clientId: 'c',
        topicPrefix: PREFIX,
        topics,
        ensureTopics: false,
        onDrift: resolve,
      })
      opening.then((bus) => setTimeout(() => void bus.close(), 5_000).unref(), reject)
    })
    expect(told).toContainEqual(expect.objectContaining(wanted))
    await baton('--create')
    expect(await diff()).toEqual(found)
  })

  it('refuses more replicas than there are brokers, before anything is made', async () => {
    process.env['BATON_TOPIC_PREFIX'] = 'many.'
    process.env['KAFKA_REPLICATION'] = '3'
    await expect(baton('--create')).rejects.toMatchObject({ code: 'config.invalid', message: expect.stringContaining('3 replicas') })
    delete process.env['KAFKA_REPLICATION']
    expect((await diff()).every(({ what }) => what === 'missing')).toBe(true)
    process.env['BATON_TOPIC_PREFIX'] = PREFIX
  })

  describe('without a cluster', () => {
    it('prints rules, their commands and the resources of Strimzi for this installation', async () => {
      expect(await baton('--acls', '--commands', '--users', 'b-')).toContain('--allow-principal User:b-models --operation Read')
      expect(JSON.parse(await baton('--acls', '--json'))).toContainEqual(
        expect.objectContaining({ user: 'baton-hitl', name: 'cmd.baton.journal', operations: ['Write', 'Describe', 'DescribeConfigs'] }),
      )
      expect(await baton('--strimzi', 'prod')).toMatch(
        /topicName: cmd\.baton\.journal[\s\S]*retention\.ms: "2592000000"[\s\S]*kind: KafkaUser/,
      )
    })
  })
})
