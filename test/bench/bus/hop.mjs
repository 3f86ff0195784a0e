// One message from publish to its handler, one at a time.
import { ACK, openBus, percentile, RETRY, topic } from './topics.mjs'

const WARM_UP = 500
const MESSAGES = 2_000

export const hop = async (brokers) => {
  const { bus } = await openBus(brokers, [topic('work', 1)])
  let arrived = () => {}
  await bus.lanes({
    group: 'hop',
    topics: ['work'],
    retry: RETRY,
    handler: async () => {
      arrived()
      return ACK
    },
  })
  const times = []
  for (let n = 0; n < WARM_UP + MESSAGES; n += 1) {
    const arrival = new Promise((resolve) => (arrived = resolve))
    const begun = performance.now()
    const published = bus.publish([{ topic: 'work', partition: 0, key: 'k', headers: {}, value: Buffer.alloc(100) }])
    await arrival
    if (n >= WARM_UP) times.push(performance.now() - begun)
    await published
  }
  await bus.close()
  const p50 = percentile(times, 0.5)
  return [
    { what: 'publish to handler, p50', value: `${p50.toFixed(2)} ms`, goal: '<= 0.5 ms', met: p50 <= 0.5 },
    { what: 'publish to handler, p99', value: `${percentile(times, 0.99).toFixed(2)} ms` },
  ]
}
