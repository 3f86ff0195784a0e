// A process to be killed: it numbers messages, tells which are acknowledged, and copies each one it handles to another topic.
import { openEmbeddedBus } from './embedded-bus.ts'
import { CRASH_TOPICS, copyWork } from './crash-topics.fixture.ts'

const [, , dir = '', first = '0'] = process.argv
const bus = await openEmbeddedBus({ dir, topics: CRASH_TOPICS, segmentBytesMax: 40_000 })
await copyWork(bus)
for (let n = Number(first); ; n += 3) {
  const numbers = [n, n + 1, n + 2]
  await bus.publish(
    numbers.map((number) => ({ topic: 'work', key: `k${number % 7}`, value: Buffer.from(String(number)), headers: { n: String(number) } })),
  )
  process.stdout.write(`${numbers.join('\n')}\n`)
}
