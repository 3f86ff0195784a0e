// Reviews in the database: one conditional statement changes one, and what is to be published goes into the same commit.
import { Priority, type Json, type JsonSchema, type Verdict } from '@baton/contracts'
import type { OutgoingRecord } from '@baton/bus/bus'
import type { Database } from '@baton/store'
import type { Decision, Review } from './review.decider.ts'

/** A review with the schema that its output has to fit. */
type StoredReview = { readonly review: Review; readonly resultSchema: JsonSchema | null }
type ReviewFilter = {
  readonly tenant: string
  readonly status: 'open' | 'all' | Review['status']
  readonly queue?: string | undefined
  readonly priority?: string | undefined
  readonly run?: string | undefined
  readonly nowMs: number
  readonly limit: number
  readonly after?: { readonly rank: number; readonly dueAtMs: number; readonly taskId: string } | undefined
}

export type ReviewRepository = {
  /** False when the review is there already or was withdrawn before; then nothing is written. */
  insert(stored: StoredReview, messages: readonly OutgoingRecord[]): Promise<boolean>
  load(key: { tenant: string; taskId: string }): Promise<StoredReview | undefined>
  /** False when somebody changed it since `before` was read; then nothing is written. */
  save(change: { before: Review; after: Review; messages: readonly OutgoingRecord[] }): Promise<boolean>
  /** By priority, then due time. */
  list(filter: ReviewFilter): Promise<readonly Review[]>
  /** Open reviews whose time is over, most overdue first. */
  overdue(nowMs: number, limit: number): Promise<readonly { readonly tenant: string; readonly taskId: string }[]>
  /** Keeps that a review is not wanted which is not there. */
  rememberWithdrawal(key: ReviewKey, withdrawal: { readonly by: string; readonly atMs: number }): Promise<void>
  /** Removes at most `limit` reviews that were closed before then; returns how many. */
  removeClosed(options: { readonly beforeMs: number; readonly limit: number }): Promise<number>
  /** Who withdrew a review before it was there; undefined when nobody did. */
  withdrawnBy(key: ReviewKey): Promise<string | undefined>
}
type ReviewKey = { readonly tenant: string; readonly taskId: string }

/** How long a withdrawal waits for its request, which a redelivery may hold back as long as its topics keep it. */
const WITHDRAWAL_KEEP_MS = 30 * 86_400_000

/** 0 for what comes first. */
export const rankOf = (priority: Priority): number => Priority.options.indexOf(priority)

type Row = {
  readonly tenant: string
  readonly taskId: string
  readonly runId: string
  readonly attemptId: string
  readonly path: string
  readonly flow: string
  readonly queue: string
  readonly priority: Priority
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
  readonly status: Review['status']
  readonly claimedBy: string | null
  readonly claimUntilMs: string | null
  readonly escalated: boolean
  readonly decidedBy: string | null
  readonly verdict: Verdict | null
  readonly output: string | null
  readonly reason: string | null
  readonly decidedAtMs: string | null
  readonly epoch: number
}

const FIELDS = `tenant, task_id as "taskId", run_id as "runId", attempt_id as "attemptId", path, flow, queue, priority, title, input, fingerprint,
  allowed, result_schema as "resultSchema", sla_ms as "slaMs", on_timeout as "onTimeout", terms, answer_partition as "answerPartition",
  created_at_ms as "createdAtMs", due_at_ms as "dueAtMs", status, claimed_by as "claimedBy", claim_until_ms as "claimUntilMs", escalated,
  decided_by as "decidedBy", verdict, output, reason, decided_at_ms as "decidedAtMs", epoch`

// Text columns of JSON were written by this file from values of that type.
const json = <T>(text: string): T => JSON.parse(text) as T

const decisionOf = (row: Row): Decision | null =>
  row.verdict === null
    ? null
    : {
        verdict: row.verdict,
        output: json<Json>(row.output ?? 'null'),
        by: row.decidedBy ?? '',
        reason: row.reason,
        atMs: Number(row.decidedAtMs),
      }

const storedOf = (row: Row): StoredReview => {
  const { resultSchema, decidedBy: _by, verdict: _verdict, output: _output, reason: _reason, decidedAtMs: _at, ...rest } = row
  return {
    review: {
      ...rest,
      input: json<Json>(row.input),
      allowed: json<readonly Verdict[]>(row.allowed),
      terms: json<Review['terms']>(row.terms),
      slaMs: Number(row.slaMs),
      createdAtMs: Number(row.createdAtMs),
      dueAtMs: Number(row.dueAtMs),
      claimUntilMs: row.claimUntilMs === null ? null : Number(row.claimUntilMs),
      decision: decisionOf(row),
    },
    resultSchema: resultSchema === null ? null : json<JsonSchema>(resultSchema),
  }
}

const outboxRows = (messages: readonly OutgoingRecord[]): string =>
  JSON.stringify(
    messages.map(({ topic, key, partition, headers, value }) => ({
      topic,
      key,
      partition: partition ?? null,
      headers: JSON.stringify(headers),
      value: value.toString('utf8'),
    })),
  )

/** Publishing what the statement before changed, and only then. `parameter` holds the records as JSON. */
const outbox = (parameter: number): string =>
  `insert into review_outbox (topic, key, partition, headers, value)
   select topic, key, partition, headers, value
   from jsonb_to_recordset($${parameter}::jsonb) as m (topic text, key text, partition integer, headers text, value text)
   where exists (select 1 from changed)`

const insert = async (db: Database, { review, resultSchema }: StoredReview, messages: readonly OutgoingRecord[]): Promise<boolean> => {
  const { rows } = await db.query<{ count: number }>(
    `with changed as (
       insert into review_tasks (tenant, task_id, run_id, attempt_id, path, flow, queue, priority, rank, title, input, fingerprint, allowed,
         result_schema, sla_ms, on_timeout, answer_partition, created_at_ms, due_at_ms, status, epoch, terms)
       select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::bigint, $16, $17::integer, $18::bigint, $19::bigint, $20, $21::integer, $22
       where not exists (select from review_withdrawals w where w.tenant = $1 and w.task_id = $2)
       on conflict (tenant, task_id) do nothing returning task_id
     ), sent as (${outbox(23)})
     select count(*)::integer as count from changed`,
    [
      review.tenant,
      review.taskId,
      review.runId,
      review.attemptId,
      review.path,
      review.flow,
      review.queue,
      review.priority,
      rankOf(review.priority),
      review.title,
      JSON.stringify(review.input),
      review.fingerprint,
      JSON.stringify(review.allowed),
      resultSchema === null ? null : JSON.stringify(resultSchema),
      review.slaMs,
      review.onTimeout,
      review.answerPartition,
      review.createdAtMs,
      review.dueAtMs,
      review.status,
      review.epoch,
      JSON.stringify(review.terms),
      outboxRows(messages),
    ],
    { name: 'review-insert' },
  )
  return rows[0]?.count === 1
}

const save = async (
  db: Database,
  { before, after, messages }: { before: Review; after: Review; messages: readonly OutgoingRecord[] },
): Promise<boolean> => {
  const { decision } = after
  const { rows } = await db.query<{ count: number }>(
    `with changed as (
       update review_tasks set status = $4, priority = $5, rank = $6, due_at_ms = $7, claimed_by = $8, claim_until_ms = $9, escalated = $10,
         decided_by = $11, verdict = $12, output = $13, reason = $14, decided_at_ms = $15, epoch = $16
       where tenant = $1 and task_id = $2 and epoch = $3 returning task_id
     ), sent as (${outbox(17)})
     select count(*)::integer as count from changed`,
    [
      before.tenant,
      before.taskId,
      before.epoch,
      after.status,
      after.priority,
      rankOf(after.priority),
      after.dueAtMs,
      after.claimedBy,
      after.claimUntilMs,
      after.escalated,
      decision?.by ?? null,
      decision?.verdict ?? null,
      decision === null ? null : JSON.stringify(decision.output),
      decision?.reason ?? null,
      decision?.atMs ?? null,
      after.epoch,
      outboxRows(messages),
    ],
    { name: 'review-save' },
  )
  return rows[0]?.count === 1
}

/** A claim whose lease is over counts as none. */
const STATUS: Readonly<Record<ReviewFilter['status'], string>> = {
  open: `status in ('pending', 'claimed')`,
  pending: `(status = 'pending' or (status = 'claimed' and claim_until_ms <= $2))`,
  claimed: `(status = 'claimed' and claim_until_ms > $2)`,
  decided: `status = 'decided'`,
  expired: `status = 'expired'`,
  cancelled: `status = 'cancelled'`,
  all: 'true',
}

const list = async (db: Database, filter: ReviewFilter): Promise<readonly Review[]> => {
  const { after } = filter
  const { rows } = await db.query<Row>(
    `select ${FIELDS} from review_tasks
     where tenant = $1 and $2::bigint is not null and ${STATUS[filter.status]}
       and ($3::text is null or queue = $3) and ($4::text is null or priority = $4) and ($5::text is null or run_id = $5)
       and ($6::integer is null or (rank, due_at_ms, task_id) > ($6, $7::bigint, $8::text))
     order by rank, due_at_ms, task_id limit $9`,
    [
      filter.tenant,
      filter.nowMs,
      filter.queue ?? null,
      filter.priority ?? null,
      filter.run ?? null,
      after?.rank ?? null,
      after?.dueAtMs ?? null,
      after?.taskId ?? null,
      filter.limit,
    ],
  )
  return rows.map((row) => storedOf(row).review)
}

/** Reviews over the database. */
export const reviewRepository = (db: Database): ReviewRepository => ({
  insert: (stored, messages) => insert(db, stored, messages),
  save: (change) => save(db, change),
  list: (filter) => list(db, filter),
  load: async ({ tenant, taskId }) => {
    const { rows } = await db.query<Row>(`select ${FIELDS} from review_tasks where tenant = $1 and task_id = $2`, [tenant, taskId], {
      name: 'review-load',
    })
    return rows[0] === undefined ? undefined : storedOf(rows[0])
  },
  overdue: async (nowMs, limit) => {
    const { rows } = await db.query<{ tenant: string; taskId: string }>(
      `select tenant, task_id as "taskId" from review_tasks where status in ('pending', 'claimed') and due_at_ms <= $1 order by due_at_ms limit $2`,
      [nowMs, limit],
      { name: 'review-overdue' },
    )
    return rows
  },
  rememberWithdrawal: async ({ tenant, taskId }, { by, atMs }) => {
    await db.query(
      `with old as (delete from review_withdrawals where at_ms < $4::bigint - ${WITHDRAWAL_KEEP_MS})
       insert into review_withdrawals (tenant, task_id, made_by, at_ms) values ($1, $2, $3, $4::bigint) on conflict (tenant, task_id) do nothing`,
      [tenant, taskId, by, atMs],
      { name: 'review-withdrawal' },
    )
  },
  removeClosed: async ({ beforeMs, limit }) => {
    const { rowCount } = await db.query(
      `delete from review_tasks where ctid = any(array(
         select ctid from review_tasks
         where status not in ('pending', 'claimed') and coalesce(decided_at_ms, due_at_ms) < $1::bigint limit $2::int))
       and status not in ('pending', 'claimed')`,
      [beforeMs, limit],
    )
    return rowCount
  },
  withdrawnBy: async ({ tenant, taskId }) => {
    const { rows } = await db.query<{ by: string }>(
      'select made_by as "by" from review_withdrawals where tenant = $1 and task_id = $2',
      [tenant, taskId],
      { name: 'review-withdrawn' },
    )
    return rows[0]?.by
  },
})
