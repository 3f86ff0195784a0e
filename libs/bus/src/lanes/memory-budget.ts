// What all partitions of a consumer may hold in memory together.
//   M1. A class is full before the ones above it are: what is urgent is still taken when the rest has to wait with the broker.
//   M2. Full begins at the limit and ends at half of it, so that partitions are not paused and resumed for every message.
import { CLASSES, limitsOf, type PriorityClass } from './priority.policy.ts'

type Limits = readonly [number, number, number]

export class MemoryBudget {
  messages = 0
  bytes = 0
  private readonly messagesMax: Limits
  private readonly bytesMax: Limits
  private readonly full: [boolean, boolean, boolean] = [false, false, false]

  constructor({ messagesMax, bytesMax, topics }: { messagesMax: number; bytesMax: number; topics: readonly string[] }) {
    this.messagesMax = limitsOf(messagesMax, topics)
    this.bytesMax = limitsOf(bytesMax, topics)
  }

  isFull(one: PriorityClass): boolean {
    return this.full[one]
  }

  /** True when a class has become full. */
  take(bytes: number): boolean {
    this.messages++
    this.bytes += bytes
    let changed = false
    for (const one of CLASSES) {
      if (this.full[one] || (this.messages < this.messagesMax[one] && this.bytes < this.bytesMax[one])) continue
      this.full[one] = true
      changed = true
    }
    return changed
  }

  /** True when a class is full no more. */
  free(bytes: number): boolean {
    this.messages--
    this.bytes -= bytes
    let changed = false
    for (const one of CLASSES) {
      if (!this.full[one] || this.messages > this.messagesMax[one] / 2 || this.bytes > this.bytesMax[one] / 2) continue
      this.full[one] = false
      changed = true
    }
    return changed
  }
}
