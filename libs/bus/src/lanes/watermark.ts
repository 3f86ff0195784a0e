// How far a partition is done: the position to go on from after a restart.
//   W1. Everything before the position is settled; the first unsettled record is the position.
//   W2. Offsets are taken in ascending order and may have gaps (compaction, control records); a gap never holds the position back.
import { Fifo } from './fifo.ts'

/** A taken record, as far as the watermark cares. */
export type Tracked = { readonly offset: number; readonly takenAtMs: number; readonly bornMs: number; settled: boolean }

export class Watermark {
  private readonly open = new Fifo<Tracked>()
  private next: number

  /** `position` is where the partition is read from. */
  constructor(position: number) {
    this.next = position
  }

  /** Taken and not yet passed by the position: unsettled ones and settled ones behind them. */
  get gap(): number {
    return this.open.size
  }

  /** The offset after the last one taken. */
  get high(): number {
    return this.next
  }

  /** The offset to store: all before it is settled (W1). */
  get position(): number {
    return this.open.peek()?.offset ?? this.next
  }

  /** The first unsettled record: the oldest of the partition. */
  get oldest(): Tracked | undefined {
    return this.open.peek()
  }

  take(entry: Tracked): void {
    this.open.push(entry)
    this.next = entry.offset + 1 // W2: whatever lies between two taken offsets does not exist.
  }

  /** True when the position moved. */
  settle(entry: Tracked): boolean {
    entry.settled = true
    if (this.open.peek() !== entry) return false
    while (this.open.peek()?.settled === true) this.open.shift()
    return true
  }
}
