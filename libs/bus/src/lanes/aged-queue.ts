// Tasks that may start, in the order they were offered; those that come back from a wait go by their age, before what is younger.
import { Fifo } from './fifo.ts'
import { Heap } from './heap.ts'

export type Aged = {
  /** When the message was first written, ms since 1970. */
  readonly bornMs: number
  /** It was waited for: its place is by age, not by arrival. */
  readonly returning: boolean
}

export class AgedQueue<Task extends Aged> {
  private readonly fresh = new Fifo<Task>()
  private readonly returning = new Heap<Task>((left, right) => left.bornMs - right.bornMs)

  get size(): number {
    return this.fresh.size + this.returning.size
  }

  push(task: Task): void {
    if (task.returning) this.returning.push(task)
    else this.fresh.push(task)
  }

  peek(): Task | undefined {
    return this.returning.size > 0 && this.returningFirst() ? this.returning.peek() : this.fresh.peek()
  }

  shift(): Task | undefined {
    return this.returning.size > 0 && this.returningFirst() ? this.returning.shift() : this.fresh.shift()
  }

  remove(matches: (task: Task) => boolean): Task[] {
    return [...this.fresh.remove(matches), ...this.returning.remove(matches)]
  }

  private returningFirst(): boolean {
    const oldest = this.returning.peek()
    const first = this.fresh.peek()
    return first === undefined || (oldest !== undefined && oldest.bornMs <= first.bornMs)
  }
}
