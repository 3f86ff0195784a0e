// Who gets which partitions of a group, on a real broker.
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { expect, it } from '@jest/globals'
import type { Bus, LaneConsumer, LanesOptions } from '../bus.ts'
import type { KafkaClient } from './kafka-bus.ts'
import {
  busesOn,
  describeWithEachClient,
  numbered,
  numberOf,
  RETRY,
  TIMEOUT_MS,
  TOPICS,
  topic,
  until,
  WORK,
} from './kafka-suite.fixture.ts'

const BESIDE = topic('beside', WORK.partitions)
const OTHER: Readonly<Record<KafkaClient, KafkaClient>> = { kafkajs: 'platformatic', platformatic: 'kafkajs' }

describeWithEachClient('Partitions of a group on Kafka', (kafka) => {
  const { newPrefix, open, client } = busesOn(kafka)

  const seats = () => {
    const at = new Map<string, string>()
    const doubted: string[] = []
    const options = (name: string): LanesOptions => ({
      group: 'g',
      topics: [WORK.name, BESIDE.name],
      retry: RETRY,
      handler: async (record, { signal }) => {
        const place = `${record.topic}/${record.partition}`
        if (signal.aborted) doubted.push(place)
        at.set(place, name)
        return { outcome: 'ack' }
      },
    })
    const asked = async (bus: Bus): Promise<ReadonlyMap<string, string>> => {
      at.clear()
      for (const one of [WORK, BESIDE]) await bus.publish(numbered(one, WORK.partitions, (partition) => ({ partition })))
      await until(() => at.size === 2 * WORK.partitions)
      return new Map(at)
    }
    return { options, asked }
  }
  const numbersOf = (at: ReadonlyMap<string, string>, name: string, of: string): readonly string[] =>
    [...at]
      .filter(([place, who]) => who === name && place.startsWith(`${of}/`))
      .map(([place]) => place.split('/')[1] ?? '')
      .toSorted()
  const partitionsOf = async (members: readonly LaneConsumer[], wanted: readonly number[]): Promise<void> =>
    until(() => members.every((member, nth) => member.stats().partitions === wanted[nth]))

  it(
    'C1, C3: of topics with as many partitions one number goes to one member, also of the other library, and stays when a third one comes',
    async () => {
      const prefix = newPrefix()
      const buses = await Promise.all(
        [kafka.client, OTHER[kafka.client], kafka.client].map((one) => open(prefix, [...TOPICS, BESIDE], { client: one })),
      )
      const [one, two, three] = buses
      if (one === undefined || two === undefined || three === undefined) throw new Error('no bus')
      const { options, asked } = seats()
      const first = await one.lanes(options('first'))
      const second = await two.lanes(options('second'))
      await partitionsOf([first, second], [4, 4])
      const before = await asked(one)
      for (const name of ['first', 'second']) {
        expect(numbersOf(before, name, WORK.name)).toHaveLength(2)
        expect(numbersOf(before, name, BESIDE.name)).toEqual(numbersOf(before, name, WORK.name))
      }
      const third = await three.lanes(options('third'))
      await until(() => third.stats().partitions === 2 && first.stats().partitions + second.stats().partitions === 6)
      const after = await asked(one)
      expect([...after].filter(([place, who]) => who !== 'third' && before.get(place) !== who)).toEqual([])
      await Promise.all(buses.map((bus) => bus.close()))
    },
    TIMEOUT_MS,
  )

  it(
    'a member that knows only the rule of before is dealt with by that rule: an installation is updated by a rolling restart',
    async () => {
      const prefix = newPrefix()
      const bus = await open(prefix, [...TOPICS, BESIDE])
      const lanes = await bus.lanes(seats().options('ours'))
      await partitionsOf([lanes], [8])
      const old = client().consumer({ groupId: `${prefix}g`, partitionAssigners: [kafkajs.PartitionAssigners.roundRobin] })
      await old.connect()
      await old.subscribe({ topics: [`${prefix}${WORK.name}`, `${prefix}${BESIDE.name}`] })
      await old.run({ eachMessage: async () => undefined })
      await partitionsOf([lanes], [4])
      await old.disconnect()
      await partitionsOf([lanes], [8])
      expect(lanes.stats().ownershipChanges).toBeGreaterThanOrEqual(8 + 4 + 4)
      await bus.close()
    },
    TIMEOUT_MS,
  )

  it(
    'K6: what runs when a member comes ends where it is, and nobody does it again',
    async () => {
      const prefix = newPrefix()
      const buses = await Promise.all([kafka.client, kafka.client].map((one) => open(prefix, [...TOPICS, BESIDE], { client: one })))
      const [one, two] = buses
      if (one === undefined || two === undefined) throw new Error('no bus')
      const begun = new Map<number, string[]>()
      const aborted: number[] = []
      const member = (name: string): LanesOptions => ({
        group: 'g',
        topics: [WORK.name],
        retry: RETRY,
        concurrencyMax: 16,
        handler: async (record, { signal }) => {
          begun.set(numberOf(record), [...(begun.get(numberOf(record)) ?? []), name])
          await sleep(200)
          if (signal.aborted) aborted.push(numberOf(record))
          return { outcome: 'ack' }
        },
      })
      await one.publish(numbered(WORK, 400, (n) => ({ key: `k${n}`, partition: n % WORK.partitions })))
      const first = await one.lanes(member('first'))
      await until(() => begun.size > 40)
      const second = await two.lanes(member('second'))
      await until(() => first.stats().settled + second.stats().settled === 400)
      expect([...begun.values()].filter((names) => names.length > 1)).toEqual([])
      expect(aborted).toEqual([])
      expect([...begun.values()].filter(([name]) => name === 'second').length).toBeGreaterThan(0)
      await Promise.all(buses.map((bus) => bus.close()))
    },
    TIMEOUT_MS,
  )
})
