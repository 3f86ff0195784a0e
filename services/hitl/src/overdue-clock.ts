// Looks for reviews whose clock rings: often, because a tick that finds nothing costs one cheap read. Each is changed by the desk as by anybody else.
//   T1. A clock that rang for one review never keeps those of others waiting: what fails is tried again at the next tick.
import { toFault } from '@baton/contracts'
import type { Logger } from '@baton/telemetry'
import type { ReviewDesk } from './review-desk.ts'
import type { ReviewRepository } from './review.repository.ts'

const TICK_MS = 250
const BATCH_REVIEWS = 500
/** Reviews that are changed at the same time. */
const AT_ONCE = 8

type ClockOptions = {
  readonly reviews: Pick<ReviewRepository, 'overdue'>
  readonly desk: Pick<ReviewDesk, 'change'>
  readonly nowMs: () => number
  readonly logger: Logger
}

/** Whose clock rings now; true when there may be more of them. */
const ringOverdue = async ({ reviews, desk, nowMs, logger }: ClockOptions): Promise<boolean> => {
  const overdue = [...(await reviews.overdue(nowMs(), BATCH_REVIEWS))]
  const found = overdue.length
  let rung = 0
  const work = async (): Promise<void> => {
    for (let next = overdue.shift(); next !== undefined; next = overdue.shift()) {
      const { tenant, taskId, epoch } = next
      const after = await desk.change({ tenant, taskId }, { type: 'review.expire', atMs: nowMs(), epoch }).catch((error: unknown) => {
        logger.warn({ code: toFault(error).code, reason: toFault(error).message, taskId }, 'the clock of a review could not ring') // T1
        return undefined
      })
      if (after !== undefined && after.epoch !== epoch) rung += 1
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, found) }, work))
  return found >= BATCH_REVIEWS && rung > 0
}

/** Starts the clock; `close` waits for the tick under way. */
export const overdueClock = (options: ClockOptions): { close(): Promise<void> } => {
  let running: Promise<unknown> | undefined
  let closed = false
  const drain = async (): Promise<void> => {
    while ((await ringOverdue(options)) && !closed);
  }
  const timer = setInterval(() => {
    running ??= drain()
      .catch((error: unknown) =>
        options.logger.warn({ code: toFault(error).code, reason: toFault(error).message }, 'overdue reviews could not be looked for'),
      )
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
