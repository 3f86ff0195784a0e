// Requests and results over Kafka, for products that have a broker and no wish for HTTP.
//   C1. A request has one id for ever; publishing it again makes no second run and answers with the result of the first.
//   C2. Results are read from where the topic ended before the first request, by a group of this client alone that commits nothing:
//       a result cannot be missed between request and reading, whatever the group goes through.
//   C3. A result belongs to a request by the run id, which follows from tenant, source and request id; a rejection by the correlation id.
import { randomUUID } from 'node:crypto'
import {
  CONTRACTS,
  contractOfType,
  decodeEvent,
  DEFAULT_SOURCE,
  DEFAULT_TENANT,
  Fault,
  runIdOf,
  TOPICS,
  type Json,
  type RunResult,
} from '@baton/contracts'
import kafkajs from 'kafkajs'
import type { Consumer, EachMessagePayload, IHeaders, KafkaConfig, Producer } from 'kafkajs'
import { resultOf, type FlowResult, type TypedFlow } from '../flow-types.ts'
import { requestBody, type RequestedRun, type RequestOptions } from '../requested-run.ts'

export type KafkaClientOptions = {
  readonly brokers: readonly string[]
  /** Name of the product; also the beginning of its consumer group. */
  readonly clientId: string
  readonly topicPrefix?: string
  readonly tenant?: string
  /** Who asks; requests of different sources may have the same id. Default `kafka`. */
  readonly source?: string
  readonly ssl?: NonNullable<KafkaConfig['ssl']>
  readonly sasl?: NonNullable<KafkaConfig['sasl']>
  /** Requests that may wait for their result at once. Default 10,000. */
  readonly pendingMax?: number
}

type Pending = { readonly requestId: string; readonly arrived: (result: RunResult) => void }
const PENDING_MAX = 10_000
const RETRY = { initialRetryTime: 50, maxRetryTime: 2_000, retries: 10 } as const

const faultOf = (error: unknown): Fault => {
  if (error instanceof Fault) return error
  const facts = typeof error === 'object' && error !== null ? error : {}
  const type = 'type' in facts ? String(facts.type) : ''
  const name = 'name' in facts ? String(facts.name) : 'Error'
  const message = 'message' in facts ? String(facts.message) : String(error)
  const refused = type.endsWith('_AUTHORIZATION_FAILED') || name === 'KafkaJSSASLAuthenticationError'
  return new Fault(refused ? 'bus.unauthorized' : 'bus.unavailable', `Kafka: ${message}`, { error: type || name }, { cause: error })
}

const textHeaders = (headers: IHeaders = {}): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])))

const resultIn = ({ message: { headers, value } }: EachMessagePayload): { result: RunResult; correlationId?: string } | undefined => {
  const wire = textHeaders(headers)
  const name = contractOfType(wire['ce_type'] ?? '')
  if (name === undefined || value === null || !CONTRACTS[name].topics.includes(TOPICS.results)) return undefined
  const { data, correlationId } = decodeEvent({ headers: wire, value })
  // Every contract of the result topic carries a RunResult.
  return { result: data as RunResult, ...(correlationId === undefined ? {} : { correlationId }) }
}

/** Positions of this client, kept over every rebalance (C2). */
const readFrom = async (consumer: Consumer, topic: string, positions: Map<number, string>): Promise<void> => {
  const joined = new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.GROUP_JOIN, () => {
      for (const [partition, offset] of positions) consumer.seek({ topic, partition, offset })
      resolve()
    })
    consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
      if (!restart) reject(faultOf(error))
    })
  })
  await joined
}

class KafkaClient {
  readonly #options: KafkaClientOptions
  readonly #producer: Producer
  readonly #consumer: Consumer
  readonly #positions: Map<number, string>
  readonly #pending = new Map<string, Pending>()

  constructor(options: KafkaClientOptions, { producer, consumer, positions }: Parts) {
    this.#options = options
    this.#producer = producer
    this.#consumer = consumer
    this.#positions = positions
  }

  /** Publishes a request; resolves when the brokers have it. `result` waits for what comes of it. */
  async request<Input extends Json, Output>(
    flow: TypedFlow<Input, Output>,
    input: Input,
    options: RequestOptions = {},
  ): Promise<RequestedRun<Output>> {
    const { topicPrefix = '', pendingMax = PENDING_MAX } = this.#options
    const tenant = options.tenant ?? this.#options.tenant ?? DEFAULT_TENANT
    const source = options.source ?? this.#options.source ?? DEFAULT_SOURCE
    const body = requestBody(flow.name, input, { ...options, tenant, source })
    if (this.#pending.size >= pendingMax)
      throw new Fault('bus.unavailable', `${pendingMax} requests wait for their results`, { pendingMax })
    const runId = runIdOf({ tenant, source, requestId: body.id })
    const awaited = this.#await(runId, body.id)
    try {
      await this.#producer.send({
        topic: topicPrefix + TOPICS.requests,
        acks: -1,
        messages: [{ key: body.id, value: JSON.stringify(body) }],
      })
    } catch (error) {
      this.#pending.delete(runId)
      throw faultOf(error)
    }
    return { requestId: body.id, runId, result: ({ timeoutMs }) => within<Output>(awaited, timeoutMs) }
  }

  /** Takes a record of the result topic. */
  take(record: EachMessagePayload): void {
    this.#positions.set(record.partition, String(Number(record.message.offset) + 1))
    const key = record.message.key?.toString() ?? ''
    const known = this.#pending.get(key)
    if (known === undefined && !key.startsWith('rej_')) return
    const found = resultIn(record)
    if (found === undefined) return
    const { result, correlationId } = found
    const waiting = known ?? [...this.#pending.values()].find(({ requestId }) => requestId === correlationId) // C3
    waiting?.arrived(result)
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#consumer.disconnect(), this.#producer.disconnect()])
  }

  #await(runId: string, requestId: string): Promise<RunResult> {
    return new Promise((resolve) => {
      this.#pending.set(runId, {
        requestId,
        arrived: (result) => {
          this.#pending.delete(runId)
          resolve(result)
        },
      })
    })
  }
}

type Parts = { readonly producer: Producer; readonly consumer: Consumer; readonly positions: Map<number, string> }

const within = async <Output>(awaited: Promise<RunResult>, timeoutMs: number): Promise<FlowResult<Output> | undefined> => {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs)
  })
  try {
    const result = await Promise.race([awaited, over])
    return result === undefined ? undefined : resultOf<Output>(result)
  } finally {
    clearTimeout(timer)
  }
}

/** Connects and begins to read results. Rejects with `bus.unavailable` or `bus.unauthorized`. */
export const openKafkaClient = async (options: KafkaClientOptions): Promise<Pick<KafkaClient, 'request' | 'close'>> => {
  const { brokers, clientId, topicPrefix = '', ssl, sasl } = options
  const kafka = new kafkajs.Kafka({
    brokers: [...brokers],
    clientId,
    logLevel: kafkajs.logLevel.NOTHING,
    retry: RETRY,
    ...(ssl === undefined ? {} : { ssl }),
    ...(sasl === undefined ? {} : { sasl }),
  })
  const topic = topicPrefix + TOPICS.results
  const admin = kafka.admin()
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  const consumer = kafka.consumer({ groupId: `${topicPrefix}product.${clientId}.${randomUUID()}` }) // C2
  try {
    await Promise.all([admin.connect(), producer.connect(), consumer.connect()])
    const positions = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, high]))
    const client = new KafkaClient(options, { producer, consumer, positions })
    await consumer.subscribe({ topic })
    const reading = readFrom(consumer, topic, positions)
    await consumer.run({ autoCommit: false, eachMessage: async (record) => client.take(record) })
    await reading
    return client
  } catch (error) {
    await Promise.allSettled([consumer.disconnect(), producer.disconnect()])
    throw faultOf(error)
  } finally {
    await admin.disconnect()
  }
}
