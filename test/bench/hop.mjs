// One record from publish to the reader's callback, one at a time: what a hop through this broker costs here before Baton does anything.
import { openKafkaBus } from '@baton/bus'
import { median } from './figures.mjs'

const TOPIC = 'bench.hop'
const ROUNDS = 1_000
const WARM_UP = 300

/** Median of a hop in ms. A step at c = 1 has two of them: the command to the worker, and its answer. */
export const measureHop = async (brokers) => {
  const topic = { name: TOPIC, partitions: 1, retentionMs: 3_600_000, compacted: false, logAppendTime: true, about: 'bench' }
  const bus = await openKafkaBus({ brokers, clientId: 'hop', topicPrefix: '', topics: [topic], ensureTopics: true })
  let arrived = () => {}
  const reader = await bus.log({ topic: TOPIC, onBatch: () => arrived(), onFault: (_partition, fault) => Promise.reject(fault) })
  await reader.seek(0, 0)
  const times = []
  for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
    const begun = performance.now()
    const arrival = new Promise((resolve) => (arrived = resolve))
    await Promise.all([arrival, bus.publish([{ topic: TOPIC, partition: 0, key: 'k', headers: {}, value: Buffer.alloc(500) }])])
    if (round >= WARM_UP) times.push(performance.now() - begun)
  }
  await reader.close()
  await bus.close()
  return median(times)
}
