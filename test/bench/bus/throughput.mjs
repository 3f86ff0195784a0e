// Handlers of 5 ms, 1,000 keys, 8 partitions, a backlog: lanes beside kafkajs eachMessage, once as it comes and once on all partitions at a time.
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { median } from '../figures.mjs'
import { ACK, openBus, publishAll, range, RETRY, topic, until } from './topics.mjs'

const PARTITIONS = 8
const KEYS = 1_000
const HANDLER_MS = 5
const WARM_UP = 0.2

/** Messages a second between the first fifth of the messages and the last. */
const rateOf = (count) => {
  let [seen, begunAt, endedAt] = [0, 0, 0]
  return {
    seen: () => {
      seen += 1
      if (seen === Math.floor(count * WARM_UP)) begunAt = performance.now()
      if (seen === count) endedAt = performance.now()
    },
    isDone: () => seen >= count,
    perSecond: () => (count * (1 - WARM_UP) * 1_000) / (endedAt - begunAt),
  }
}

const lanes = async (bus, group, count) => {
  const rate = rateOf(count)
  const handler = async () => {
    await sleep(HANDLER_MS)
    rate.seen()
    return ACK
  }
  const consumer = await bus.lanes({ group, topics: ['work'], handler, retry: RETRY, concurrencyMax: KEYS })
  await until(rate.isDone)
  await consumer.close({ graceMs: 1_000 })
  return rate.perSecond()
}

const plain = async ({ brokers, wireTopic, group, count, partitionsConsumedConcurrently }) => {
  const kafka = new kafkajs.Kafka({ brokers: [...brokers], clientId: 'plain', logLevel: kafkajs.logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: group })
  const rate = rateOf(count)
  await consumer.connect()
  await consumer.subscribe({ topics: [wireTopic], fromBeginning: true })
  const eachMessage = async () => {
    await sleep(HANDLER_MS)
    rate.seen()
  }
  await consumer.run({ eachMessage, partitionsConsumedConcurrently })
  await until(rate.isDone)
  await consumer.disconnect()
  return rate.perSecond()
}

export const throughput = async (brokers, { rounds }) => {
  const count = 120_000
  const { bus, prefix } = await openBus(brokers, [topic('work', PARTITIONS)])
  await publishAll(bus, count, (n) => ({ topic: 'work', key: `k${n % KEYS}`, value: Buffer.alloc(100), headers: {} }))
  const wireTopic = `${prefix}work`
  const results = []
  for (let round = 0; round < rounds; round += 1) {
    const one = await plain({ brokers, wireTopic, group: `${prefix}one${round}`, count: 1_000, partitionsConsumedConcurrently: 1 })
    const fast = await lanes(bus, `lanes${round}`, count)
    const all = await plain({ brokers, wireTopic, group: `${prefix}all${round}`, count: 4_000, partitionsConsumedConcurrently: PARTITIONS })
    results.push({ one, fast, all })
  }
  await bus.close()
  const of = (key) => median(results.map((result) => result[key]))
  const ratios = results.map(({ fast, one }) => fast / one)
  const ratio = median(ratios)
  const allRatios = results.map(({ fast, all }) => fast / all)
  const againstAll = median(allRatios)
  return [
    { what: 'plain kafkajs eachMessage', value: `${of('one').toFixed(0)} msg/s` },
    { what: `plain kafkajs, ${PARTITIONS} partitions at a time`, value: `${of('all').toFixed(0)} msg/s` },
    { what: `lanes, ${KEYS} keys`, value: `${of('fast').toFixed(0)} msg/s` },
    { what: 'lanes / plain', value: `${ratio.toFixed(1)} times ${range(ratios, 1)}`, goal: '>= 30', met: ratio >= 30 },
    {
      what: `lanes / plain on ${PARTITIONS} partitions at a time`,
      value: `${againstAll.toFixed(1)} times ${range(allRatios, 1)}`,
      goal: '>= 30',
      met: againstAll >= 30,
    },
  ]
}
