// Topics as a cluster has them, and making them.
import { ConfigResourceTypes, createTopicsV5, describeConfigsV2, ProtocolError, ResponseError } from '@platformatic/kafka'
import { setTimeout } from 'node:timers/promises'
import type { TopicAdmin } from '../kafka/cluster.ts'
import type { Brokers } from './brokers.ts'
import { errorOf, named, WireError, wireError } from './wire-error.ts'

const TOPIC = ConfigResourceTypes.TOPIC
const TRIES = 5
const PAUSE_MS = 200

export const topicAdmin = (brokers: Brokers): TopicAdmin => ({
  connect: () => patiently(() => brokers.connect()),
  disconnect: () => brokers.close(),
  topics: (names) =>
    patiently(async () => {
      const { topics } = await brokers.metadata(names)
      return topics.flatMap(({ name, errorCode, partitions }) => {
        const error = names === undefined ? undefined : errorOf(errorCode)
        if (error !== undefined) throw error
        if (!name) return []
        const sorted = partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex)
        const replicas = Math.min(...partitions.map(({ replicaNodes }) => replicaNodes.length))
        const inSync = Math.min(...partitions.map(({ isrNodes }) => isrNodes.length))
        return [{ name, leaders: sorted.map(({ leaderId }) => leaderId), replicas, inSync }]
      })
    }),
  brokerCount: () =>
    patiently(async () => {
      await brokers.connect()
      return brokers.nodeCount
    }),
  createTopics: (topics, timeoutMs) =>
    patiently(async () => {
      const wanted = topics.map(({ topic, partitions, replicationFactor, config }) => ({
        name: topic,
        numPartitions: partitions,
        replicationFactor,
        assignments: [],
        configs: Object.entries(config).map(([name, value]) => ({ name, value })),
      }))
      await createTopicsV5.api.async(await brokers.controller(), wanted, timeoutMs, false).catch((error: unknown) => {
        if (!(error instanceof ResponseError)) throw error
        const failed = error.errors.find((one: unknown) => !(one instanceof ProtocolError) || one['apiId'] !== 'TOPIC_ALREADY_EXISTS')
        if (failed !== undefined) throw failed
      })
    }),
  setting: (topics, name) =>
    patiently(async () => {
      const resources = topics.map((topic) => ({ resourceType: TOPIC, resourceName: topic, configurationKeys: [name] }))
      const { results } = await describeConfigsV2.api.async(await brokers.any(), resources, false, false)
      return new Map(results.map(({ resourceName, configs }) => [resourceName, configs[0]?.value ?? null]))
    }),
})

/** Again while no broker answers; what a broker says counts at once. */
const patiently = async <T>(work: () => Promise<T>): Promise<T> => {
  for (let tries = 1; ; tries++) {
    try {
      return await named(work())
    } catch (error) {
      if (wireError(error) instanceof WireError || tries >= TRIES) throw error
      await setTimeout(PAUSE_MS)
    }
  }
}
