// What a review is: the words of the engine of tasks, without a rule.
import type { FaultData } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import type { Priority, Verdict } from '@baton/contracts'

/** Who does something, with what the people's file or the proxy in front says of them. */
export type Person = {
  readonly by: string
  readonly roles?: readonly string[] | undefined
  readonly skills?: readonly string[] | undefined
  /** False: people are named in people.yaml, and this is none of them. */
  readonly known?: false | undefined
}

/** A station of an escalation, with clocks of its own. */
export type Rung = {
  readonly queue: string
  readonly roles?: readonly string[]
  readonly claimMs?: number
  readonly slaMs: number
}

/** `n` of `of` people have to approve; more than `of - n` rejections reject. */
export type Quorum = { readonly n: number; readonly of: number; readonly distinctRoles: boolean }

/** What is asked, by whom and why. Everything here stays as it was when the review was opened. */
export type ReviewTerms = {
  readonly kind: 'approval' | 'edit' | 'question' | 'label'
  /** Absent: a step of the flow asks. `output`, `answer`: a service asks in the middle of its work, and what for. */
  readonly use?: 'output' | 'answer'
  /** Decides what silence means. */
  readonly risk?: 'advisory' | 'reversible' | 'irreversible'
  /** Why it came here. */
  readonly reasons: readonly string[]
  /** One of these has to be held by who claims or decides. */
  readonly roles?: readonly string[]
  /** All of these. */
  readonly skills?: readonly string[]
  /** Time until somebody has to have claimed it. */
  readonly claimMs?: number
  /** Where it goes when nobody acts in time. */
  readonly chain?: readonly Rung[]
  readonly quorum?: Quorum
  /** Who began the run, and so does not decide. */
  readonly requester?: string
  /** Reasons to reject, by name, each with what the model is told. */
  readonly rejections?: { readonly [name: string]: string }
  /** Time in which who decided may take it back; nobody is told before. */
  readonly graceMs?: number
  /** A signature is kept of the decision, whatever its risk. */
  readonly sign?: true
  /** Nobody waits for it: a look at what was decided without a person. */
  readonly sample?: true
  /** Confidence, route and rule behind it, where a policy brought it here. */
  readonly measured?: {
    readonly confidence?: number | undefined
    readonly route?: string | undefined
    readonly rule?: string | undefined
    readonly share?: number | undefined
  }
  /** The step, for what is alike (bulk) and for what was learned of it. */
  readonly nodeId?: string
  readonly planHash?: string
  readonly attempt?: number
}

export type Decision = {
  readonly verdict: Verdict
  readonly output: Json
  readonly by: string
  readonly reason: string | null
  readonly atMs: number
  /** Nobody decided in time, and the risk allows to go on. */
  readonly unreviewed?: true
}
export type Vote = {
  readonly by: string
  readonly verdict: 'approve' | 'reject'
  readonly roles: readonly string[]
  readonly reason: string | null
  readonly atMs: number
}
type Delegation = { readonly by: string; readonly to: string; readonly untilMs: number }

export const OPEN_STATUSES = ['pending', 'claimed', 'escalated'] as const
export const CLOSED_STATUSES = ['decided', 'expired', 'cancelled', 'superseded'] as const
export type ReviewStatus = (typeof OPEN_STATUSES)[number] | (typeof CLOSED_STATUSES)[number]

/** A review as it was asked for. `input` is what the person sees; its field `draft`, where there is one, is what approving approves. */
export type NewReview = {
  readonly taskId: string
  readonly tenant: string
  readonly runId: string
  readonly attemptId: string
  readonly path: string
  readonly flow: string
  readonly queue: string
  readonly priority: Priority
  /** 0–100, exactly; 100 comes first. */
  readonly urgency: number
  readonly title: string
  readonly input: Json
  readonly fingerprint: string
  readonly allowed: readonly Verdict[]
  readonly slaMs: number
  readonly onTimeout: 'fail' | 'escalate'
  readonly terms: ReviewTerms
  readonly answerPartition: number
  readonly createdAtMs: number
  /** Until when it has to be decided. */
  readonly dueAtMs: number
}

/** What changes while people work on it. */
export type Progress = {
  readonly status: ReviewStatus
  readonly claimedBy: string | null
  readonly claimedAtMs: number | null
  readonly claimUntilMs: number | null
  /** Until when it has to be claimed; null when that clock is off. */
  readonly claimByMs: number | null
  /** 0: where it was asked. */
  readonly rung: number
  readonly escalated: boolean
  /** Only this person may act. */
  readonly assignee: string | null
  readonly delegation: Delegation | null
  readonly votes: readonly Vote[]
  readonly decision: Decision | null
  /** Until then the decision is not published and can be taken back. */
  readonly heldUntilMs: number | null
  /** By whom and when it was closed. */
  readonly closed: { readonly by: string; readonly atMs: number } | null
  /** Rises by one with every change; a change made on an older one is void. */
  readonly epoch: number
}
export type Review = NewReview & Progress

type By = Person & { readonly atMs: number; /** Of the review that was seen. */ readonly epoch?: number | undefined }
export type ReviewCommand =
  | { readonly type: 'review.request'; readonly review: NewReview }
  | (By & { readonly type: 'review.claim'; readonly leaseMs: number })
  | (By & { readonly type: 'review.release' })
  | (By & { readonly type: 'review.reassign'; readonly to?: string | null | undefined; readonly queue?: string | undefined })
  | (By & { readonly type: 'review.delegate'; readonly to: string; readonly untilMs: number })
  | (By & {
      readonly type: 'review.decide'
      readonly verdict: Verdict
      readonly output?: Json | undefined
      readonly reason?: string | undefined
      /** One of the named reasons to reject. */
      readonly because?: string | undefined
      /** Of what the person saw. */
      readonly fingerprint?: string | undefined
    })
  | (By & { readonly type: 'review.undo' })
  | (By & { readonly type: 'review.cancel' })
  /** `by` is the task that asks instead. */
  | (By & { readonly type: 'review.supersede' })
  /** A clock rang. `epoch`: of the review that it was set for. */
  | { readonly type: 'review.expire'; readonly atMs: number; readonly epoch?: number | undefined }

export type ReviewEvent =
  | { readonly type: 'review.requested'; readonly review: NewReview }
  | { readonly type: 'review.claimed'; readonly by: string; readonly untilMs: number; readonly atMs: number }
  | { readonly type: 'review.released'; readonly by: string; readonly atMs: number }
  | { readonly type: 'review.reassigned'; readonly by: string; readonly to: string | null; readonly queue: string; readonly atMs: number }
  | { readonly type: 'review.delegated'; readonly delegation: Delegation }
  | { readonly type: 'review.voted'; readonly vote: Vote }
  | { readonly type: 'review.decided'; readonly decision: Decision; readonly vote?: Vote; readonly heldUntilMs: number | null }
  /** The time for taking it back is over. */
  | { readonly type: 'review.published'; readonly decision: Decision }
  | { readonly type: 'review.undone'; readonly by: string; readonly atMs: number }
  | {
      readonly type: 'review.escalated'
      readonly priority: Priority
      readonly urgency: number
      readonly queue: string
      readonly rung: number
      readonly claimByMs: number | null
      readonly dueAtMs: number
    }
  | { readonly type: 'review.expired'; readonly dueAtMs: number; readonly atMs: number }
  | { readonly type: 'review.cancelled'; readonly by: string; readonly atMs: number }
  | { readonly type: 'review.superseded'; readonly by: string; readonly atMs: number }
  /** Nothing happened, and why. Never kept. */
  | { readonly type: 'review.refused'; readonly fault: FaultData }
