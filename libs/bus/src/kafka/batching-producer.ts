// Many small publishes as few produce requests: kafkajs sends each call by itself.
//   M1. A record is acknowledged by all in-sync replicas before its call resolves (B1).
//   M2. Records of one partition are sent in the order of the calls: a partition takes part in one request at a time, and a request that
//       is tried again keeps its place.
//   M3. A request has at most `BATCH_RECORDS_MAX` records and about `BATCH_BYTES_MAX` bytes. The broker bounds what it takes of a partition
//       at once by `max.message.bytes`; a larger single record travels alone.
//   M4. What waits is bounded by `bufferBytesMax`; beyond that a call is refused with `bus.unavailable`.
import { Fault } from '@baton/contracts/fault'
import type { Cluster, ProducedMessage, ProduceRequest } from './cluster.ts'
import { asFault, isFinal } from './session.ts'
import type { KafkaSession } from './session.ts'

const BATCH_RECORDS_MAX = 1_000
const BATCH_BYTES_MAX = 524_288
const BUFFER_BYTES_MAX = 67_108_864
const RECORD_BYTES_MAX = 1_000_000
const RECORD_OVERHEAD_BYTES = 40
const HEADER_OVERHEAD_BYTES = 8
const BROKER_TIMEOUT_MS = 30_000
const ALL_IN_SYNC_REPLICAS = -1

export type Position = { readonly partition: number; readonly offset: number }

export type ProducerOptions = {
  /** How long a publish is tried while brokers fail. */
  readonly timeoutMs: number
  /** Requests on the way at once, each for partitions of its own. */
  readonly inFlightMax: number
  readonly bufferBytesMax?: number
}

/** A record ready to be sent. `topic` is the name on the wire. */
export type ProducerRecord = { readonly topic: string; readonly partition: number; readonly message: ProducedMessage }

type Call = {
  readonly positions: Position[]
  missing: number
  readonly resolve: (positions: readonly Position[]) => void
  readonly reject: (fault: Fault) => void
}
type Entry = { readonly call: Call; readonly index: number; readonly message: ProducedMessage; readonly bytes: number }
type Lane = { readonly topic: string; readonly partition: number; waiting: Entry[]; busy: boolean }
/** What one request carries of one partition. */
type Share = { readonly lane: Lane; readonly entries: readonly Entry[] }
/** What became of a share in one request. */
type Outcome = { readonly share: Share; readonly error?: unknown; readonly baseOffset?: number }
type Group = { readonly nodeId: number; readonly shares: Share[] }

export class BatchingProducer {
  private readonly session: KafkaSession
  private readonly options: ProducerOptions
  private readonly lanes = new Map<string, Lane>()
  /** Partitions that have records and no request on the way, the longest waiting first. */
  private ready: Lane[] = []
  private readonly knownTopics = new Set<string>()
  /** Since the start; together they say how large requests are. */
  readonly produced = { records: 0, requests: 0 }
  private inFlight = 0
  private bufferedBytes = 0
  private flushScheduled = false
  private closed = false
  private onIdle: () => void = () => {}

  constructor(session: KafkaSession, options: ProducerOptions) {
    this.session = session
    this.options = options
  }

  /** Resolves with the positions, in the order given, when all are acknowledged (M1). */
  send(records: readonly ProducerRecord[]): Promise<readonly Position[]> {
    if (this.closed) return Promise.reject(new Fault('bus.draining', 'The bus is closed'))
    const sizes = records.map(sizeOf)
    const refusal = this.refusal(records, sizes)
    if (refusal !== undefined) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      const call: Call = { positions: [], missing: records.length, resolve, reject }
      if (records.length === 0) return resolve([])
      for (const [index, record] of records.entries())
        this.enqueue(record, { call, index, message: record.message, bytes: sizes[index] ?? 0 })
      this.schedule()
    })
  }

  /** Resolves when nothing waits or is on the way; new calls are refused. */
  async close(): Promise<void> {
    this.closed = true
    if (this.inFlight === 0 && this.ready.length === 0) return
    await new Promise<void>((resolve) => {
      this.onIdle = resolve
    })
  }

  private refusal(records: readonly ProducerRecord[], sizes: readonly number[]): Fault | undefined {
    const large = sizes.findIndex((bytes) => bytes > RECORD_BYTES_MAX)
    if (large !== -1) {
      const bytes = sizes[large] ?? 0
      return new Fault(
        'request.too_large',
        `A record for ${records[large]?.topic ?? ''} has ${bytes} bytes, the limit is ${RECORD_BYTES_MAX}`,
        { bytes, bytesMax: RECORD_BYTES_MAX },
      )
    }
    const bytes = sizes.reduce((sum, size) => sum + size, 0)
    const { bufferBytesMax = BUFFER_BYTES_MAX } = this.options
    if (this.bufferedBytes + bytes > bufferBytesMax)
      return new Fault('bus.unavailable', 'Too many records wait for Kafka', { bufferedBytes: this.bufferedBytes }) // M4
    return undefined
  }

  private enqueue({ topic, partition }: ProducerRecord, entry: Entry): void {
    const id = `${topic}/${partition}`
    let lane = this.lanes.get(id)
    if (lane === undefined) this.lanes.set(id, (lane = { topic, partition, waiting: [], busy: false }))
    if (!lane.busy && lane.waiting.length === 0) this.ready.push(lane)
    lane.waiting.push(entry)
    this.bufferedBytes += entry.bytes
  }

  private schedule(): void {
    if (this.flushScheduled) return
    this.flushScheduled = true
    // After the calls of this turn of the event loop, so that they share a request.
    setImmediate(() => {
      this.flushScheduled = false
      this.pump()
    })
  }

  private pump(): void {
    while (this.inFlight < this.options.inFlightMax && this.ready.length > 0) {
      const batch = this.takeBatch()
      this.inFlight++
      this.deliver(batch).then(
        () => this.release(batch),
        () => this.release(batch),
      )
    }
    if (this.closed && this.inFlight === 0 && this.ready.length === 0) this.onIdle()
  }

  private takeBatch(): readonly Share[] {
    const batch: Share[] = []
    let records = 0
    let bytes = 0
    const fits = (entry: Entry): boolean => records === 0 || (records < BATCH_RECORDS_MAX && bytes + entry.bytes <= BATCH_BYTES_MAX) // M3
    let used = 0
    for (const lane of this.ready) {
      let count = 0
      for (let entry = lane.waiting[0]; entry !== undefined && fits(entry); entry = lane.waiting[count]) {
        count++
        records++
        bytes += entry.bytes
      }
      if (count === 0) break
      used++
      const entries = count === lane.waiting.length ? lane.waiting : lane.waiting.slice(0, count)
      lane.waiting = count === lane.waiting.length ? [] : lane.waiting.slice(count)
      lane.busy = true // M2
      batch.push({ lane, entries })
    }
    this.ready = this.ready.slice(used)
    this.produced.records += records
    this.produced.requests++
    return batch
  }

  private release(batch: readonly Share[]): void {
    this.inFlight--
    for (const { lane } of batch) {
      lane.busy = false
      if (lane.waiting.length > 0) this.ready.push(lane)
    }
    this.pump()
  }

  private async deliver(batch: readonly Share[]): Promise<void> {
    let open = batch
    try {
      await this.session.attempt(async (cluster) => {
        await this.learn(cluster, open)
        const outcomes = (await Promise.all(byLeader(cluster, open).map((group) => produce(cluster, group)))).flat()
        const left = outcomes.filter(({ error }) => error !== undefined && !isFinal(error))
        open = left.map(({ share }) => share)
        for (const outcome of outcomes) if (!left.includes(outcome)) this.settle(outcome)
        if (left[0] !== undefined) throw left[0].error
      }, this.options.timeoutMs)
    } catch (error) {
      for (const share of open) this.settle({ share, error })
    }
  }

  private settle({ share, error, baseOffset = -1 }: Outcome): void {
    for (const { bytes } of share.entries) this.bufferedBytes -= bytes
    for (const [nth, { call, index }] of share.entries.entries()) {
      if (error !== undefined) {
        call.reject(asFault(error, { topic: share.lane.topic }))
        continue
      }
      call.positions[index] = { partition: share.lane.partition, offset: baseOffset + nth }
      call.missing--
      if (call.missing === 0) call.resolve(call.positions)
    }
  }

  private async learn(cluster: Cluster, batch: readonly Share[]): Promise<void> {
    const unknown = batch.map(({ lane }) => lane.topic).filter((topic) => !this.knownTopics.has(topic))
    if (unknown.length === 0) return
    await cluster.addMultipleTargetTopics(unknown)
    for (const topic of unknown) this.knownTopics.add(topic)
  }
}

const sizeOf = ({ message }: ProducerRecord): number => {
  let bytes = RECORD_OVERHEAD_BYTES + (message.value?.length ?? 0) + (message.key === null ? 0 : Buffer.byteLength(message.key))
  for (const name in message.headers) bytes += HEADER_OVERHEAD_BYTES + name.length + Buffer.byteLength(message.headers[name] ?? '')
  return bytes
}

const byLeader = (cluster: Cluster, shares: readonly Share[]): readonly Group[] => {
  const groups = new Map<number, Group>()
  for (const share of shares) {
    const { topic, partition } = share.lane
    const leader = cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition)?.leader
    // Passes when the metadata is fresh again; a partition that does not exist fails when the time is up.
    if (leader === undefined || leader < 0) throw new Error(`No broker leads ${topic}/${partition}`)
    const group = groups.get(leader)
    if (group === undefined) groups.set(leader, { nodeId: leader, shares: [share] })
    else group.shares.push(share)
  }
  return [...groups.values()]
}

const produce = async (cluster: Cluster, { nodeId, shares }: Group): Promise<readonly Outcome[]> => {
  try {
    const answers = await cluster.produce(nodeId, {
      acks: ALL_IN_SYNC_REPLICAS,
      timeout: BROKER_TIMEOUT_MS,
      topicData: topicDataOf(shares),
    }) // M1
    const results = new Map(answers.map((result) => [`${result.topic}/${result.partition}`, result]))
    return shares.map((share) => {
      const { topic, partition } = share.lane
      const result = results.get(`${topic}/${partition}`)
      if (result === undefined) return { share, error: new Error(`Kafka did not answer for ${topic}/${partition}`) }
      return { share, error: result.error, baseOffset: result.baseOffset }
    })
  } catch (error) {
    return shares.map((share) => ({ share, error }))
  }
}

const topicDataOf = (shares: readonly Share[]): ProduceRequest['topicData'] => {
  const topics = new Map<string, { partition: number; messages: readonly ProducedMessage[] }[]>()
  for (const { lane, entries } of shares) {
    const share = { partition: lane.partition, messages: entries.map(({ message }) => message) }
    const partitions = topics.get(lane.topic)
    if (partitions === undefined) topics.set(lane.topic, [share])
    else partitions.push(share)
  }
  return Array.from(topics, ([topic, partitions]) => ({ topic, partitions }))
}
