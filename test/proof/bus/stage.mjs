// What a fault is injected into: a publisher, one or more consumers on topics of their own, and a ledger that counts what became of messages.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { openKafkaBus } from '@baton/bus'

const RETRIES = { 'retry.1s': 1_000, 'retry.5s': 5_000, 'retry.30s': 30_000 }
export const DEAD = 'dlt'
export const PARTITIONS = 6
export const GROUP = 'proof'

const topic = (name, partitions) => ({ name, partitions, retentionMs: 604_800_000, compacted: false, logAppendTime: true, about: 'proof' })
const TOPICS = [topic('work', PARTITIONS), ...Object.keys(RETRIES).map((name) => topic(name, 3)), topic(DEAD, 1)]

/** A bus on the topics of a stage. */
export const openBus = (brokers, topicPrefix, more = {}) =>
  openKafkaBus({ brokers, clientId: 'proof', topicPrefix, topics: TOPICS, ensureTopics: true, publishTimeoutMs: 120_000, ...more })

export const lanesOptions = (handler, more = {}) => ({
  group: GROUP,
  topics: ['work'],
  handler,
  retry: {
    laneAttemptsMax: 2,
    laneDelayMs: 50,
    retryTopics: Object.entries(RETRIES).map(([name, delayMs]) => ({ topic: name, delayMs })),
    deadLetterTopic: DEAD,
  },
  ...more,
})

/** Publishes and counts; who consumes tells the ledger. */
export const openSource = async (brokers) => {
  const prefix = `p${randomUUID().slice(0, 8)}.`
  const publisher = await openBus(brokers, prefix)
  const ledger = {
    published: new Set(),
    handled: new Map(),
    refused: 0,
    lastAtMs: 0,
    gaps: [],
    lastOf: new Map(),
    standstills: [],
    order: new Map(),
    disorder: 0,
  }
  const publish = async (records) => {
    try {
      await publisher.publish(records)
      for (const { headers } of records) ledger.published.add(headers['ce_id'])
    } catch (error) {
      ledger.refused += records.length
      return error
    }
    return undefined
  }
  return { prefix, publisher, ledger, publish }
}

/** A source and one consumer in this process; `handle` says what becomes of a message. */
export const openStage = async ({ publishTo, consumeFrom = publishTo, handle = () => ({ outcome: 'ack' }), more = {} }) => {
  const source = await openSource(publishTo)
  const consumer = await openBus(consumeFrom, source.prefix)
  const handler = async (record, delivery) => {
    const settlement = await Promise.resolve(handle(record, delivery))
    if (settlement.outcome === 'ack') note(source.ledger, record)
    return settlement
  }
  const lanes = await consumer.lanes(lanesOptions(handler, more))
  const close = async () => {
    await Promise.all([consumer.close(), source.publisher.close()])
  }
  return { ...source, lanes, close }
}

/** The longest time that a partition stood still, from a moment on. */
export const standstillFrom = ({ standstills }, fromMs) =>
  standstills.reduce((most, gap) => (gap.toMs > fromMs ? Math.max(most, gap.toMs - Math.max(gap.fromMs, fromMs)) : most), 0)

export const note = (ledger, { key, headers, partition }) => {
  const id = headers['ce_id']
  const now = performance.now()
  if (ledger.lastAtMs > 0) ledger.gaps.push({ fromMs: ledger.lastAtMs, toMs: now })
  ledger.lastAtMs = now
  const before = ledger.lastOf.get(partition)
  if (before !== undefined && now - before > 100) ledger.standstills.push({ fromMs: before, toMs: now })
  ledger.lastOf.set(partition, now)
  const first = !ledger.handled.has(id)
  ledger.handled.set(id, (ledger.handled.get(id) ?? 0) + 1)
  const n = Number(headers['x-n'])
  if (first && n < (ledger.order.get(key) ?? -1)) ledger.disorder += 1
  if (first) ledger.order.set(key, n)
}

export const message = (n, { key = `k${n % 100}`, tenant = 'default', value = Buffer.alloc(100), ...more } = {}) => ({
  topic: 'work',
  key,
  value,
  headers: { ce_id: `${tenant}/${n}`, 'x-n': String(n), ce_tenant: tenant },
  ...more,
})

/** Publishes so many a second until told to stop; resolves when everything is durable or refused. */
export const stream = (publish, perSecond, messageOf) => {
  let stopped = false
  const open = []
  const begun = performance.now()
  const loop = async () => {
    for (let sent = 0; !stopped;) {
      const due = Math.floor(((performance.now() - begun) * perSecond) / 1_000)
      if (due > sent) open.push(publish(Array.from({ length: due - sent }, (_, n) => messageOf(sent + n))))
      sent = Math.max(sent, due)
      await sleep(5)
    }
    await Promise.all(open)
  }
  const done = loop()
  return {
    stop: async () => {
      stopped = true
      await done
    },
  }
}

/** Waits until every durable message was handled, or the time is over. */
export const settle = async ({ published, handled }, timeoutMs = 90_000, gone = 0) => {
  const until = performance.now() + timeoutMs
  while (handled.size < published.size - gone && performance.now() < until) await sleep(20)
  await sleep(500) // Repeats, if any, come now.
}
