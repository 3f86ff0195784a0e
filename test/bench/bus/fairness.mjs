// One tenant sends 10 messages a second; another sends 100 times as many, more than is handled. What does the first one feel?
import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '../figures.mjs'
import { ACK, atRate, openBus, percentile, range, RETRY, topic } from './topics.mjs'

const QUIET_PER_S = 10
const FLOOD_PER_S = 100 * QUIET_PER_S
const SLOTS = 8
const HANDLER_MS = 10
const WINDOW_MS = 10_000

const window = async (bus, { flood }) => {
  const sentAt = new Map()
  const times = []
  const flooded = { sent: 0, handled: 0 }
  const group = `fair${Math.random()}`
  const consumer = await bus.lanes({
    group,
    topics: ['work'],
    retry: RETRY,
    concurrencyMax: SLOTS,
    handler: async ({ headers, key }) => {
      await sleep(HANDLER_MS)
      if (headers['ce_tenant'] === 'flood') flooded.handled += 1
      const at = sentAt.get(key)
      if (at !== undefined) times.push(performance.now() - at)
      return ACK
    },
  })
  const record = (tenant, key) => ({ topic: 'work', key, value: Buffer.alloc(100), headers: { ce_tenant: tenant } })
  const quiet = () =>
    atRate(QUIET_PER_S, WINDOW_MS, (from, count) => {
      for (let n = from; n < from + count; n += 1) sentAt.set(`quiet${n}${group}`, performance.now())
      void bus.publish(Array.from({ length: count }, (_, n) => record('quiet', `quiet${from + n}${group}`)))
    })
  const noise = async () => {
    flooded.sent = await atRate(FLOOD_PER_S, WINDOW_MS, (from, count) => {
      void bus.publish(Array.from({ length: count }, (_, n) => record('flood', `flood${from + n}`)))
    })
  }
  await Promise.all([quiet(), ...(flood ? [noise()] : [])])
  await sleep(500)
  const { retryDepth, lag } = consumer.stats()
  await consumer.close({ graceMs: 1_000 })
  return {
    p95: percentile(times, 0.95),
    missing: sentAt.size - times.length,
    flooded,
    putOff: Object.values(retryDepth),
    lag: Object.values(lag),
  }
}

export const fairness = async (brokers, { rounds }) => {
  const alone = []
  const beside = []
  for (let round = 0; round < rounds; round += 1) {
    for (const flood of [false, true]) {
      const { bus } = await openBus(brokers, [topic('work', 6)])
      const result = await window(bus, { flood })
      ;(flood ? beside : alone).push(result)
      await bus.close()
    }
  }
  const growths = beside.map(({ p95 }, round) => p95 / alone[round].p95)
  const growth = median(growths)
  const [{ flooded }] = beside
  const missing = [...alone, ...beside].reduce((sum, result) => sum + result.missing, 0)
  return [
    { what: 'p95 of the quiet tenant, alone', value: `${median(alone.map(({ p95 }) => p95)).toFixed(1)} ms` },
    { what: 'p95 of the quiet tenant, beside the flood', value: `${median(beside.map(({ p95 }) => p95)).toFixed(1)} ms` },
    { what: 'the flood: sent, handled meanwhile', value: `${flooded.sent}, ${flooded.handled}` },
    { what: 'growth of the p95', value: `${growth.toFixed(2)} times ${range(growths)}`, goal: '<= 1.5', met: growth <= 1.5 },
    { what: 'messages of the quiet tenant not handled', value: `${missing}`, goal: '0', met: missing === 0 },
  ]
}
