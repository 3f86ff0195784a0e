// The library port on kafkajs: below its public consumer and producer, on its wire code.
import kafkajs from 'kafkajs'
import type { Cluster, ConsumerGroup, FetchedPartition, GroupOptions, KafkaLibrary, ProducedPartition, TopicAdmin } from './cluster.ts'
import { kafkaClient, kafkaCluster } from './connection.ts'
import type { KafkaConnection } from './connection.ts'
import type { TopicPartitions } from './deal.policy.ts'
import { crc32C, createConsumerGroup, errorOf, fetchRequest, produceRequest, READ_COMMITTED, visibleRecords } from './kafkajs-internals.ts'
import type { KafkaJsCluster, KafkaJsFetched } from './kafkajs-internals.ts'
import { metadataOf } from './metadata.ts'
import { encodeProduceBody } from './produce-request.ts'
import { fetchTopicId } from './topic-id.ts'

const GROUP_RETRY = { initialRetryTime: 50, maxRetryTime: 500, retries: 5 } as const

export const kafkaJs = (connection: KafkaConnection): KafkaLibrary => ({
  cluster: () => clusterOn(kafkaCluster(connection)),
  admin: () => topicAdmin(connection),
})

const clusterOn = (cluster: KafkaJsCluster): Cluster => ({
  connect: () => cluster.connect(),
  disconnect: () => cluster.disconnect(),
  isConnected: () => cluster.isConnected(),
  refreshMetadata: () => cluster.refreshMetadata(),
  addMultipleTargetTopics: (topics) => cluster.addMultipleTargetTopics(topics),
  removeBroker: (address) => cluster.removeBroker(address),
  findTopicPartitionMetadata: (topic) => cluster.findTopicPartitionMetadata(topic),
  fetchTopicsOffset: (topics) => cluster.fetchTopicsOffset(topics),
  fetch: async (nodeId, { topics, ...limits }) => {
    const broker = await cluster.findBroker({ nodeId })
    const from = new Map(
      topics.flatMap(({ topic, partitions }) => partitions.map(({ partition, fetchOffset }) => [`${topic}/${partition}`, fetchOffset])),
    )
    const asked = topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((partition) => ({ ...partition, fetchOffset: String(partition.fetchOffset) })),
    }))
    const { responses } = await broker.connectionPool.send(fetchRequest({ ...limits, isolationLevel: READ_COMMITTED, topics: asked }))
    return responses.flatMap(({ topicName, partitions }) =>
      partitions.map((fetched) => fetchedPartition(topicName, from.get(`${topicName}/${fetched.partition}`) ?? 0, fetched)),
    )
  },
  produce: async (nodeId, request) => {
    const broker = await cluster.findBroker({ nodeId })
    const { topics } = await broker.connectionPool.send(produceRequest(encodeProduceBody(request, Date.now(), crc32C)))
    return topics.flatMap(({ topicName, partitions }) =>
      partitions.map(({ partition, errorCode, baseOffset }): ProducedPartition => ({
        topic: topicName,
        partition,
        error: errorOf(errorCode),
        baseOffset: Number(baseOffset),
      })),
    )
  },
  topicId: (topic) => fetchTopicId(cluster, topic),
  group: (options) => groupOn(cluster, options),
})

const fetchedPartition = (topic: string, from: number, fetched: KafkaJsFetched): FetchedPartition => {
  const { partition, errorCode, messages } = fetched
  if (errorCode !== 0) return { topic, partition, error: errorOf(errorCode), records: [], next: from, empty: true }
  return {
    topic,
    partition,
    records: visibleRecords(topic, String(from), fetched),
    next: positionAfter(from, fetched),
    empty: messages.length === 0,
  }
}

const positionAfter = (from: number, { messages, highWatermark, lastStableOffset = highWatermark }: KafkaJsFetched): number => {
  const last = messages.at(-1)
  if (last === undefined) {
    // Bytes without a record: a batch that compaction emptied. It is passed one offset at a time, or it would be fetched for ever.
    return Number(lastStableOffset) > from ? from + 1 : from
  }
  const { batchContext } = last
  const end = batchContext === undefined ? Number(last.offset) : Number(batchContext.firstOffset) + batchContext.lastOffsetDelta
  return Math.max(from, end + 1)
}

const GROUP_COORDINATOR = 0

/** kafkajs asks every broker for the coordinator and drops what each said: not to be found is what a group without rights looks like, too. */
const withItsReason = async (cluster: KafkaJsCluster, groupId: string, error: unknown): Promise<unknown> => {
  if (!(error instanceof Error) || error.name !== 'KafkaJSGroupCoordinatorNotFound') return error
  const [nodeId] = cluster.getNodeIds()
  if (nodeId === undefined) return error
  try {
    const broker = await cluster.findBroker({ nodeId })
    await broker.findGroupCoordinator({ groupId, coordinatorType: GROUP_COORDINATOR })
    return error
  } catch (reason) {
    return reason
  }
}

const groupOn = (cluster: KafkaJsCluster, options: GroupOptions): ConsumerGroup => {
  const { groupId, topics, sessionTimeoutMs, rebalanceTimeoutMs } = options
  let owned: readonly TopicPartitions[] = []
  const group = createConsumerGroup({
    cluster,
    groupId,
    topics,
    owned: () => owned,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: rebalanceTimeoutMs,
    retry: GROUP_RETRY,
  })
  return {
    join: async () => {
      try {
        await group.joinAndSync()
      } catch (error) {
        throw await withItsReason(cluster, groupId, error)
      }
      owned = group.assigned()
      const { offsetManager } = group
      await offsetManager?.resolveOffsets()
      return owned.flatMap(({ topic, partitions }) =>
        partitions.map((partition) => ({
          topic,
          partition,
          position: Number(offsetManager?.nextOffset(topic, partition).toString() ?? 0),
        })),
      )
    },
    heartbeat: () => group.heartbeat({ interval: 0 }),
    commitOffsets: (offsets) => group.commitOffsets(offsets),
    leave: () => group.leave(),
    forget: () => {
      group.memberId = null
      owned = [] // Others have it by now.
    },
  }
}

const topicAdmin = (connection: KafkaConnection): TopicAdmin => {
  const admin = kafkaClient(connection).admin()
  return {
    connect: () => admin.connect(),
    disconnect: () => admin.disconnect(),
    topics: async (names) => {
      const { topics } = await metadataOf(admin, names === undefined ? undefined : { topics: [...names] })
      return topics.map(({ name, partitions }) => ({
        name,
        leaders: partitions.map(({ leader }) => leader),
        replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
        inSync: Math.min(...partitions.map(({ isr }) => isr.length)),
      }))
    },
    brokerCount: async () => (await admin.describeCluster()).brokers.length,
    createTopics: async (topics, timeoutMs) => {
      // False when another process made one of them meanwhile.
      await admin.createTopics({
        topics: topics.map(({ topic, partitions, replicationFactor, config }) => ({
          topic,
          numPartitions: partitions,
          replicationFactor,
          configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
        })),
        timeout: timeoutMs,
        // Its own wait fails on the first broker that has not heard of a topic yet.
        waitForLeaders: false,
      })
    },
    setting: async (topics, name) => {
      // Taken from the default export: the others of kafkajs are not visible to ES modules.
      const type = kafkajs.ConfigResourceTypes.TOPIC
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: topics.map((topic) => ({ type, name: topic, configNames: [name] })),
      })
      return new Map(resources.map(({ resourceName, configEntries }) => [resourceName, configEntries[0]?.configValue ?? null]))
    },
  }
}
