import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { migrate, openPglite, openPostgres, type Database } from '@baton/store'
import { describeWithPostgres } from '@baton/testing/suite'
import { migrations } from './migrations.ts'
import { reviewDesk } from './review-desk.ts'
import type { NewReview } from './review.decider.ts'
import { reviewRepository } from './review.repository.ts'

const DAY_MS = 86_400_000

const deskOn = (db: Database) => reviewDesk({ reviews: reviewRepository(db), changed: () => undefined, observe: () => undefined })

const review = (name: string, createdAtMs: number, runId: string): NewReview => ({
  taskId: `rev_${name}`,
  tenant: 'default',
  runId,
  attemptId: `${runId}/ask/${name}`,
  path: 'ask',
  flow: 'support/help',
  queue: 'support',
  priority: 'normal',
  urgency: 50,
  title: name,
  input: {},
  fingerprint: 'f',
  allowed: ['approve'],
  slaMs: 60_000,
  onTimeout: 'fail',
  terms: { kind: 'edit', reasons: [] },
  answerPartition: 0,
  createdAtMs,
  dueAtMs: createdAtMs + 60_000,
})

const suite = (open: () => Promise<Database>): void => {
  let db: Database
  beforeAll(async () => {
    db = await open()
    await migrate(db, { scope: 'hitl', migrations })
  }, 60_000)
  afterAll(() => db?.close())

  it('D3: a request and its withdrawal at the same moment leave no open task', async () => {
    const nowMs = Date.now()
    const desk = deskOn(db)
    const asked = (n: number): NewReview => review(`both${n}`, nowMs, 'run_both')
    await Promise.all(
      Array.from({ length: 40 }, (_, n) => [
        desk.open({ review: asked(n), resultSchema: null }, nowMs),
        desk.withdraw({ tenant: 'default', taskId: `rev_both${n}` }, { by: 'engine', atMs: nowMs }),
      ]).flat(),
    )
    const { rows } = await db.query(`select task_id from review_tasks where run_id = 'run_both' and status <> 'cancelled'`)
    expect(rows).toEqual([])
  })

  it('C1: what was closed long ago is removed in batches, what is open stays', async () => {
    const nowMs = Date.now()
    const desk = deskOn(db)
    const reviews = reviewRepository(db)
    await desk.open({ review: review('young', nowMs, 'run_old'), resultSchema: null }, nowMs)
    for (const name of ['old-1', 'old-2', 'old-open'])
      await desk.open({ review: review(name, nowMs - 40 * DAY_MS, 'run_old'), resultSchema: null }, nowMs)
    for (const name of ['old-1', 'old-2'])
      await desk.withdraw({ tenant: 'default', taskId: `rev_${name}` }, { by: 'engine', atMs: nowMs - 39 * DAY_MS })
    await desk.withdraw({ tenant: 'default', taskId: 'rev_young' }, { by: 'engine', atMs: nowMs })
    const before = { beforeMs: nowMs - 30 * DAY_MS, limit: 1 }
    expect([await reviews.removeClosed(before), await reviews.removeClosed(before), await reviews.removeClosed(before)]).toEqual([1, 1, 0])
    const { rows } = await db.query(`select task_id as id from review_tasks where run_id = 'run_old' order by 1`)
    expect(rows).toEqual([{ id: 'rev_old-open' }, { id: 'rev_young' }])
  })
}

describe('the desk on PGlite', () => {
  suite(() => openPglite())
})
describeWithPostgres('the desk on PostgreSQL', (postgres) => {
  suite(async () => openPostgres({ url: await postgres.freshDatabase() }))
})
