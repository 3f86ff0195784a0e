// Notices that no address took, for somebody to look at and send again.
import type { Database } from '@baton/store'

export type DeadNotice = {
  readonly id: string
  readonly hook: string
  readonly event: string
  readonly tries: number
  readonly problem: string
}

const SHOWN_MAX = 200

export const deadNotices = async (db: Database, tenant: string): Promise<readonly DeadNotice[]> => {
  const { rows } = await db.query<DeadNotice>(
    `select id, hook, event_id as event, tries, problem from review_notices where tenant = $1 and status = 'dead' order by id limit ${SHOWN_MAX}`,
    [tenant],
  )
  return rows
}

/** All of them; returns how many. */
export const sendAgain = async (db: Database, { tenant, nowMs }: { tenant: string; nowMs: number }): Promise<number> => {
  const { rowCount } = await db.query(
    `update review_notices set status = 'waiting', tries = 0, next_at_ms = $2::bigint where tenant = $1 and status = 'dead'`,
    [tenant, nowMs],
  )
  return rowCount
}
