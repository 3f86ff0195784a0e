import { canonicalJson, Fault, sha256, type Json, type StepCommand } from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'
import type { WorkHandler } from '@baton/service'
import type { ReviewDesk } from './review-desk.ts'
import { allowedFor, type NewReview } from './review.decider.ts'

/** The id of the review of an attempt: one attempt is asked about once. */
export const taskIdOf = (attemptId: string): string => `rev_${sha256(attemptId).slice(0, 32)}`

/** What a decision binds to (R7): what is shown, where it stands, in which plan and run. */
export const fingerprintOf = ({ input, path, planHash, runId }: { input: Json; path: string; planHash: string; runId: string }): string =>
  sha256(canonicalJson({ input, path, planHash, runId }))

type HumanNode = PlanNode & { readonly kind: 'human' }

const reviewOf = (command: StepCommand, { node, input, nowMs }: { node: HumanNode; input: Json; nowMs: number }): NewReview => {
  const { tenant, runId, attemptId, path, flow, priority, answerPartition, planHash } = command
  const { queue, slaMs, onTimeout, title } = node.human
  return {
    taskId: taskIdOf(attemptId),
    tenant,
    runId,
    attemptId,
    path,
    flow,
    queue,
    priority,
    title: title ?? `${flow}: ${path}`,
    input,
    fingerprint: fingerprintOf({ input, path, planHash, runId }),
    allowed: allowedFor(input),
    slaMs,
    onTimeout,
    answerPartition,
    createdAtMs: nowMs,
    dueAtMs: nowMs + slaMs,
  }
}

/** The handler of `review.request`: opens a review and leaves the answer to a person. */
export const reviewRequest =
  (desk: ReviewDesk): WorkHandler =>
  async (command, work) => {
    const { node, input } = work
    if (node.kind !== 'human') throw new Fault('flow.invalid', `node ${node.id} asks nobody`, { node: node.id })
    const nowMs = work.nowMs()
    await desk.open({ review: reviewOf(command, { node, input, nowMs }), resultSchema: node.returns ?? null }, nowMs)
    return { status: 'pending' }
  }
