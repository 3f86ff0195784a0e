// One message from publish to its handler, one at a time.
import { median } from '../figures.mjs'
import { ACK, openBus, percentile, range, RETRY, topic } from './topics.mjs'

const WARM_UP = 500
const MESSAGES = 2_000

export const hop = async (brokers, { rounds }) => {
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
  const one = async () => {
    const arrival = new Promise((resolve) => (arrived = resolve))
    const begun = performance.now()
    const published = bus.publish([{ topic: 'work', partition: 0, key: 'k', headers: {}, value: Buffer.alloc(100) }])
    await arrival
    const passed = performance.now() - begun
    await published
    return passed
  }
  for (let n = 0; n < WARM_UP; n += 1) await one()
  const blocks = []
  for (let round = 0; round < rounds; round += 1) {
    const times = []
    for (let n = 0; n < MESSAGES; n += 1) times.push(await one())
    blocks.push({ p50: percentile(times, 0.5), p99: percentile(times, 0.99) })
  }
  await bus.close()
  const p50s = blocks.map((block) => block.p50)
  const p99s = blocks.map((block) => block.p99)
  const p50 = median(p50s)
  return [
    { what: 'publish to handler, p50', value: `${p50.toFixed(2)} ms ${range(p50s)}`, goal: '<= 0.5 ms', met: p50 <= 0.5 },
    { what: 'publish to handler, p99', value: `${median(p99s).toFixed(2)} ms ${range(p99s)}` },
  ]
}
