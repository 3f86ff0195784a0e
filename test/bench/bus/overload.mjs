// Twice as much as is handled, most of it in the plain and the bulk class: does what is urgent stay urgent, and memory flat?
import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '../figures.mjs'
import { ACK, atRate, openBus, percentile, range, RETRY, topic } from './topics.mjs'

const SLOTS = 8
const HANDLER_MS = 10
const CAPACITY_PER_S = (SLOTS * 1_000) / (HANDLER_MS + 1)
const HIGH_PER_S = 50
const WINDOW_MS = 8_000
const TOPICS = ['work.high', 'work', 'work.bulk']

const window = async (bus, { load }) => {
  const sentAt = new Map()
  const times = []
  const handled = Object.fromEntries(TOPICS.map((name) => [name, 0]))
  const memory = []
  const consumer = await bus.lanes({
    group: `over${load}`,
    topics: TOPICS,
    retry: RETRY,
    concurrencyMax: SLOTS,
    handler: async ({ topic: name, key }) => {
      await sleep(HANDLER_MS)
      handled[name] += 1
      const at = sentAt.get(key)
      if (at !== undefined) times.push(performance.now() - at)
      return ACK
    },
  })
  const send = (name, perSecond) =>
    atRate(perSecond, WINDOW_MS, (from, count) => {
      if (name === 'work.high') for (let n = from; n < from + count; n += 1) sentAt.set(`high${n}`, performance.now())
      const key = (n) => (name === 'work.high' ? `high${n}` : `${name}${n}`)
      void bus.publish(
        Array.from({ length: count }, (_, n) => ({ topic: name, key: key(from + n), value: Buffer.alloc(1_000), headers: {} })),
      )
    })
  const watch = setInterval(() => {
    globalThis.gc?.()
    memory.push({ heldBytes: consumer.stats().heldBytes, rss: process.memoryUsage.rss() })
  }, 250)
  const others = (CAPACITY_PER_S * load - HIGH_PER_S) / 2
  await Promise.all([send('work.high', HIGH_PER_S), ...(load > 0 ? [send('work', others), send('work.bulk', others)] : [])])
  await sleep(300)
  clearInterval(watch)
  await consumer.close({ graceMs: 1_000 })
  const half = Math.floor(memory.length / 2)
  const most = (from, to, of) => Math.max(...memory.slice(from, to).map(of))
  return {
    p99: percentile(times, 0.99),
    handled,
    missing: sentAt.size - times.length,
    rssGrowth: most(half, memory.length, ({ rss }) => rss) / most(0, half, ({ rss }) => rss),
    heldMb: most(0, memory.length, ({ heldBytes }) => heldBytes) / 1_048_576,
  }
}

export const overload = async (brokers, { rounds }) => {
  const unloaded = []
  const loaded = []
  for (let round = 0; round < rounds; round += 1) {
    for (const load of [0, 2]) {
      const { bus } = await openBus(
        brokers,
        TOPICS.map((name) => topic(name, 3)),
      )
      ;(load === 0 ? unloaded : loaded).push(await window(bus, { load }))
      await bus.close()
    }
  }
  const growths = loaded.map(({ p99 }, round) => p99 / unloaded[round].p99)
  const growth = median(growths)
  const rss = median(loaded.map(({ rssGrowth }) => rssGrowth))
  const bulk = Math.min(...loaded.map(({ handled }) => handled['work.bulk']))
  return [
    { what: 'p99 of the high class, alone', value: `${median(unloaded.map(({ p99 }) => p99)).toFixed(1)} ms` },
    { what: 'p99 of the high class, at twice the capacity', value: `${median(loaded.map(({ p99 }) => p99)).toFixed(1)} ms` },
    { what: 'growth of the p99', value: `${growth.toFixed(2)} times ${range(growths)}`, goal: '<= 3', met: growth <= 3 },
    { what: 'handled in the last run: high, plain, bulk', value: TOPICS.map((name) => loaded.at(-1).handled[name]).join(', ') },
    { what: 'bulk handled, the fewest of a run', value: `${bulk}`, goal: '> 0', met: bulk > 0 },
    { what: 'memory, second half of a run / first', value: `${rss.toFixed(2)} times`, goal: '<= 1.2', met: rss <= 1.2 },
    { what: 'held messages at most', value: `${Math.max(...loaded.map(({ heldMb }) => heldMb)).toFixed(1)} MB`, goal: '<= 64' },
  ]
}
