// Brings notices to their addresses. They were written with the change they tell of, so none is lost; a repeat has the same id.
//   N2. A notice is tried until the address has taken it, each time after a longer pause, then it is a dead letter: it stays with its
//       problem until somebody sends it again or removes it.
//   One process brings a notice at a time: who takes it moves its next try behind the time of one try.
//   Redirections are not followed: a secret signature goes where the file says and nowhere else.
import { toFault } from '@baton/contracts'
import type { Database } from '@baton/store'
import type { Logger, Telemetry } from '@baton/telemetry'
import type { Hook } from '../people/people.config.ts'
import { noticeHeaders } from './notice-headers.ts'
import { noticePauseMs } from './notice.policy.ts'

const TICK_MS = 500
const BATCH_NOTICES = 20
const TRY_TIMEOUT_MS = 10_000
/** Longer than a try, so that a process that died has certainly stopped trying. */
const TAKEN_MS = 30_000
const KEEP_SENT_MS = 7 * 86_400_000

type Row = { readonly id: string; readonly hook: string; readonly eventId: string; readonly body: string; readonly tries: number }

type CourierOptions = {
  readonly db: Database
  readonly hooks: readonly Hook[]
  readonly nowMs: () => number
  readonly logger: Logger
  readonly metrics: Telemetry['metrics']
}

const take = async (db: Database, nowMs: number): Promise<readonly Row[]> => {
  const { rows } = await db.query<Row>(
    `update review_notices set next_at_ms = $1::bigint + ${TAKEN_MS}, tries = tries + 1
     where id = any(array(select id from review_notices where status = 'waiting' and next_at_ms <= $1 order by next_at_ms limit ${BATCH_NOTICES} for update skip locked))
     returning id, hook, event_id as "eventId", body, tries`,
    [nowMs],
    { name: 'notice-take' },
  )
  return rows
}

/** The problem, or nothing when it was taken. */
const bring = async ({ eventId, body }: Row, hook: Hook, nowMs: number): Promise<string | undefined> => {
  try {
    const reply = await fetch(hook.url, {
      method: 'POST',
      body,
      redirect: 'manual',
      headers: noticeHeaders({ id: eventId, body, secret: hook.secret, atMs: nowMs }),
      signal: AbortSignal.timeout(TRY_TIMEOUT_MS),
    })
    await reply.body?.cancel()
    return reply.ok ? undefined : `it answered ${reply.status}`
  } catch (error) {
    return toFault(error).message.slice(0, 500)
  }
}

const settle = async (
  row: Row,
  { hook, problem, options }: { hook: Hook | undefined; problem: string | undefined; options: CourierOptions },
): Promise<void> => {
  const { db, nowMs, logger, metrics } = options
  const dead = problem !== undefined && row.tries >= (hook?.tries ?? 1)
  const status = problem === undefined ? 'sent' : dead ? 'dead' : 'waiting'
  metrics.count('baton_review_notices_total', { outcome: status })
  if (dead) logger.warn({ hook: row.hook, notice: row.eventId, tries: row.tries, problem }, 'a notice of a review is a dead letter') // N2
  await db.query('update review_notices set status = $2, problem = $3, next_at_ms = $4::bigint where id = $1', [
    row.id,
    status,
    problem ?? null,
    status === 'waiting' ? nowMs() + noticePauseMs(row.tries) : nowMs(),
  ])
}

const work = async (options: CourierOptions): Promise<boolean> => {
  const { db, hooks, nowMs } = options
  const rows = await take(db, nowMs())
  await Promise.all(
    rows.map(async (row) => {
      const hook = hooks.find(({ name }) => name === row.hook)
      const problem = hook === undefined ? 'no hook of this name is configured any more' : await bring(row, hook, nowMs())
      await settle(row, { hook, problem, options })
    }),
  )
  return rows.length === BATCH_NOTICES
}

/** Starts the courier, where there is an address; `close` waits for what is on its way. */
export const noticeCourier = (options: CourierOptions): { close(): Promise<void> } => {
  if (options.hooks.length === 0) return { close: () => Promise.resolve() }
  let running: Promise<unknown> | undefined
  let closed = false
  const round = async (): Promise<void> => {
    while ((await work(options)) && !closed);
    await options.db.query(`delete from review_notices where status = 'sent' and next_at_ms < $1`, [options.nowMs() - KEEP_SENT_MS])
  }
  const timer = setInterval(() => {
    running ??= round()
      .catch((error: unknown) => options.logger.warn({ reason: toFault(error).message }, 'notices of reviews could not be brought'))
      .finally(() => {
        running = undefined
      })
  }, TICK_MS)
  timer.unref()
  return {
    close: async () => {
      closed = true
      clearInterval(timer)
      await running
    },
  }
}
