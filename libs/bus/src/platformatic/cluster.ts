// A cluster for the loops of the Kafka adapter, on the connections and the wire code of @platformatic/kafka. Versions of requests are those
// that Kafka 2.8 and every later broker has.
import { crc32c, fetchV11, listOffsetsV5, produceV7, ResponseError, Writer } from '@platformatic/kafka'
import type { Connection } from '@platformatic/kafka'
import type { Cluster, FetchedPartition, FetchRequest, ProducedPartition, ProduceRequest } from '../kafka/cluster.ts'
import { encodeProduceBody } from '../kafka/produce-request.ts'
import type { Brokers } from './brokers.ts'
import { Membership } from './membership.ts'
import { positionAfter, visibleRecords } from './visible-records.ts'
import { errorOf, named, wireError } from './wire-error.ts'

const READ_COMMITTED = 1
const PRODUCE = { key: 0, version: 7 } as const
const NO_SESSION = { id: 0, epoch: -1 } as const
const ANY_EPOCH = -1
const NO_REPLICA = -1
/** No broker has this id, so asking it makes the caller look again who leads. */
const NOBODY = -1
const UNKNOWN_TOPIC = 3
const TIME = { earliest: -2n, latest: -1n } as const

type ProduceResponse = ReturnType<typeof produceV7.parseResponse>
type FetchResponse = ReturnType<typeof fetchV11.parseResponse>
type OffsetsQuery = Parameters<Cluster['fetchTopicsOffset']>[0]
type OffsetsAnswer = Awaited<ReturnType<Cluster['fetchTopicsOffset']>>

export const clusterOn = (brokers: Brokers): Cluster => {
  const cluster: Cluster = {
    connect: () => named(brokers.connect()),
    disconnect: () => brokers.close(),
    isConnected: () => brokers.isConnected(),
    refreshMetadata: () => named(brokers.refresh()),
    addMultipleTargetTopics: (topics) => named(brokers.addTargets(topics)),
    removeBroker: () => undefined, // P2
    findTopicPartitionMetadata: (topic) => brokers.leaders(topic),
    fetchTopicsOffset: (topics) => named(offsets(brokers, topics)),
    fetch: async (nodeId, request) => fetch(await brokers.to(nodeId, 'fetch'), request),
    produce: async (nodeId, request) => produce(await brokers.to(nodeId), request),
    topicId: (topic) => named(topicId(brokers, topic)),
    group: (options) => new Membership({ ...options, brokers, cluster }),
  }
  return cluster
}

const fetch = (connection: Connection, { topics, ...limits }: FetchRequest): Promise<readonly FetchedPartition[]> => {
  const from = new Map<string, number>()
  const asked = topics.map(({ topic, partitions }) => ({
    topicId: topic, // Up to version 12 topics go by their names.
    partitions: partitions.map(({ partition, fetchOffset, maxBytes }) => {
      from.set(`${topic}/${partition}`, fetchOffset)
      return {
        partition,
        currentLeaderEpoch: ANY_EPOCH,
        fetchOffset: BigInt(fetchOffset),
        lastFetchedEpoch: ANY_EPOCH,
        partitionMaxBytes: maxBytes,
      }
    }),
  }))
  return new Promise((resolve, reject) => {
    fetchV11.api(
      connection,
      limits.maxWaitTime,
      limits.minBytes,
      limits.maxBytes,
      READ_COMMITTED,
      NO_SESSION.id,
      NO_SESSION.epoch,
      asked,
      [],
      '',
      (error, answer) => {
        const response = answerOf<FetchResponse>(error, answer)
        if (response === undefined) reject(wireError(error))
        else resolve(fetchedPartitions(response, from))
      },
    )
  })
}

const fetchedPartitions = ({ errorCode, responses }: FetchResponse, from: ReadonlyMap<string, number>): readonly FetchedPartition[] => {
  const failure = errorOf(errorCode)
  if (failure !== undefined) throw failure
  return responses.flatMap(({ topicId: topic, partitions }) =>
    partitions.map((fetched) => {
      const { partitionIndex: partition, abortedTransactions, records } = fetched
      const position = from.get(`${topic}/${partition}`) ?? 0
      const error = errorOf(fetched.errorCode)
      if (error !== undefined) return { topic, partition, error, records: [], next: position, empty: true }
      const batches = records ?? []
      return {
        topic,
        partition,
        records: visibleRecords(position, { batches, aborted: abortedTransactions ?? [] }),
        next: positionAfter(position, batches),
        empty: batches.length === 0,
      }
    }),
  )
}

const produce = (connection: Connection, request: ProduceRequest): Promise<readonly ProducedPartition[]> =>
  new Promise((resolve, reject) => {
    connection.send<ProduceResponse>(
      PRODUCE.key,
      PRODUCE.version,
      () => Writer.create().append(encodeProduceBody(request, Date.now(), crc32c)),
      produceV7.parseResponse,
      false,
      false,
      (error, answer) => {
        const response = answerOf<ProduceResponse>(error, answer)
        if (response === undefined) reject(wireError(error))
        else resolve(producedPartitions(response))
      },
    )
  })

const producedPartitions = ({ responses }: ProduceResponse): readonly ProducedPartition[] =>
  responses.flatMap(({ name, partitionResponses }) =>
    partitionResponses.map(({ index, errorCode, baseOffset }) => ({
      topic: name,
      partition: index,
      error: errorOf(errorCode),
      baseOffset: Number(baseOffset),
    })),
  )

/** The library makes an error of the whole answer when one partition has one; the answer is in it. */
const answerOf = <T>(error: Error | null, answer: T | undefined): T | undefined =>
  error instanceof ResponseError ? (error['response'] as T) : error === null ? answer : undefined

const offsets = async (brokers: Brokers, query: OffsetsQuery): Promise<OffsetsAnswer> =>
  Promise.all(
    query.map(async ({ topic, partitions, fromBeginning }) => {
      const leaders = new Map(brokers.leaders(topic).map(({ partitionId, leader }) => [partitionId, leader]))
      const nodeIds = new Set(partitions.map(({ partition }) => leaders.get(partition) ?? NOBODY))
      const timestamp = fromBeginning ? TIME.earliest : TIME.latest
      const answers = await Promise.all(
        Array.from(nodeIds, async (nodeId) => {
          const led = partitions.filter(({ partition }) => (leaders.get(partition) ?? NOBODY) === nodeId)
          const of = led.map(({ partition }) => ({ partitionIndex: partition, currentLeaderEpoch: ANY_EPOCH, timestamp }))
          return listOffsetsV5.api.async(await brokers.to(nodeId), NO_REPLICA, READ_COMMITTED, [{ name: topic, partitions: of }])
        }),
      )
      const found = answers.flatMap(({ topics }) => topics.flatMap((answer) => answer.partitions))
      return { topic, partitions: found.map(({ partitionIndex, offset }) => ({ partition: partitionIndex, offset: String(offset) })) }
    }),
  )

const topicId = async (brokers: Brokers, name: string): Promise<string> => {
  const { topics } = await brokers.metadata([name])
  const found = topics.find((topic) => topic.name === name)
  const error = found === undefined ? errorOf(UNKNOWN_TOPIC) : errorOf(found.errorCode)
  if (found === undefined || error !== undefined) throw error ?? new Error(`No broker knows topic ${name}`)
  return Buffer.from(found.topicId.replaceAll('-', ''), 'hex').toString('base64url')
}
