// What the world is told of a review: the engine by its log, everybody by the journal.
import { encodeEvent, TOPICS, workerEventId, type ContractName, type MessageOf } from '@baton/contracts'
import type { OutgoingRecord } from '@baton/bus/bus'
import type { Score } from './learning/score.policy.ts'
import type { Decision, Review, ReviewEvent } from './review.ts'

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

/** Nobody waits for a sample: only the journal learns of it. */
const toWhoWaits = (review: Review, told: Told<ContractName>): readonly OutgoingRecord[] =>
  review.terms.sample === true ? [record(review, told, inJournal)] : toBoth(review, told)

const requested = (review: Review, { n, atMs }: { n: number; atMs: number }): OutgoingRecord => {
  const { runId, attemptId, taskId, tenant, path, queue, priority, dueAtMs, rung, terms } = review
  const data = { runId, attemptId, taskId, tenant, path, queue, priority, dueAtMs, rung, kind: terms.kind }
  return record(review, { name: 'review.requested', data, n, atMs }, inJournal)
}

/** Something happened that no run waits for. */
const changed = (
  review: Review,
  { change, by, atMs }: { change: MessageOf<'review.changed'>['change']; by: string; atMs: number },
): readonly OutgoingRecord[] => {
  const { runId, taskId, tenant, status, queue, epoch } = review
  const data = { runId, taskId, tenant, change, status, queue, by, epoch, atMs }
  return [record(review, { name: 'review.changed', data, n: epoch, atMs }, inJournal)]
}

const decided = (review: Review, decision: Decision, atMs: number): readonly OutgoingRecord[] => {
  const { runId, attemptId, taskId, fingerprint } = review
  const { verdict, output, by, reason, atMs: decidedAtMs, unreviewed } = decision
  const more = { ...(reason === null ? {} : { reason }), ...(unreviewed === undefined ? {} : { unreviewed }) }
  const data = { runId, attemptId, taskId, verdict, output, by, fingerprint, decidedAtMs, ...more }
  return toWhoWaits(review, { name: 'review.decided', data, n: 1, atMs })
}

/** Whether a decision is out in the world with this event. */
export const publishes = (event: ReviewEvent): event is ReviewEvent & { type: 'review.decided' | 'review.published' } =>
  event.type === 'review.published' || (event.type === 'review.decided' && event.heldUntilMs === null)

/** The records of an event; `review` is the review after it. Ids are derived, so that a repeat is known as one. */
export const messagesOf = (review: Review, event: ReviewEvent, atMs: number): readonly OutgoingRecord[] => {
  const { runId, attemptId, taskId, tenant, epoch } = review
  switch (event.type) {
    case 'review.requested':
    case 'review.escalated':
      return [requested(review, { n: epoch, atMs })]
    case 'review.claimed': {
      const data = { runId, taskId, tenant, by: event.by, untilMs: event.untilMs }
      return [record(review, { name: 'review.claimed', data, n: epoch, atMs }, inJournal)]
    }
    case 'review.decided':
    case 'review.published':
      return publishes(event) ? decided(review, event.decision, atMs) : changed(review, { change: 'held', by: event.decision.by, atMs })
    case 'review.expired': {
      const data = { runId, attemptId, taskId, dueAtMs: event.dueAtMs }
      return toWhoWaits(review, { name: 'review.expired', data, n: 1, atMs })
    }
    case 'review.delegated':
      return changed(review, { change: 'delegated', by: event.delegation.by, atMs })
    case 'review.voted':
      return changed(review, { change: 'voted', by: event.vote.by, atMs })
    case 'review.refused':
      return []
    default:
      return changed(review, { change: CHANGES[event.type], by: event.by, atMs })
  }
}

/** What the journal is told of a score. */
export const scoreMessages = (review: Review, score: Score): readonly OutgoingRecord[] => {
  const { nodeId: _node, share: _share, confidence, route, tookMs, ...rest } = score
  const known = { ...(confidence === null ? {} : { confidence }), ...(route === '' ? {} : { route }) }
  return [record(review, { name: 'review.scored', data: { ...rest, ...known, tookMs }, n: 1, atMs: score.atMs }, inJournal)]
}

const CHANGES = {
  'review.released': 'released',
  'review.reassigned': 'reassigned',
  'review.undone': 'undone',
  'review.cancelled': 'cancelled',
  'review.superseded': 'superseded',
} as const
