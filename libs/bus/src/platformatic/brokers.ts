// Connections to the brokers of one cluster and what is known of it: who they are and who leads the partitions asked for.
//   P1. Requests and long polls go over connections of their own: a broker answers those of one connection in turn.
//   P2. A connection that breaks is dropped at once and made again by the next request; nothing waits for it longer than its limits.
import { ConnectionPool, metadataV10, ResponseError } from '@platformatic/kafka'
import type { Connection, ConnectionOptions } from '@platformatic/kafka'
import { Fault } from '@baton/contracts/fault'
import type { KafkaConnection } from '../kafka/connection.ts'
import { errorOf, named } from './wire-error.ts'

const CONNECT_TIMEOUT_MS = 3_000
const REQUEST_TIMEOUT_MS = 30_000
/** Far longer than any wait that is asked for. */
const FETCH_TIMEOUT_MS = 5_000
const KEEP_ALIVE_MS = 30_000
const IN_FLIGHT_MAX = 16
const ANY_TOPIC = null

type Address = { readonly host: string; readonly port: number }
type Leader = { readonly partitionId: number; readonly leader: number }
type Metadata = Awaited<ReturnType<typeof metadataV10.api.async>>
type Kind = 'request' | 'fetch'

export class Brokers {
  private readonly bootstrap: readonly Address[]
  private readonly pools: Readonly<Record<Kind, ConnectionPool>>
  private nodes: ReadonlyMap<number, Address> = new Map()
  private controllerId = -1
  private readonly topics = new Map<string, readonly Leader[]>()
  private targets: ReadonlySet<string> = new Set()
  private refreshing: Promise<void> | undefined
  private closed = false

  constructor(connection: KafkaConnection) {
    this.bootstrap = connection.brokers.map(addressOf)
    const pool = (requestTimeout: number): ConnectionPool => this.watched(connection, { ...optionsOf(connection), requestTimeout })
    this.pools = { request: pool(REQUEST_TIMEOUT_MS), fetch: pool(FETCH_TIMEOUT_MS) }
  }

  async connect(): Promise<void> {
    this.learn(await this.metadata([]))
  }

  async close(): Promise<void> {
    this.closed = true
    await Promise.allSettled([this.pools.request.close(), this.pools.fetch.close()])
  }

  isConnected(): boolean {
    return [...this.pools.request].some(([, connection]) => connection.isConnected())
  }

  get nodeCount(): number {
    return this.nodes.size
  }

  leaders(topic: string): readonly Leader[] {
    const leaders = this.topics.get(topic)
    if (leaders === undefined) throw new Error(`Nothing is known of topic ${topic}`)
    return leaders
  }

  /** Rejects when one of them does not exist; then it is not asked for again. */
  async addTargets(topics: readonly string[]): Promise<void> {
    const before = this.targets
    if (topics.every((topic) => before.has(topic)) && this.nodes.size > 0) return
    this.targets = new Set([...before, ...topics])
    try {
      await this.load([...this.targets])
    } catch (error) {
      const added = topics.filter((topic) => !before.has(topic))
      this.targets = new Set([...this.targets].filter((topic) => !added.includes(topic)))
      throw error
    }
  }

  /** Those who ask at once share one request. */
  refresh(): Promise<void> {
    this.refreshing ??= this.load([...this.targets]).finally(() => {
      this.refreshing = undefined
    })
    return this.refreshing
  }

  /** What a broker says of topics, all when none is named. Errors of topics are in the answer. */
  async metadata(topics: readonly string[] | undefined): Promise<Metadata> {
    const connection = await this.any()
    try {
      return await metadataV10.api.async(connection, topics === undefined ? ANY_TOPIC : [...topics], false, false, false)
    } catch (error) {
      // An answer with the error of one topic still has the others.
      if (error instanceof ResponseError) return error['response'] as Metadata
      throw error
    }
  }

  async to(nodeId: number, kind: Kind = 'request'): Promise<Connection> {
    const address = this.nodes.get(nodeId)
    if (address === undefined) throw new Error(`Broker ${nodeId} is not known`)
    return this.at(address, kind)
  }

  /** The connection at once where there is one: the way of nearly every request. */
  at(address: Address, kind: Kind = 'request'): Connection | Promise<Connection> {
    const there = this.pools[kind].getEstablishedConnection(address)
    return there?.isConnected() === true ? there : named(this.pools[kind].get(address))
  }

  async controller(): Promise<Connection> {
    this.learn(await this.metadata([]))
    return this.to(this.controllerId)
  }

  any(): Promise<Connection> {
    const addresses = [...this.nodes.values(), ...this.bootstrap]
    return named(this.pools.request.getFirstAvailable(addresses))
  }

  private async load(topics: readonly string[]): Promise<void> {
    const metadata = await this.metadata(topics)
    this.learn(metadata)
    for (const { errorCode } of metadata.topics) {
      const error = errorOf(errorCode)
      if (error !== undefined) throw error
    }
  }

  private learn({ brokers, controllerId, topics }: Metadata): void {
    if (brokers.length > 0) this.nodes = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]))
    this.controllerId = controllerId
    for (const { name, errorCode, partitions } of topics) {
      if (!name || errorCode !== 0) continue
      const leaders = partitions.map(({ partitionIndex, leaderId }) => ({ partitionId: partitionIndex, leader: leaderId }))
      this.topics.set(
        name,
        leaders.toSorted((a, b) => a.partitionId - b.partitionId),
      )
    }
  }

  private watched({ clientId, onWarning }: KafkaConnection, options: ConnectionOptions): ConnectionPool {
    const pool = new ConnectionPool(clientId, options)
    pool.on('connecting', ({ connection }) => {
      // Told to whoever waits for an answer; without a listener a second error of one connection would end the process.
      connection.on('error', () => undefined)
    })
    pool.on('connect', ({ connection }) => connection.socket.setKeepAlive(true, KEEP_ALIVE_MS))
    const warn = (what: string) => {
      return ({ broker }: { readonly broker: Address }): void => {
        if (!this.closed) onWarning?.(`kafka: ${what}`, { broker: `${broker.host}:${broker.port}` })
      }
    }
    pool.on('failed', warn('cannot connect'))
    pool.on('disconnect', warn('connection closed'))
    return pool
  }
}

const addressOf = (broker: string): Address => {
  const at = broker.lastIndexOf(':')
  return { host: broker.slice(0, at), port: Number(broker.slice(at + 1)) }
}

const MECHANISMS = { plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512' } as const

const optionsOf = ({ sasl, ssl }: KafkaConnection): ConnectionOptions => ({
  connectTimeout: CONNECT_TIMEOUT_MS,
  maxInflights: IN_FLIGHT_MAX,
  ...(ssl === undefined || ssl === false ? {} : { tls: ssl === true ? {} : ssl }),
  ...(sasl === undefined ? {} : { sasl: saslOf(sasl) }),
})

const saslOf = (sasl: NonNullable<KafkaConnection['sasl']>): NonNullable<ConnectionOptions['sasl']> => {
  if (sasl.mechanism === 'plain' || sasl.mechanism === 'scram-sha-256' || sasl.mechanism === 'scram-sha-512')
    return { mechanism: MECHANISMS[sasl.mechanism], username: sasl.username, password: sasl.password }
  throw new Fault('config.invalid', `There is no ${sasl.mechanism} with this Kafka client; set BATON_KAFKA_CLIENT=kafkajs`)
}
