// One partition as a lane consumer holds it.
//   Q1. A record of a retry topic is not handed out before it is due. The delay of a topic is fixed, so only the head is looked at, on a timer.
//   Q2. What is taken and not settled is bounded: at `pendingMax`, or while the head is not due, the partition pauses; it resumes at half of it.
//   Q3. Records below the last one taken are repeats of a fetch and are ignored.
import type { BusRecord } from '../bus.ts'
import { decodeFailure } from './failure-record.ts'
import { Fifo } from './fifo.ts'
import { Watermark } from './watermark.ts'

/** Node's timers overflow above it. */
export const TIMER_MAX_MS = 2_147_483_647

export type LanePartitionOptions = {
  readonly topic: string
  readonly partition: number
  readonly position: number
  readonly retrying: boolean
  readonly pendingMax: number
  readonly nowMs: () => number
  readonly onTake: (record: BusRecord, takenAtMs: number) => void
  /** Records became due without a new batch. */
  readonly onDue: () => void
  readonly pause: (topic: string, partition: number) => void
  readonly resume: (topic: string, partition: number) => void
}

export class LanePartition {
  readonly topic: string
  readonly partition: number
  readonly retrying: boolean
  readonly watermark: Watermark
  /** Given up: revoked, or the drain is over. */
  lost = false
  private readonly options: LanePartitionOptions
  private readonly held = new Fifo<BusRecord>()
  private readonly abort = new AbortController()
  private next: number
  private paused = false
  private timer: NodeJS.Timeout | undefined

  constructor(options: LanePartitionOptions) {
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

  enqueue(records: readonly BusRecord[]): void {
    const { onTake, nowMs } = this.options
    const now = nowMs()
    for (const record of records) {
      if (record.offset < this.next) continue // Q3
      this.next = record.offset + 1
      if (this.retrying) this.held.push(record)
      else onTake(record, now)
    }
    if (this.retrying) this.release()
    this.regulate()
  }

  /** Q2. To be called when something was settled. */
  regulate(): void {
    if (this.lost) return
    const { pendingMax, pause, resume } = this.options
    const { gap } = this.watermark
    if (!this.paused && (this.held.size > 0 || gap >= pendingMax)) {
      this.paused = true
      pause(this.topic, this.partition)
    } else if (this.paused && this.held.size === 0 && gap <= pendingMax / 2) {
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

  private release(): void {
    const { onTake, nowMs } = this.options
    const now = nowMs()
    let head = this.held.peek()
    for (; head !== undefined && dueAtMs(head) <= now; head = this.held.peek()) {
      this.held.shift()
      onTake(head, now)
    }
    clearTimeout(this.timer)
    if (head === undefined) return
    this.timer = setTimeout(() => this.matured(), Math.min(Math.max(1, dueAtMs(head) - now), TIMER_MAX_MS)) // Q1
  }

  private matured(): void {
    this.release()
    this.regulate()
    this.options.onDue()
  }
}

const dueAtMs = (record: BusRecord): number => decodeFailure(record)?.notBeforeMs ?? 0
