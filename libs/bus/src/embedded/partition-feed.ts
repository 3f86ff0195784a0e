// Hands the records of one partition to one reader, in order and without gaps, from memory while it keeps up and from disk when not.
//   E1. The next batch waits for the promise of the one before; a paused feed hands over nothing.
//   E2. A long way to catch up is walked in pieces, with a turn of the event loop between them.
import { Fault, toFault } from '@baton/contracts/fault'
import type { BusRecord } from '../bus.ts'
import type { PartitionLog } from './partition-log.ts'
import { readRecords } from './partition-reader.ts'

const BATCH_RECORDS_MAX = 1_000

export type FeedOptions = {
  readonly from: number
  readonly onBatch: (records: readonly BusRecord[]) => Promise<void> | void
  /** The feed cannot go on and has stopped. */
  readonly onFault: (fault: Fault) => void
  /** Everything there is has been handed over. May be called again. */
  readonly onCaughtUp?: () => void
  /** Records that retention took away: go on at the first that is there, or stop with `log.truncated`. */
  readonly onTruncated: 'skip' | 'stop'
}

export class PartitionFeed {
  private readonly log: PartitionLog
  private readonly options: FeedOptions
  private next: number
  private paused = false
  private busy = false
  private closed = false
  private onIdle: (() => void) | undefined
  private readonly listener = (): void => this.run()

  constructor(log: PartitionLog, options: FeedOptions) {
    this.log = log
    this.options = options
    this.next = options.from
    log.listeners.add(this.listener)
    this.later() // The caller first gets hold of the reader, then of records.
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    this.run()
  }

  /** Nothing is handed over any more. Resolves when the batch under way is done. */
  async close(): Promise<void> {
    this.closed = true
    this.log.listeners.delete(this.listener)
    if (this.busy) await new Promise<void>((resolve) => (this.onIdle = resolve))
  }

  private run(): void {
    if (this.busy || this.paused || this.closed) return
    if (this.next >= this.log.next) return this.options.onCaughtUp?.()
    if (this.next < this.log.first) {
      if (this.options.onTruncated === 'stop') return this.stop(truncated(this.log, this.next))
      this.next = this.log.first
    }
    const records = this.log.fromMemory(this.next, BATCH_RECORDS_MAX)
    if (records === undefined) return this.readAtRest()
    this.hand(records)
  }

  private hand(records: readonly BusRecord[]): void {
    const last = records.at(-1)
    if (last === undefined) return
    this.next = last.offset + 1
    this.busy = true
    try {
      const pending = this.options.onBatch(records)
      if (pending === undefined) {
        this.busy = false
        if (this.next < this.log.next) this.later() // E2
        else this.options.onCaughtUp?.()
      } else
        pending.then(
          () => this.idle(),
          (error: unknown) => this.stop(toFault(error)),
        ) // E1
    } catch (error) {
      this.stop(toFault(error))
    }
  }

  private readAtRest(): void {
    this.busy = true
    readRecords(this.log, this.next, BATCH_RECORDS_MAX).then(
      (records) => {
        this.busy = false
        if (this.closed) return this.idle()
        if (records.length === 0) this.next = this.log.next // Only a compacted topic ends in a gap.
        if (records.length === 0 || this.paused) return this.run()
        this.hand(records)
      },
      (error: unknown) => {
        this.busy = false
        if (this.closed) return this.idle()
        if (this.next < this.log.first) this.later() // Its segment was deleted under it.
        else this.stop(toFault(error))
      },
    )
  }

  private later(): void {
    setImmediate(this.listener)
  }

  private idle(): void {
    this.busy = false
    this.onIdle?.()
    this.run()
  }

  private stop(fault: Fault): void {
    this.closed = true
    this.log.listeners.delete(this.listener)
    this.idle()
    this.options.onFault(fault)
  }
}

/** The position is not in the log. */
export const truncated = (log: PartitionLog, position: number): Fault =>
  new Fault('log.truncated', `${log.topic.name}/${log.partition} holds ${log.first} to ${log.next - 1}, not ${position}`, {
    topic: log.topic.name,
    partition: log.partition,
    position,
    first: log.first,
    next: log.next,
  })
