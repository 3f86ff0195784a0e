// One partition: where its records lie, and the newest of them in memory.
//   N1. Offsets are given out without gaps and are never used twice; times never go back.
//   N2. `next` is what is durable; nobody sees a record before that.
import type { BusRecord } from '../bus.ts'
import type { Segment } from './segment.ts'

/** Records of one partition that follow each other in one segment. */
export type Run = { readonly segment: Segment; readonly first: number; positions: Uint32Array; count: number; lastTimeMs: number }

/** A record outside the runs: carried forward out of a segment that was deleted. */
export type Carried = { readonly segment: Segment; readonly position: number; readonly timeMs: number }

export class PartitionLog {
  readonly topic: TopicLog
  readonly partition: number
  /** The next durable offset (N2). */
  next = 0
  /** The next offset to give out. */
  assigned = 0
  lastTimeMs = 0
  /** Nothing from here on may be deleted: the position a log reader reported. */
  hold: number | undefined
  /** Where each consumer group goes on. */
  readonly positions = new Map<string, number>()
  readonly runs: Run[] = []
  readonly carried = new Map<number, Carried>()
  /** Of a compacted topic: the newest record of each key, and the segment it lies in. */
  readonly newest = new Map<string, { readonly record: BusRecord; readonly segment: Segment }>()
  /** Who wants to know of new records. */
  readonly listeners = new Set<() => void>()
  private recent: BusRecord[] = []
  private recentHead = 0

  constructor(topic: TopicLog, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  /** The lowest offset that can be read. */
  get first(): number {
    if (this.topic.compacted) {
      let first = this.next
      for (const { record } of this.newest.values()) first = Math.min(first, record.offset)
      return first
    }
    let first = this.runs[0]?.first ?? this.next
    for (const offset of this.carried.keys()) first = Math.min(first, offset)
    return first
  }

  /** Gives a record its place (N1). It becomes visible with `commit`, or never, with `rollback`. */
  assign(record: { key: string; value: Buffer; headers: BusRecord['headers'] }, nowMs: number): BusRecord {
    if (nowMs > this.lastTimeMs) this.lastTimeMs = nowMs
    return {
      topic: this.topic.name,
      partition: this.partition,
      offset: this.assigned++,
      key: record.key,
      value: record.value,
      headers: record.headers,
      timestampMs: this.lastTimeMs,
    }
  }

  rollback(): void {
    this.assigned = this.next
  }

  /** A durable record and where it lies. */
  commit(record: BusRecord, segment: Segment, position: number): void {
    this.locate(record, segment, position)
    this.recent.push(record)
  }

  /** Notes where a record lies; used alone when the log is read at start. */
  locate(record: { readonly offset: number; readonly timestampMs: number }, segment: Segment, position: number): void {
    const { offset, timestampMs } = record
    if (offset < this.next) {
      if (!this.topic.compacted) this.carried.set(offset, { segment, position, timeMs: timestampMs })
      return
    }
    this.next = this.assigned = offset + 1
    this.lastTimeMs = timestampMs
    if (!this.topic.compacted) this.extend(offset, segment, position)
  }

  /** For a compacted topic: the key has a new record, or none any more. */
  remember(record: BusRecord, segment: Segment): void {
    if (record.value.length === 0) this.newest.delete(record.key)
    else this.newest.set(record.key, { record, segment })
  }

  /** Records from `offset` on out of memory, or nothing when they are not there. */
  fromMemory(offset: number, limit: number): readonly BusRecord[] | undefined {
    const start = this.recent.length - (this.next - offset)
    if (start < this.recentHead || offset >= this.next) return undefined
    return this.recent.slice(start, start + limit)
  }

  /** Forgets the oldest `count` records in memory. */
  evict(count: number): void {
    this.recentHead = Math.min(this.recent.length, this.recentHead + count)
    if (this.recentHead * 2 < this.recent.length) {
      this.recent.fill(EVICTED, Math.max(0, this.recentHead - count), this.recentHead)
      return
    }
    this.recent = this.recent.slice(this.recentHead)
    this.recentHead = 0
  }

  notify(): void {
    for (const listener of this.listeners) listener()
  }

  private extend(offset: number, segment: Segment, position: number): void {
    let run = this.runs.at(-1)
    if (run?.segment !== segment) {
      run = { segment, first: offset, positions: new Uint32Array(64), count: 0, lastTimeMs: 0 }
      this.runs.push(run)
    }
    if (run.count === run.positions.length) {
      const larger = new Uint32Array(run.count * 2)
      larger.set(run.positions)
      run.positions = larger
    }
    run.positions[run.count++] = position
    run.lastTimeMs = this.lastTimeMs
  }
}

/** A topic and its partitions. `id` is drawn once, when the topic is made. */
export class TopicLog {
  readonly index: number
  readonly name: string
  readonly id: string
  readonly keeping: Keeping
  readonly partitions: readonly PartitionLog[]

  constructor({ index, name, id, partitions, keeping }: { index: number; name: string; id: string; partitions: number; keeping: Keeping }) {
    this.index = index
    this.name = name
    this.id = id
    this.keeping = keeping
    this.partitions = Array.from({ length: partitions }, (_, partition) => new PartitionLog(this, partition))
  }

  get compacted(): boolean {
    return this.keeping.compacted
  }
}

/** What of a topic must stay. */
export type Keeping = {
  /** The newest record of each key, for ever. */
  readonly compacted: boolean
  readonly retentionMs: number
  /** Records outlive their segment until the retention is over, however full the disk is: dead letters. */
  readonly carried: boolean
}

/** Takes the place of a forgotten record, so that its value can be collected. */
const EVICTED: BusRecord = { topic: '', partition: 0, offset: -1, key: '', value: Buffer.alloc(0), headers: {}, timestampMs: 0 }
