// Looks every second for reviews whose time is over. One cheap read finds them; each is changed by the desk as by anybody else.
import { toFault } from '@baton/contracts'
import type { Logger } from '@baton/telemetry'
import type { ReviewDesk } from './review-desk.ts'
import type { ReviewRepository } from './review.repository.ts'

const TICK_MS = 1_000
const BATCH_REVIEWS = 200

/** Everything that is overdue now, escalated or expired; returns how many reviews were looked at. */
const expireOverdue = async ({ reviews, desk, nowMs }: { reviews: ReviewRepository; desk: ReviewDesk; nowMs: number }): Promise<number> => {
  const overdue = await reviews.overdue(nowMs, BATCH_REVIEWS)
  for (const key of overdue) await desk.change(key, { type: 'review.expire', atMs: nowMs })
  return overdue.length
}

/** Starts the clock; `close` waits for the tick under way. */
export const overdueClock = ({
  reviews,
  desk,
  nowMs,
  logger,
}: {
  reviews: ReviewRepository
  desk: ReviewDesk
  nowMs: () => number
  logger: Logger
}): { close(): Promise<void> } => {
  let running: Promise<unknown> | undefined
  const timer = setInterval(() => {
    running ??= expireOverdue({ reviews, desk, nowMs: nowMs() })
      .catch((error: unknown) =>
        logger.warn({ code: toFault(error).code, reason: toFault(error).message }, 'overdue reviews could not be looked for'),
      )
      .finally(() => {
        running = undefined
      })
  }, TICK_MS)
  timer.unref()
  return {
    close: async () => {
      clearInterval(timer)
      await running
    },
  }
}
