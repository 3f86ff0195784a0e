// A process that handles messages until it is killed; for `kafka.int.spec.ts`. Prints the key of each message it begins.
import { openKafkaBus } from './open-kafka-bus.ts'

const [brokers = '', topicPrefix = '', group = '', topic = '', deadLetterTopic = '', client] = process.argv.slice(2)
const bus = await openKafkaBus({
  brokers: brokers.split(','),
  client: client === 'platformatic' ? client : 'kafkajs',
  clientId: 'victim',
  topicPrefix,
  topics: [],
  ensureTopics: false,
  sessionTimeoutMs: 2_000,
})
await bus.lanes({
  group,
  topics: [topic],
  retry: { laneAttemptsMax: 1, laneDelayMs: 1, retryTopics: [], deadLetterTopic },
  handler: async ({ key }) => {
    process.stdout.write(`${key}\n`)
    // Never settled: what this member began must be done by somebody else.
    return new Promise(() => undefined)
  },
})
