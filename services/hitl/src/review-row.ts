// A review as a row: what is asked for in lists and by clocks has a column, the rest of what people did is JSON.
import type { Json, JsonSchema, Priority, Verdict } from '@baton/contracts'
import type { Decision, Progress, Review, ReviewStatus } from './review.ts'

/** A review with the schema that its output has to fit. */
export type StoredReview = { readonly review: Review; readonly resultSchema: JsonSchema | null }

export type Row = {
  readonly tenant: string
  readonly taskId: string
  readonly runId: string
  readonly attemptId: string
  readonly path: string
  readonly flow: string
  readonly queue: string
  readonly priority: Priority
  readonly urgency: number
  readonly title: string
  readonly input: string
  readonly fingerprint: string
  readonly allowed: string
  readonly resultSchema: string | null
  readonly slaMs: string
  readonly onTimeout: Review['onTimeout']
  readonly terms: string
  readonly answerPartition: number
  readonly createdAtMs: string
  readonly dueAtMs: string
  readonly status: ReviewStatus
  readonly claimedBy: string | null
  readonly claimUntilMs: string | null
  readonly escalated: boolean
  readonly assignee: string | null
  readonly progress: string
  readonly decidedBy: string | null
  readonly verdict: Verdict | null
  readonly output: string | null
  readonly reason: string | null
  readonly decidedAtMs: string | null
  readonly epoch: number
}

export const FIELDS = `tenant, task_id as "taskId", run_id as "runId", attempt_id as "attemptId", path, flow, queue, priority, urgency, title, input,
  fingerprint, allowed, result_schema as "resultSchema", sla_ms as "slaMs", on_timeout as "onTimeout", terms, answer_partition as "answerPartition",
  created_at_ms as "createdAtMs", due_at_ms as "dueAtMs", status, claimed_by as "claimedBy", claim_until_ms as "claimUntilMs", escalated,
  assignee, progress, decided_by as "decidedBy", verdict, output, reason, decided_at_ms as "decidedAtMs", epoch`

/** Without what may be long and no list shows. */
export const LISTED = FIELDS.replace(' input,', ` 'null' as input,`)
  .replace('result_schema as', 'null as')
  .replace(' output,', ` case when output is null then null else 'null' end as output,`)

/** What has no column of its own. */
type Rest = Pick<Progress, 'claimedAtMs' | 'claimByMs' | 'rung' | 'delegation' | 'votes' | 'heldUntilMs' | 'closed'> & { unreviewed?: true }

/** Of a review that an older binary opened. */
const NOTHING: Rest = { claimedAtMs: null, claimByMs: null, rung: 0, delegation: null, votes: [], heldUntilMs: null, closed: null }

export const progressText = ({ claimedAtMs, claimByMs, rung, delegation, votes, heldUntilMs, closed, decision }: Review): string => {
  const unreviewed = decision?.unreviewed === undefined ? {} : { unreviewed: decision.unreviewed }
  return JSON.stringify({ claimedAtMs, claimByMs, rung, delegation, votes, heldUntilMs, closed, ...unreviewed } satisfies Rest)
}

// Text columns of JSON were written by this service from values of that type.
const json = <T>(text: string): T => JSON.parse(text) as T

const decisionOf = (row: Row, unreviewed: true | undefined): Decision | null =>
  row.verdict === null
    ? null
    : {
        verdict: row.verdict,
        output: json<Json>(row.output ?? 'null'),
        by: row.decidedBy ?? '',
        reason: row.reason,
        atMs: Number(row.decidedAtMs),
        ...(unreviewed === undefined ? {} : { unreviewed }),
      }

export const storedOf = (row: Row): StoredReview => {
  const { resultSchema, progress, decidedBy: _by, verdict: _verdict, output: _output, reason: _reason, decidedAtMs: _at, ...rest } = row
  const { unreviewed, ...more } = { ...NOTHING, ...json<Partial<Rest>>(progress) }
  return {
    review: {
      ...rest,
      ...more,
      input: json<Json>(row.input),
      allowed: json<readonly Verdict[]>(row.allowed),
      terms: json<Review['terms']>(row.terms),
      slaMs: Number(row.slaMs),
      createdAtMs: Number(row.createdAtMs),
      dueAtMs: Number(row.dueAtMs),
      claimUntilMs: row.claimUntilMs === null ? null : Number(row.claimUntilMs),
      decision: decisionOf(row, unreviewed),
    },
    resultSchema: resultSchema === null ? null : json<JsonSchema>(resultSchema),
  }
}
