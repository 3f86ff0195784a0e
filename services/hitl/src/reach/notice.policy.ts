// What addresses outside are told of a review, and when it is told again.
//   N1. A notice says where to look, not what is in it: content stays behind the API, which knows who may see it.
import type { Hook } from '../people/people.config.ts'
import { publishes } from '../review.messages.ts'
import type { Review, ReviewEvent } from '../review.ts'

/** What is told of an event; undefined for one that nobody outside needs. */
export const noticeName = (event: ReviewEvent): Hook['events'][number] | undefined => {
  switch (event.type) {
    case 'review.requested':
      return 'requested'
    case 'review.claimed':
      return 'claimed'
    case 'review.escalated':
      return 'escalated'
    case 'review.decided':
    case 'review.published':
      return publishes(event) ? 'decided' : undefined
    case 'review.expired':
      return 'expired'
    case 'review.cancelled':
      return 'cancelled'
    case 'review.superseded':
      return 'superseded'
    default:
      return undefined
  }
}

/** The body of a notice, and whom it goes to. */
export const noticesOf = (
  hooks: readonly Hook[],
  { review, event, atMs }: { review: Review; event: ReviewEvent; atMs: number },
): readonly { readonly hook: string; readonly id: string; readonly body: string }[] => {
  const name = noticeName(event)
  if (name === undefined) return []
  const { taskId, tenant, runId, path, flow, queue, priority, urgency, title, status, dueAtMs, epoch, claimedBy, decision, terms } = review
  const id = `${taskId}/${name}/${epoch}`
  const decided = decision === null ? {} : { verdict: decision.verdict, by: decision.by, unreviewed: decision.unreviewed ?? false }
  const data = {
    taskId,
    tenant,
    runId,
    flow,
    path,
    kind: terms.kind,
    queue,
    priority,
    urgency,
    title,
    status,
    dueAtMs,
    claimedBy,
    ...decided,
  }
  const body = JSON.stringify({ type: `review.${name}`, timestamp: atMs, data }) // N1
  return hooks
    .filter((hook) => hook.events.includes(name) && (hook.queues === undefined || hook.queues.includes(queue)))
    .map((hook) => ({ hook: hook.name, id, body }))
}

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 3_600_000

/** How long to wait after the n-th try: a second, then four times as long each, at most an hour. */
export const noticePauseMs = (tries: number): number => Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 4 ** (tries - 1))
