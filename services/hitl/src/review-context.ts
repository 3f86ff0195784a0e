// Everything a person needs to decide in seconds, put together when they look: what is asked, what is proposed, how sure the machine is
// and why it came here, where that is from, what is different from last time, what the run has cost and how long there is.
import { isJsonObject, parseJson, type Json } from '@baton/contracts'
import type { ServiceCall } from '@baton/service'
import { differences, type Difference } from './diff.policy.ts'
import type { ReviewRepository } from './review.repository.ts'
import type { Review } from './review.ts'
import { TENANT_HEADER } from './tenant.ts'

export type ReviewContext = {
  readonly question: Json
  readonly proposal: Json
  readonly confidence: number | null
  readonly reasons: readonly string[]
  readonly rule: string | null
  readonly sources: Json
  readonly conversation: Json
  readonly trace: string
  /** Against what was proposed here before, or what the step names as `previous`. */
  readonly differences: readonly Difference[] | null
  readonly costUsd: number | null
  readonly deadlineMs: number
}

const SOURCES = ['sources', 'passages', 'citations', 'evidence'] as const
const CONVERSATION = ['conversation', 'history', 'messages'] as const
const OF_THE_PROPOSAL: ReadonlySet<string> = new Set(['draft', 'previous', ...SOURCES, ...CONVERSATION])

const firstOf = (values: readonly Json[], names: readonly string[]): Json => {
  for (const value of values) {
    if (!isJsonObject(value)) continue
    for (const name of names) if (value[name] !== undefined) return value[name]
  }
  return null
}

const questionOf = (input: Json): Json => {
  if (!isJsonObject(input)) return input
  if (input['question'] !== undefined) return input['question']
  return Object.fromEntries(Object.entries(input).filter(([key]) => !OF_THE_PROPOSAL.has(key)))
}

const confidenceOf = ({ terms, input }: Review): number | null => {
  if (terms.measured?.confidence !== undefined) return terms.measured.confidence
  const draft = isJsonObject(input) ? (input['draft'] ?? null) : null
  const said = firstOf([input, draft], ['confidence'])
  return typeof said === 'number' ? said : null
}

/** What was proposed at the same place before: rejected, replaced or superseded. */
const previousOf = async (reviews: Pick<ReviewRepository, 'list'>, review: Review, nowMs: number): Promise<Json | undefined> => {
  const { input, tenant, runId, path, taskId, createdAtMs } = review
  if (isJsonObject(input) && input['previous'] !== undefined) return input['previous']
  const there = await reviews.list({ tenant, run: runId, status: 'all', nowMs, limit: 50, whole: true })
  const place = path.replace(/\/ask\[\d+\]$/, '')
  const before = there
    .filter((other) => other.taskId !== taskId && other.createdAtMs <= createdAtMs && other.path.replace(/\/ask\[\d+\]$/, '') === place)
    .toSorted((a, b) => b.createdAtMs - a.createdAtMs)[0]
  return before !== undefined && isJsonObject(before.input) ? before.input['draft'] : undefined
}

/** Of the run so far; null while tracing does not know it. */
const costOf = async (call: ServiceCall, { tenant, runId }: Review): Promise<number | null> => {
  try {
    const path = `/v1/runs/${encodeURIComponent(runId)}`
    const { status, body } = await call({ service: 'tracing', method: 'GET', path, headers: { [TENANT_HEADER]: tenant } })
    const run = status === 200 ? parseJson(Buffer.from(body)) : null
    const cost = isJsonObject(run) ? run['costUsd'] : undefined
    return typeof cost === 'number' ? cost : null
  } catch {
    return null // A decision does not wait for a price.
  }
}

/** The context of a review. */
export const contextOf = async (
  review: Review,
  { reviews, call, nowMs }: { reviews: Pick<ReviewRepository, 'list'>; call: ServiceCall; nowMs: number },
): Promise<ReviewContext> => {
  const { input, terms, runId, dueAtMs } = review
  const proposal = isJsonObject(input) ? (input['draft'] ?? null) : null
  const question = questionOf(input)
  const [previous, costUsd] = await Promise.all([previousOf(reviews, review, nowMs), costOf(call, review)])
  return {
    question,
    proposal,
    confidence: confidenceOf(review),
    reasons: terms.reasons,
    rule: terms.measured?.rule ?? null,
    sources: firstOf([input, proposal, question], SOURCES),
    conversation: firstOf([input, question], CONVERSATION),
    trace: `/v1/runs/${runId}/trace`,
    differences: previous === undefined || proposal === null ? null : differences(previous, proposal),
    costUsd,
    deadlineMs: dueAtMs,
  }
}
