// Small messages through lanes whose handlers do nothing: what the lanes themselves cost.
import { median } from '../figures.mjs'
import { ACK, openBus, publishAll, range, RETRY, topic, until } from './topics.mjs'

const MESSAGES = 400_000

export const small = async (brokers, { rounds }) => {
  const { bus } = await openBus(brokers, [topic('work', 6)])
  await publishAll(bus, MESSAGES, (n) => ({
    topic: 'work',
    key: `k${n % 1_000}`,
    value: Buffer.alloc(100),
    headers: { ce_tenant: `t${n % 3}` },
  }))
  const rates = []
  for (let round = 0; round < rounds; round += 1) {
    let [seen, begunAt] = [0, 0]
    const handler = async () => {
      if (seen++ === MESSAGES / 8) begunAt = performance.now()
      return ACK
    }
    const consumer = await bus.lanes({ group: `small${round}`, topics: ['work'], handler, retry: RETRY })
    await until(() => seen >= MESSAGES)
    rates.push((MESSAGES * 7 * 1_000) / 8 / (performance.now() - begunAt))
    await consumer.close({ graceMs: 1_000 })
  }
  await bus.close()
  const rate = median(rates)
  return [
    { what: 'small messages through lanes', value: `${rate.toFixed(0)} msg/s ${range(rates, 0)}`, goal: '>= 50,000', met: rate >= 50_000 },
  ]
}
