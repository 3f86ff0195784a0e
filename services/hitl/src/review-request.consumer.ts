import {
  canonicalJson,
  Fault,
  isJsonObject,
  sha256,
  type Ask,
  type Json,
  type JsonSchema,
  type MessageOf,
  type StepCommand,
} from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'
import type { WorkHandler } from '@baton/service'
import type { PeopleSettings } from './people/people.config.ts'
import type { ReviewDesk } from './review-desk.ts'
import { allowedFor, allowedForKind, type NewReview, type ReviewTerms } from './review.decider.ts'
import { URGENCY } from './urgency.policy.ts'

/** The id of the review of an attempt: one attempt is asked about once. */
export const taskIdOf = (attemptId: string): string => `rev_${sha256(attemptId).slice(0, 32)}`

/** What a decision binds to (R7): what is shown, where it stands, in which plan and run. */
export const fingerprintOf = ({ input, path, planHash, runId }: { input: Json; path: string; planHash: string; runId: string }): string =>
  sha256(canonicalJson({ input, path, planHash, runId }))

type HumanNode = PlanNode & { readonly kind: 'human' }
type Asked = Pick<NewReview, 'queue' | 'priority' | 'urgency' | 'slaMs' | 'onTimeout' | 'title' | 'input' | 'allowed' | 'terms'>

/** Several people say yes or no to the same thing: nobody edits it. */
const forSeveral = (allowed: NewReview['allowed'], { quorum }: ReviewTerms): NewReview['allowed'] =>
  quorum === undefined || quorum.of === 1 ? allowed : allowed.filter((verdict) => verdict === 'approve' || verdict === 'reject')

const hasDraft = (input: Json): boolean => isJsonObject(input) && (input['draft'] ?? null) !== null

/** What is there is a word of the terms; what is absent stays absent. */
const given = <T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> } // of the same keys

const requesterOf = ({ user }: StepCommand, excluded: boolean | undefined): string | undefined => (excluded === true ? user?.id : undefined)

/** What a step of the flow asks. */
const ofStep = (command: StepCommand, { human }: HumanNode, input: Json): Asked => {
  const { flow, path, priority } = command
  const { queue, slaMs, onTimeout, urgency, title, claimMs, chain, roles, skills, quorum, risk, reasons: rejections } = human
  const kind = human.kind ?? (hasDraft(input) ? 'edit' : 'question')
  const agree = quorum === undefined ? undefined : { n: quorum.n, of: quorum.of, distinctRoles: quorum.distinctRoles }
  const requester = requesterOf(command, quorum?.excludeRequester)
  const optional = given({ claimMs, chain, roles, skills, quorum: agree, requester, risk, rejections })
  const terms: ReviewTerms = { kind, reasons: [], ...optional }
  const allowed = forSeveral(human.kind === undefined ? allowedFor(input) : allowedForKind(kind, input), terms)
  return {
    queue,
    priority,
    urgency: urgency ?? URGENCY[priority],
    slaMs,
    onTimeout,
    title: title ?? `${flow}: ${path}`,
    input,
    allowed,
    terms,
  }
}

/** Time for what a service asks without saying how long it can wait, and whose inbox it is then. */
const ASK_SLA_MS = 3_600_000
const ASK_QUEUE = 'approvals'

/** What a service asks in the middle of its work (`command.ask`). What cannot be taken back rejects when nobody decides. */
const ofService = (command: Pick<StepCommand, 'user'>, ask: Ask, priority: NewReview['priority']): Asked => {
  const { kind, use, title, input, allowed, queue = ASK_QUEUE, slaMs = ASK_SLA_MS, risk, reasons, roles, quorum, measured } = ask
  const requester = ask.excludeRequester === true ? command.user?.id : undefined
  const terms: ReviewTerms = { kind, use, reasons, ...given({ risk, roles, quorum, requester, measured }) }
  const level = ask.priority ?? priority
  return {
    queue,
    priority: level,
    urgency: URGENCY[level],
    slaMs,
    onTimeout: risk === 'reversible' ? 'escalate' : 'fail',
    title,
    input,
    allowed: forSeveral(allowed ?? allowedForKind(kind, input), terms),
    terms,
  }
}

const askedBy = (command: StepCommand, node: PlanNode, input: Json): Asked => {
  if (command.ask !== undefined) return ofService(command, command.ask, command.priority)
  if (node.kind !== 'human') throw new Fault('flow.invalid', `node ${node.id} asks nobody`, { node: node.id })
  return ofStep(command, node, input)
}

/** What the people's file says of the queue. */
const inQueue = (terms: ReviewTerms, queue: string, settings: Pick<PeopleSettings, 'queue'>): ReviewTerms => {
  const { graceMs, sign } = settings.queue(queue)
  return { ...terms, ...(graceMs > 0 ? { graceMs } : {}), ...(sign ? { sign } : {}) }
}

type Placed = Pick<StepCommand, 'tenant' | 'runId' | 'attemptId' | 'path' | 'flow' | 'planHash' | 'nodeId'>

const reviewOf = (
  place: Placed,
  asked: Asked,
  more: Pick<NewReview, 'taskId' | 'fingerprint' | 'answerPartition' | 'createdAtMs'>,
): NewReview => {
  const { tenant, runId, attemptId, path, flow, planHash, nodeId } = place
  const terms = { ...asked.terms, planHash, nodeId }
  return { ...asked, ...more, terms, tenant, runId, attemptId, path, flow, dueAtMs: more.createdAtMs + asked.slaMs }
}

/** The schema that what a person writes has to fit: that of the question, else of the step whose output it is. */
const schemaOf = ({ ask }: StepCommand, node: PlanNode): JsonSchema | null => {
  if (ask === undefined) return node.returns ?? null
  if (isSchema(ask.schema)) return ask.schema
  return ask.use === 'output' ? (node.returns ?? null) : null
}
const isSchema = (schema: Json | undefined): schema is JsonSchema => typeof schema === 'boolean' || isJsonObject(schema ?? null)

/** The handler of `review.request`: opens a review and leaves the answer to a person. */
export const reviewRequest =
  (desk: ReviewDesk, settings: Pick<PeopleSettings, 'queue'>): WorkHandler =>
  async (command, { node, input, nowMs }) => {
    const asked = askedBy(command, node, input)
    const { attemptId, path, planHash, runId, answerPartition, ask, attempt } = command
    const createdAtMs = nowMs()
    const review = reviewOf(
      command,
      { ...asked, terms: { ...inQueue(asked.terms, asked.queue, settings), attempt } },
      {
        taskId: taskIdOf(attemptId),
        fingerprint: ask?.fingerprint ?? fingerprintOf({ input: asked.input, path, planHash, runId }),
        answerPartition,
        createdAtMs,
      },
    )
    await desk.open({ review, resultSchema: schemaOf(command, node) }, createdAtMs)
    return { status: 'pending' }
  }

/** Of a sample nobody waits for an answer. */
const NO_PARTITION = 0

/** A look at what went on without a person. */
export const sampleOf = (sample: MessageOf<'review.sample'>, createdAtMs: number): NewReview => {
  const { attemptId, path, planHash, runId, ask } = sample
  const asked = ofService({}, ask, 'bulk')
  return reviewOf(
    sample,
    { ...asked, terms: { ...asked.terms, sample: true } },
    {
      taskId: taskIdOf(`${attemptId}/sample`),
      fingerprint: fingerprintOf({ input: asked.input, path, planHash, runId }),
      answerPartition: NO_PARTITION,
      createdAtMs,
    },
  )
}
