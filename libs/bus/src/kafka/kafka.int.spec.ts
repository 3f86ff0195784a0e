// The Kafka adapter on a real broker: the contract of every bus, and what only a cluster can do to it.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { FaultData } from '@baton/contracts/fault'
import type { TopicSpec } from '@baton/contracts/topics'
import { foreignConsume, foreignProduce } from '@baton/testing/servers'
import { describeWithKafka } from '@baton/testing/suite'
import { afterEach, describe, expect, it } from '@jest/globals'
import kafkajs from 'kafkajs'
import type { Admin } from 'kafkajs'
import type { Bus, BusRecord, LanesOptions, OutgoingRecord } from '../bus.ts'
import { busContract } from '../contract.ts'
import type { KafkaBusOptions } from './kafka-bus.ts'
import { openKafkaBus } from './open-kafka-bus.ts'

const TIMEOUT_MS = 60_000
// A broker needs five seconds on an idle machine and a minute where everybody starts one.
const RESTART_TIMEOUT_MS = 180_000
const topic = (name: string, partitions: number, more: Partial<TopicSpec> = {}): TopicSpec => ({
  name,
  partitions,
  retentionMs: 86_400_000,
  compacted: false,
  logAppendTime: true,
  about: 'suite',
  ...more,
})
const WORK = topic('work', 4)
const LOG = topic('log', 2)
const DEAD = topic('dlt', 1)
const TABLE = topic('table', 1, { compacted: true })
const TOPICS = [WORK, LOG, DEAD, TABLE]
const RETRY: LanesOptions['retry'] = { laneAttemptsMax: 1, laneDelayMs: 1, retryTopics: [], deadLetterTopic: DEAD.name }

const numbered = (to: TopicSpec, count: number, more: (n: number) => Partial<OutgoingRecord> = () => ({})): readonly OutgoingRecord[] =>
  Array.from({ length: count }, (_, n) => ({ topic: to.name, key: `k${n % 20}`, value: Buffer.from(String(n)), headers: {}, ...more(n) }))
const numberOf = ({ value }: BusRecord): number => Number(value.toString())
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n)
const sorted = (numbers: Iterable<number>): readonly number[] => [...numbers].toSorted((a, b) => a - b)
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await sleep(10)
}

describeWithKafka('Kafka', (kafka) => {
  const newPrefix = (): string => `t${randomUUID().slice(0, 8)}.`
  const open = (topicPrefix: string, topics: readonly TopicSpec[], more: Partial<KafkaBusOptions> = {}): Promise<Bus> =>
    openKafkaBus({ brokers: kafka.brokers, clientId: 'baton-test', topicPrefix, topics, ensureTopics: true, ...more })

  busContract({
    name: 'Kafka',
    retryDelayMs: 300,
    timeoutMs: 30_000,
    open: async (topics) => {
      const prefix = newPrefix()
      return { bus: await open(prefix, topics), reopen: () => open(prefix, topics) }
    },
  })

  const buses: Bus[] = []
  const start = async (topicPrefix = newPrefix(), more: Partial<KafkaBusOptions> = {}): Promise<{ bus: Bus; prefix: string }> => {
    const bus = await open(topicPrefix, TOPICS, more)
    buses.push(bus)
    return { bus, prefix: topicPrefix }
  }
  const asAdmin = async <T>(work: (admin: Admin) => Promise<T>): Promise<T> => {
    const admin = new kafkajs.Kafka({ brokers: [...kafka.brokers], clientId: 'operator', logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
    try {
      return await work(admin)
    } finally {
      await admin.disconnect()
    }
  }
  const cutBefore = (wireTopic: string, offset: number): Promise<void> =>
    asAdmin(async (admin) => {
      await admin.fetchTopicOffsets(wireTopic) // Or kafkajs does not know who leads the partition.
      await admin.deleteTopicRecords({ topic: wireTopic, partitions: [{ partition: 0, offset: String(offset) }] })
    })
  afterEach(async () => {
    await Promise.all(buses.splice(0).map((bus) => bus.close()))
  }, TIMEOUT_MS)

  describe('topics', () => {
    it(
      'T1: a missing topic is named, and so is one that nobody declared',
      async () => {
        const prefix = newPrefix()
        await expect(open(prefix, TOPICS, { ensureTopics: false })).rejects.toMatchObject({
          code: 'config.invalid',
          message: expect.stringContaining(`${prefix}work`),
        })
        const { bus } = await start()
        await expect(bus.publish([{ topic: 'nobody', key: 'k', value: Buffer.from('x'), headers: {} }])).rejects.toMatchObject({
          code: 'config.invalid',
        })
      },
      TIMEOUT_MS,
    )

    it(
      'T2: another number of partitions is refused and both numbers are named',
      async () => {
        const { prefix } = await start()
        const wanted = [topic('work', 7)]
        await expect(open(prefix, wanted)).rejects.toMatchObject({
          code: 'config.invalid',
          detail: { topic: `${prefix}work`, partitions: 4, wanted: 7 },
        })
      },
      TIMEOUT_MS,
    )

    it(
      "T2: a topic with the sender's clock is refused where the broker's is needed",
      async () => {
        const prefix = newPrefix()
        const own = topic('work', 1, { logAppendTime: false })
        buses.push(await open(prefix, [own]))
        await expect(open(prefix, [{ ...own, logAppendTime: true }])).rejects.toMatchObject({
          code: 'config.invalid',
          detail: { topics: `${prefix}work` },
        })
      },
      TIMEOUT_MS,
    )

    it(
      'are made as the manifest says, with a write to disk for each batch where asked',
      async () => {
        const { prefix } = await start(newPrefix(), { flushEveryBatch: true })
        const names = ['flush.messages', 'message.timestamp.type', 'cleanup.policy']
        const type = kafkajs.ConfigResourceTypes.TOPIC
        const { resources } = await asAdmin((admin) =>
          admin.describeConfigs({
            includeSynonyms: false,
            resources: [`${prefix}log`, `${prefix}table`].map((name) => ({ type, name, configNames: names })),
          }),
        )
        const settings = resources.map(({ configEntries }) =>
          Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue])),
        )
        expect(settings).toEqual([
          { 'flush.messages': '1', 'message.timestamp.type': 'LogAppendTime', 'cleanup.policy': 'delete' },
          { 'flush.messages': '1', 'message.timestamp.type': 'LogAppendTime', 'cleanup.policy': 'compact' },
        ])
      },
      TIMEOUT_MS,
    )

    it(
      'a topic made again has another id',
      async () => {
        const { bus, prefix } = await start()
        const before = await bus.describe(LOG.name)
        await asAdmin((admin) => admin.deleteTopics({ topics: [`${prefix}log`] }))
        const again = await start(prefix)
        const after = await again.bus.describe(LOG.name)
        expect(after.topicId).not.toBe(before.topicId)
        expect((await again.bus.describe(LOG.name)).topicId).toBe(after.topicId)
      },
      TIMEOUT_MS,
    )
  })

  it(
    'M2: calls that overlap keep their order in each partition',
    async () => {
      const { bus } = await start()
      const calls = numbered(LOG, 3_000).map((record) => bus.publish([record]))
      const positions = (await Promise.all(calls)).flat()
      for (const partition of [0, 1]) {
        const offsets = positions.filter((position) => position.partition === partition).map(({ offset }) => offset)
        expect(offsets).toEqual(upTo(offsets.length))
      }
    },
    TIMEOUT_MS,
  )

  it(
    'A1: a client of another make writes what lanes handle and reads what the bus published, headers included',
    async () => {
      const { bus, prefix } = await start()
      const seen: BusRecord[] = []
      await bus.lanes({
        group: 'g',
        topics: [WORK.name],
        retry: RETRY,
        handler: async (record) => {
          seen.push(record)
          return { outcome: 'ack' }
        },
      })
      const record = { key: 'order-4711', value: '{"id":"order-4711"}', headers: { ce_id: '1', 'content-type': 'application/json' } }
      await foreignProduce({ brokers: kafka.brokers, topic: `${prefix}work` }, [record])
      await until(() => seen.length === 1)
      expect(seen.map(({ key, value, headers }) => ({ key, value: value.toString(), headers }))).toEqual([record])
      const [position] = await bus.publish([{ ...record, topic: LOG.name, value: Buffer.from(record.value) }])
      expect(await foreignConsume({ brokers: kafka.brokers, topic: `${prefix}log` }, 1)).toEqual([{ ...record, ...position }])
    },
    TIMEOUT_MS,
  )

  it(
    'B5: what a foreign transaction leaves in the log is no gap; what it took back is not seen',
    async () => {
      const { bus, prefix } = await start()
      const client = new kafkajs.Kafka({ brokers: [...kafka.brokers], clientId: 'foreign', logLevel: kafkajs.logLevel.NOTHING })
      const producer = client.producer({ transactionalId: prefix, idempotent: true, maxInFlightRequests: 1 })
      await producer.connect()
      const send = async (value: string, end: 'commit' | 'abort'): Promise<void> => {
        const transaction = await producer.transaction()
        await transaction.send({ topic: `${prefix}log`, messages: [{ key: 'k', value, partition: 0 }] })
        await transaction[end]()
      }
      const seen: number[] = []
      const faults: FaultData[] = []
      const reader = await bus.log({
        topic: LOG.name,
        onBatch: (_, records) => void seen.push(...records.map(numberOf)),
        onFault: (_, fault) => faults.push(fault),
      })
      await reader.seek(0, 0)
      await send('0', 'commit')
      await send('99', 'abort')
      await send('1', 'commit')
      await bus.publish([{ topic: LOG.name, key: 'k', partition: 0, value: Buffer.from('2'), headers: {} }])
      await until(() => seen.length >= 3)
      expect([seen, faults]).toEqual([[0, 1, 2], []])
      await producer.disconnect()
    },
    TIMEOUT_MS,
  )

  it(
    'F4: a log cut behind its reader is log.truncated; F3: other partitions go on',
    async () => {
      const { bus, prefix } = await start()
      await bus.publish(numbered(LOG, 20, () => ({ partition: 0 })))
      const faults: [number, FaultData][] = []
      const seen: number[] = []
      let release = (): void => {}
      const opened = new Promise<void>((resolve) => (release = resolve))
      const reader = await bus.log({
        topic: LOG.name,
        onBatch: async (partition, records) => {
          if (partition === 1) seen.push(...records.map(numberOf))
          else await opened
        },
        onFault: (partition, fault) => faults.push([partition, fault]),
      })
      await reader.seek(0, 0)
      await reader.seek(1, 0)
      await cutBefore(`${prefix}log`, 20)
      await reader.seek(0, 3)
      await bus.publish(numbered(LOG, 3, () => ({ partition: 1 })))
      await until(() => seen.length === 3)
      expect(faults).toMatchObject([[0, { code: 'log.truncated', detail: { first: 20, next: 20, position: 3 } }]])
      release()
    },
    TIMEOUT_MS,
  )

  it(
    'K3: lanes whose stored position is gone go on with what the log holds',
    async () => {
      const { bus, prefix } = await start()
      const seen: number[] = []
      const options: LanesOptions = {
        group: 'g',
        topics: [WORK.name],
        retry: RETRY,
        handler: async (record) => {
          seen.push(numberOf(record))
          return { outcome: 'ack' }
        },
      }
      const first = await bus.lanes(options)
      await bus.publish(numbered(WORK, 5, () => ({ partition: 0 })))
      await until(() => seen.length === 5)
      await first.close({ graceMs: 1_000 })
      await bus.publish(numbered(WORK, 10, (n) => ({ partition: 0, value: Buffer.from(String(5 + n)) })))
      await cutBefore(`${prefix}work`, 12)
      await bus.lanes(options)
      await until(() => seen.includes(14))
      expect(seen).toEqual([0, 1, 2, 3, 4, 12, 13, 14])
    },
    TIMEOUT_MS,
  )

  it(
    'B2, B3: members come and go under load: every message is settled, and no key is handled by two at once afterwards',
    async () => {
      const { bus, prefix } = await start()
      const { bus: other } = await start(prefix)
      const settled = new Set<number>()
      const running = new Map<string, number>()
      let overlaps = 0
      const member = (name: string): LanesOptions => ({
        group: 'g',
        topics: [WORK.name],
        retry: RETRY,
        handler: async (record, { signal }) => {
          const now = (running.get(record.key) ?? 0) + 1
          running.set(record.key, now)
          if (now > 1) overlaps++
          await sleep(2, undefined, { signal }).catch(() => undefined)
          running.set(record.key, (running.get(record.key) ?? 1) - 1)
          if (!signal.aborted) handled.set(name, (handled.get(name) ?? 0) + 1)
          if (!signal.aborted) settled.add(numberOf(record))
          return { outcome: 'ack' }
        },
      })
      const handled = new Map<string, number>()
      const publish = async (from: number, count: number): Promise<void> => {
        await bus.publish(numbered(WORK, count, (n) => ({ key: `k${(from + n) % 97}`, value: Buffer.from(String(from + n)) })))
      }
      const one = await bus.lanes(member('one'))
      await publish(0, 1_000)
      const two = await other.lanes(member('two'))
      await publish(1_000, 1_000)
      await until(() => settled.size === 2_000)
      overlaps = 0
      handled.clear()
      await publish(2_000, 1_000)
      await until(() => settled.size === 3_000)
      expect(overlaps).toBe(0)
      expect([...handled.keys()].toSorted()).toEqual(['one', 'two'])
      await one.close({ graceMs: 1_000 })
      await publish(3_000, 1_000)
      await until(() => settled.size === 4_000)
      expect(sorted(settled)).toEqual(upTo(4_000))
      await two.close({ graceMs: 1_000 })
    },
    TIMEOUT_MS,
  )

  it(
    'B3: what a killed process had begun is done by another member',
    async () => {
      const { bus, prefix } = await start(newPrefix(), { sessionTimeoutMs: 2_000 })
      await bus.publish(numbered(WORK, 40))
      const fixture = fileURLToPath(new URL('./lane-member.fixture.ts', import.meta.url))
      const victim = spawn(
        process.execPath,
        ['--conditions=@baton/source', fixture, kafka.brokers.join(','), prefix, 'g', WORK.name, DEAD.name],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      )
      const begun: string[] = []
      createInterface(victim.stdout).on('line', (key) => begun.push(key))
      await until(() => begun.length >= 10)
      victim.kill('SIGKILL')
      const settled = new Set<number>()
      await bus.lanes({
        group: 'g',
        topics: [WORK.name],
        retry: RETRY,
        handler: async (record) => {
          settled.add(numberOf(record))
          return { outcome: 'ack' }
        },
      })
      await until(() => settled.size === 40)
      expect(sorted(settled)).toEqual(upTo(40))
    },
    TIMEOUT_MS,
  )

  const restartable = kafka.owned ? describe : describe.skip
  restartable('a broker that stops and starts', () => {
    it(
      'F5, G2: loses nothing: publishes, lanes, log and table go on',
      async () => {
        const { bus } = await start(newPrefix(), { publishTimeoutMs: RESTART_TIMEOUT_MS })
        const lanes = new Set<number>()
        const log: number[] = []
        const rows = new Map<string, string>()
        await bus.lanes({
          group: 'g',
          topics: [WORK.name],
          retry: RETRY,
          handler: async (record) => {
            lanes.add(numberOf(record))
            return { outcome: 'ack' }
          },
        })
        const reader = await bus.log({
          topic: LOG.name,
          onBatch: (_, records) => void log.push(...records.map(numberOf)),
          onFault: () => undefined,
        })
        await reader.seek(0, 0)
        await bus.table({ topic: TABLE.name, onRecord: ({ key, value }) => void rows.set(key, value.toString()) })
        const publish = (n: number): Promise<unknown> =>
          bus.publish([
            { topic: WORK.name, key: `k${n}`, value: Buffer.from(String(n)), headers: {} },
            { topic: LOG.name, partition: 0, key: 'k', value: Buffer.from(String(n)), headers: {} },
            { topic: TABLE.name, key: `k${n}`, value: Buffer.from(String(n)), headers: {} },
          ])
        await publish(0)
        const restarted = kafka.server?.restart()
        const published: Promise<unknown>[] = []
        for (const n of upTo(60).slice(1)) {
          published.push(publish(n))
          await sleep(20)
        }
        await restarted
        await Promise.all(published)
        await until(() => lanes.size === 60 && new Set(log).size === 60 && rows.size === 60)
        expect(sorted(lanes)).toEqual(upTo(60))
        // A request whose answer was lost is sent again: repeats are normal, another order is not.
        expect(log.filter((n, index) => log.indexOf(n) === index)).toEqual(upTo(60))
      },
      RESTART_TIMEOUT_MS,
    )
  })
})
