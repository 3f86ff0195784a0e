// Lists of reviews, most urgent first. Each list asks only for what it filters by, so that the index of the queue is enough.
import type { Database, Param } from '@baton/store'
import { FIELDS, LISTED, storedOf, type Row } from './review-row.ts'
import type { Review, ReviewStatus } from './review.ts'

export type ReviewFilter = {
  readonly tenant: string
  readonly status: 'open' | 'all' | ReviewStatus
  readonly queue?: string | undefined
  readonly priority?: string | undefined
  readonly kind?: string | undefined
  readonly run?: string | undefined
  readonly path?: string | undefined
  /** Assigned to or claimed by. */
  readonly person?: string | undefined
  /** With what people see and decided; else both are null. */
  readonly whole?: boolean
  readonly nowMs: number
  readonly limit: number
  readonly after?: { readonly rank: number; readonly dueAtMs: number; readonly taskId: string } | undefined
}

const OPEN = `status in ('pending', 'claimed', 'escalated')`

/** A claim whose lease is over counts as none. */
const statusCondition = (status: ReviewFilter['status'], now: string): string => {
  switch (status) {
    case 'all':
      return 'true'
    case 'open':
      return OPEN
    case 'pending':
    case 'escalated':
      return `${OPEN} and escalated = ${String(status === 'escalated')} and (status <> 'claimed' or claim_until_ms <= ${now})`
    case 'claimed':
      return `status = 'claimed' and claim_until_ms > ${now}`
    default:
      return `status = '${status}'`
  }
}

export const listReviews = async (db: Database, filter: ReviewFilter): Promise<readonly Review[]> => {
  const params: Param[] = []
  const value = (param: Param): string => `$${params.push(param)}`
  const conditions = [`tenant = ${value(filter.tenant)}`, statusCondition(filter.status, `${Math.trunc(filter.nowMs)}::bigint`)]
  const equal = { queue: filter.queue, priority: filter.priority, kind: filter.kind, run_id: filter.run, path: filter.path }
  for (const [column, wanted] of Object.entries(equal)) if (wanted !== undefined) conditions.push(`${column} = ${value(wanted)}`)
  if (filter.person !== undefined) {
    const person = value(filter.person)
    conditions.push(`(assignee = ${person} or (status = 'claimed' and claimed_by = ${person}))`)
  }
  if (filter.after !== undefined) {
    const { rank, dueAtMs, taskId } = filter.after
    conditions.push(`(rank, due_at_ms, task_id) > (${value(rank)}::integer, ${value(dueAtMs)}::bigint, ${value(taskId)}::text)`)
  }
  const { rows } = await db.query<Row>(
    `select ${filter.whole === true ? FIELDS : LISTED} from review_tasks where ${conditions.join(' and ')} order by rank, due_at_ms, task_id limit ${value(filter.limit)}`,
    params,
  )
  return rows.map((row) => storedOf(row).review)
}
