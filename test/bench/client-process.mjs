// One Kafka client library under measurement, in a process of its own so that its CPU time is its alone. Driven by `clients.mjs` over IPC.
import { openKafkaBus } from '@baton/bus'

const [client, brokers, topicPrefix] = process.argv.slice(2)
const PAYLOAD = Buffer.alloc(500, 0x61)
// Those of a command, by name and about by size.
const HEADERS = {
  ce_id: '01980f6a-9d2c-7c3e-b1a4-6d0c2f9a7e11',
  ce_type: 'baton.step.invoked.v1',
  ce_source: 'baton/routing',
  ce_specversion: '1.0',
  ce_time: '2026-01-01T00:00:00.000Z',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
}
const RETRY_TOPICS = 5
const LOG = 'log'
const WORK = 'work'
const IN_FLIGHT = 32
const CALL_RECORDS = 50

const topic = (name, partitions, more = {}) => ({
  name,
  partitions,
  retentionMs: 3_600_000,
  compacted: false,
  logAppendTime: true,
  about: 'bench',
  ...more,
})
/** What tracing, routing and gateway read in one process: two groups with their retry topics, the run log, a table. */
const groups = ['one', 'two']
const retryTopics = (group) => Array.from({ length: RETRY_TOPICS }, (_, nth) => `${group}.retry.${nth}`)
const topics = [
  topic(LOG, 3),
  topic(WORK, 3),
  topic('dlt', 1),
  ...groups.flatMap((group) => [topic(group, 3), ...retryTopics(group).map((name) => topic(name, 1))]),
  topic('events', 12),
  topic('table', 1, { compacted: true }),
]
const bus = await openKafkaBus({ client, brokers: brokers.split(','), clientId: client, topicPrefix, topics, ensureTopics: true })

let onRecord = () => {}
const readers = {
  [LOG]: async () => {
    const log = await bus.log({
      topic: LOG,
      onBatch: (_partition, records) => {
        for (let index = 0; index < records.length; index += 1) onRecord()
      },
      onFault: (_partition, fault) => {
        throw new Error(fault.message)
      },
    })
    const { partitions } = await bus.describe(LOG)
    for (const { partition, next } of partitions) await log.seek(partition, next)
  },
  [WORK]: () =>
    bus.lanes({
      group: WORK,
      topics: [WORK],
      retry: { laneAttemptsMax: 1, laneDelayMs: 1, retryTopics: [], deadLetterTopic: 'dlt' },
      handler: async () => {
        onRecord()
        return { outcome: 'ack' }
      },
    }),
}

const record = (to, n) => ({ topic: to, key: `k${n % 1_000}`, headers: HEADERS, value: PAYLOAD })
const cpuUs = () => {
  const { user, system } = process.cpuUsage()
  return user + system
}

const measured = async (messages, work) => {
  const before = cpuUs()
  const begun = performance.now()
  const found = await work()
  return { ...found, seconds: (performance.now() - begun) / 1_000, cpuUsPerMessage: (cpuUs() - before) / messages }
}

const commands = {
  read: async ({ way }) => {
    await readers[way]()
    return {}
  },
  /** One message at a time: publish, and wait until the handler has it and the publish is acknowledged. */
  hop: ({ way, messages }) =>
    measured(messages, async () => {
      const handledMs = []
      for (let n = 0; n < messages; n += 1) {
        const begun = performance.now()
        const handled = new Promise((resolve) => (onRecord = resolve))
        await Promise.all([handled.then(() => handledMs.push(performance.now() - begun)), bus.publish([record(way, n)])])
      }
      return { handledMs }
    }),
  /** As fast as it goes, a bounded number of calls on the way. */
  load: ({ way, messages }) =>
    measured(messages, async () => {
      let read = 0
      const all = new Promise((resolve) => {
        onRecord = () => {
          read += 1
          if (read === messages) resolve()
        }
      })
      let sent = 0
      const sender = async () => {
        while (sent < messages) {
          const from = sent
          sent += CALL_RECORDS
          await bus.publish(Array.from({ length: CALL_RECORDS }, (_, nth) => record(way, from + nth)))
        }
      }
      await Promise.all([all, ...Array.from({ length: IN_FLIGHT }, sender)])
      return {}
    }),
  subscribe: async () => {
    const log = await bus.log({ topic: 'events', onBatch: () => undefined, onFault: () => undefined })
    for (let partition = 0; partition < 12; partition += 1) await log.seek(partition, 0)
    await bus.table({ topic: 'table', onRecord: () => undefined })
    for (const group of groups)
      await bus.lanes({
        group,
        topics: [group],
        handler: async () => ({ outcome: 'ack' }),
        retry: {
          laneAttemptsMax: 1,
          laneDelayMs: 1,
          retryTopics: retryTopics(group).map((name, nth) => ({ topic: name, delayMs: 1_000 * 2 ** nth })),
          deadLetterTopic: 'dlt',
        },
      })
    return {}
  },
  cpu: async () => ({ cpuMs: cpuUs() / 1_000, rssMb: process.memoryUsage().rss / 1_048_576 }),
  close: async () => {
    await bus.close()
    process.disconnect()
    return {}
  },
}

process.on('message', async ({ id, name, ...args }) => {
  const answer = await commands[name](args)
  if (process.connected) process.send({ id, answer })
})
process.send({ id: 'ready' })
