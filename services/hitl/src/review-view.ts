// A review as readers see it.
import { Fault } from '@baton/contracts'
import { z } from 'zod'
import { quorumOf, rolesOf } from './review-people.policy.ts'
import { holderOf } from './review.decider.ts'
import { rankOf } from './review.repository.ts'
import type { Review } from './review.ts'

const Cursor = z.tuple([z.number(), z.number(), z.string()])

export const cursorOf = (review: Review): string =>
  Buffer.from(JSON.stringify([rankOf(review), review.dueAtMs, review.taskId])).toString('base64url')

export const parseCursor = (cursor: string | undefined): { rank: number; dueAtMs: number; taskId: string } | undefined => {
  if (cursor === undefined) return undefined
  try {
    const [rank, dueAtMs, taskId] = Cursor.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))
    return { rank, dueAtMs, taskId }
  } catch (error) {
    throw new Fault('request.malformed', 'cursor: not one of ours', { field: 'cursor' }, { cause: error })
  }
}

/** A claim whose lease is over is none. */
export const viewOf = (review: Review, nowMs: number): object => {
  const { answerPartition: _partition, ...rest } = review
  const lapsed = review.status === 'claimed' && holderOf(review, nowMs) === null
  const { n, of } = quorumOf(review.terms)
  return {
    ...rest,
    roles: rolesOf(review),
    ...(of === 1 ? {} : { quorum: { n, of, approved: review.votes.filter(({ verdict }) => verdict === 'approve').length } }),
    ...(lapsed ? { status: review.escalated ? 'escalated' : 'pending', claimedBy: null, claimUntilMs: null } : {}),
  }
}

/** Without what the person sees: JSON leaves out what is undefined. */
export const summaryOf = (review: Review, nowMs: number): object => ({
  ...viewOf(review, nowMs),
  input: undefined,
  votes: undefined,
  ...(review.decision === null ? {} : { decision: { ...review.decision, output: undefined } }),
})
