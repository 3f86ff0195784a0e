// What people write beside a decision: comments that all see, and a draft of one's own.
import { TOPICS, encodeEvent, type Json } from '@baton/contracts'
import type { Database } from '@baton/store'
import type { Review } from './review.ts'

type Comment = { readonly id: string; readonly by: string; readonly atMs: number; readonly text: string }
type Key = { readonly tenant: string; readonly taskId: string }

export type Notes = {
  comments(key: Key): Promise<readonly Comment[]>
  /** Told to the journal without its text. */
  comment(review: Review, comment: { by: string; text: string; atMs: number }): Promise<void>
  draft(key: Key, by: string): Promise<Json | undefined>
  saveDraft(key: Key, draft: { by: string; body: Json; atMs: number }): Promise<void>
}

/** Most comments of one review that are shown. */
const COMMENTS_MAX = 500

export const reviewNotes = (db: Database): Notes => ({
  comments: async ({ tenant, taskId }) => {
    const { rows } = await db.query<Comment & { atMs: string }>(
      `select id, made_by as "by", at_ms as "atMs", body as text from review_comments where tenant = $1 and task_id = $2 order by id limit ${COMMENTS_MAX}`,
      [tenant, taskId],
    )
    return rows.map(({ id, by, atMs, text }) => ({ id, by, atMs: Number(atMs), text }))
  },
  comment: async ({ tenant, taskId, runId, attemptId, status, queue, epoch }, { by, text, atMs }) => {
    const data = { runId, taskId, tenant, change: 'commented' as const, status, queue, by, epoch, atMs }
    const id = `${attemptId}/commented/${atMs}`
    const event = encodeEvent({ name: 'review.changed', data, id, source: '/baton/hitl', subject: runId, tenant, time: timeOf(atMs) })
    await db.query(
      `with changed as (insert into review_comments (tenant, task_id, made_by, at_ms, body) values ($1, $2, $3, $4, $5) returning id)
       insert into review_outbox (topic, key, headers, value) select $6, $7, $8, $9 from changed`,
      [tenant, taskId, by, atMs, text, TOPICS.journal, event.key, JSON.stringify(event.headers), event.value.toString('utf8')],
    )
  },
  draft: async ({ tenant, taskId }, by) => {
    const { rows } = await db.query<{ body: string }>(
      'select body from review_drafts where tenant = $1 and task_id = $2 and made_by = $3',
      [tenant, taskId, by],
    )
    return rows[0] === undefined ? undefined : (JSON.parse(rows[0].body) as Json) // written below
  },
  saveDraft: async ({ tenant, taskId }, { by, body, atMs }) => {
    await db.query(
      `insert into review_drafts (tenant, task_id, made_by, at_ms, body) values ($1, $2, $3, $4, $5)
       on conflict (tenant, task_id, made_by) do update set at_ms = excluded.at_ms, body = excluded.body`,
      [tenant, taskId, by, atMs, JSON.stringify(body)],
    )
  },
})

const timeOf = (atMs: number): string => new Date(atMs).toISOString()
