// The write-ahead log of all topics: appends are collected for one turn of the event loop, written at once and synced once.
//   D1. `append` calls back, and readers hear of a record, only when it is durable.
//   D2. One group is under way at a time; records keep the order in which they were appended.
//   D3. A group that could not be written leaves no trace: its appends fail, its offsets are given out again.
//   D4. The log stays within `diskBytesMax`: above it appends fail with `disk.full` until segments were freed.
import { Fault } from '@baton/contracts/fault'
import type { BusRecord, OutgoingRecord } from '../bus.ts'
import { Fifo } from '../lanes/fifo.ts'
import type { Catalog } from './catalog.ts'
import { GroupEncoder, KIND, type Entry } from './codec.ts'
import type { PartitionLog } from './partition-log.ts'
import type { Recovered } from './recovery.ts'
import { Segment } from './segment.ts'

/** A group that got this large is written; the rest goes into the next. */
const GROUP_BYTES_MAX = 8 << 20
/** So many records are not kept waiting for the end of the turn: their write overlaps with the work that follows. */
const EARLY_RECORDS = 32
/** Header, strings and frame of a record, roughly. */
const RECORD_OVERHEAD_BYTES = 512

export type Place = { readonly partition: number; readonly offset: number }

export type WalOptions = {
  readonly dir: string
  readonly segmentBytesMax: number
  readonly diskBytesMax: number
  /** Newest records kept in memory. */
  readonly cacheBytesMax: number
  readonly nowMs: () => number
  /** The log can no longer be written. */
  readonly onFault: (fault: Fault) => void
  /** A segment was finished: something may be free now. */
  readonly onRoll: () => void
  /** Who keeps the oldest segment from being deleted, in words. */
  readonly neededBy: () => string
}

type Batch = {
  readonly records: readonly OutgoingRecord[]
  readonly logs: readonly PartitionLog[]
  readonly bytes: number
  readonly resolve: (places: readonly Place[]) => void
  readonly reject: (fault: Fault) => void
}

/** A record that stays what it is and gets a new place in the log. */
type Move = { readonly log: PartitionLog; readonly record: BusRecord }

type Written = Move & { readonly at: number; readonly moved: boolean }

type Group = {
  readonly batches: Batch[]
  readonly places: Place[][]
  readonly written: Written[]
  readonly controls: readonly Entry[]
  readonly waiters: readonly Waiter[]
}
type Waiter = { readonly resolve: () => void; readonly reject: (fault: Fault) => void }

export class Wal {
  readonly segments: Segment[]
  private readonly options: WalOptions
  private readonly catalog: Catalog
  private readonly encoder = new GroupEncoder()
  private readonly batches = new Fifo<Batch>()
  private readonly cached = new Fifo<{ readonly log: PartitionLog; readonly count: number; readonly bytes: number }>()
  private cachedBytes = 0
  private pendingBytes = 0
  /** In `batches`, not yet in a group. */
  private pendingRecords = 0
  private sealedBytes: number
  private controls: Entry[] = []
  private moves: Move[] = []
  private waiters: Waiter[] = []
  private nextGroup: number
  private needsSnapshot = true
  private scheduled = false
  private writing = false
  private broken: Fault | undefined

  constructor(options: WalOptions, catalog: Catalog, recovered: Recovered) {
    this.options = options
    this.catalog = catalog
    this.segments = recovered.segments
    this.nextGroup = recovered.nextGroup
    if (this.segments.length === 0) this.segments.push(Segment.create(options.dir, 1))
    this.sealedBytes = this.segments.slice(0, -1).reduce((sum, { bytes }) => sum + bytes, 0)
  }

  get usedBytes(): number {
    return this.sealedBytes + this.active.bytes
  }

  append(records: readonly OutgoingRecord[], logs: readonly PartitionLog[]): Promise<readonly Place[]> {
    if (records.length === 0) return Promise.resolve([])
    let bytes = 0
    for (const { value } of records) bytes += value.length + RECORD_OVERHEAD_BYTES
    const fault = this.broken ?? this.tooFull(bytes)
    if (fault !== undefined) return Promise.reject(fault)
    return new Promise((resolve, reject) => {
      this.pendingBytes += bytes
      this.batches.push({ records, logs, bytes, resolve, reject })
      this.pendingRecords += records.length
      if (this.pendingRecords >= EARLY_RECORDS && !this.writing) this.writeGroup()
      else this.schedule()
    })
  }

  /** Notes something beside the records; goes with the next group. */
  note(entries: readonly Entry[]): void {
    this.controls.push(...entries)
    this.schedule()
  }

  /** Writes records again, with the offsets they have. Resolves when durable. */
  async move(moves: readonly Move[]): Promise<void> {
    this.moves.push(...moves)
    await this.flushed()
  }

  /** Resolves when everything handed over so far is durable. */
  async flushed(): Promise<void> {
    if (this.broken !== undefined) throw this.broken
    if (!this.writing && !this.needsSnapshot && !this.hasWork()) return
    await new Promise<void>((resolve, reject) => {
      this.waiters.push({ resolve, reject })
      this.schedule()
    })
  }

  /** Forgets a segment, the oldest. */
  drop(segment: Segment): void {
    this.segments.shift()
    this.sealedBytes -= segment.bytes
    segment.delete()
  }

  close(): void {
    if (this.broken === undefined) this.active.truncate()
    this.broken ??= new Fault('bus.draining', 'the bus is closed')
    for (const segment of this.segments) segment.close()
  }

  private get active(): Segment {
    const segment = this.segments.at(-1)
    if (segment === undefined) throw new Error('a log always has a segment')
    return segment
  }

  /** D4. */
  private tooFull(bytes: number): Fault | undefined {
    const { diskBytesMax } = this.options
    if (this.usedBytes + this.pendingBytes + bytes <= diskBytesMax) return undefined
    this.options.onRoll()
    const neededBy = this.options.neededBy()
    return new Fault('disk.full', `the log has reached its ${diskBytesMax} bytes; the oldest are needed by ${neededBy}`, {
      usedBytes: this.usedBytes,
      diskBytesMax,
      neededBy,
    })
  }

  private schedule(): void {
    if (this.scheduled || this.writing) return
    this.scheduled = true
    setImmediate(() => {
      this.scheduled = false
      this.writeGroup()
    })
  }

  private writeGroup(): void {
    if (this.writing || this.broken !== undefined) return
    this.writing = true
    const failure = this.active.bytes >= this.options.segmentBytesMax ? this.roll() : undefined
    const group = this.encodeGroup()
    const segment = this.active
    const start = segment.bytes
    const done = (error: NodeJS.ErrnoException | null): void => {
      this.writing = false
      if (error === null) this.commit(group, segment, start)
      else this.fail(group, error)
      if (this.hasWork()) this.schedule()
    }
    if (failure !== undefined) return done(failure)
    segment.write(this.encoder.finish(), done)
  }

  private hasWork(): boolean {
    return this.batches.size > 0 || this.controls.length > 0 || this.moves.length > 0 || this.waiters.length > 0
  }

  private encodeGroup(): Group {
    const { encoder } = this
    const nowMs = this.options.nowMs()
    const group: Group = { batches: [], places: [], written: [], controls: this.controls, waiters: this.waiters }
    encoder.begin(this.nextGroup)
    if (this.needsSnapshot) for (const entry of this.catalog.snapshot()) encoder.add(entry)
    for (const entry of this.controls) encoder.add(entry)
    for (const move of this.moves) {
      if (isOutdated(move)) continue // Or it would come back after its deletion.
      group.written.push({ ...move, at: encoder.add(entryOf(move.log, move.record)), moved: true })
    }
    this.controls = []
    this.moves = []
    this.waiters = []
    while (encoder.bytes < GROUP_BYTES_MAX) {
      const batch = this.batches.shift()
      if (batch === undefined) break
      this.pendingRecords -= batch.records.length
      group.batches.push(batch)
      group.places.push(this.encodeBatch(batch, group.written, nowMs))
    }
    return group
  }

  private encodeBatch({ records, logs }: Batch, written: Written[], nowMs: number): Place[] {
    const places: Place[] = []
    for (const [index, outgoing] of records.entries()) {
      const log = logs[index]
      if (log === undefined) continue
      const record = log.assign(outgoing, nowMs)
      written.push({ log, record, at: this.encoder.add(entryOf(log, record)), moved: false })
      places.push({ partition: record.partition, offset: record.offset })
    }
    return places
  }

  private commit(group: Group, segment: Segment, start: number): void {
    this.nextGroup++
    this.needsSnapshot = false
    const touched = new Map<PartitionLog, { count: number; bytes: number }>()
    for (const { log, record, at, moved } of group.written) {
      if (log.topic.compacted) log.remember(record, segment)
      if (moved) {
        log.locate(record, segment, start + at)
        continue
      }
      log.commit(record, segment, start + at)
      const touch = touched.get(log) ?? { count: 0, bytes: 0 }
      touch.count++
      touch.bytes += record.value.length + RECORD_OVERHEAD_BYTES
      touched.set(log, touch)
    }
    for (const [log, { count, bytes }] of touched) this.cache(log, count, bytes)
    for (const [index, batch] of group.batches.entries()) {
      this.pendingBytes -= batch.bytes
      batch.resolve(group.places[index] ?? []) // D1
    }
    for (const waiter of group.waiters) waiter.resolve()
    for (const log of touched.keys()) log.notify()
  }

  private cache(log: PartitionLog, count: number, bytes: number): void {
    this.cached.push({ log, count, bytes })
    this.cachedBytes += bytes
    while (this.cachedBytes > this.options.cacheBytesMax) {
      const oldest = this.cached.shift()
      if (oldest === undefined) return
      oldest.log.evict(oldest.count)
      this.cachedBytes -= oldest.bytes
    }
  }

  /** D3. */
  private fail(group: Group, error: NodeJS.ErrnoException): void {
    for (const { log } of group.written) log.rollback()
    const full = error.code === 'ENOSPC' || error.code === 'EDQUOT'
    const fault = full
      ? new Fault('disk.full', `no space left for the log in ${this.options.dir}`, {}, { cause: error })
      : new Fault('bus.unavailable', `the log in ${this.options.dir} cannot be written: ${error.message}`, {}, { cause: error })
    for (const batch of group.batches) {
      this.pendingBytes -= batch.bytes
      batch.reject(fault)
    }
    for (const waiter of group.waiters) waiter.reject(fault)
    if (full) this.controls = [...group.controls, ...this.controls].slice(-CONTROLS_MAX)
    else this.breakDown(fault) // After a failed sync nobody knows what is on the disk; only a new start finds out.
  }

  private breakDown(fault: Fault): void {
    this.broken = fault
    for (let batch = this.batches.shift(); batch !== undefined; batch = this.batches.shift()) batch.reject(fault)
    for (const waiter of this.waiters) waiter.reject(fault)
    this.waiters = []
    this.options.onFault(fault)
  }

  /** Begins a new segment; says what kept it from that. */
  private roll(): NodeJS.ErrnoException | undefined {
    const full = this.active
    try {
      full.truncate()
      this.segments.push(Segment.create(this.options.dir, full.id + 1))
    } catch (error) {
      return error instanceof Error ? error : Object.assign(new Error(String(error)), error)
    }
    this.sealedBytes += full.bytes
    this.needsSnapshot = true // A segment must be readable when all before it are gone.
    this.options.onRoll()
    return undefined
  }
}

/** Positions are stored again soon; more of them need not be kept over a full disk. */
const CONTROLS_MAX = 10_000

const isOutdated = ({ log, record }: Move): boolean => log.topic.compacted && log.newest.get(record.key)?.record !== record

const entryOf = (log: PartitionLog, record: BusRecord): Entry => ({
  kind: KIND.record,
  topic: log.topic.index,
  partition: log.partition,
  offset: record.offset,
  timeMs: record.timestampMs,
  text: record.key,
  headers: record.headers,
  value: record.value,
})
