// Membership in a consumer group of the classic protocol. When it beats and joins anew is the business of `kafka/group-member.ts`.
//   J1. The protocol, its messages and the rule by which the leader deals out are those of kafkajs, so that a group may have members on both
//       libraries: an installation changes from one to the other by an ordinary rolling restart. The rule is the co-partitioned one; in turn
//       where a member knows no other.
//   J2. A coordinator that moved or cannot be reached is looked for anew by the next request.
import {
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
  findCoordinatorV2,
  heartbeatV3,
  joinGroupV5,
  leaveGroupV3,
  offsetCommitV7,
  offsetFetchV5,
  ProtocolError,
  ResponseError,
  syncGroupV3,
} from '@platformatic/kafka'
import type { Connection } from '@platformatic/kafka'
import type { Assigned, Cluster, ConsumerGroup, GroupOffsets, GroupOptions } from '../kafka/cluster.ts'
import { CO_PARTITIONED, dealPartitions, decodeOwned, encodeOwned } from '../kafka/deal.policy.ts'
import type { GroupCandidate, TopicPartitions } from '../kafka/deal.policy.ts'
import type { Brokers } from './brokers.ts'
import { WireError, wireError } from './wire-error.ts'

const PROTOCOL = { type: 'consumer', version: 0 } as const
const IN_TURN = 'RoundRobinAssigner'
const GROUP_KEY = 0
const NO_INSTANCE = null
const ANY_EPOCH = -1
const NOT_STORED = -1n
const COORDINATOR_ERRORS: readonly string[] = ['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS']

type Joined = Awaited<ReturnType<typeof joinGroupV5.api.async>>
type Share = { topic: string; partitions: number[] }
type Shares = { memberId: string; assignment: Buffer }[]

export type MembershipOptions = GroupOptions & { readonly brokers: Brokers; readonly cluster: Cluster }

export class Membership implements ConsumerGroup {
  private readonly options: MembershipOptions
  private memberId = ''
  private generation = -1
  private owned: readonly TopicPartitions[] = []
  private coordinator: { readonly host: string; readonly port: number } | undefined

  constructor(options: MembershipOptions) {
    this.options = options
  }

  async join(): Promise<readonly Assigned[]> {
    const { groupId } = this.options
    const joined = await this.ask((connection) => this.joinAs(connection))
    this.memberId = joined.memberId
    this.generation = joined.generationId
    const rule = joined.protocolName ?? IN_TURN
    const shares = joined.leader === joined.memberId ? await this.deal(rule, joined.members) : []
    const { assignment } = await this.ask((connection) =>
      syncGroupV3.api.async(connection, groupId, this.generation, this.memberId, NO_INSTANCE, PROTOCOL.type, rule, shares),
    )
    this.owned = decodeConsumerProtocolAssignment(assignment).assignedPartitions
    return this.positions(this.owned)
  }

  async heartbeat(): Promise<void> {
    await this.ask((connection) => heartbeatV3.api.async(connection, this.options.groupId, this.generation, this.memberId, NO_INSTANCE))
  }

  async commitOffsets({ topics }: GroupOffsets): Promise<void> {
    const stored = topics.map(({ topic, partitions }) => ({
      name: topic,
      partitions: partitions.map(({ partition, offset }) => ({
        partitionIndex: partition,
        committedOffset: BigInt(offset),
        committedLeaderEpoch: ANY_EPOCH,
        committedMetadata: null,
      })),
    }))
    await this.ask((connection) =>
      offsetCommitV7.api.async(connection, this.options.groupId, this.generation, this.memberId, NO_INSTANCE, stored),
    )
  }

  async leave(): Promise<void> {
    if (this.memberId === '') return
    const { groupId } = this.options
    await this.ask((connection) =>
      leaveGroupV3.api.async(connection, groupId, [{ memberId: this.memberId, groupInstanceId: NO_INSTANCE, reason: null }]),
    )
    this.forget()
  }

  forget(): void {
    this.memberId = ''
    this.owned = [] // Others have it by now.
  }

  /** The broker gives somebody new an id first, and wants it back. */
  private async joinAs(connection: Connection): Promise<Joined> {
    try {
      return await this.joinOnce(connection)
    } catch (error) {
      const given = memberIdOf(error)
      if (given === undefined) throw error
      this.memberId = given
      return this.joinOnce(connection)
    }
  }

  private joinOnce(connection: Connection): Promise<Joined> {
    const { groupId, topics, cluster, sessionTimeoutMs, rebalanceTimeoutMs } = this.options
    const owned = encodeOwned(this.owned, (topic) => cluster.findTopicPartitionMetadata(topic).length)
    const metadataWith = (userData: Buffer): Buffer =>
      encodeConsumerProtocolSubscription({ version: PROTOCOL.version, topics: [...topics], userData })
    const protocols = [
      { name: CO_PARTITIONED, metadata: metadataWith(owned) },
      { name: IN_TURN, metadata: metadataWith(Buffer.alloc(0)) },
    ]
    return joinGroupV5.api.async(
      connection,
      groupId,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      this.memberId,
      NO_INSTANCE,
      PROTOCOL.type,
      protocols,
    )
  }

  // J1
  private async deal(rule: string, members: Joined['members']): Promise<Shares> {
    const { topics, cluster } = this.options
    await cluster.refreshMetadata()
    const known = topics.map((topic) => ({
      topic,
      partitions: cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId),
    }))
    const dealt = rule === CO_PARTITIONED ? dealPartitions(members.map(candidateOf), known) : dealInTurn(members, known)
    return Array.from(dealt, ([memberId, shares]) => ({
      memberId,
      assignment: encodeConsumerProtocolAssignment({
        version: PROTOCOL.version,
        assignedPartitions: shares.map(({ topic, partitions }) => ({ topic, partitions: [...partitions] })),
        userData: Buffer.alloc(0),
      }),
    }))
  }

  private async positions(assigned: readonly TopicPartitions[]): Promise<readonly Assigned[]> {
    if (assigned.length === 0) return []
    const { groupId, cluster } = this.options
    const topics = assigned.map(({ topic, partitions }) => ({ name: topic, partitionIndexes: [...partitions] }))
    const stored = await this.ask((connection) => offsetFetchV5.api.async(connection, [{ groupId, topics }], false))
    const found = stored.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, committedOffset }) => ({ topic: name, partition: partitionIndex, committedOffset })),
    )
    const fresh = found.filter(({ committedOffset }) => committedOffset === NOT_STORED)
    const beginnings = await cluster.fetchTopicsOffset(
      Array.from(new Set(fresh.map(({ topic }) => topic)), (name) => ({
        topic: name,
        partitions: fresh.filter(({ topic }) => topic === name).map(({ partition }) => ({ partition })),
        fromBeginning: true,
      })),
    )
    const first = new Map(
      beginnings.flatMap(({ topic, partitions }) => partitions.map(({ partition, offset }) => [`${topic}/${partition}`, Number(offset)])),
    )
    return found.map(({ topic, partition, committedOffset }) => ({
      topic,
      partition,
      position: first.get(`${topic}/${partition}`) ?? Number(committedOffset),
    }))
  }

  private async ask<T>(request: (connection: Connection) => Promise<T>): Promise<T> {
    try {
      return await request(await this.connection())
    } catch (error) {
      const told = wireError(error)
      if (!(told instanceof WireError) || COORDINATOR_ERRORS.includes(told.type)) this.coordinator = undefined // J2
      throw told
    }
  }

  private async connection(): Promise<Connection> {
    const { brokers, groupId } = this.options
    if (this.coordinator === undefined) {
      const { coordinators } = await findCoordinatorV2.api.async(await brokers.any(), GROUP_KEY, [groupId])
      const [found] = coordinators
      if (found === undefined) throw new WireError('COORDINATOR_NOT_AVAILABLE', { retriable: true })
      this.coordinator = { host: found.host, port: found.port }
    }
    return brokers.at(this.coordinator)
  }
}

const candidateOf = ({ memberId, metadata }: Joined['members'][number]): GroupCandidate => {
  const { topics, userData } = decodeConsumerProtocolSubscription(metadata ?? Buffer.alloc(0))
  return { memberId, topics, owned: decodeOwned(userData) }
}

/** As kafkajs does it. */
const dealInTurn = (members: Joined['members'], topics: readonly TopicPartitions[]): ReadonlyMap<string, readonly TopicPartitions[]> => {
  const sorted = members.map(({ memberId }) => memberId).toSorted()
  const shares = new Map(sorted.map((memberId): [string, Share[]] => [memberId, []]))
  const all = topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
  for (const [nth, { topic, partition }] of all.entries()) {
    const share = shares.get(sorted[nth % sorted.length] ?? '')
    const own = share?.find((candidate) => candidate.topic === topic)
    if (own === undefined) share?.push({ topic, partitions: [partition] })
    else own.partitions.push(partition)
  }
  return shares
}

const memberIdOf = (error: unknown): string | undefined => {
  if (!(error instanceof ResponseError)) return undefined
  const asked = error.errors.find((one: unknown) => one instanceof ProtocolError && one['apiId'] === 'MEMBER_ID_REQUIRED')
  const given: unknown = asked?.['memberId']
  return typeof given === 'string' && given !== '' ? given : undefined
}
