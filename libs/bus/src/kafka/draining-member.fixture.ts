// A process that handles messages until it is told to end, and then drains; for `kafka-drain.int.spec.ts`. Prints the number of each
// message it has handled.
import { setTimeout as sleep } from 'node:timers/promises'
import { openKafkaBus } from './open-kafka-bus.ts'

const [brokers = '', topicPrefix = '', group = '', topic = '', deadLetterTopic = ''] = process.argv.slice(2)
const bus = await openKafkaBus({ brokers: brokers.split(','), clientId: 'leaver', topicPrefix, topics: [], ensureTopics: false })
const consumer = await bus.lanes({
  group,
  topics: [topic],
  concurrencyMax: 8,
  retry: { laneAttemptsMax: 1, laneDelayMs: 1, retryTopics: [], deadLetterTopic },
  handler: async ({ value }) => {
    await sleep(20)
    process.stdout.write(`${value.toString()}\n`)
    return { outcome: 'ack' }
  },
})
process.once('SIGTERM', () => {
  void consumer
    .close({ graceMs: 10_000 })
    .then(() => bus.close())
    .then(() => process.exit(0))
})
