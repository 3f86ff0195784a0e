// What an installation relies on while it changes from one client library to the other. The contract itself runs on both in `kafka/*.int.spec.ts`.
import { describeWithKafka } from '@baton/testing/suite'
import { expect, it } from '@jest/globals'
import type { LanesOptions } from '../bus.ts'
import { inspectKafka } from '../kafka/inspect-kafka.ts'
import { busesOn, LOG, numbered, numberOf, RETRY, sorted, TIMEOUT_MS, until, upTo, WORK } from '../kafka/kafka-suite.fixture.ts'

describeWithKafka('Kafka through both libraries at once', (kafka) => {
  const { newPrefix, start } = busesOn(kafka)

  it(
    'J1: one group has members on both: each has a share, every message is settled, and what one leaves the other goes on with',
    async () => {
      const { bus: old, prefix } = await start(newPrefix(), { client: 'kafkajs' })
      const { bus: other } = await start(prefix, { client: 'platformatic' })
      const settled = new Set<number>()
      let shares: Record<string, Set<number>> = {}
      const member = (name: string): LanesOptions => ({
        group: 'g',
        topics: [WORK.name],
        retry: RETRY,
        handler: async (record) => {
          settled.add(numberOf(record))
          ;(shares[name] ??= new Set()).add(record.partition)
          return { outcome: 'ack' }
        },
      })
      const publish = (from: number): Promise<unknown> =>
        old.publish(numbered(WORK, 500, (n) => ({ partition: n % WORK.partitions, value: Buffer.from(String(from + n)) })))
      for (const leader of ['old', 'other'] as const) {
        const [first, second] = leader === 'old' ? [old, other] : [other, old]
        const from = settled.size
        const one = await first.lanes(member('first'))
        const two = await second.lanes(member('second'))
        await until(() => one.stats().watermarkGap === 0)
        shares = {}
        await publish(from)
        await until(() => settled.size === from + 500)
        expect([shares['first']?.size, shares['second']?.size]).toEqual([2, 2])
        await one.close({ graceMs: 1_000 })
        await publish(from + 500)
        await until(() => settled.size === from + 1_000)
        await two.close({ graceMs: 1_000 })
      }
      expect(sorted(settled)).toEqual(upTo(2_000))
    },
    TIMEOUT_MS,
  )

  it(
    'both give a topic the same id, positions and times',
    async () => {
      const { bus: old, prefix } = await start(newPrefix(), { client: 'kafkajs' })
      const { bus: other } = await start(prefix, { client: 'platformatic' })
      await old.publish(numbered(LOG, 20, (n) => ({ headers: { ce_id: String(n), note: 'größer ✓', empty: '' } })))
      await other.publish(numbered(LOG, 20, (n) => ({ headers: { ce_id: String(n), note: 'größer ✓', empty: '' } })))
      expect(await other.describe(LOG.name)).toEqual(await old.describe(LOG.name))
      for (const partition of [0, 1]) {
        const asked = { topic: LOG.name, partition, offset: 3, limit: 100 }
        expect(await other.read(asked)).toEqual(await old.read(asked))
      }
      const [one, two] = await Promise.all(
        (['kafkajs', 'platformatic'] as const).map((client) =>
          inspectKafka({
            connection: { brokers: kafka.brokers, clientId: 'operator', client },
            topics: [`${prefix}${LOG.name}`, `${prefix}nowhere`],
            idOf: `${prefix}${LOG.name}`,
          }),
        ),
      )
      expect(two).toEqual(one)
      expect([one?.topicId, one?.topics.get(`${prefix}${LOG.name}`)?.partitions]).toEqual([
        (await old.describe(LOG.name)).topicId,
        LOG.partitions,
      ])
    },
    TIMEOUT_MS,
  )
})
