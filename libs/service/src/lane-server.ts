// Nest's transport over the Bus port: controllers, guards, pipes, interceptors and filters run as with any transport, while order,
// retries, dead letters and back-pressure stay with the lanes of the bus.
//   S1. One consumer a group; the contract in `ce_type` chooses the handler, else the topic.
//   S2. A handler that returns nothing acknowledges; one that throws is classified by its fault code, never by its class.
//   S3. A message that nobody takes goes to the dead letters; it is not acknowledged silently.
//   S4. Nest's processing hooks run around every message.
import { callbackify } from 'node:util'
import { BaseRpcContext, Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices'
import { isObservable, lastValueFrom } from 'rxjs'
import type {
  Bus,
  BusRecord,
  Delivery,
  LaneConsumer,
  LanesOptions,
  LaneStats,
  RetryException,
  RetryPolicy,
  Settlement,
} from '@baton/bus/bus'
import {
  contractOfType,
  deadLetterTopic,
  isRetryable,
  retryTopic,
  RETRY_DELAYS,
  toFault,
  type FaultCode,
  type RetryDelay,
  type ServiceName,
} from '@baton/contracts'
import type { Telemetry } from '@baton/telemetry'
import { reportLanes } from './lane-report.ts'
import { contractPattern, LANES, topicPattern, type LaneExtras, type LanePolicy } from './lane-handlers.ts'

/** What a lane handler is given beside the record. */
export class LaneContext extends BaseRpcContext<[BusRecord, Delivery]> {
  get record(): BusRecord {
    return this.args[0]
  }

  get delivery(): Delivery {
    return this.args[1]
  }

  get signal(): AbortSignal {
    return this.args[1].signal
  }
}

const DELAYS = Object.keys(RETRY_DELAYS).filter((delay): delay is RetryDelay => Object.hasOwn(RETRY_DELAYS, delay))

/** Retry in the lane, then the retry topics of the service, then its dead letters. */
export const retryPolicyOf = (service: ServiceName): RetryPolicy => ({
  laneAttemptsMax: 2,
  laneDelayMs: 100,
  retryTopics: DELAYS.map((delay) => ({ topic: retryTopic(service, delay), delayMs: RETRY_DELAYS[delay] })),
  deadLetterTopic: deadLetterTopic(service),
})

/** The limits that are given; what is not given is the default of the bus. */
const limitsOf = ({ concurrencyMax, pendingMax, tenantRunningMax, tenantWeight }: LanePolicy): Partial<LanesOptions> => ({
  ...(concurrencyMax === undefined ? {} : { concurrencyMax }),
  ...(pendingMax === undefined ? {} : { pendingMax }),
  ...(tenantRunningMax === undefined ? {} : { tenantRunningMax }),
  ...(tenantWeight === undefined ? {} : { tenantWeight }),
})

const ACK: Settlement = { outcome: 'ack' }

const isSettlement = (value: unknown): value is Settlement => typeof value === 'object' && value !== null && 'outcome' in value

/** Faults of what every service leans on: waiting helps, and nobody's attempt is used up by it. */
const DEPENDENCY_DOWN: ReadonlySet<FaultCode> = new Set(['store.unavailable', 'bus.unavailable', 'disk.full'])
/** How long a message waits for a dependency before the next look. */
const DEPENDENCY_WAIT_MS = 5_000

/** Until when to wait when the fault says that a dependency is down; undefined for every other fault. */
export const dependencyWait = (code: FaultCode, nowMs: number): number | undefined =>
  DEPENDENCY_DOWN.has(code) ? nowMs + DEPENDENCY_WAIT_MS : undefined

/** What a thrown value means for the message (S2). `retryAfterMs` in the fault's detail asks for at least that delay. */
const settlementOf = (error: unknown, nowMs: number): Settlement => {
  const fault = toFault(error)
  const untilMs = dependencyWait(fault.code, nowMs)
  if (untilMs !== undefined) return { outcome: 'defer', untilMs, reason: fault.message }
  if (!isRetryable(fault.code)) return { outcome: 'reject', fault: fault.data, cause: error }
  const afterMs = fault.detail['retryAfterMs']
  return { outcome: 'retry', fault: fault.data, cause: error, ...(typeof afterMs === 'number' ? { afterMs } : {}) }
}

type Group = { readonly topics: Set<string>; policy: LanePolicy }
export type LaneServerOptions = LanePolicy & {
  readonly bus: Bus
  readonly service: ServiceName
  readonly telemetry: Telemetry
  readonly nowMs: () => number
}
type GroupStats = { readonly group: string } & LaneStats

export class LaneServer extends Server implements CustomTransportStrategy {
  override readonly transportId = LANES
  /** Failures are awaited and settled here; Nest must not report them a second time. */
  override readonly propagatesEventHandlerErrors = true
  readonly #options: LaneServerOptions
  readonly #consumers = new Map<string, LaneConsumer>()
  readonly #routes = new Map<string, MessageHandler>()
  readonly #exceptions = new Map<string, RetryException>()

  constructor(options: LaneServerOptions) {
    super()
    this.#options = options
  }

  listen(callback: (error?: unknown) => void): void {
    callbackify(() => this.#open())((error) => callback(error ?? undefined))
  }

  /** Figures of the consumers, for metrics and readiness. */
  stats(): readonly GroupStats[] {
    return [...this.#consumers].map(([group, consumer]) => ({ group, ...consumer.stats() }))
  }

  /** Nothing new is taken; what runs may finish within the grace time (B7). */
  async drain(options: { graceMs: number }): Promise<void> {
    const consumers = [...this.#consumers.values()]
    this.#consumers.clear()
    await Promise.all(consumers.map((consumer) => consumer.close(options)))
  }

  close(): Promise<void> {
    return this.drain({ graceMs: 0 })
  }

  on(event: string): never {
    throw new Error(`lanes have no event ${event}`)
  }

  unwrap<T>(): T {
    // Nest types this for the library behind a transport, which only the caller knows; here it is the consumers by group.
    return this.#consumers as T
  }

  async #open(): Promise<void> {
    const groups = new Map<string, Group>()
    for (const [pattern, handler] of this.messageHandlers) {
      const extras: LaneExtras | undefined = handler.extras?.['lane']
      if (extras === undefined) continue
      this.#routes.set(pattern, handler)
      const { topics, contract: _contract, group: name, tries, ...policy } = extras
      if (tries !== undefined) this.#exceptions.set(pattern, tries)
      const group = groups.get(name ?? this.#options.service) ?? { topics: new Set(), policy: {} }
      for (const topic of topics) group.topics.add(topic)
      group.policy = { ...group.policy, ...policy }
      groups.set(name ?? this.#options.service, group)
    }
    for (const [name, group] of groups) this.#consumers.set(name, await this.#consume(name, group)) // S1
    this.#options.telemetry.metrics.beforeRender?.(() => this.#report())
  }

  #consume(name: string, { topics, policy }: Group): Promise<LaneConsumer> {
    const { bus, service } = this.#options
    return bus.lanes({
      ...limitsOf(this.#options),
      ...limitsOf(policy),
      group: name,
      topics: [...topics],
      handler: (record, delivery) => this.#handle(record, delivery),
      retry: policy.retry ?? this.#options.retry ?? retryPolicyOf(service),
      ...(this.#exceptions.size === 0 ? {} : { retryOf: (record) => this.#exceptions.get(this.#patternOf(record) ?? '') }),
    })
  }

  #patternOf(record: BusRecord): string | undefined {
    const type = record.headers['ce_type']
    const contract = type === undefined ? undefined : contractOfType(type)
    if (contract !== undefined && this.#routes.has(contractPattern(contract))) return contractPattern(contract)
    const topic = topicPattern(record.topic)
    return this.#routes.has(topic) ? topic : undefined
  }

  async #handle(record: BusRecord, delivery: Delivery): Promise<Settlement> {
    const { service, telemetry } = this.#options
    const pattern = this.#patternOf(record)
    const handler = pattern === undefined ? undefined : this.#routes.get(pattern)
    if (pattern === undefined || handler === undefined) {
      const type = record.headers['ce_type'] ?? '(none)'
      return {
        outcome: 'reject',
        fault: { code: 'message.undecodable', message: `${service} takes no ${type} from ${record.topic}`, detail: { field: 'ce_type' } },
      } // S3
    }
    const startedAt = performance.now()
    const settlement = await this.#call(handler, record, new LaneContext([record, delivery]))
    telemetry.metrics.observe('baton_message_seconds', performance.now() - startedAt, { service, pattern })
    telemetry.metrics.count('baton_messages_total', { service, pattern, outcome: settlement.outcome })
    return settlement
  }

  #call(handler: MessageHandler, record: BusRecord, context: LaneContext): Promise<Settlement> {
    return new Promise((resolve) => {
      this.runWithProcessingHooks(context, async (end) => {
        resolve(await this.#settle(handler, record, context))
        end()
      }) // S4
    })
  }

  async #settle(handler: MessageHandler, record: BusRecord, context: LaneContext): Promise<Settlement> {
    try {
      const answer: unknown = await handler(record, context)
      // An interceptor makes a stream of it; a stream that ends without a value is success.
      const value: unknown = isObservable(answer) ? await lastValueFrom(answer, { defaultValue: undefined }) : answer
      return isSettlement(value) ? value : ACK // S2
    } catch (error) {
      const settlement = settlementOf(error, this.#options.nowMs())
      const fault = toFault(error)
      const { service, telemetry } = this.#options
      telemetry.metrics.count('baton_faults_total', { service, code: fault.code })
      telemetry.logger.warn(
        {
          service,
          code: fault.code,
          reason: fault.message,
          topic: record.topic,
          partition: record.partition,
          offset: record.offset,
          outcome: settlement.outcome,
        },
        'message failed',
      )
      return settlement
    }
  }

  #report(): void {
    const { service, telemetry } = this.#options
    const produced = this.#options.bus.produced?.()
    if (produced !== undefined) {
      telemetry.metrics.gauge('baton_produced_records', produced.records, { service })
      telemetry.metrics.gauge('baton_produced_requests', produced.requests, { service })
    }
    for (const { group, ...stats } of this.stats()) reportLanes(telemetry.metrics, { service, group }, stats)
  }
}
