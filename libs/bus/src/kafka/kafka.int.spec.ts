// The Kafka adapter on a real broker: the contract of every bus, and what only a cluster can do to it.
import { randomUUID } from 'node:crypto'
import type { TopicSpec } from '@baton/contracts/topics'
import { describeWithKafka } from '@baton/testing/servers'
import { busContract } from '../contract.ts'
import { openKafkaBus } from './open-kafka-bus.ts'

describeWithKafka('Kafka', (kafka) => {
  const open = (topicPrefix: string, topics: readonly TopicSpec[]) =>
    openKafkaBus({
      brokers: kafka.brokers,
      clientId: 'baton-test',
      topicPrefix,
      topics,
      ensureTopics: true,
    })

  busContract({
    name: 'Kafka',
    retryDelayMs: 300,
    timeoutMs: 30_000,
    open: async (topics) => {
      const prefix = `t${randomUUID().slice(0, 8)}.`
      return { bus: await open(prefix, topics), reopen: () => open(prefix, topics) }
    },
  })
})
