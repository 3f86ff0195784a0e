// Everything around the work of a service that takes commands.
//   W1. Commands that cannot be read go to the dead letters; the run learns of it when the attempt can be told.
//   W2. Nothing is started after the deadline of its command: `step.expired`.
//   W3. (L9) A command is acknowledged only when its answer is durable; the answer of work worth keeping is stored before it is
//       published, and a redelivery answers from the store.
//   W4. A retryable fault waits in the retry topics as long as the deadline allows, each longer wait announced; then dead letter and
//       `step.failed {deadLettered}`. A dependency that is down is waited for and uses up no try. Any other fault is answered at once,
//       and so is one that the handler calls final.
//   W5. An output above the inline limit goes to the payload store before the answer that refers to it; content is stored redacted.
import { Controller, type Type } from '@nestjs/common'
import type { BusRecord, Delivery, OutgoingRecord, RetryException, Settlement } from '@baton/bus/bus'
import {
  decodeEvent,
  Fault,
  FAULTS,
  isJsonObject,
  isRetryable,
  RETRY_DELAYS,
  toFault,
  type ContractName,
  type Event,
  type FaultData,
  type Json,
  type Message,
  type MessageOf,
  type Meter,
  type StepCommand,
  type WorkerService,
} from '@baton/contracts'
import type { Plan, PlanNode } from '@baton/flow/plan'
import { ATTRIBUTES } from '@baton/telemetry'
import { outputReview, type OutputReview } from './activation.ts'
import { HandleCommand, type LanePolicy } from './lane-handlers.ts'
import { dependencyWait, type LaneContext } from './lane-server.ts'
import { mentionsPayload, resolveMedia, resolvePayloads, smallFields, storeJson } from './payload-input.ts'
import { createPlanCache, type PlanCache } from './plan-cache.ts'
import type { Platform } from './platform.ts'
import { redactJson } from './redaction.policy.ts'
import { throughCache } from './step-cache.ts'
import { createAnswers, type Addressee, type Answers, type KeptAnswer } from './worker-answers.ts'
import type { WorkContext, WorkHandler, WorkResult } from './worker.ts'

/** The contracts a worker may take. */
export type CommandContract = 'model.invoke' | 'tool.call' | 'retrieval.search' | 'check.evaluate' | 'review.request'

export type WorkerOptions = {
  readonly platform: Platform
  readonly service: WorkerService
  readonly handlers: Partial<Record<CommandContract, WorkHandler>>
  /** Whether the answer costs money or has an effect, so that it is kept before it is published (L9). */
  readonly keepAnswer: (command: StepCommand, node: PlanNode, plan: Plan) => boolean
  /** Default `retryPolicyOf(service)` and the limits of the bus. */
  readonly lanes?: LanePolicy
}

/** Largest output, in bytes of JSON, that the kit takes from a handler. */
export const OUTPUT_BYTES_MAX = 8 * 1024 * 1024
/** Waits below this stay in the lane and are not announced. */
const ANNOUNCED_FROM_MS = 1_000
const ACK: Settlement = { outcome: 'ack' }
const LONGEST_DELAY_MS = Math.max(...Object.values(RETRY_DELAYS))
/** What a provider or tool is left alone for after the tries of a dispatch. */
const RESTING_MS = RETRY_DELAYS['5s']
const { '1s': SECOND, '5s': REST, '30s': HALF_MINUTE } = RETRY_DELAYS
/** How long it is worth trying again, by what is asked for; the deadline of the command ends it sooner. A person is waited for on all rungs. */
const TRIES: Readonly<Partial<Record<CommandContract, RetryException>>> = {
  // A handler of the flow waits for the end of it: minutes would be too long for the person behind the request.
  'model.invoke': { rungsMs: [REST, HALF_MINUTE] },
  'tool.call': { rungsMs: [REST, HALF_MINUTE] },
  'retrieval.search': { rungsMs: [SECOND, REST, HALF_MINUTE] },
  'check.evaluate': { rungsMs: [SECOND, REST, HALF_MINUTE] },
}

/** What a command carries that may stand in the payload store. */
type Seen = Pick<StepCommand, 'input' | 'context' | 'media'>

/** Made per command; the signal only when somebody asks for it, because most work is over before a timer would be set. */
class Work implements WorkContext {
  readonly plan: Plan
  readonly node: PlanNode
  readonly input: Json
  readonly parts: { readonly [name: string]: Json }
  readonly media: readonly Json[]
  readonly nowMs: () => number
  readonly delivery: number
  readonly extend: (untilMs: number) => Promise<void>
  readonly #deadlineMs: number
  readonly #outer: AbortSignal
  #signal: AbortSignal | undefined

  constructor(given: {
    plan: Plan
    node: PlanNode
    seen: Seen
    nowMs: () => number
    delivery: Delivery
    deadlineMs: number
    extend: (untilMs: number) => Promise<void>
  }) {
    this.plan = given.plan
    this.node = given.node
    this.input = given.seen.input
    this.parts = given.seen.context ?? {}
    this.media = given.seen.media ?? []
    this.nowMs = given.nowMs
    this.delivery = given.delivery.attempt
    this.extend = given.extend
    this.#deadlineMs = given.deadlineMs
    this.#outer = given.delivery.signal
  }

  get signal(): AbortSignal {
    // setTimeout counts in 32 bits; a deadline beyond that is reached by no handler.
    this.#signal ??= AbortSignal.any([
      this.#outer,
      AbortSignal.timeout(Math.min(2 ** 31 - 1, Math.max(0, this.#deadlineMs - this.nowMs()))),
    ])
    return this.#signal
  }
}

type CommandEvent = Event<CommandContract>
/** What a failed dispatch took, whether its answer is to be kept, and whether it is not to be tried again. */
type Loss = { readonly meter?: Meter; readonly keep?: boolean; readonly final?: boolean }
type Outcome = { readonly name: string; readonly settlement: Settlement }
type Incoming = { readonly command: StepCommand; readonly to: Addressee; readonly record: BusRecord; readonly delivery: Delivery }

class Worker {
  readonly #options: WorkerOptions
  readonly #answers: Answers
  readonly #plans: PlanCache
  readonly #review: OutputReview | undefined

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#answers = createAnswers(options.platform.bus, options.service, options.platform.nowMs)
    this.#plans = createPlanCache(options.platform.stores.flows)
    this.#review = options.service === 'hitl' ? undefined : outputReview(options.platform, options.service)
  }

  async handle(contract: CommandContract, record: BusRecord, delivery: Delivery): Promise<Settlement> {
    let event: CommandEvent
    try {
      event = decodeEvent(record) as CommandEvent // the lane server chose this handler by the contract in `ce_type`
    } catch (error) {
      return this.#undecodable(record, toFault(error).data)
    }
    const outcome = await this.#traced(contract, event, { record, delivery })
    this.#options.platform.telemetry.metrics.count('baton_steps_total', { service: this.#options.service, contract, outcome: outcome.name })
    return outcome.settlement
  }

  #traced(
    contract: CommandContract,
    { data: command, traceparent }: CommandEvent,
    { record, delivery }: { record: BusRecord; delivery: Delivery },
  ): Promise<Outcome> {
    const { span } = this.#options.platform.telemetry
    const run = (context: string | undefined): Promise<Outcome> =>
      this.#run(contract, { command, to: { ...addresseeOf(command), traceparent: context }, record, delivery })
    if (span === undefined) return run(traceparent)
    const { runId, tenant, flow, path, attemptId } = command
    const attributes = {
      [ATTRIBUTES.runId]: runId,
      [ATTRIBUTES.tenant]: tenant,
      [ATTRIBUTES.flow]: flow,
      [ATTRIBUTES.stepPath]: path,
      [ATTRIBUTES.attemptId]: attemptId,
    }
    return span({ name: contract, attributes, traceparent }, run)
  }

  async #run(contract: CommandContract, incoming: Incoming): Promise<Outcome> {
    const { command, to } = incoming
    if (this.#options.platform.nowMs() >= command.deadlineMs) {
      await this.#answers.expired(to, command.deadlineMs) // W2
      return { name: 'expired', settlement: ACK }
    }
    try {
      return await this.#work(contract, incoming)
    } catch (error) {
      return this.#failed(incoming, toFault(error))
    }
  }

  async #work(contract: CommandContract, incoming: Incoming): Promise<Outcome> {
    const { command, to, record, delivery } = incoming
    const { platform, keepAnswer, handlers } = this.#options
    const plan = this.#plans.peek(command.planHash) ?? (await this.#plans.plan(command.planHash))
    const node = plan.nodes[command.nodeId]
    const handler = handlers[contract]
    if (node === undefined || handler === undefined)
      throw new Fault('flow.invalid', `${this.#options.service} finds no work for node ${command.nodeId}`, { node: command.nodeId })
    const keep = keepAnswer(command, node, plan)
    if (keep && (await this.#repeated(incoming))) return { name: 'repeated', settlement: ACK }
    const seen = await this.#seen(command, record)
    const extend = (untilMs: number): Promise<void> => this.#answers.extended(to, untilMs)
    const { nowMs } = platform
    const { input } = seen
    const work = (): Promise<WorkResult> =>
      handler(command, new Work({ plan, node, seen, nowMs, delivery, deadlineMs: command.deadlineMs, extend }))
    const done = await throughCache({ command, node, input }, { store: platform.stores.modelCache, nowMs, work })
    // What rules of configuration say of an output, before it is kept or travels on.
    const result =
      done.status === 'answered' && this.#review !== undefined ? await this.#review({ command, node, input, result: done }) : done
    return this.#settled(incoming, result, keep)
  }

  async #settled(incoming: Incoming, result: WorkResult, keep: boolean): Promise<Outcome> {
    switch (result.status) {
      case 'pending':
        return { name: 'pending', settlement: ACK }
      case 'deferred': {
        const { untilMs, reason } = result
        await this.#answers.deferred(incoming.to, { untilMs, reason })
        return { name: 'deferred', settlement: { outcome: 'defer', untilMs, reason } }
      }
      case 'failed':
        return this.#failed(incoming, result.fault, { meter: result.meter, keep, final: result.final ?? false })
      case 'asks':
        return this.#asks(incoming, result, keep)
      case 'answered':
        await this.#answer(incoming, result, keep)
        return { name: 'completed', settlement: ACK }
    }
  }

  /** Answers as before, where the answer was kept (W3). */
  async #repeated({ command, to }: Incoming): Promise<boolean> {
    const kept = await this.#options.platform.stores.answers.find(command.attemptId)
    if (kept !== undefined) await this.#answers.publish(this.#answers.record(to, keptAnswer(kept)))
    return kept !== undefined
  }

  /** What the handler gets to see, with everything in it that the command only refers to. */
  async #seen(command: StepCommand, { value }: BusRecord): Promise<Seen> {
    const seen = mentionsPayload(value) ? await this.#resolved(command) : command
    if (seen.media === undefined || seen.media.length === 0) return seen
    return { ...seen, media: [...(await resolveMedia(this.#options.platform.stores.payloads, command.tenant, seen.media))] }
  }

  async #resolved({ tenant, input, context, media }: StepCommand): Promise<Seen> {
    const all = { input, context: context ?? {}, media: media ?? [] }
    // The shape is the command's own: only values inside of it are replaced.
    return (await resolvePayloads(this.#options.platform.stores.payloads, tenant, all)) as Required<Seen>
  }

  async #asks({ command, to }: Incoming, { ask, meter, taint }: WorkResult & { status: 'asks' }, keep: boolean): Promise<Outcome> {
    const { runId, attemptId, tenant } = command
    const more = { ...(meter === undefined ? {} : { meter }), ...(taint === undefined ? {} : { taint: [...taint] }) }
    const data: MessageOf<'step.asks'> = { runId, attemptId, ask, ...more }
    if (keep) await this.#options.platform.stores.answers.save({ tenant, attemptId, body: data as unknown as Json }) // W3
    await this.#answers.publish(this.#answers.record(to, { name: 'step.asks', data }))
    return { name: 'asked', settlement: ACK }
  }

  async #answer({ command, to }: Incoming, result: WorkResult & { status: 'answered' }, keep: boolean): Promise<void> {
    const { stores, config } = this.#options.platform
    const { runId, attemptId, tenant } = command
    const contentRef =
      result.content === undefined || config.keepContent === false
        ? undefined
        : await storeJson(stores.payloads, tenant, redactJson(result.content)) // W5
    const meter = contentRef === undefined ? result.meter : { ...result.meter, contentRef }
    const turn = result.turn === undefined ? {} : { turn: result.turn }
    const taint = result.taint === undefined || result.taint.length === 0 ? {} : { taint: [...result.taint] }
    let data: MessageOf<'step.completed'> = { runId, attemptId, output: result.output, by: result.by, meter, ...turn, ...taint }
    let record: OutgoingRecord = this.#answers.record(to, { name: 'step.completed', data })
    if (record.value.length > config.inlineBytesMax) {
      if (record.value.length > OUTPUT_BYTES_MAX)
        throw new Fault('step.output_too_large', `the output of ${command.path} is larger than ${OUTPUT_BYTES_MAX} bytes`, {
          bytes: record.value.length,
        })
      // Calls that a turn of an agent asks for stay inline: they are commands in a moment.
      if (result.output !== null) {
        const outputRef = await storeJson(stores.payloads, tenant, result.output) // W5
        data = { ...data, output: smallFields(result.output), outputRef }
        record = this.#answers.record(to, { name: 'step.completed', data })
      }
    }
    // The answer is JSON by its contract; zod's type for unknown further fields hides that.
    if (keep) await stores.answers.save({ tenant, attemptId, body: data as unknown as Json }) // W3
    await this.#answers.publish(record)
  }

  async #failed(incoming: Incoming, fault: Fault, loss: Loss = {}): Promise<Outcome> {
    const { command, to, delivery } = incoming
    const { nowMs } = this.#options.platform
    this.#report(incoming, fault)
    const dependencyUntilMs = dependencyWait(fault.code, nowMs())
    if (dependencyUntilMs !== undefined && dependencyUntilMs < command.deadlineMs) {
      await this.#answers.deferred(to, { untilMs: dependencyUntilMs, reason: fault.code })
      return { name: 'deferred', settlement: { outcome: 'defer', untilMs: dependencyUntilMs, reason: fault.message } }
    }
    if (!isRetryable(fault.code) || loss.final === true) return this.#failedForGood(incoming, fault, loss)
    const delayMs = retryDelayMs(fault, delivery)
    const untilMs = nowMs() + delayMs
    if (delivery.lastAttempt || untilMs >= command.deadlineMs) {
      const { meter } = loss
      await this.#answers.failed(to, fault.data, { deadLettered: true, ...(meter === undefined ? {} : { meter }) })
      return { name: 'dead-lettered', settlement: { outcome: 'reject', fault: fault.data, cause: fault } }
    }
    if (delayMs >= ANNOUNCED_FROM_MS) await this.#answers.retrying(to, { untilMs, tries: delivery.attempt, fault: fault.data })
    return { name: 'retrying', settlement: { outcome: 'retry', fault: fault.data, afterMs: delayMs, cause: fault } } // W4
  }

  async #failedForGood({ command, to }: Incoming, fault: Fault, { meter, keep = false }: Loss): Promise<Outcome> {
    const { runId, attemptId, tenant } = command
    const data: MessageOf<'step.failed'> = { runId, attemptId, fault: fault.data, ...(meter === undefined ? {} : { meter }) }
    // What was paid for is not bought again by a redelivery, even when it was of no use.
    if (keep && meter !== undefined && meter.costMicroUsd > 0)
      await this.#options.platform.stores.answers.save({ tenant, attemptId, body: data as unknown as Json }) // W3
    await this.#answers.publish(this.#answers.record(to, { name: 'step.failed', data }))
    return { name: 'failed', settlement: ACK }
  }

  #report({ command, delivery }: Incoming, fault: Fault): void {
    const { service, platform } = this.#options
    const { logger, metrics } = platform.telemetry
    const { runId, path } = command
    metrics.count('baton_faults_total', { service, code: fault.code })
    logger.warn({ service, code: fault.code, reason: fault.message, runId, path, delivery: delivery.attempt }, 'step failed')
    if (fault.cause instanceof Error) logger.debug({ runId, path, stack: fault.cause.stack ?? '' }, 'cause')
  }

  async #undecodable(record: BusRecord, fault: FaultData): Promise<Settlement> {
    const to = readableAddressee(record)
    if (to !== undefined) await this.#answers.failed(to, fault, { deadLettered: true })
    return { outcome: 'reject', fault } // W1
  }
}

/** Written by the kit itself, under the id of the same attempt: only a failure has a fault, only a question an `ask`. */
const keptAnswer = (kept: Json): Message<KeptAnswer> => {
  const has = (field: string): boolean => isJsonObject(kept) && kept[field] !== undefined
  if (has('fault')) return { name: 'step.failed', data: kept as unknown as MessageOf<'step.failed'> }
  if (has('ask')) return { name: 'step.asks', data: kept as unknown as MessageOf<'step.asks'> }
  return { name: 'step.completed', data: kept as unknown as MessageOf<'step.completed'> }
}

const addresseeOf = ({ runId, tenant, attemptId, answerPartition }: StepCommand): Addressee => ({
  runId,
  tenant,
  attemptId,
  answerPartition,
})

/** Whom to tell when the rest of a command cannot be read. */
const readableAddressee = (record: BusRecord): Addressee | undefined => {
  try {
    const value: unknown = JSON.parse(record.value.toString('utf8'))
    if (!isJsonObject(value)) return undefined
    const { runId, tenant, attemptId, answerPartition } = value
    if (typeof runId !== 'string' || typeof attemptId !== 'string' || typeof answerPartition !== 'number') return undefined
    return { runId, attemptId, answerPartition, tenant: typeof tenant === 'string' ? tenant : 'default' }
  } catch {
    return undefined
  }
}

/**
 * How long a `retry` will take. A provider or tool that failed after the tries of its dispatch needs a rest that a lane cannot give;
 * a fault of ours may be over in the lane's own pause.
 */
export const retryDelayMs = (fault: Fault, delivery: Pick<Delivery, 'nextDelayMs'>): number => {
  const asked = fault.detail['retryAfterMs']
  const { blame } = FAULTS[fault.code]
  const resting = blame === 'provider' || blame === 'tool' ? RESTING_MS : 0
  const wanted = Math.max(delivery.nextDelayMs, resting, typeof asked === 'number' ? asked : 0)
  return Math.min(wanted, LONGEST_DELAY_MS)
}

const isCommandContract = (name: ContractName): name is CommandContract =>
  name === 'model.invoke' || name === 'tool.call' || name === 'retrieval.search' || name === 'check.evaluate' || name === 'review.request'

/** A controller for `startHost` that takes the commands of every handler given, by all the rules above. */
export const createWorker = (options: WorkerOptions): Type => {
  const worker = new Worker(options)
  class WorkerController {}
  for (const name of Object.keys(options.handlers)) {
    const contract = name as ContractName // a key of `handlers` is a contract by its type
    if (!isCommandContract(contract)) continue
    const method = (record: BusRecord, context: LaneContext): Promise<Settlement> => worker.handle(contract, record, context.delivery)
    Object.defineProperty(WorkerController.prototype, contract, { value: method, configurable: true, writable: true })
    const descriptor = Object.getOwnPropertyDescriptor(WorkerController.prototype, contract)
    const tries = options.lanes?.retry === undefined ? TRIES[contract] : undefined // Who brings a ladder of its own means it.
    const policy = { ...options.lanes, ...(tries === undefined ? {} : { tries }) }
    if (descriptor !== undefined) HandleCommand(contract, policy)(WorkerController.prototype, contract, descriptor)
  }
  Controller()(WorkerController)
  return WorkerController
}
