// A trigger on a topic of somebody else: a consumer of its own, so that a flow in trouble holds up nobody else's.
//   E1. The same event twice starts one run: it is named by its key, else by its place.
//   E2. What cannot start a run goes to the dead letters with its reason, and the topic goes on; a dependency that is down is waited for.
//   E3. Records from before the trigger are none of its business; those that come while it is paused wait for it.
//   E4. A topic that is not there is looked for until it is; then it counts from its beginning.
import { setTimeout as sleep } from 'node:timers/promises'
import type { BusRecord, Delivery, LaneConsumer, RetryPolicy, Settlement } from '@baton/bus/bus'
import { decodeForeignEvent, deadLetterTopic, Fault, isRetryable, toFault } from '@baton/contracts'
import { dependencyWait, type Platform } from '@baton/service'
import type { TopicBegin } from '@baton/store'
import type { StartRun } from './start-run.ts'
import type { Known, TriggerBook } from './trigger-book.ts'
import type { TriggerNotes } from './trigger-notes.ts'
import { serves, type TopicTrigger } from './trigger.ts'

const LOOK_AGAIN_MS = 5_000
const VOID_WAIT_MS = 1_000
const CONCURRENCY_MAX = 64
/** The retry topics belong to the gateway's own consumer, so that all tries are in the lane; without keys nothing waits for it. */
const RETRY: RetryPolicy = { laneAttemptsMax: 4, laneDelayMs: 500, retryTopics: [], deadLetterTopic: deadLetterTopic('gateway') }
const MISSING: TopicBegin = { topicId: '', next: {} }

export type TopicTriggerDeps = {
  readonly platform: Platform
  readonly book: TriggerBook
  readonly startRun: StartRun
  readonly notes: TriggerNotes
}

/** One trigger's consumer, from when it is in force until it is not. */
export class TopicListener {
  readonly #deps: TopicTriggerDeps
  readonly #id: string
  readonly #topic: string
  readonly #ended = new AbortController()
  readonly #turns = new Map<string, Promise<unknown>>()
  readonly #opening: Promise<void>
  #consumer: LaneConsumer | undefined
  #begin: { readonly topicId: string; readonly at: TopicBegin } | undefined
  /** Resolves when the topic was found and where it stands is known, or after the first look in vain. */
  readonly looked: Promise<void>

  constructor(deps: TopicTriggerDeps, { trigger }: Known<TopicTrigger>) {
    this.#deps = deps
    this.#id = trigger.id
    this.#topic = trigger.spec.topic
    let onLooked = (): void => undefined
    this.looked = new Promise((resolve) => {
      onLooked = resolve
    })
    this.#opening = this.#open(() => onLooked())
  }

  async close({ graceMs }: { graceMs: number }): Promise<void> {
    this.#ended.abort()
    // Joining a group waits for brokers; whoever ends does not.
    await Promise.race([this.#opening, sleep(graceMs, undefined, { ref: false })])
    await this.#consumer?.close({ graceMs })
  }

  /** E4. */
  async #open(onLooked: () => void): Promise<void> {
    const { platform, notes } = this.#deps
    while (!this.#ended.signal.aborted) {
      try {
        if (await this.#listen(onLooked)) return
        notes.failed(this.#id, new Fault('config.invalid', `there is no topic ${this.#topic}; it is waited for`))
      } catch (error) {
        const { code, message } = toFault(error)
        platform.telemetry.logger.warn({ topic: this.#topic, code, reason: message }, 'a topic of a trigger cannot be read yet')
      } finally {
        onLooked()
      }
      await sleep(LOOK_AGAIN_MS, undefined, { signal: this.#ended.signal, ref: false }).catch(() => undefined)
    }
  }

  /** False when there is no such topic. */
  async #listen(onBegun: () => void): Promise<boolean> {
    const { bus, stores } = this.#deps.platform
    const known = this.#deps.book.get(this.#id)?.row.beginsAt ?? undefined
    if (!(await bus.findTopic(this.#topic))) {
      if (known === undefined) await stores.triggers.begin({ id: this.#id, beginsAt: MISSING }) // E4
      return false
    }
    const { topicId, partitions } = await bus.describe(this.#topic)
    const here = { topicId, next: Object.fromEntries(partitions.map(({ partition, next }) => [String(partition), next])) }
    const at = known ?? (await stores.triggers.begin({ id: this.#id, beginsAt: here })) ?? here
    this.#begin = { topicId, at }
    onBegun() // What comes from now on is heard, however long the group takes.
    if (this.#ended.signal.aborted) return true
    const consumer = await bus.lanes({
      group: `gateway.trigger.${this.#id}`,
      topics: [this.#topic],
      handler: (record, delivery) => this.#handle(record, delivery),
      retry: RETRY,
      ordered: false,
      concurrencyMax: CONCURRENCY_MAX,
    })
    this.#consumer = consumer
    if (this.#ended.signal.aborted) await consumer.close({ graceMs: 0 })
    return true
  }

  async #handle(record: BusRecord, delivery: Delivery): Promise<Settlement> {
    const { platform, book, notes } = this.#deps
    const { telemetry, nowMs } = platform
    const known = book.get(this.#id)
    // No longer in force, and about to be closed: whoever comes after takes it.
    if (known === undefined || known.trigger.kind !== 'topic' || known.row.paused)
      return { outcome: 'defer', untilMs: nowMs() + VOID_WAIT_MS, reason: 'the trigger is not in force' }
    try {
      await this.#take(known.trigger, record)
      return { outcome: 'ack' }
    } catch (error) {
      const fault = toFault(error)
      const untilMs = dependencyWait(fault.code, nowMs())
      if (untilMs !== undefined) return { outcome: 'defer', untilMs, reason: fault.message } // E2
      if (isRetryable(fault.code) && !delivery.lastAttempt) return { outcome: 'retry', fault: fault.data, cause: error }
      notes.failed(this.#id, fault)
      telemetry.metrics.count('baton_triggers_total', { kind: 'topic', outcome: 'rejected' })
      const { topic, partition, offset } = record
      telemetry.logger.warn(
        { code: fault.code, reason: fault.message, flow: known.trigger.flow, topic, partition, offset },
        'an event starts no run',
      )
      return { outcome: 'reject', fault: fault.data, cause: error } // E2
    }
  }

  async #take(trigger: TopicTrigger, record: BusRecord): Promise<void> {
    const { platform, book, startRun, notes } = this.#deps
    if (this.#isOlder(record)) return // E3
    const { requestBytesMax } = platform.config
    if (record.value.length > requestBytesMax)
      throw new Fault('request.too_large', `the event has ${record.value.length} bytes, at most ${requestBytesMax} are taken`)
    const { data, tenant = trigger.tenant } = decodeForeignEvent(record)
    if (!serves(trigger, tenant, (of, flow) => book.hasOwn(of, flow)) || !trigger.program.matches(data)) return
    const { topic, partition, offset, timestampMs, headers } = record
    const requestId = trigger.program.key(data) ?? `${topic}/${partition}/${offset}` // E1
    const occurrence = { input: trigger.program.input(data), tenant, requestId, atMs: Math.max(0, timestampMs) }
    const { runId } = await this.#inTurn(requestId, () => startRun(trigger, { ...occurrence, traceparent: headers['traceparent'] }))
    notes.started(this.#id, runId)
  }

  /** E1: of several events with one name the first is the one that starts the run. */
  async #inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(name)
    const turn = before === undefined ? work() : before.then(work, work)
    this.#turns.set(name, turn)
    try {
      return await turn
    } finally {
      if (this.#turns.get(name) === turn) this.#turns.delete(name)
    }
  }

  /** A topic that was made again since counts from its beginning. */
  #isOlder({ partition, offset }: BusRecord): boolean {
    if (this.#begin === undefined || this.#begin.topicId !== this.#begin.at.topicId) return false
    return offset < (this.#begin.at.next[String(partition)] ?? 0)
  }
}
