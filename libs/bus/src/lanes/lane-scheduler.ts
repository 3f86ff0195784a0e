// Which message may be handled now. Pure: it holds tasks and counts, the runner does the work.
//   S1. Tasks of one key start one after the other, in the order offered; the next only after the one before is done.
//   S2. Keys are independent: a key that waits (parked) holds no slot and delays no other key.
//   S3. At most `concurrencyMax` tasks run at once; keys that are ready take turns.
//   S4. A task with an empty key has no order and no neighbours.
import { Fifo } from './fifo.ts'

export class LaneScheduler<Task extends { readonly key: string }> {
  private readonly concurrencyMax: number
  /** Of each busy key, the tasks behind the one that is ready, running or parked. */
  private readonly lanes = new Map<string, Fifo<Task> | undefined>()
  private readonly ready = new Fifo<Task>()
  private readonly parked = new Set<Task>()
  private active = 0

  constructor(concurrencyMax: number) {
    this.concurrencyMax = Math.max(1, concurrencyMax)
  }

  /** Tasks that hold a slot. */
  get running(): number {
    return this.active
  }

  offer(task: Task): void {
    if (task.key === '') return this.ready.push(task) // S4
    const { lanes } = this
    if (!lanes.has(task.key)) {
      lanes.set(task.key, undefined)
      return this.ready.push(task)
    }
    const waiting = lanes.get(task.key) ?? new Fifo<Task>()
    waiting.push(task) // S1
    lanes.set(task.key, waiting)
  }

  /** A task to start, or nothing while all slots are taken (S3). Its slot is held until `done` or `park`. */
  next(): Task | undefined {
    if (this.active >= this.concurrencyMax) return undefined
    const task = this.ready.shift()
    if (task !== undefined) this.active++
    return task
  }

  /** The task waits for something: its slot is free, its key stays taken (S2). */
  park(task: Task): void {
    if (this.parked.has(task)) return
    this.parked.add(task)
    this.active--
  }

  /** The wait is over; `next` will hand it out again. */
  unpark(task: Task): void {
    if (this.parked.delete(task)) this.ready.push(task)
  }

  /** The task is over, whatever became of it: slot and key are free. */
  done(task: Task): void {
    if (!this.parked.delete(task)) this.active--
    this.advance(task.key)
  }

  /** Forgets tasks that have not started or are parked; those that run are not touched. */
  drop(matches: (task: Task) => boolean): readonly Task[] {
    const dropped: Task[] = []
    for (const waiting of this.lanes.values()) if (waiting !== undefined) dropped.push(...waiting.remove(matches))
    const heads = this.ready.remove(matches)
    for (const task of this.parked) {
      if (!matches(task)) continue
      this.parked.delete(task)
      heads.push(task)
    }
    for (const task of heads) this.advance(task.key)
    return [...dropped, ...heads]
  }

  private advance(key: string): void {
    if (key === '') return
    const following = this.lanes.get(key)?.shift()
    if (following === undefined) this.lanes.delete(key)
    else this.ready.push(following)
  }
}
