// Reviews that nobody waits for any more are removed when they were kept long enough, in batches.
//   C1. Open reviews stay, however old they are.
//   C2. A request for a review comes again at most for as long as its topic keeps it, which is less than reviews are kept.
import { setTimeout as pause } from 'node:timers/promises'
import { toFault } from '@baton/contracts'
import type { Logger } from '@baton/telemetry'
import type { ReviewRepository } from './review.repository.ts'

const DAY_MS = 86_400_000
const KEEP_DAYS = 30
const LOOK_EVERY_MS = 3_600_000
/** A process that has just started has other things to do. */
const FIRST_LOOK_MS = 15_000
const BATCH_REVIEWS = 1_000

type ClosedReviewsOptions = {
  readonly reviews: Pick<ReviewRepository, 'removeClosed'>
  /** Default 30. */
  readonly keepDays?: number | undefined
  readonly nowMs: () => number
  readonly logger: Logger
}

/** Removes what was closed before its time; returns how many. Between two batches others have as much time as one took. */
const removeOld = async ({ reviews, keepDays = KEEP_DAYS, nowMs, logger }: ClosedReviewsOptions, signal: AbortSignal): Promise<number> => {
  const beforeMs = nowMs() - keepDays * DAY_MS
  let removed = 0
  for (let last = BATCH_REVIEWS; last >= BATCH_REVIEWS; removed += last) {
    const beganAtMs = performance.now()
    last = await reviews.removeClosed({ beforeMs, limit: BATCH_REVIEWS })
    if (last > 0) await pause(performance.now() - beganAtMs, undefined, { signal })
  }
  if (removed > 0) logger.info({ removed }, 'closed reviews removed')
  return removed
}

/** Looks every hour until it is closed, the first time soon. */
export const closedReviews = (options: ClosedReviewsOptions): { close(): Promise<void> } => {
  const closing = new AbortController()
  let running: Promise<unknown> | undefined
  const look = (): void => {
    running ??= removeOld(options, closing.signal)
      .catch((error: unknown) => {
        if (closing.signal.aborted) return
        const { code, message } = toFault(error)
        options.logger.warn({ code, reason: message }, 'closed reviews could not be removed; tried again in an hour')
      })
      .finally(() => {
        running = undefined
      })
  }
  const timer = setInterval(look, LOOK_EVERY_MS)
  const first = setTimeout(look, FIRST_LOOK_MS)
  timer.unref()
  first.unref()
  return {
    close: async () => {
      clearInterval(timer)
      clearTimeout(first)
      closing.abort()
      await running
    },
  }
}
