// One review: something that a machine must not decide alone, and what became of it.
//   A1. A review closes once: the first decision, expiry or withdrawal stands, and who comes later learns what it was.
//   A2. Silence is never consent. What is overdue is raised in priority and given its time once more where the flow says so, then expires.
//   A3. A claim holds others off until its lease is over; its holder renews it by claiming again, and nobody else releases it.
//   A4. A decision binds to exactly what the person saw: another fingerprint is refused.
//   A5. Only a verdict that is allowed counts. Approving gives the draft (where there is none, what was shown), editing and
//       responding what the person wrote, rejecting null.
//   A6. Asking again for the same review changes nothing.
import type { FaultCode, FaultData } from '@baton/contracts/fault'
import { isJsonObject, type Json } from '@baton/contracts/json'
import type { Priority, Verdict } from '@baton/contracts'

export type Decision = {
  readonly verdict: Verdict
  readonly output: Json
  readonly by: string
  readonly reason: string | null
  readonly atMs: number
}

/** What is asked, by whom and why. */
export type ReviewTerms = {
  readonly kind: 'approval' | 'edit' | 'question' | 'label'
  /** Absent: a step of the flow asks. `output`, `answer`: a service asks in the middle of its work, and what for. */
  readonly use?: 'output' | 'answer'
  /** Decides what silence means. */
  readonly risk?: 'advisory' | 'reversible' | 'irreversible'
  /** Why it came here. */
  readonly reasons: readonly string[]
}

/** A review as it stands. `input` is what the person sees; its field `draft`, where there is one, is what approving approves. */
export type Review = {
  readonly taskId: string
  readonly tenant: string
  readonly runId: string
  readonly attemptId: string
  readonly path: string
  readonly flow: string
  readonly queue: string
  readonly priority: Priority
  readonly title: string
  readonly input: Json
  readonly fingerprint: string
  readonly allowed: readonly Verdict[]
  readonly slaMs: number
  readonly onTimeout: 'fail' | 'escalate'
  readonly terms: ReviewTerms
  readonly answerPartition: number
  readonly createdAtMs: number
  readonly dueAtMs: number
  readonly status: 'pending' | 'claimed' | 'decided' | 'expired' | 'cancelled'
  readonly claimedBy: string | null
  readonly claimUntilMs: number | null
  readonly escalated: boolean
  readonly decision: Decision | null
  /** Rises by one with every change; a change made on an older one is void. */
  readonly epoch: number
}

export type NewReview = Omit<Review, 'status' | 'claimedBy' | 'claimUntilMs' | 'escalated' | 'decision' | 'epoch'>

export type ReviewCommand =
  | { readonly type: 'review.request'; readonly review: NewReview }
  | { readonly type: 'review.claim'; readonly by: string; readonly leaseMs: number; readonly atMs: number }
  | { readonly type: 'review.release'; readonly by: string; readonly atMs: number }
  | {
      readonly type: 'review.decide'
      readonly by: string
      readonly verdict: Verdict
      readonly output?: Json | undefined
      readonly reason?: string | undefined
      /** Of what the person saw. */
      readonly fingerprint?: string | undefined
      readonly atMs: number
    }
  | { readonly type: 'review.cancel'; readonly by: string; readonly atMs: number }
  | { readonly type: 'review.expire'; readonly atMs: number }

export type ReviewEvent =
  | { readonly type: 'review.requested'; readonly review: NewReview }
  | { readonly type: 'review.claimed'; readonly by: string; readonly untilMs: number }
  | { readonly type: 'review.released' }
  | { readonly type: 'review.decided'; readonly decision: Decision }
  | { readonly type: 'review.escalated'; readonly priority: Priority; readonly dueAtMs: number }
  | { readonly type: 'review.expired'; readonly dueAtMs: number }
  | { readonly type: 'review.cancelled'; readonly by: string }
  /** Nothing happened, and why. Never kept. */
  | { readonly type: 'review.refused'; readonly fault: FaultData }

const refuse = (code: FaultCode, message: string, detail: FaultData['detail'] = {}): readonly ReviewEvent[] => [
  { type: 'review.refused', fault: { code, message, detail } },
]

/** What closed a review, in words. */
const closedBy = ({ status, decision }: Review): { message: string; detail: FaultData['detail'] } => {
  if (decision === null) return { message: `the review is ${status}`, detail: { status } }
  return {
    message: `${decision.by} decided it before: ${decision.verdict}`,
    detail: { status, by: decision.by, verdict: decision.verdict, decidedAtMs: decision.atMs },
  }
}

const HIGHER = { bulk: 'low', low: 'normal', normal: 'high', high: 'emergency', emergency: 'emergency' } as const satisfies Record<
  Priority,
  Priority
>

const isOpen = ({ status }: Review): boolean => status === 'pending' || status === 'claimed'
/** Who holds the review now; a lease that is over holds nobody off. */
export const holderOf = (review: Review, atMs: number): string | null =>
  review.status === 'claimed' && review.claimUntilMs !== null && review.claimUntilMs > atMs ? review.claimedBy : null

const heldByOther = (review: Review, by: string, atMs: number): readonly ReviewEvent[] | undefined => {
  const holder = holderOf(review, atMs)
  if (holder === null || holder === by) return undefined
  return refuse('review.claimed', `${holder} holds this review`, { by: holder, untilMs: review.claimUntilMs ?? 0 }) // A3
}

type DecideCommand = ReviewCommand & { readonly type: 'review.decide' }

const draftOf = (input: Json): Json => (isJsonObject(input) ? (input['draft'] ?? null) : null)

/** A draft as the step gives it. Who made it is written beside every output when expressions see it, and is the person's now. */
const approved = (draft: Json): Json => {
  if (!isJsonObject(draft)) return draft
  const { by: _by, ...rest } = draft
  return rest
}

/** What the step is given (A5). `missing` when the person has to write something and did not. */
const outputOf = (review: Review, { verdict, output }: DecideCommand): { readonly output: Json } | 'missing' => {
  switch (verdict) {
    case 'approve':
      return { output: approved(draftOf(review.input) ?? review.input) }
    case 'reject':
      return { output: null }
    case 'edit':
    case 'respond':
      return output === undefined ? 'missing' : { output }
  }
}

const settle = (review: Review, command: DecideCommand): readonly ReviewEvent[] => {
  const { by, verdict, reason, fingerprint, atMs } = command
  if (fingerprint !== undefined && fingerprint !== review.fingerprint)
    return refuse('review.changed', 'this is not what the review asks now; look at it again', { fingerprint: review.fingerprint }) // A4
  if (!review.allowed.includes(verdict))
    return refuse('request.malformed', `${verdict} is not allowed here; ${review.allowed.join(', ')} are`, { field: 'verdict' }) // A5
  const given = outputOf(review, command)
  if (given === 'missing') return refuse('request.malformed', `${verdict} needs an output`, { field: 'output' })
  return [{ type: 'review.decided', decision: { verdict, output: given.output, by, reason: reason ?? null, atMs } }]
}

const expire = (review: Review, atMs: number): readonly ReviewEvent[] => {
  if (atMs < review.dueAtMs) return [] // a clock from before the due time was moved
  if (review.onTimeout === 'escalate' && !review.escalated)
    return [{ type: 'review.escalated', priority: HIGHER[review.priority], dueAtMs: atMs + review.slaMs }]
  return [{ type: 'review.expired', dueAtMs: review.dueAtMs }] // A2
}

const change = (command: Exclude<ReviewCommand, { type: 'review.request' }>, review: Review): readonly ReviewEvent[] => {
  switch (command.type) {
    case 'review.claim': {
      const { by, leaseMs, atMs } = command
      return heldByOther(review, by, atMs) ?? [{ type: 'review.claimed', by, untilMs: atMs + leaseMs }]
    }
    case 'review.release':
      return heldByOther(review, command.by, command.atMs) ?? (review.status === 'claimed' ? [{ type: 'review.released' }] : [])
    case 'review.decide':
      return heldByOther(review, command.by, command.atMs) ?? settle(review, command)
    case 'review.cancel':
      return [{ type: 'review.cancelled', by: command.by }]
    case 'review.expire':
      return expire(review, command.atMs)
  }
}

/** What a command does to a review. Total: what cannot be done is refused as an event. */
export const decide = (command: ReviewCommand, review: Review | undefined): readonly ReviewEvent[] => {
  if (command.type === 'review.request') return review === undefined ? [{ type: 'review.requested', review: command.review }] : [] // A6
  if (review === undefined) return refuse('request.not_found', 'no review has this id')
  if (isOpen(review)) return change(command, review)
  if (command.type === 'review.expire') return []
  const { message, detail } = closedBy(review)
  return refuse('review.closed', message, detail) // A1
}

const UNCLAIMED = { status: 'pending', claimedBy: null, claimUntilMs: null } as const

/** The review after an event. */
export const evolve = (review: Review | undefined, event: ReviewEvent): Review | undefined => {
  if (event.type === 'review.requested') return { ...event.review, ...UNCLAIMED, escalated: false, decision: null, epoch: 1 }
  if (review === undefined || event.type === 'review.refused') return review
  const changed = { ...review, epoch: review.epoch + 1 }
  switch (event.type) {
    case 'review.claimed':
      return { ...changed, status: 'claimed', claimedBy: event.by, claimUntilMs: event.untilMs }
    case 'review.released':
      return { ...changed, ...UNCLAIMED }
    case 'review.decided':
      return { ...changed, status: 'decided', decision: event.decision }
    case 'review.escalated':
      return { ...changed, priority: event.priority, dueAtMs: event.dueAtMs, escalated: true }
    case 'review.expired':
      return { ...changed, status: 'expired' }
    case 'review.cancelled':
      return { ...changed, status: 'cancelled' }
  }
}

/** The verdicts of what a service asks: a call is approved or not, a missing value is given or not. */
const ALLOWED = {
  approval: ['approve', 'reject'],
  edit: ['approve', 'edit', 'reject'],
  question: ['respond', 'reject'],
} as const satisfies Partial<Record<ReviewTerms['kind'], readonly Verdict[]>>

/** The verdicts of a question of a service that names none. */
export const allowedForAsk = (kind: ReviewTerms['kind'], input: Json): readonly Verdict[] =>
  kind === 'label' ? allowedFor(input) : ALLOWED[kind]

/** The verdicts of a review: editing needs a draft. */
export const allowedFor = (input: Json): readonly Verdict[] =>
  draftOf(input) === null ? ['approve', 'respond', 'reject'] : ['approve', 'edit', 'respond', 'reject']
