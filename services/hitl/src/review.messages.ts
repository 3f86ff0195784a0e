// What the world is told of a review: the engine by its log, everybody by the journal.
import { encodeEvent, TOPICS, workerEventId, type ContractName, type MessageOf } from '@baton/contracts'
import type { OutgoingRecord } from '@baton/bus/bus'
import type { Review, ReviewEvent } from './review.decider.ts'

type Told<Name extends ContractName> = { readonly name: Name; readonly data: MessageOf<Name>; readonly n: number; readonly atMs: number }

const record = <Name extends ContractName>(
  { tenant, runId, attemptId }: Review,
  { name, data, n, atMs }: Told<Name>,
  to: { topic: string; partition?: number },
): OutgoingRecord => ({
  ...encodeEvent({
    name,
    data,
    id: workerEventId({ attemptId, kind: name, n }),
    source: '/baton/hitl',
    subject: runId,
    tenant,
    time: new Date(atMs).toISOString(),
  }),
  ...to,
})

const inJournal = { topic: TOPICS.journal }

/** The engine's log and the journal get the same event. */
const toBoth = <Name extends ContractName>(review: Review, told: Told<Name>): readonly OutgoingRecord[] => [
  record(review, told, { topic: TOPICS.events, partition: review.answerPartition }),
  record(review, told, inJournal),
]

const requested = (review: Review, atMs: number): OutgoingRecord => {
  const { runId, attemptId, taskId, tenant, path, queue, priority, dueAtMs } = review
  const data = { runId, attemptId, taskId, tenant, path, queue, priority, dueAtMs }
  return record(review, { name: 'review.requested', data, n: review.escalated ? 2 : 1, atMs }, inJournal)
}

/** The records of an event; `review` is the review after it. Ids are derived, so that a repeat is known as one. */
export const messagesOf = (review: Review, event: ReviewEvent, atMs: number): readonly OutgoingRecord[] => {
  const { runId, attemptId, taskId, tenant, fingerprint, epoch } = review
  switch (event.type) {
    case 'review.requested':
    case 'review.escalated':
      return [requested(review, atMs)]
    case 'review.claimed': {
      const data = { runId, taskId, tenant, by: event.by, untilMs: event.untilMs }
      return [record(review, { name: 'review.claimed', data, n: epoch, atMs }, inJournal)]
    }
    case 'review.decided': {
      const { verdict, output, by, reason } = event.decision
      const data = {
        runId,
        attemptId,
        taskId,
        verdict,
        output,
        by,
        fingerprint,
        decidedAtMs: event.decision.atMs,
        ...(reason === null ? {} : { reason }),
      }
      return toBoth(review, { name: 'review.decided', data, n: 1, atMs })
    }
    case 'review.expired':
      return toBoth(review, { name: 'review.expired', data: { runId, attemptId, taskId, dueAtMs: event.dueAtMs }, n: 1, atMs })
    case 'review.released':
    case 'review.cancelled':
    case 'review.refused':
      return []
  }
}
