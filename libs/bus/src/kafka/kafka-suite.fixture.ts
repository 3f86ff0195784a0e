// What the suites of the Kafka adapter share: topics, records, and one bus a test on topics of its own.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TopicSpec } from '@baton/contracts/topics'
import { describeWithKafka } from '@baton/testing/suite'
import type { KafkaSuite } from '@baton/testing/suite'
import { afterEach, describe } from '@jest/globals'
import kafkajs from 'kafkajs'
import type { Admin, Kafka } from 'kafkajs'
import type { Bus, BusRecord, LanesOptions, OutgoingRecord } from '../bus.ts'
import type { KafkaBusOptions, KafkaClient } from './kafka-bus.ts'
import { openKafkaBus } from './open-kafka-bus.ts'

export const TIMEOUT_MS = 60_000
/** A broker needs five seconds on an idle machine and a minute where everybody starts one. */
export const RESTART_TIMEOUT_MS = 180_000

export const topic = (name: string, partitions: number, more: Partial<TopicSpec> = {}): TopicSpec => ({
  name,
  partitions,
  retentionMs: 86_400_000,
  compacted: false,
  logAppendTime: true,
  about: 'suite',
  ...more,
})
export const WORK = topic('work', 4)
export const LOG = topic('log', 2)
export const DEAD = topic('dlt', 1)
export const TABLE = topic('table', 1, { compacted: true })
export const TOPICS = [WORK, LOG, DEAD, TABLE]
export const RETRY: LanesOptions['retry'] = { laneAttemptsMax: 1, laneDelayMs: 1, retryTopics: [], deadLetterTopic: DEAD.name }

/** Records whose value is their number. */
export const numbered = (
  to: TopicSpec,
  count: number,
  more: (n: number) => Partial<OutgoingRecord> = () => ({}),
): readonly OutgoingRecord[] =>
  Array.from({ length: count }, (_, n) => ({ topic: to.name, key: `k${n % 20}`, value: Buffer.from(String(n)), headers: {}, ...more(n) }))
export const numberOf = ({ value }: BusRecord): number => Number(value.toString())
export const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n)
export const sorted = (numbers: Iterable<number>): readonly number[] => [...numbers].toSorted((a, b) => a - b)

/** Waits until it is true; the test's own timeout ends it. */
export const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await sleep(10)
}

const CLIENTS: readonly KafkaClient[] = ['kafkajs', 'platformatic']

/** A broker, and the client library through which buses reach it. */
export type ClientSuite = KafkaSuite & { readonly client: KafkaClient }

/** The suite once for each client library, on one broker. */
export const describeWithEachClient = (name: string, define: (kafka: ClientSuite) => void): void => {
  describeWithKafka(name, (kafka) => {
    describe.each(CLIENTS)('through %s', (client) => {
      define({
        client,
        owned: kafka.owned,
        get brokers() {
          return kafka.brokers
        },
        get server() {
          return kafka.server
        },
      })
    })
  })
}

/** Buses on topics with a prefix of their own, closed after each test. */
export const busesOn = (kafka: KafkaSuite & { readonly client?: KafkaClient }) => {
  const buses: Bus[] = []
  afterEach(async () => {
    await Promise.all(buses.splice(0).map((bus) => bus.close()))
  }, TIMEOUT_MS)

  const client = (): Kafka => new kafkajs.Kafka({ brokers: [...kafka.brokers], clientId: 'operator', logLevel: kafkajs.logLevel.NOTHING })
  const asAdmin = async <T>(work: (admin: Admin) => Promise<T>): Promise<T> => {
    const admin = client().admin()
    await admin.connect()
    try {
      return await work(admin)
    } finally {
      await admin.disconnect()
    }
  }
  const open = (topicPrefix: string, topics: readonly TopicSpec[], more: Partial<KafkaBusOptions> = {}): Promise<Bus> =>
    openKafkaBus({
      brokers: kafka.brokers,
      client: kafka.client ?? 'kafkajs',
      clientId: 'baton-test',
      topicPrefix,
      topics,
      ensureTopics: true,
      ...more,
    })
  const newPrefix = (): string => `t${randomUUID().slice(0, 8)}.`
  return {
    newPrefix,
    client,
    asAdmin,
    /** A bus that the test closes itself. */
    open,
    start: async (topicPrefix = newPrefix(), more: Partial<KafkaBusOptions> = {}): Promise<{ bus: Bus; prefix: string }> => {
      const bus = await open(topicPrefix, TOPICS, more)
      buses.push(bus)
      return { bus, prefix: topicPrefix }
    },
    /** Removes what partition 0 holds before the offset, as retention does. */
    cutBefore: (wireTopic: string, offset: number): Promise<void> =>
      asAdmin(async (admin) => {
        await admin.fetchTopicOffsets(wireTopic) // Or kafkajs does not know who leads the partition.
        await admin.deleteTopicRecords({ topic: wireTopic, partitions: [{ partition: 0, offset: String(offset) }] })
      }),
  }
}
