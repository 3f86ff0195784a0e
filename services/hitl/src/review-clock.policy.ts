// The clocks of a review: one until it is claimed, one until it is decided, a new pair on every rung of its chain; what silence means at the end.
//   K1. A clock of an older review is void: it rings for nothing.
//   K2. At the end irreversible and reversible things do not happen; advisory ones go on, flagged as unreviewed. A step that names no
//       risk expires (A2).
//   K3. A lease that is over gives the review back to its queue, and the clock for claiming begins anew.
import { isJsonObject, type Json } from '@baton/contracts/json'
import type { Decision, Review, ReviewEvent, Rung } from './review.ts'
import { levelOf, raised } from './urgency.policy.ts'

/** Who is named where silence decided. */
const NOBODY = 'nobody'

/** When the clock of this review rings next; null when it never does. */
export const nextAtMs = ({ status, heldUntilMs, dueAtMs, claimUntilMs, claimByMs }: Review): number | null => {
  if (status === 'decided') return heldUntilMs
  if (status !== 'pending' && status !== 'claimed' && status !== 'escalated') return null
  const claim = status === 'claimed' ? claimUntilMs : claimByMs
  return claim === null ? dueAtMs : Math.min(dueAtMs, claim)
}

const draftOf = (input: Json): Json => (isJsonObject(input) ? (input['draft'] ?? null) : null)

/**
 * What approving approves. Of a step of the flow without who made it: that is written beside every output when expressions see it, and
 * is the person's now. What a service asks to approve is given as it is: arguments of a call, for one.
 */
export const approvedOutput = ({ input, terms }: Pick<Review, 'input' | 'terms'>): Json => {
  const draft = draftOf(input) ?? input
  if (!isJsonObject(draft) || terms.use !== undefined) return draft
  const { by: _by, ...rest } = draft
  return rest
}

const climb = (review: Review, rung: Rung, atMs: number): ReviewEvent => {
  const urgency = raised(review.urgency)
  const claimByMs = rung.claimMs === undefined ? null : atMs + rung.claimMs
  const { queue, slaMs } = rung
  return {
    type: 'review.escalated',
    priority: levelOf(urgency),
    urgency,
    queue,
    rung: review.rung + 1,
    claimByMs,
    dueAtMs: atMs + slaMs,
  }
}

/** Once more where it was asked. */
const again = (review: Review): Rung => {
  const { queue, slaMs, terms } = review
  return { queue, slaMs, ...(terms.claimMs === undefined ? {} : { claimMs: terms.claimMs }) }
}

/** Where a review goes that nobody acted on; undefined at the end of the chain. */
const nextRung = (review: Review): Rung | undefined => {
  const chain = review.terms.chain ?? []
  if (chain.length > 0) return chain[review.rung]
  return review.onTimeout === 'escalate' && !review.escalated ? again(review) : undefined
}

const end = (review: Review, atMs: number): ReviewEvent => {
  if (review.terms.risk !== 'advisory' || !review.allowed.includes('approve'))
    return { type: 'review.expired', dueAtMs: review.dueAtMs, atMs } // A2
  const output = approvedOutput(review)
  const decision: Decision = { verdict: 'approve', output, by: NOBODY, reason: 'nobody decided in time', atMs, unreviewed: true }
  return { type: 'review.decided', decision, heldUntilMs: null } // K2
}

/** What a clock that rings at this moment does. */
export const ring = (
  review: Review,
  { atMs, epoch }: { readonly atMs: number; readonly epoch?: number | undefined },
): readonly ReviewEvent[] => {
  const nextMs = nextAtMs(review)
  if (nextMs === null || atMs < nextMs || (epoch !== undefined && epoch !== review.epoch)) return [] // K1
  if (review.status === 'decided') return review.decision === null ? [] : [{ type: 'review.published', decision: review.decision }]
  if (review.status === 'claimed' && atMs < review.dueAtMs) return [{ type: 'review.released', by: NOBODY, atMs }] // K3
  const rung = nextRung(review)
  return [rung === undefined ? end(review, atMs) : climb(review, rung, atMs)]
}
