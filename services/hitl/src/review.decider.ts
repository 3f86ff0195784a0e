// One review: something that a machine must not decide alone, and what became of it.
//   A1. A review closes once: the first decision, expiry or withdrawal stands, and who comes later learns what it was, whose and when.
//   A2. Silence is never consent. What is overdue is raised in priority and given its time once more where the flow says so, then expires.
//   A3. A claim holds others off until its lease is over; its holder renews it by claiming again, and nobody else releases it.
//   A4. A decision binds to exactly what the person saw: another fingerprint, or another epoch where one is named, is refused.
//   A5. Only a verdict that is allowed counts. Approving gives the draft (where there is none, what was shown), editing and
//       responding what the person wrote, rejecting null.
//   A6. Asking again for the same review changes nothing.
//   A7. Where several people have to agree, nobody is told before they have, and each of them sees the same thing: nobody edits it.
//   A8. While a decision is held back, who made it may take it back; then the review is open as before. Nobody was told of it.
//   A9. What cannot be taken back, or is signed (money, law), is let happen by a person who is known where people are named at all.
import type { FaultCode, FaultData } from '@baton/contracts/fault'
import { isJsonObject, type Json } from '@baton/contracts/json'
import type { Verdict } from '@baton/contracts'
import { approvedOutput, ring } from './review-clock.policy.ts'
import { barred, outcomeOf, quorumOf, uncounted, voteOf } from './review-people.policy.ts'
import type { Decision, NewReview, Review, ReviewCommand, ReviewEvent, ReviewTerms, Vote } from './review.ts'

export type * from './review.ts'

const refuse = (code: FaultCode, message: string, detail: FaultData['detail'] = {}): readonly ReviewEvent[] => [
  { type: 'review.refused', fault: { code, message, detail } },
]
const refused = (fault: FaultData): readonly ReviewEvent[] => [{ type: 'review.refused', fault }]

/** What closed a review, in words. */
const closedBy = ({ status, decision, closed }: Review): { message: string; detail: FaultData['detail'] } => {
  if (decision === null) {
    const when = closed === null ? {} : { by: closed.by, closedAtMs: closed.atMs }
    return { message: `the review is ${status}${closed === null ? '' : `, by ${closed.by}`}`, detail: { state: status, ...when } }
  }
  const { by, verdict, atMs } = decision
  return { message: `${by} decided it before: ${verdict}`, detail: { state: status, by, verdict, decidedAtMs: atMs } }
}

const isOpen = ({ status }: Review): boolean => status === 'pending' || status === 'claimed' || status === 'escalated'
/** Who holds the review now; a lease that is over holds nobody off. */
export const holderOf = (review: Review, atMs: number): string | null =>
  review.status === 'claimed' && review.claimUntilMs !== null && review.claimUntilMs > atMs ? review.claimedBy : null

const heldByOther = (review: Review, by: string, atMs: number): readonly ReviewEvent[] | undefined => {
  const holder = holderOf(review, atMs)
  if (holder === null || holder === by) return undefined
  return refuse('review.claimed', `${holder} holds this review`, { by: holder, untilMs: review.claimUntilMs ?? 0 }) // A3
}

type DecideCommand = ReviewCommand & { readonly type: 'review.decide' }
type Change = Exclude<ReviewCommand, { type: 'review.request' } | { type: 'review.expire' }>

/** Not for this person, or not now. */
const kept = (review: Review, command: Change): readonly ReviewEvent[] | undefined => {
  const held = heldByOther(review, command.by, command.atMs)
  if (held !== undefined) return held
  const fault = barred(review, command, command.atMs)
  return fault === undefined ? undefined : refused(fault)
}

const draftOf = (input: Json): Json => (isJsonObject(input) ? (input['draft'] ?? null) : null)

/** What the step is given (A5). `missing` when the person has to write something and did not. */
const outputOf = (review: Review, { verdict, output }: DecideCommand): { readonly output: Json } | 'missing' => {
  switch (verdict) {
    case 'approve':
      return { output: approvedOutput(review) }
    case 'reject':
      return { output: null }
    case 'edit':
    case 'respond':
      return output === undefined ? 'missing' : { output }
  }
}

/** The reason that goes with the decision: of a named one what the model is to be told, and what the person wrote. */
const reasonOf = (
  { terms: { rejections } }: Review,
  { verdict, reason, because }: DecideCommand,
): { readonly text: string | null } | 'missing' => {
  if (verdict !== 'reject' || rejections === undefined) return { text: reason ?? null }
  if (because === undefined) return reason === undefined ? 'missing' : { text: reason }
  const told = rejections[because]
  return told === undefined ? 'missing' : { text: [told, reason].filter((part) => part !== undefined && part !== '').join(' ') }
}

const unfit = (review: Review, { verdict, fingerprint }: DecideCommand): readonly ReviewEvent[] | undefined => {
  if (fingerprint !== undefined && fingerprint !== review.fingerprint)
    return refuse('review.changed', 'this is not what the review asks now; look at it again', { fingerprint: review.fingerprint }) // A4
  if (!review.allowed.includes(verdict))
    return refuse('request.malformed', `${verdict} is not allowed here; ${review.allowed.join(', ')} are`, { field: 'verdict' }) // A5
  return undefined
}

/** What is signed, or cannot be taken back, is let happen by somebody who is known (A9). */
const unknownTo = ({ terms }: Review, { by, known, verdict }: DecideCommand): readonly ReviewEvent[] | undefined => {
  if (known !== false || verdict === 'reject' || (terms.risk !== 'irreversible' && terms.sign !== true)) return undefined
  return refuse(
    'review.not_allowed',
    `${by} is not in people.yaml: what cannot be taken back, or is signed, is decided by a person who is`,
    {
      field: 'by',
    },
  )
}

const settle = (review: Review, command: DecideCommand): readonly ReviewEvent[] => {
  const wrong = unfit(review, command) ?? unknownTo(review, command)
  if (wrong !== undefined) return wrong
  const { by, verdict, atMs } = command
  const given = outputOf(review, command)
  if (given === 'missing') return refuse('request.malformed', `${verdict} needs an output`, { field: 'output' })
  const reason = reasonOf(review, command)
  if (reason === 'missing') {
    const names = Object.keys(review.terms.rejections ?? {}).join(', ')
    return refuse('request.malformed', `say why: one of ${names}, or a reason in words`, { field: 'because' })
  }
  const decision: Decision = { verdict, output: given.output, by, reason: reason.text, atMs }
  return quorumOf(review.terms).of === 1 ? [decided(review, decision)] : vote(review, command, decision)
}

const decided = (review: Review, decision: Decision, more: { readonly vote?: Vote } = {}): ReviewEvent => {
  const { graceMs = 0 } = review.terms
  return { type: 'review.decided', decision, heldUntilMs: graceMs === 0 ? null : decision.atMs + graceMs, ...more } // A8
}

/** One of several people; `allowed` holds approve and reject only (A7). */
const vote = (review: Review, person: DecideCommand, { verdict, reason, atMs, ...decision }: Decision): readonly ReviewEvent[] => {
  const mine = voteOf(review, person, { verdict: verdict === 'approve' ? 'approve' : 'reject', reason, atMs })
  const fault = uncounted(review, mine)
  if (fault !== undefined) return refused(fault)
  const votes = [...review.votes, mine]
  const outcome = outcomeOf(review, votes)
  if (outcome === undefined) return [{ type: 'review.voted', vote: mine }]
  const counted = votes.filter((one) => one.verdict === outcome)
  const why = counted.flatMap((one) => (one.reason === null ? [] : [one.reason])).join(' ')
  const by = counted
    .map((one) => one.by)
    .join(', ')
    .slice(0, 200)
  const output = outcome === 'approve' ? decision.output : null
  return [decided(review, { verdict: outcome, output, by, reason: why === '' ? null : why.slice(0, 4_000), atMs }, { vote: mine })]
}

const claimAgain = (review: Review, { by, leaseMs, atMs }: ReviewCommand & { type: 'review.claim' }): readonly ReviewEvent[] => [
  { type: 'review.claimed', by, untilMs: Math.min(atMs + leaseMs, Math.max(review.dueAtMs, atMs + 1)), atMs },
]

/** Work passed on by who has it, or by anybody while nobody has. */
const passOn = (review: Review, command: ReviewCommand & { type: 'review.reassign' | 'review.delegate' }): readonly ReviewEvent[] => {
  const held = heldByOther(review, command.by, command.atMs)
  if (held !== undefined) return held
  const { by, atMs } = command
  if (command.type === 'review.reassign')
    return [{ type: 'review.reassigned', by, to: command.to ?? null, queue: command.queue ?? review.queue, atMs }]
  if (command.to === review.terms.requester) return refuse('review.not_allowed', 'who asked for it does not decide it')
  const fault = barred(review, command, atMs)
  if (fault !== undefined) return refused(fault)
  return [{ type: 'review.delegated', delegation: { by, to: command.to, untilMs: command.untilMs } }]
}

const change = (command: Exclude<Change, { type: 'review.undo' }>, review: Review): readonly ReviewEvent[] => {
  const { by, atMs } = command
  switch (command.type) {
    case 'review.claim':
      return kept(review, command) ?? claimAgain(review, command)
    case 'review.release':
      return heldByOther(review, by, atMs) ?? (review.status === 'claimed' ? [{ type: 'review.released', by, atMs }] : [])
    case 'review.reassign':
    case 'review.delegate':
      return passOn(review, command)
    case 'review.decide':
      return kept(review, command) ?? settle(review, command)
    case 'review.cancel':
      return [{ type: 'review.cancelled', by, atMs }]
    case 'review.supersede':
      return [{ type: 'review.superseded', by, atMs }]
  }
}

const undo = (
  { decision, votes, heldUntilMs, status }: Review,
  { by, atMs }: ReviewCommand & { type: 'review.undo' },
): readonly ReviewEvent[] => {
  if (status !== 'decided' || decision === null || heldUntilMs === null || heldUntilMs <= atMs)
    return refuse('review.closed', 'it cannot be taken back any more', { state: status })
  if (decision.by !== by && !votes.some((one) => one.by === by))
    return refuse('review.not_allowed', `${decision.by} decided it and may take it back`, { by: decision.by })
  return [{ type: 'review.undone', by, atMs }] // A8
}

/** What a command does to a review. Total: what cannot be done is refused as an event. */
export const decide = (command: ReviewCommand, review: Review | undefined): readonly ReviewEvent[] => {
  if (command.type === 'review.request') return review === undefined ? [{ type: 'review.requested', review: command.review }] : [] // A6
  if (review === undefined) return refuse('request.not_found', 'no review has this id')
  if (command.type === 'review.expire') return ring(review, command)
  if (command.epoch !== undefined && command.epoch !== review.epoch && isOpen(review))
    return refuse('review.changed', 'somebody changed it since; look at it again', { epoch: review.epoch }) // A4
  if (command.type === 'review.undo') return undo(review, command)
  if (isOpen(review)) return change(command, review)
  const { message, detail } = closedBy(review)
  return refuse('review.closed', message, detail) // A1
}

const UNCLAIMED = { claimedBy: null, claimedAtMs: null, claimUntilMs: null } as const
const NEW = { status: 'pending', rung: 0, escalated: false, assignee: null, delegation: null, votes: [], decision: null } as const
/** Time that at least is left after a decision was taken back. */
const AFTER_UNDO_MS = 60_000

const opened = (review: NewReview): Review => {
  const claimByMs = review.terms.claimMs === undefined ? null : review.createdAtMs + review.terms.claimMs
  return { ...review, ...NEW, ...UNCLAIMED, claimByMs, heldUntilMs: null, closed: null, epoch: 1 }
}

/** Back in its queue, where the clock for claiming begins anew. */
const unclaimed = (review: Review, atMs: number): Review => {
  const claimMs = review.rung === 0 ? review.terms.claimMs : review.terms.chain?.[review.rung - 1]?.claimMs
  const claimByMs = claimMs === undefined ? null : atMs + claimMs
  return { ...review, ...UNCLAIMED, status: review.escalated ? 'escalated' : 'pending', claimByMs }
}

const moved = (review: Review, event: Exclude<ReviewEvent, { type: 'review.requested' | 'review.refused' }>): Review => {
  switch (event.type) {
    case 'review.claimed': {
      const claimedAtMs = review.claimedBy === event.by ? (review.claimedAtMs ?? event.atMs) : event.atMs
      return { ...review, status: 'claimed', claimedBy: event.by, claimUntilMs: event.untilMs, claimedAtMs, claimByMs: null }
    }
    case 'review.released':
      return unclaimed(review, event.atMs)
    case 'review.reassigned':
      return { ...unclaimed(review, event.atMs), assignee: event.to, delegation: null, queue: event.queue }
    case 'review.delegated':
      return { ...review, ...UNCLAIMED, status: review.escalated ? 'escalated' : 'pending', delegation: event.delegation }
    case 'review.voted':
      return { ...unclaimed(review, event.vote.atMs), votes: [...review.votes, event.vote] }
    case 'review.escalated': {
      const { type: _type, ...where } = event
      return { ...review, ...UNCLAIMED, ...where, status: 'escalated', escalated: true, assignee: null, delegation: null }
    }
    default:
      return ended(review, event)
  }
}

type EndEvent = Extract<
  ReviewEvent,
  { type: 'review.decided' | 'review.published' | 'review.undone' | 'review.expired' | 'review.cancelled' | 'review.superseded' }
>
const ended = (review: Review, event: EndEvent): Review => {
  switch (event.type) {
    case 'review.decided': {
      const { decision, vote: last, heldUntilMs } = event
      const votes = last === undefined ? review.votes : [...review.votes, last]
      return { ...review, status: 'decided', decision, votes, heldUntilMs, closed: { by: decision.by, atMs: decision.atMs } }
    }
    case 'review.published':
      return { ...review, heldUntilMs: null }
    case 'review.undone': {
      const dueAtMs = Math.max(review.dueAtMs, event.atMs + AFTER_UNDO_MS)
      return { ...unclaimed(review, event.atMs), dueAtMs, decision: null, votes: [], heldUntilMs: null, closed: null }
    }
    case 'review.expired':
      return { ...review, status: 'expired', closed: { by: 'nobody', atMs: event.atMs } }
    case 'review.cancelled':
      return { ...review, status: 'cancelled', closed: { by: event.by, atMs: event.atMs } }
    case 'review.superseded':
      return { ...review, status: 'superseded', closed: { by: event.by, atMs: event.atMs } }
  }
}

/** The review after an event. */
export const evolve = (review: Review | undefined, event: ReviewEvent): Review | undefined => {
  if (event.type === 'review.requested') return opened(event.review)
  if (review === undefined || event.type === 'review.refused') return review
  return { ...moved(review, event), epoch: review.epoch + 1 }
}

/** The verdicts of what a service asks: a call is approved or not, a missing value is given or not. */
const ALLOWED = {
  approval: ['approve', 'reject'],
  edit: ['approve', 'edit', 'reject'],
  question: ['respond', 'reject'],
} as const satisfies Partial<Record<ReviewTerms['kind'], readonly Verdict[]>>

/** The verdicts of a kind of question that names none. */
export const allowedForKind = (kind: ReviewTerms['kind'], input: Json): readonly Verdict[] =>
  kind === 'label' ? allowedFor(input) : ALLOWED[kind]

/** The verdicts of a review: editing needs a draft. */
export const allowedFor = (input: Json): readonly Verdict[] =>
  draftOf(input) === null ? ['approve', 'respond', 'reject'] : ['approve', 'edit', 'respond', 'reject']
