import { canonicalJson, Fault, isJsonObject, sha256, type Ask, type Json, type JsonSchema, type StepCommand } from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'
import type { WorkHandler } from '@baton/service'
import type { ReviewDesk } from './review-desk.ts'
import { allowedFor, allowedForAsk, type NewReview } from './review.decider.ts'

/** The id of the review of an attempt: one attempt is asked about once. */
export const taskIdOf = (attemptId: string): string => `rev_${sha256(attemptId).slice(0, 32)}`

/** What a decision binds to (R7): what is shown, where it stands, in which plan and run. */
export const fingerprintOf = ({ input, path, planHash, runId }: { input: Json; path: string; planHash: string; runId: string }): string =>
  sha256(canonicalJson({ input, path, planHash, runId }))

type HumanNode = PlanNode & { readonly kind: 'human' }
type Asked = Pick<NewReview, 'queue' | 'slaMs' | 'onTimeout' | 'title' | 'input' | 'allowed' | 'terms'>

/** What a step of the flow asks. */
const ofStep = ({ flow, path }: StepCommand, { human }: HumanNode, input: Json): Asked => ({
  queue: human.queue,
  slaMs: human.slaMs,
  onTimeout: human.onTimeout,
  title: human.title ?? `${flow}: ${path}`,
  input,
  allowed: allowedFor(input),
  terms: { kind: 'edit', reasons: [] },
})

/** Time for what a service asks without saying how long it can wait. */
const ASK_SLA_MS = 86_400_000
/** Whose inbox it is where the service names none. */
const ASK_QUEUE = 'reviews'

/** What a service asks in the middle of its work (`command.ask`). What cannot be taken back rejects when nobody decides. */
const ofService = ({ kind, use, title, input, allowed, queue = ASK_QUEUE, slaMs = ASK_SLA_MS, risk, reasons }: Ask): Asked => ({
  queue,
  slaMs,
  onTimeout: risk === 'reversible' ? 'escalate' : 'fail',
  title,
  input,
  allowed: allowed ?? allowedForAsk(kind, input),
  terms: { kind, use, reasons, ...(risk === undefined ? {} : { risk }) },
})

const reviewOf = (command: StepCommand, asked: Asked, nowMs: number): NewReview => {
  const { tenant, runId, attemptId, path, flow, priority, answerPartition, planHash, ask } = command
  return {
    ...asked,
    taskId: taskIdOf(attemptId),
    tenant,
    runId,
    attemptId,
    path,
    flow,
    priority: ask?.priority ?? priority,
    fingerprint: ask?.fingerprint ?? fingerprintOf({ input: asked.input, path, planHash, runId }),
    answerPartition,
    createdAtMs: nowMs,
    dueAtMs: nowMs + asked.slaMs,
  }
}

/** The schema that what a person writes has to fit: that of the question, else of the step whose output it is. */
const schemaOf = ({ ask }: StepCommand, node: PlanNode): JsonSchema | null => {
  if (ask === undefined) return node.returns ?? null
  if (isSchema(ask.schema)) return ask.schema
  return ask.use === 'output' ? (node.returns ?? null) : null
}
const isSchema = (schema: Json | undefined): schema is JsonSchema => typeof schema === 'boolean' || isJsonObject(schema ?? null)

const askedBy = (command: StepCommand, node: PlanNode, input: Json): Asked => {
  if (command.ask !== undefined) return ofService(command.ask)
  if (node.kind !== 'human') throw new Fault('flow.invalid', `node ${node.id} asks nobody`, { node: node.id })
  return ofStep(command, node, input)
}

/** The handler of `review.request`: opens a review and leaves the answer to a person. */
export const reviewRequest =
  (desk: ReviewDesk): WorkHandler =>
  async (command, { node, input, nowMs }) => {
    const asked = askedBy(command, node, input)
    const atMs = nowMs()
    await desk.open({ review: reviewOf(command, asked, atMs), resultSchema: schemaOf(command, node) }, atMs)
    return { status: 'pending' }
  }
