// A broker with two doors: one for who publishes, one behind a proxy that can swallow everything for who consumes.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openKafkaBus } from '@baton/bus'
import { startKafka } from '@baton/testing/servers'
import { openProxy } from '../takeover-network.mjs'

const RETRIES = { 'retry.1s': 1_000, 'retry.5s': 5_000, 'retry.30s': 30_000 }
export const DEAD = 'dlt'
export const PARTITIONS = 6

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

const topic = (name, partitions) => ({ name, partitions, retentionMs: 3_600_000, compacted: false, logAppendTime: true, about: 'proof' })
const TOPICS = [topic('work', PARTITIONS), ...Object.keys(RETRIES).map((name) => topic(name, 3)), topic(DEAD, 1)]

export const openWorld = async (dir) => {
  const [port, controllerPort, behindPort, proxyPort] = [await freePort(), await freePort(), await freePort(), await freePort()]
  const kafka = await startKafka({
    dir: join(dir, 'kafka'),
    port,
    extra: {
      'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
      listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort},BEHIND://127.0.0.1:${behindPort}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},BEHIND://127.0.0.1:${proxyPort}`,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,BEHIND:PLAINTEXT',
    },
  })
  const proxy = await openProxy({ port: proxyPort, to: { host: '127.0.0.1', port: behindPort } })
  const open = (broker, topicPrefix) =>
    openKafkaBus({ brokers: [broker], clientId: 'proof', topicPrefix, topics: TOPICS, ensureTopics: true, publishTimeoutMs: 120_000 })
  return {
    kafka,
    proxy,
    /** A publisher and a consumer on topics of their own; `handle` says what becomes of a message, the ledger counts. */
    stage: async (handle = () => ({ outcome: 'ack' }), more = {}) => {
      const prefix = `p${randomUUID().slice(0, 8)}.`
      const publisher = await open(kafka.brokers[0], prefix)
      const consumer = await open(`127.0.0.1:${proxyPort}`, prefix)
      const ledger = { published: new Set(), handled: new Map(), refused: 0, lastAtMs: 0, gaps: [], order: new Map(), disorder: 0 }
      const handler = async (record, delivery) => {
        const settlement = await Promise.resolve(handle(record, delivery))
        if (settlement.outcome === 'ack') note(ledger, record)
        return settlement
      }
      const lanes = await consumer.lanes({
        group: 'proof',
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
      const close = async () => {
        await Promise.all([consumer.close(), publisher.close()])
      }
      return { ledger, lanes, publish, publisher, close }
    },
    stop: async () => {
      proxy.close()
      await kafka.stop()
    },
  }
}

const note = (ledger, { key, headers }) => {
  const id = headers['ce_id']
  const now = performance.now()
  if (ledger.lastAtMs > 0) ledger.gaps.push({ fromMs: ledger.lastAtMs, toMs: now })
  ledger.lastAtMs = now
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
