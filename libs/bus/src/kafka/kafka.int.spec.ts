// The Kafka adapter on a real broker: the contract of every bus, topics, producing, and clients of another make.
import { foreignConsume, foreignProduce } from '@baton/testing/servers'
import { describe, expect, it } from '@jest/globals'
import kafkajs from 'kafkajs'
import type { BusRecord } from '../bus.ts'
import { busContract } from '../contract.ts'
import {
  busesOn,
  describeWithEachClient,
  LOG,
  numbered,
  numberOf,
  RETRY,
  TIMEOUT_MS,
  topic,
  TOPICS,
  until,
  upTo,
  WORK,
} from './kafka-suite.fixture.ts'

describeWithEachClient('Kafka', (kafka) => {
  const { asAdmin, newPrefix, open, start } = busesOn(kafka)

  busContract({
    name: `Kafka through ${kafka.client}`,
    retryDelayMs: 300,
    timeoutMs: 30_000,
    open: async (topics) => {
      const prefix = newPrefix()
      return { bus: await open(prefix, topics), reopen: () => open(prefix, topics) }
    },
  })

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
        const bus = await open(prefix, [own])
        await bus.close()
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
    'M1: what a call resolves with can be read at once',
    async () => {
      const { bus } = await start()
      const [position] = await bus.publish([{ topic: LOG.name, key: 'k', value: Buffer.from('7'), headers: {} }])
      const { partition = -1, offset = -1 } = position ?? {}
      expect((await bus.read({ topic: LOG.name, partition, offset, limit: 1 })).map(numberOf)).toEqual([7])
    },
    TIMEOUT_MS,
  )

  it(
    'M3: far more than the broker takes at once is sent in parts and in order; one record above the limit is refused',
    async () => {
      const { bus } = await start()
      const kilobyte = (n: number): Buffer => Buffer.from(String(n).padEnd(1_024, ' '))
      const positions = await bus.publish(numbered(LOG, 3_000, (n) => ({ partition: 0, value: kilobyte(n) })))
      expect(positions.map(({ offset }) => offset)).toEqual(upTo(3_000))
      const large = { topic: LOG.name, key: 'k', partition: 0, headers: {} }
      await expect(bus.publish([{ ...large, value: Buffer.alloc(900_000) }])).resolves.toEqual([{ partition: 0, offset: 3_000 }])
      await expect(bus.publish([{ ...large, value: Buffer.alloc(1_100_000) }])).rejects.toMatchObject({ code: 'request.too_large' })
    },
    TIMEOUT_MS,
  )

  it(
    'M4: more than may wait is refused, and what waits is sent',
    async () => {
      const { bus } = await start(newPrefix(), { publishBufferBytesMax: 50_000 })
      const half = (): Promise<unknown> => bus.publish([{ topic: LOG.name, key: 'k', value: Buffer.alloc(30_000), headers: {} }])
      const first = half()
      await expect(half()).rejects.toMatchObject({ code: 'bus.unavailable' })
      await first
      await half()
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
})
