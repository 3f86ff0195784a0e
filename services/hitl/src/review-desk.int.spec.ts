import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { migrate, openPglite, openPostgres, type Database } from '@baton/store'
import { describeWithPostgres } from '@baton/testing/suite'
import { migrations } from './migrations.ts'
import { reviewDesk } from './review-desk.ts'
import type { NewReview } from './review.decider.ts'
import { reviewRepository } from './review.repository.ts'

const suite = (open: () => Promise<Database>): void => {
  let db: Database
  beforeAll(async () => {
    db = await open()
    await migrate(db, { scope: 'hitl', migrations })
  }, 60_000)
  afterAll(() => db?.close())

  it('D3: a request and its withdrawal at the same moment leave no open task', async () => {
    const nowMs = Date.now()
    const desk = reviewDesk({ reviews: reviewRepository(db), changed: () => undefined, observe: () => undefined })
    const asked = (n: number): NewReview => ({
      taskId: `rev_both${n}`,
      tenant: 'default',
      runId: 'run_both',
      attemptId: `run_both/ask/${n}`,
      path: 'ask',
      flow: 'support/help',
      queue: 'support',
      priority: 'normal',
      title: 'both',
      input: {},
      fingerprint: 'f',
      allowed: ['approve'],
      slaMs: 60_000,
      onTimeout: 'fail',
      answerPartition: 0,
      createdAtMs: nowMs,
      dueAtMs: nowMs + 60_000,
    })
    await Promise.all(
      Array.from({ length: 40 }, (_, n) => [
        desk.open({ review: asked(n), resultSchema: null }, nowMs),
        desk.withdraw({ tenant: 'default', taskId: `rev_both${n}` }, { by: 'engine', atMs: nowMs }),
      ]).flat(),
    )
    const { rows } = await db.query(`select task_id from review_tasks where run_id = 'run_both' and status <> 'cancelled'`)
    expect(rows).toEqual([])
  })
}

describe('the desk on PGlite', () => {
  suite(() => openPglite())
})
describeWithPostgres('the desk on PostgreSQL', (postgres) => {
  suite(async () => openPostgres({ url: await postgres.freshDatabase() }))
})
