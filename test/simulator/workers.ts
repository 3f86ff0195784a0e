// Services and people: they answer, fail, are slow, die before or after they answered, and say things twice.
import type { FaultCode } from '@baton/contracts/fault'
import type { Json, MessageOf, Meter, StepCommand } from '@baton/contracts'
import type { LogMessage } from '@baton/engine'
import { answerOf, type Question } from './answers.ts'
import type { Random } from './random.ts'

type Delivery = { readonly command: StepCommand; readonly notBeforeMs: number; readonly tries: number }

export type Workers = {
  /** A command reaches its topic; every copy of it is a delivery. */
  readonly deliver: (command: StepCommand, isFirst: boolean) => void
  /** Deliveries that could be handled now. */
  readonly ready: () => number
  /** When the next delivery becomes ready; null when none waits. */
  readonly nextAtMs: () => number | null
  /** Handles one, in no particular order. `calm`: no more faults. */
  readonly handle: (calm: boolean) => void
}

const FAULTS: readonly FaultCode[] = ['tool.failed', 'model.refused', 'output.schema_invalid', 'model.timed_out', 'payload.missing']
/** A delivery comes back at most this often before its worker keeps silent: the lease must find out. */
const TRIES_MAX = 4

type Options = {
  readonly random: Random
  readonly nowMs: () => number
  readonly append: (message: LogMessage, partition: number) => void
  readonly question: (command: StepCommand) => Question
}

/** Workers on a clock, answering to `append`. */
export const createWorkers = ({ random, nowMs, append, question }: Options): Workers => {
  let waiting: Delivery[] = []
  const answers = new Map<string, LogMessage>()
  const isReady = ({ notBeforeMs }: Delivery): boolean => notBeforeMs <= nowMs()
  const again = (delivery: Delivery, delayMs: number): void => {
    if (delivery.tries < TRIES_MAX) waiting.push({ ...delivery, notBeforeMs: nowMs() + delayMs, tries: delivery.tries + 1 })
  }

  const handle = (calm: boolean): void => {
    const delivery = random.pick(waiting.filter(isReady))
    waiting = waiting.filter((other) => other !== delivery)
    const { command } = delivery
    const fate = calm ? 1 : random.next()
    if (fate < 0.08) return again(delivery, random.below(30_000)) // It died before it answered.
    if (fate < 0.12) return // It died, and its command with it: only the lease will tell.
    if (fate < 0.25 && command.kind !== 'human') {
      const delayMs = random.below(20_000)
      append(postponement(delivery, random, nowMs() + delayMs), command.answerPartition)
      return again(delivery, delayMs)
    }
    if (fate < 0.28 && command.kind === 'human') append(forgery(command), command.answerPartition)
    // What costs money is answered from the store (L9); what does not may well come out differently the second time.
    const stored = command.kind === 'task' ? undefined : answers.get(command.attemptId)
    const message = stored ?? answerTo(command, random, nowMs(), question)
    answers.set(command.attemptId, message)
    append(message, command.answerPartition)
    if (fate < 0.4) again(delivery, random.below(60_000)) // It died after it answered.
  }

  return {
    deliver: (command, isFirst) => {
      const delayMs = command.kind === 'human' ? random.below(1_500_000) : random.below(3_000)
      if (isFirst || random.chance(0.5)) waiting.push({ command, notBeforeMs: nowMs() + delayMs, tries: 1 })
    },
    ready: () => waiting.filter(isReady).length,
    nextAtMs: () => waiting.reduce<number | null>((earliest, { notBeforeMs }) => Math.min(earliest ?? Infinity, notBeforeMs), null),
    handle,
  }
}

const answerTo = (command: StepCommand, random: Random, nowMs: number, question: Options['question']): LogMessage => {
  const { runId, attemptId, kind, deadlineMs } = command
  if (nowMs >= deadlineMs) return { name: 'step.expired', data: { runId, attemptId, deadlineMs } }
  if (command.engineVersion > 1) return toldBy(command, question(command), meterOf(random, nowMs))
  if (kind === 'human') return decisionOn(command, random, nowMs)
  const meter = { startedAtMs: nowMs, latencyMs: 1, tries: 1, inputChars: 1, outputChars: 1, costMicroUsd: random.below(1_500) }
  if (random.chance(0.2))
    return { name: 'step.failed', data: { runId, attemptId, fault: { code: random.pick(FAULTS), message: 'it happened' }, meter } }
  return {
    name: 'step.completed',
    data: { runId, attemptId, output: outputOf(command, random), by: `${kind}:any for ${attemptId}`, meter },
  }
}

const meterOf = (random: Random, nowMs: number): Meter => ({
  startedAtMs: nowMs,
  latencyMs: 1,
  tries: 1,
  inputChars: 1,
  outputChars: 1,
  inputTokens: 1 + random.below(9),
  outputTokens: random.below(9),
  costMicroUsd: random.below(1_500),
})

/** The answer of the world, as a message of the service that was asked. */
const toldBy = ({ runId, attemptId, kind }: StepCommand, asked: Question, meter: Meter): LogMessage => {
  const answer = answerOf(asked)
  const review = { runId, attemptId, taskId: `task of ${attemptId}` }
  if (answer.is === 'asks') {
    const ask: MessageOf<'step.asks'>['ask'] = {
      kind: 'approval',
      use: answer.use,
      title: 'May it?',
      input: { draft: asked.input },
      reasons: [],
    }
    return { name: 'step.asks', data: { runId, attemptId, ask, meter } }
  }
  if (answer.is === 'fault' && answer.code === 'review.expired')
    return { name: 'review.expired', data: { ...review, dueAtMs: meter.startedAtMs } }
  if (kind === 'human') {
    const verdict = answer.is === 'fault' ? 'reject' : 'edit'
    const output = answer.is === 'fault' ? null : answer.output
    return {
      name: 'review.decided',
      data: { ...review, verdict, output, by: 'ada', fingerprint: attemptId, decidedAtMs: meter.startedAtMs },
    }
  }
  if (answer.is === 'fault')
    return { name: 'step.failed', data: { runId, attemptId, fault: { code: answer.code, message: 'it happened' }, meter } }
  const { output, by, turn } = answer
  return { name: 'step.completed', data: { runId, attemptId, output, by, meter, ...(turn === undefined ? {} : { turn }) } }
}

const outputOf = ({ kind, nodeId, attemptId }: StepCommand, random: Random): Json => {
  const confidence = Math.round(random.next() * 100) / 100
  if (nodeId === 'classify') return { intent: random.pick(['refund', 'technical', 'other']), confidence }
  return kind === 'tool' && random.chance(0.3) ? null : { text: `of ${attemptId}`, confidence }
}

/** Somebody answers in the place of a person. */
const forgery = ({ runId, attemptId }: StepCommand): LogMessage => ({
  name: 'step.completed',
  data: { runId, attemptId, output: { text: 'approved by nobody', confidence: 1 }, by: `model:any for ${attemptId}` },
})

const decisionOn = ({ runId, attemptId }: StepCommand, random: Random, nowMs: number): LogMessage => {
  const taskId = `task of ${attemptId}`
  if (random.chance(0.2)) return { name: 'review.expired', data: { runId, attemptId, taskId, dueAtMs: nowMs } }
  const verdict = random.pick(['approve', 'edit', 'reject', 'respond'] as const)
  const output = verdict === 'reject' ? null : { text: `decided ${attemptId}`, confidence: 1 }
  const by = `${random.pick(['ada', 'bob'])} for ${attemptId}`
  return { name: 'review.decided', data: { runId, attemptId, taskId, verdict, output, by, fingerprint: attemptId, decidedAtMs: nowMs } }
}

const postponement = ({ command, tries }: Delivery, random: Random, untilMs: number): LogMessage => {
  const { runId, attemptId } = command
  switch (random.pick(['step.retrying', 'step.deferred', 'step.extended'] as const)) {
    case 'step.retrying':
      return {
        name: 'step.retrying',
        data: { runId, attemptId, untilMs, tries, fault: { code: 'model.unavailable', message: 'it is away' } },
      }
    case 'step.deferred':
      return { name: 'step.deferred', data: { runId, attemptId, untilMs, reason: 'it is away' } }
    case 'step.extended':
      return { name: 'step.extended', data: { runId, attemptId, untilMs } }
  }
}
