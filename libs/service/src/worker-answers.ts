// Answers of a worker on the log of the run: the partition is the one the command names, ids follow from the attempt.
import type { Bus, OutgoingRecord } from '@baton/bus/bus'
import { encodeEvent, TOPICS, workerEventId, type FaultData, type Message, type Meter, type WorkerService } from '@baton/contracts'

type AnswerName = 'step.completed' | 'step.asks' | 'step.failed' | 'step.retrying' | 'step.deferred' | 'step.extended' | 'step.expired'
export type Answer = Message<AnswerName>
/** Answers that end an attempt, and that a redelivery finds again. */
export type KeptAnswer = 'step.completed' | 'step.failed' | 'step.asks'

/** What an answer needs of its command. */
export type Addressee = {
  readonly runId: string
  readonly tenant: string
  readonly attemptId: string
  readonly answerPartition: number
  readonly traceparent?: string | undefined
}

/** An answer as a record. `n` tells repeats of one kind apart; the final kinds have only one. */
const answerRecord = (
  service: WorkerService,
  to: Addressee,
  { answer, n = 1, atMs }: { answer: Answer; n?: number; atMs: number },
): OutgoingRecord => {
  const { name, data } = answer
  const wire = encodeEvent({
    id: workerEventId({ attemptId: to.attemptId, kind: name.slice('step.'.length), n }),
    source: `/baton/${service}`,
    subject: to.runId,
    tenant: to.tenant,
    time: new Date(atMs).toISOString(),
    ...(to.traceparent === undefined ? {} : { traceparent: to.traceparent }),
    name,
    data,
  })
  return { topic: TOPICS.events, partition: to.answerPartition, ...wire }
}

/** Publishes the answers of one service; resolves when they are durable, so that the command may be acknowledged (L9). */
export const createAnswers = (bus: Bus, service: WorkerService, nowMs: () => number) => {
  const send = async (to: Addressee, answer: Answer, n = 1): Promise<void> => {
    await bus.publish([answerRecord(service, to, { answer, n, atMs: nowMs() })])
  }
  const base = ({ runId, attemptId }: Addressee): { runId: string; attemptId: string } => ({ runId, attemptId })
  return {
    record: (to: Addressee, answer: Message<KeptAnswer>): OutgoingRecord => answerRecord(service, to, { answer, atMs: nowMs() }),
    publish: async (record: OutgoingRecord): Promise<void> => void (await bus.publish([record])),
    failed: (to: Addressee, fault: FaultData, more: { deadLettered?: boolean; meter?: Meter } = {}): Promise<void> =>
      send(to, { name: 'step.failed', data: { ...base(to), fault, ...more } }),
    retrying: (to: Addressee, { untilMs, tries, fault }: { untilMs: number; tries: number; fault: FaultData }): Promise<void> =>
      send(to, { name: 'step.retrying', data: { ...base(to), untilMs, tries, fault } }, tries),
    deferred: (to: Addressee, { untilMs, reason }: { untilMs: number; reason: string }): Promise<void> =>
      send(to, { name: 'step.deferred', data: { ...base(to), untilMs, reason } }, untilMs),
    extended: (to: Addressee, untilMs: number): Promise<void> =>
      send(to, { name: 'step.extended', data: { ...base(to), untilMs } }, untilMs),
    expired: (to: Addressee, deadlineMs: number): Promise<void> => send(to, { name: 'step.expired', data: { ...base(to), deadlineMs } }),
  }
}
export type Answers = ReturnType<typeof createAnswers>
