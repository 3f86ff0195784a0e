// One partition as a lane consumer holds it.
//   Q1. A record of a retry topic is not handed out before it is due, and then at once: whatever stands before it in the topic, and without
//       looking again and again. One timer waits for the next that is due.
//   Q2. What is taken is bounded: by `pendingMax` messages that are not settled, by `gapMax` between the position and the last one taken
//       (so that a stuck message can make only so many come again), by what waits to be due, and by the memory of all partitions together.
//       At a bound the partition pauses; it resumes at half of it.
//   Q3. Records below the last one taken are repeats of a fetch and are ignored.
import type { BusRecord } from '../bus.ts'
import { Heap } from './heap.ts'
import type { Tracked } from './watermark.ts'
import { Watermark } from './watermark.ts'

/** Node's timers overflow above it. */
export const TIMER_MAX_MS = 2_147_483_647
const HELD_MAX = { messages: 256, bytes: 1_048_576 } as const

/** A taken record; `dueAtMs` is on the clock of `nowMs`, and past unless it waits. */
export type Taken = Tracked & { readonly bytes: number; readonly dueAtMs: number }

export type LanePartitionOptions<Work extends Taken> = {
  readonly topic: string
  readonly partition: number
  readonly position: number
  readonly retrying: boolean
  readonly pendingMax: number
  readonly gapMax: number
  /** A clock that nobody sets. */
  readonly nowMs: () => number
  /** The memory of all partitions is used up, as far as this one may use it. */
  readonly isMemoryFull: () => boolean
  readonly make: (record: BusRecord, takenAtMs: number) => Work
  readonly offer: (work: Work) => void
  /** Records became due without a new batch. */
  readonly onDue: () => void
  readonly pause: (topic: string, partition: number) => void
  readonly resume: (topic: string, partition: number) => void
}

export class LanePartition<Work extends Taken> {
  readonly topic: string
  readonly partition: number
  readonly retrying: boolean
  readonly watermark: Watermark
  /** Given up: revoked, or the drain is over. */
  lost = false
  paused = false
  private readonly options: LanePartitionOptions<Work>
  private readonly held = new Heap<Work>((left, right) => left.dueAtMs - right.dueAtMs || left.offset - right.offset)
  private readonly abort = new AbortController()
  private heldBytes = 0
  private unsettled = 0
  private next: number
  private timer: NodeJS.Timeout | undefined

  constructor(options: LanePartitionOptions<Work>) {
    this.options = options
    this.topic = options.topic
    this.partition = options.partition
    this.retrying = options.retrying
    this.watermark = new Watermark(options.position)
    this.next = options.position
  }

  get signal(): AbortSignal {
    return this.abort.signal
  }

  /** Messages here that wait to be due. */
  get waiting(): number {
    return this.held.size
  }

  enqueue(records: readonly BusRecord[]): void {
    const { make, offer, nowMs } = this.options
    const now = nowMs()
    for (const record of records) {
      if (record.offset < this.next) continue // Q3
      this.next = record.offset + 1
      const work = make(record, now)
      this.watermark.take(work)
      this.unsettled++
      if (work.dueAtMs > now) this.hold(work)
      else offer(work)
    }
    if (this.retrying) this.wake()
    this.regulate()
  }

  settle(work: Work): void {
    this.unsettled--
    this.watermark.settle(work)
    this.regulate()
  }

  /** Q2. To be called when the memory of all partitions is full, or no more. */
  regulate(): void {
    if (this.lost) return
    const { pause, resume } = this.options
    if (!this.paused && this.isFull()) {
      this.paused = true
      pause(this.topic, this.partition)
    } else if (this.paused && this.isHalfEmpty()) {
      this.paused = false
      resume(this.topic, this.partition)
    }
  }

  /** Nothing more is handed out; handlers that run may go on. */
  stop(): void {
    clearTimeout(this.timer)
    this.held.remove(() => true)
  }

  lose(): void {
    this.stop()
    this.lost = true
    this.abort.abort()
  }

  private isFull(): boolean {
    const { pendingMax, gapMax, isMemoryFull } = this.options
    return (
      this.unsettled - this.held.size >= pendingMax || // What waits to be due has a bound of its own.
      this.watermark.gap >= gapMax ||
      this.held.size >= HELD_MAX.messages ||
      this.heldBytes >= HELD_MAX.bytes ||
      isMemoryFull()
    )
  }

  private isHalfEmpty(): boolean {
    const { pendingMax, gapMax, isMemoryFull } = this.options
    return (
      this.unsettled - this.held.size <= pendingMax / 2 &&
      this.watermark.gap <= gapMax / 2 &&
      this.held.size <= HELD_MAX.messages / 2 &&
      this.heldBytes <= HELD_MAX.bytes / 2 &&
      !isMemoryFull()
    )
  }

  private hold(work: Work): void {
    this.held.push(work)
    this.heldBytes += work.bytes
  }

  /** Q1. */
  private wake(): void {
    clearTimeout(this.timer)
    const head = this.held.peek()
    if (head === undefined) return
    const waitMs = head.dueAtMs - this.options.nowMs()
    this.timer = setTimeout(() => this.matured(), Math.min(Math.max(1, waitMs), TIMER_MAX_MS))
  }

  private matured(): void {
    const { offer, nowMs, onDue } = this.options
    const now = nowMs()
    for (let head = this.held.peek(); head !== undefined && head.dueAtMs <= now; head = this.held.peek()) {
      this.held.shift()
      this.heldBytes -= head.bytes
      offer(head)
    }
    this.wake()
    this.regulate()
    onDue()
  }
}
