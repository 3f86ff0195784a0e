// The shell around lanes, the same for every adapter: it is handed records of partitions, runs the handler, and says how far each
// partition is done. It reads and stores nothing itself.
//   R1. A message is settled when it is acknowledged, or when its forwarding to a retry or dead-letter topic is durable; never before.
//   R2. A message that waits (retry in the lane, forwarding that failed) stops its own key only.
//   R3. A handler that throws asks for a retry with `handler.failed`, or with the code of the fault it threw.
//   R4. After `revoke` or the end of a drain, signals are aborted and late settlements change nothing.
//   R5. The handler sees a retried message as it was the first time: topic, partition, offset, time and headers of its origin.
//   R6. At most `STARTS_PER_TURN_MAX` handlers start in one turn of the event loop, so timers and sockets are served under load.
//   R7. What is too much of one tenant waits in a retry topic (overflow.policy.ts); when it cannot be forwarded it is handled like the rest.
//   R8. Nothing is started while it is not known that the partitions are still this process's own: after a sleep, or cut off from the broker.
//   R9. How long something waits does not depend on the time of day (steady-clock.ts).
import { toFault, type FaultData } from '@baton/contracts/fault'
import type { BusRecord, Delivery, LanesOptions, LaneStats, OutgoingRecord, RetryPolicy, Settlement } from '../bus.ts'
import { withAttempts } from './attempt-log.ts'
import { asOriginal, decodeFailure, encodeFailure, type FailureRecord } from './failure-record.ts'
import { laneStats, type PartitionEnds } from './lane-stats.ts'
import { LanePartition, TIMER_MAX_MS } from './lane-partition.ts'
import { LaneScheduler } from './lane-scheduler.ts'
import { Overflow } from './overflow.policy.ts'
import { MemoryBudget } from './memory-budget.ts'
import { classOfTopic, limitsOf } from './priority.policy.ts'
import { deferTopic, nextHop } from './retry-ladder.policy.ts'
import { SteadyClock } from './steady-clock.ts'
import { stackFrames } from './stack-frames.ts'
import { bytesOf, failureSoFar, NO_RECORD, type Work } from './work.ts'

const CONCURRENCY_MAX = 256
const PENDING_MAX = 2_000
/** Of `pendingMax`. */
const GAP_FACTOR = 10
const MEMORY_MAX = { messages: 50_000, bytes: 64 * 1_048_576 } as const
/** The last slots are for other tenants. */
const TENANT_SHARE = 7 / 8
const STARTS_PER_TURN_MAX = 256
const FORWARD_AGAIN_MS = { first: 100, longest: 5_000 } as const

export type LaneRunnerOptions = LanesOptions & {
  /** Resolves when the record is durable. */
  readonly publish: (records: readonly OutgoingRecord[]) => Promise<unknown>
  /** Time of day. */
  readonly nowMs: () => number
  /** A clock that nobody sets. Default `nowMs`. */
  readonly steadyMs?: () => number
  /** Whether the partitions are known to be this process's own; `wake` tells that they are again. Default always. */
  readonly isOwner?: () => boolean
  /** The adapter should hand over no more records of this partition until `resume`; what it already has may still come. */
  readonly pause: (topic: string, partition: number) => void
  readonly resume: (topic: string, partition: number) => void
  /** A message was settled: `positions` may have changed. */
  readonly onSettled?: () => void
  /** Where a partition ends as far as is known, for the lag. */
  readonly endOf?: PartitionEnds
}

export type LanePosition = { readonly topic: string; readonly partition: number; readonly next: number }

/** Why a try was lost. */
type Loss = { readonly fault: FaultData; readonly cause?: unknown }

export class LaneRunner {
  private readonly options: LaneRunnerOptions
  /** What each retry topic is made for. */
  private readonly retryDelays: ReadonlyMap<string, number>
  private readonly clock: SteadyClock
  private readonly isOwner: () => boolean
  private readonly scheduler: LaneScheduler<Work>
  private readonly memory: MemoryBudget
  private readonly overflow: Overflow | undefined
  private readonly lanes = new Map<string, LanePartition<Work>>()
  private settledCount = 0
  private ownershipChanges = 0
  private turnStarts = 0
  private draining = false
  private readonly whenIdle: (() => void)[] = []

  constructor(options: LaneRunnerOptions) {
    this.options = options
    this.retryDelays = new Map(options.retry.retryTopics.map(({ topic, delayMs }) => [topic, delayMs]))
    this.clock = new SteadyClock(options.nowMs, options.steadyMs ?? options.nowMs)
    this.isOwner = options.isOwner ?? (() => true)
    const { topics, tenantWeight, concurrencyMax = CONCURRENCY_MAX, memoryMessagesMax, memoryBytesMax } = options
    this.scheduler = new LaneScheduler({
      concurrencyMax,
      classLimits: limitsOf(concurrencyMax, topics),
      tenantRunningMax: options.tenantRunningMax ?? Math.ceil(concurrencyMax * TENANT_SHARE),
      ...(tenantWeight === undefined ? {} : { tenantWeight }),
    })
    const { retry, ordered = true, pendingMax = PENDING_MAX, tenantPendingMax = pendingMax / 2 } = options
    this.overflow = retry.retryTopics.length === 0 ? undefined : new Overflow({ ordered, tenantPendingMax })
    this.memory = new MemoryBudget({
      messagesMax: memoryMessagesMax ?? MEMORY_MAX.messages,
      bytesMax: memoryBytesMax ?? MEMORY_MAX.bytes,
      topics,
    })
  }

  /** Starts a partition at `position`, normally the stored one. Forgets what was known about it before. */
  assign(topic: string, partition: number, position: number): void {
    this.revoke(topic, partition)
    if (this.draining) return
    const { pause, resume, pendingMax = PENDING_MAX, gapMax = pendingMax * GAP_FACTOR } = this.options
    const priority = classOfTopic(topic)
    const lane: LanePartition<Work> = new LanePartition({
      topic,
      partition,
      position,
      retrying: this.retryDelays.has(topic),
      pendingMax: Math.max(1, pendingMax),
      gapMax: Math.max(1, gapMax),
      nowMs: () => this.clock.nowMs(),
      pause,
      resume,
      isMemoryFull: () => this.memory.isFull(priority),
      make: (record, takenAtMs) => this.workOf(lane, record, takenAtMs),
      offer: (work) => this.take(work),
      onDue: () => this.pump(),
    })
    this.lanes.set(laneId(topic, partition), lane)
    this.ownershipChanges++
  }

  /** Takes records of one assigned partition in ascending order; those below the last one taken are ignored. */
  enqueue(topic: string, partition: number, records: readonly BusRecord[]): void {
    const lane = this.lanes.get(laneId(topic, partition))
    if (lane === undefined || this.draining) return
    lane.enqueue(records)
    this.pump()
  }

  /** The partitions are known to be this process's own again (R8). */
  wake(): void {
    this.pump()
  }

  /** The partition belongs to somebody else now: aborts its handlers, forgets the rest (R4). */
  revoke(topic: string, partition: number): void {
    const lane = this.lanes.get(laneId(topic, partition))
    if (lane === undefined) return
    this.lanes.delete(laneId(topic, partition))
    this.ownershipChanges++
    lane.lose()
    this.dropWaiting((work) => work.lane === lane)
    this.pump()
  }

  /** The position to store for each assigned partition; still readable after `drain`. */
  positions(): readonly LanePosition[] {
    return [...this.lanes.values()].map(({ topic, partition, watermark }) => ({ topic, partition, next: watermark.position }))
  }

  stats(): LaneStats {
    return {
      ...laneStats(this.lanes.values(), { ...this.options, steadyMs: () => this.clock.nowMs() }),
      inFlight: this.scheduler.running,
      lanes: this.scheduler.busyKeys,
      settled: this.settledCount,
      heldBytes: this.memory.bytes,
      ownershipChanges: this.ownershipChanges,
    }
  }

  /** Starts nothing new, lets what runs finish for `graceMs`, aborts the rest. Then `positions` is final. */
  async drain({ graceMs }: { graceMs: number }): Promise<void> {
    this.draining = true
    for (const lane of this.lanes.values()) lane.stop()
    this.dropWaiting(() => true)
    await this.quiet(graceMs)
    for (const lane of this.lanes.values()) lane.lose()
  }

  /** Resolves when no handler runs, or after `graceMs`. */
  async quiet(graceMs: number): Promise<void> {
    if (this.scheduler.running === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs)
      this.whenIdle.push(() => resolve(clearTimeout(timer)))
    })
  }

  private workOf(lane: LanePartition<Work>, raw: BusRecord, takenAtMs: number): Work {
    const failure = lane.retrying ? decodeFailure(raw) : undefined // On any other topic these headers are a stranger's.
    const record = failure === undefined ? raw : asOriginal(raw, failure) // R5
    return {
      key: this.options.ordered === false ? '' : record.key,
      tenant: record.headers['ce_tenant'] ?? DEFAULT_TENANT,
      priority: classOfTopic(record.topic),
      offset: raw.offset,
      takenAtMs,
      bornMs: record.timestampMs,
      returning: lane.retrying,
      bytes: bytesOf(record),
      dueAtMs: this.dueOf(lane.topic, failure?.notBeforeMs),
      lane,
      stage: failure?.stage ?? 0,
      record,
      failure,
      attempt: (failure?.attempts ?? 0) + 1,
      settled: false,
      dropped: false,
      forwards: 0,
      timer: undefined,
    }
  }

  /** R9. */
  private dueOf(topic: string, notBeforeMs: number | undefined): number {
    return notBeforeMs === undefined ? -Infinity : this.clock.dueMs(notBeforeMs, this.retryDelays.get(topic) ?? 0)
  }

  private take(work: Work): void {
    if (this.memory.take(work.bytes)) this.regulate()
    const waitMs = this.overflow?.take(work, work.returning ? this.clock.nowMs() : work.takenAtMs) ?? 0
    if (waitMs > 0) this.putOff(work, waitMs)
    else this.scheduler.offer(work)
  }

  /** R7. */
  private putOff(work: Work, waitMs: number): void {
    const forwarded = this.deferred(work, waitMs)
    if (forwarded === undefined) return this.scheduler.offer(work)
    this.options.publish([forwarded]).then(
      () => this.free(work, true),
      () => {
        if (work.lane.lost || this.draining) return this.free(work, false)
        this.scheduler.offer(work)
        this.pump()
      },
    )
  }

  private regulate(): void {
    for (const lane of this.lanes.values()) lane.regulate()
  }

  private pump(): void {
    if (!this.isOwner()) return // R8
    while (!this.draining && this.turnStarts < STARTS_PER_TURN_MAX) {
      const work = this.scheduler.next(this.clock.nowMs())
      if (work === undefined) return
      if (this.turnStarts++ === 0) setImmediate(() => this.nextTurn()) // R6
      this.start(work)
    }
  }

  private nextTurn(): void {
    this.turnStarts = 0
    this.pump()
  }

  private start(work: Work): void {
    try {
      this.options.handler(work.record, this.deliveryOf(work)).then(
        (settlement) => this.settle(work, settlement),
        (error: unknown) => this.settle(work, thrown(error)),
      )
    } catch (error) {
      this.settle(work, thrown(error))
    }
  }

  private deliveryOf(work: Work): Delivery {
    const hop = nextHop(this.policyOf(work.record), work)
    return {
      attempt: work.attempt,
      lastAttempt: hop.to === 'dead-letters',
      nextDelayMs: hop.to === 'topic' ? hop.delayMs : 0,
      signal: work.lane.signal,
    }
  }

  private policyOf(record: BusRecord): RetryPolicy {
    const { retry, retryOf } = this.options
    const exception = retryOf?.(record)
    return exception === undefined ? retry : { ...retry, ...exception }
  }

  private settle(work: Work, settlement: Settlement): void {
    if (work.lane.lost) return this.finish(work, false) // R4
    switch (settlement.outcome) {
      case 'ack':
        return this.finish(work, true)
      case 'reject':
        return this.bury(work, settlement)
      case 'retry':
        return this.tryAgain(work, settlement, settlement.afterMs)
      case 'defer':
        return this.defer(work, settlement.untilMs)
    }
  }

  private tryAgain(work: Work, loss: Loss, afterMs: number | undefined): void {
    const hop = nextHop(this.policyOf(work.record), work, afterMs)
    if (hop.to === 'dead-letters') return this.bury(work, loss)
    const failure = this.failed(work, loss)
    if (hop.to === 'topic') {
      return this.forward(work, hop.topic, { ...failure, stage: hop.stage, notBeforeMs: this.options.nowMs() + hop.delayMs })
    }
    work.failure = failure
    work.attempt++
    this.wait(work, hop.delayMs)
  }

  private bury(work: Work, loss: Loss): void {
    this.forward(work, this.options.retry.deadLetterTopic, this.failed(work, loss))
  }

  private defer(work: Work, untilMs: number): void {
    const waitMs = Math.max(0, untilMs - this.options.nowMs())
    const forwarded = this.deferred(work, waitMs)
    if (forwarded === undefined) this.wait(work, waitMs)
    else this.publishOf(work, forwarded)
  }

  /** The message as it waits: not an attempt, and not longer than the retry topic is made for. Nothing where there is no such topic. */
  private deferred(work: Work, waitMs: number): OutgoingRecord | undefined {
    const topic = deferTopic(this.options.retry, waitMs)
    if (topic === undefined) return undefined
    const notBeforeMs = this.options.nowMs() + Math.min(topic.delayMs, waitMs)
    const failure = { ...failureSoFar(work), attempts: work.attempt - 1, stage: work.stage, notBeforeMs }
    return encodeFailure(topic.topic, work.record, failure)
  }

  private failed(work: Work, { fault, cause }: Loss): FailureRecord {
    const atMs = this.options.nowMs()
    const before = failureSoFar(work)
    const log = withAttempts(before.log ?? [], [{ attempt: work.attempt, atMs, code: fault.code }])
    const frames = stackFrames(cause)
    return { firstFailedAtMs: atMs, ...before, fault, attempts: work.attempt, stage: work.stage, log, frames }
  }

  private forward(work: Work, topic: string, failure: FailureRecord): void {
    this.publishOf(work, encodeFailure(topic, work.record, failure))
  }

  private publishOf(work: Work, forwarded: OutgoingRecord): void {
    const again = (): void => {
      if (work.dropped || work.lane.lost || this.draining) return this.finish(work, false)
      this.scheduler.park(work) // R2
      const delayMs = Math.min(FORWARD_AGAIN_MS.longest, FORWARD_AGAIN_MS.first * 2 ** Math.min(work.forwards++, 10))
      work.timer = setTimeout(() => this.publishOf(work, forwarded), delayMs)
      this.pump()
    }
    this.options.publish([forwarded]).then(() => this.finish(work, true), again) // R1
  }

  private wait(work: Work, delayMs: number): void {
    if (this.draining) return this.finish(work, false)
    this.scheduler.park(work) // R2
    work.timer = setTimeout(
      () => {
        this.scheduler.unpark(work)
        this.pump()
      },
      Math.min(delayMs, TIMER_MAX_MS),
    )
    this.pump()
  }

  private finish(work: Work, settled: boolean): void {
    if (work.dropped) return
    this.scheduler.done(work)
    this.overflow?.done(work)
    this.free(work, settled)
    if (!this.draining) this.pump()
    if (this.scheduler.running === 0) for (const idle of this.whenIdle.splice(0)) idle()
  }

  private free(work: Work, settled: boolean): void {
    work.record = NO_RECORD
    const roomAgain = this.memory.free(work.bytes)
    if (settled && !work.lane.lost) {
      this.settledCount++
      work.lane.settle(work)
      this.options.onSettled?.()
    }
    if (roomAgain) this.regulate()
  }

  private dropWaiting(matches: (work: Work) => boolean): void {
    for (const work of this.scheduler.drop(matches)) {
      work.dropped = true
      clearTimeout(work.timer)
      this.overflow?.done(work)
      this.free(work, false)
    }
  }
}

const thrown = (error: unknown): Settlement => ({ outcome: 'retry', fault: toFault(error).data, cause: error }) // R3

const DEFAULT_TENANT = 'default'

const laneId = (topic: string, partition: number): string => `${topic}/${partition}`
