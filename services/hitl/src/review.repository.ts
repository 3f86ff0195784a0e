// Reviews in the database: one conditional statement changes one, and what is to be published goes into the same commit, as do
// the score and the signature of a decision.
import type { OutgoingRecord } from '@baton/bus/bus'
import type { Database, Param } from '@baton/store'
import { nextAtMs } from './review-clock.policy.ts'
import { listReviews, type ReviewFilter } from './review-list.ts'
import { FIELDS, progressText, storedOf, type Row, type StoredReview } from './review-row.ts'
import type { Review } from './review.ts'
import type { Score } from './learning/score.policy.ts'

type ReviewKey = { readonly tenant: string; readonly taskId: string }
/** What is written with a change. */
export type Written = {
  readonly messages: readonly OutgoingRecord[]
  readonly score?: Score | undefined
  /** Text that is signed: who, when, what and why. */
  readonly signature?: string | undefined
  /** Bodies for the addresses that are told. */
  readonly notices?: readonly { readonly hook: string; readonly id: string; readonly body: string }[] | undefined
}

export type ReviewRepository = {
  /** False when the review is there already or was withdrawn before; then nothing is written. */
  insert(stored: StoredReview, written: Written): Promise<boolean>
  load(key: ReviewKey): Promise<StoredReview | undefined>
  /** False when somebody changed it since `before` was read; then nothing is written. */
  save(change: { before: Review; after: Review } & Written): Promise<boolean>
  /** By priority, then due time. */
  list(filter: ReviewFilter): Promise<readonly Review[]>
  /** Reviews whose clock rings now, the longest overdue first. */
  overdue(nowMs: number, limit: number): Promise<readonly (ReviewKey & { readonly epoch: number })[]>
  /** When the next clock of all rings, also of those in other processes; null when none runs. */
  nextRingMs(): Promise<number | null>
  /** Keeps that a review is not wanted which is not there. */
  rememberWithdrawal(key: ReviewKey, withdrawal: { readonly by: string; readonly atMs: number }): Promise<void>
  /** Removes at most `limit` reviews that were closed before then; returns how many. */
  removeClosed(options: { readonly beforeMs: number; readonly limit: number }): Promise<number>
  /** Who withdrew a review before it was there; undefined when nobody did. */
  withdrawnBy(key: ReviewKey): Promise<string | undefined>
}

/** How long a withdrawal waits for its request, which a redelivery may hold back as long as its topics keep it. */
const WITHDRAWAL_KEEP_MS = 30 * 86_400_000

/** 0 for what comes first. */
export const rankOf = ({ urgency }: Pick<Review, 'urgency'>): number => 100 - urgency

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

type Value = (param: Param) => string

/** Statements beside the change of a review, each only if that one changed it. */
const beside = ({ messages, score, signature, notices = [] }: Written, value: Value, { tenant }: Review): readonly string[] => [
  `sent as (insert into review_outbox (topic, key, partition, headers, value)
   select topic, key, partition, headers, value
   from jsonb_to_recordset(${value(outboxRows(messages))}::jsonb) as m (topic text, key text, partition integer, headers text, value text)
   where exists (select 1 from changed))`,
  ...(score === undefined
    ? []
    : [
        `scored as (insert into review_scores (tenant, task_id, run_id, flow, path, node_id, kind, route, confidence, share, automatic, verdict,
           score, made_by, took_ms, at_ms)
         select s.* from jsonb_to_record(${value(JSON.stringify(score))}::jsonb) as s (tenant text, "taskId" text, "runId" text, flow text,
           path text, "nodeId" text, kind text, route text, confidence double precision, share double precision, automatic boolean, verdict text,
           score double precision, "by" text, "tookMs" bigint, "atMs" bigint)
         where exists (select 1 from changed) on conflict (tenant, task_id) do nothing)`,
      ]),
  ...(signature === undefined
    ? []
    : [
        // The row of the head is locked until the commit: signatures of one tenant stand in one line.
        `head as (insert into review_audit_heads (tenant, n, before, hash)
         select ${value(tenant)}, 1, '', encode(sha256(convert_to('' || ${value(signature)}::text, 'UTF8')), 'hex') where exists (select 1 from changed)
         on conflict (tenant) do update set n = review_audit_heads.n + 1, before = review_audit_heads.hash,
           hash = encode(sha256(convert_to(review_audit_heads.hash || ${value(signature)}::text, 'UTF8')), 'hex')
         returning n, before, hash)`,
        `signed as (insert into review_audit (tenant, n, body, before, hash) select ${value(tenant)}, n, ${value(signature)}, before, hash from head)`,
      ]),
  ...(notices.length === 0
    ? []
    : [
        `told as (insert into review_notices (tenant, hook, event_id, body, next_at_ms)
         select ${value(tenant)}, m.hook, m.id, m.body, 0
         from jsonb_to_recordset(${value(JSON.stringify(notices))}::jsonb) as m (hook text, id text, body text)
         where exists (select 1 from changed) on conflict (tenant, hook, event_id) do nothing)`,
      ]),
]

const run = async (db: Database, statement: (value: Value) => readonly string[], name: string): Promise<boolean> => {
  const params: Param[] = []
  const parts = statement((param) => `$${params.push(param)}`)
  const text = `with ${parts.join(',\n')}\nselect count(*)::integer as count from changed`
  const { rows } = await db.query<{ count: number }>(text, params, { name: `${name}-${params.length}` })
  return rows[0]?.count === 1
}

const writtenName = (name: string, { score, signature, notices = [] }: Written): string =>
  [name, score === undefined ? '' : 's', signature === undefined ? '' : 'a', notices.length === 0 ? '' : 'n'].join('')

const insert = (db: Database, { review, resultSchema }: StoredReview, written: Written): Promise<boolean> =>
  run(
    db,
    (value) => {
      const columns: Readonly<Record<string, Param>> = {
        tenant: review.tenant,
        task_id: review.taskId,
        run_id: review.runId,
        attempt_id: review.attemptId,
        path: review.path,
        flow: review.flow,
        queue: review.queue,
        priority: review.priority,
        title: review.title,
        input: JSON.stringify(review.input),
        fingerprint: review.fingerprint,
        allowed: JSON.stringify(review.allowed),
        result_schema: resultSchema === null ? null : JSON.stringify(resultSchema),
        on_timeout: review.onTimeout,
        status: review.status,
        terms: JSON.stringify(review.terms),
        kind: review.terms.kind,
        node_id: review.terms.nodeId ?? '',
        progress: progressText(review),
      }
      const numbers: Readonly<Record<string, number | null>> = {
        urgency: review.urgency,
        rank: rankOf(review),
        sla_ms: review.slaMs,
        answer_partition: review.answerPartition,
        created_at_ms: review.createdAtMs,
        due_at_ms: review.dueAtMs,
        next_at_ms: nextAtMs(review),
        epoch: review.epoch,
      }
      const texts = Object.values(columns).map((param) => `${value(param)}::text`)
      const counts = Object.values(numbers).map((param) => `${value(param)}::bigint`)
      return [
        `changed as (insert into review_tasks (${[...Object.keys(columns), ...Object.keys(numbers)].join(', ')})
         select ${[...texts, ...counts].join(', ')}
         where not exists (select from review_withdrawals w where w.tenant = $1 and w.task_id = $2)
         on conflict (tenant, task_id) do nothing returning task_id)`,
        ...beside(written, value, review),
      ]
    },
    writtenName('review-insert', written),
  )

const save = (db: Database, { before, after, ...written }: { before: Review; after: Review } & Written): Promise<boolean> =>
  run(
    db,
    (value) => {
      const { decision } = after
      const key = [value(before.tenant), value(before.taskId), value(before.epoch)] as const
      const columns: Readonly<Record<string, Param>> = {
        status: after.status,
        priority: after.priority,
        queue: after.queue,
        claimed_by: after.claimedBy,
        assignee: after.assignee,
        progress: progressText(after),
        decided_by: decision?.by ?? null,
        verdict: decision?.verdict ?? null,
        output: decision === null ? null : JSON.stringify(decision.output),
        reason: decision?.reason ?? null,
      }
      const numbers: Readonly<Record<string, number | null>> = {
        urgency: after.urgency,
        rank: rankOf(after),
        due_at_ms: after.dueAtMs,
        next_at_ms: nextAtMs(after),
        claim_until_ms: after.claimUntilMs,
        decided_at_ms: decision?.atMs ?? null,
        epoch: after.epoch,
      }
      const texts = Object.entries(columns).map(([column, param]) => `${column} = ${value(param)}`)
      const counts = Object.entries(numbers).map(([column, param]) => `${column} = ${value(param)}`)
      return [
        `changed as (update review_tasks set ${[...texts, ...counts].join(', ')}, escalated = ${value(after.escalated)}
         where tenant = ${key[0]} and task_id = ${key[1]} and epoch = ${key[2]} returning task_id)`,
        ...beside(written, value, after),
      ]
    },
    writtenName('review-save', written),
  )

/** Reviews over the database. */
export const reviewRepository = (db: Database): ReviewRepository => ({
  insert: (stored, written) => insert(db, stored, written),
  save: (change) => save(db, change),
  list: (filter) => listReviews(db, filter),
  load: async ({ tenant, taskId }) => {
    const { rows } = await db.query<Row>(`select ${FIELDS} from review_tasks where tenant = $1 and task_id = $2`, [tenant, taskId], {
      name: 'review-load',
    })
    return rows[0] === undefined ? undefined : storedOf(rows[0])
  },
  overdue: async (nowMs, limit) => {
    const { rows } = await db.query<{ tenant: string; taskId: string; epoch: number }>(
      `(select tenant, task_id as "taskId", epoch, coalesce(next_at_ms, due_at_ms) as at from review_tasks
        where status in ('pending', 'claimed', 'escalated') and coalesce(next_at_ms, due_at_ms) <= $1 order by 4 limit $2)
       union all
       (select tenant, task_id, epoch, next_at_ms from review_tasks
        where status = 'decided' and next_at_ms is not null and next_at_ms <= $1 order by 4 limit $2)`,
      [nowMs, limit],
      { name: 'review-overdue' },
    )
    return rows
  },
  nextRingMs: async () => {
    const { rows } = await db.query<{ at: string | number | null }>(
      `select least(
         (select min(coalesce(next_at_ms, due_at_ms)) from review_tasks where status in ('pending', 'claimed', 'escalated')),
         (select min(next_at_ms) from review_tasks where status = 'decided' and next_at_ms is not null)) as at`,
      [],
      { name: 'review-next-ring' },
    )
    const at = rows[0]?.at ?? null
    return at === null ? null : Number(at)
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
    const { rows } = await db.query<{ count: number }>(
      `with gone as (delete from review_tasks where ctid = any(array(
         select ctid from review_tasks
         where status not in ('pending', 'claimed', 'escalated') and coalesce(decided_at_ms, due_at_ms) < $1::bigint limit $2::int))
         and status not in ('pending', 'claimed', 'escalated') returning tenant, task_id),
       comments as (delete from review_comments c using gone where c.tenant = gone.tenant and c.task_id = gone.task_id),
       drafts as (delete from review_drafts d using gone where d.tenant = gone.tenant and d.task_id = gone.task_id)
       select count(*)::integer as count from gone`,
      [beforeMs, limit],
    )
    return rows[0]?.count ?? 0
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
