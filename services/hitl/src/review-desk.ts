// The shell around the decider: load, decide, commit, tell the outbox. Everything is in the tables, so a restart changes nothing.
//   D1. One conditional statement commits a change with what is published of it; who read an older review decides again on the new one.
//   D2. A decision that does not fit the schema of the step is refused before it counts.
//   D4. A newer attempt at the same place of a run supersedes the older one: two open reviews never ask for the same thing.
//   D3. A request and its withdrawal, in any order or at once, leave no open task: each writes first and then looks for the other.
import { Fault, toFault, type Json, type JsonSchema } from '@baton/contracts'
import { schemaCheck, SchemaRefused, type SchemaProblem } from '@baton/policy/schema'
import { scoreOf } from './learning/score.policy.ts'
import { signatureOf } from './learning/signature.policy.ts'
import { decide, evolve, type NewReview, type Review, type ReviewCommand, type ReviewEvent } from './review.decider.ts'
import { messagesOf, publishes, scoreMessages } from './review.messages.ts'
import type { ReviewRepository, Written } from './review.repository.ts'

/** Times that a change is decided again because somebody else was faster. */
const RACES_MAX = 10

export type ReviewDesk = {
  /** Opens a review; one that is there already stays as it is (A6). */
  open(asked: { review: NewReview; resultSchema: JsonSchema | null }, atMs: number): Promise<void>
  /** Changes a review. Throws the fault of a refusal. */
  change(key: ReviewKey, command: Exclude<ReviewCommand, { type: 'review.request' }>): Promise<Review>
  /** Takes a review back that nobody has to decide any more, also one that is not open yet; nothing happens to one that is closed. */
  withdraw(key: ReviewKey, withdrawal: { readonly by: string; readonly atMs: number }): Promise<void>
}
type ReviewKey = { readonly tenant: string; readonly taskId: string }

/** The flow's schema may be no schema at all: then nobody can answer, and that is the flow's mistake. */
const problemsOf = (schema: JsonSchema, output: Json): readonly SchemaProblem[] => {
  try {
    return schemaCheck(schema)(output)
  } catch (error) {
    if (!(error instanceof SchemaRefused)) throw error
    throw new Fault('flow.invalid', `what the step returns is no JSON Schema: ${error.message}`, { field: 'returns' })
  }
}

const checkFit = (schema: JsonSchema | null, event: ReviewEvent): void => {
  if (schema === null || event.type !== 'review.decided' || event.decision.verdict === 'reject') return
  const [problem] = problemsOf(schema, event.decision.output)
  if (problem === undefined) return
  const field = problem.field === '' ? 'output' : `output.${problem.field}`
  throw new Fault('input.invalid', `${field} ${problem.reason}`, { field }) // D2
}

type DeskOptions = {
  reviews: ReviewRepository
  changed: () => void
  observe: (event: ReviewEvent, review: Review) => void
  /** What addresses outside are told of an event. */
  notices?: (review: Review, event: ReviewEvent, atMs: number) => NonNullable<Written['notices']>
}

/** What is written with an event: who is told of it, what was learned, and who signed. */
const writtenOf = (review: Review, event: ReviewEvent, { atMs, notices }: { atMs: number; notices: DeskOptions['notices'] }): Written => {
  const out = publishes(event) ? event.decision : undefined
  const score = out === undefined ? undefined : scoreOf(review, out)
  const scored = score === undefined ? [] : scoreMessages(review, score)
  return {
    messages: [...messagesOf(review, event, atMs), ...scored],
    score,
    signature: out === undefined ? undefined : signatureOf(review, out),
    notices: notices?.(review, event, atMs) ?? [],
  }
}

const attemptOf = ({ terms, attemptId }: Pick<Review, 'terms' | 'attemptId'>): number =>
  terms.attempt ?? Number(attemptId.slice(attemptId.lastIndexOf('/') + 1))

/** Most open reviews at one place of a run that are looked at: there is one, or two for a moment. */
const AT_ONE_PLACE_MAX = 10

/** A desk over the tables. `changed` is called after a commit that has something to publish. */
export const reviewDesk = ({ reviews, changed, observe, notices }: DeskOptions): ReviewDesk => {
  const change: ReviewDesk['change'] = async (key, command) => {
    for (let race = 0; race < RACES_MAX; race += 1) {
      const stored = await reviews.load(key)
      const [event] = decide(command, stored?.review)
      if (event?.type === 'review.refused') throw new Fault(event.fault.code, event.fault.message, event.fault.detail)
      if (stored === undefined) throw new Fault('request.not_found', 'no review has this id', { id: key.taskId })
      const before = stored.review
      const after = event === undefined ? before : evolve(before, event)
      if (event === undefined || after === undefined) return before
      checkFit(stored.resultSchema, event)
      if (await reviews.save({ before, after, ...writtenOf(after, event, { atMs: command.atMs, notices }) })) {
        observe(event, after)
        changed()
        return after // D1
      }
    }
    throw new Fault('store.unavailable', 'this review changes faster than it can be read; try again', { id: key.taskId })
  }
  /** False when there is no such review. */
  const close = async (
    key: ReviewKey,
    command: { type: 'review.cancel' | 'review.supersede'; by: string; atMs: number },
  ): Promise<boolean> => {
    try {
      await change(key, command)
      return true
    } catch (error) {
      const { code } = toFault(error)
      if (code === 'request.not_found') return false
      if (code !== 'review.closed') throw error // somebody was faster
      return true
    }
  }
  const cancel = (key: ReviewKey, withdrawal: { by: string; atMs: number }): Promise<boolean> =>
    close(key, { type: 'review.cancel', ...withdrawal })
  const supersede = async ({ tenant, runId, path, terms }: NewReview, atMs: number): Promise<void> => {
    if (terms.sample === true) return
    const there = await reviews.list({ tenant, run: runId, path, status: 'open', nowMs: atMs, limit: AT_ONE_PLACE_MAX })
    const asking = there.filter((review) => review.terms.sample !== true).toSorted((a, b) => attemptOf(b) - attemptOf(a))
    const [newest, ...older] = asking
    for (const { taskId } of older) await close({ tenant, taskId }, { type: 'review.supersede', by: newest?.taskId ?? '', atMs }) // D4
  }
  return {
    change,
    open: async ({ review: asked, resultSchema }, atMs) => {
      const [event] = decide({ type: 'review.request', review: asked }, undefined)
      const review = event === undefined ? undefined : evolve(undefined, event)
      if (event === undefined || review === undefined) return
      if (await reviews.insert({ review, resultSchema }, writtenOf(review, event, { atMs, notices }))) {
        observe(event, review)
        changed()
      }
      const withdrawnBy = await reviews.withdrawnBy(asked) // D3
      if (withdrawnBy !== undefined) await cancel(asked, { by: withdrawnBy, atMs })
      else if (attemptOf(asked) > 1) await supersede(asked, atMs)
    },
    withdraw: async (key, withdrawal) => {
      if (await cancel(key, withdrawal)) return
      await reviews.rememberWithdrawal(key, withdrawal)
      await cancel(key, withdrawal) // D3
    },
  }
}
