// Looks for reviews whose clock rings, when the next of them rings. Each is changed by the desk as by anybody else.
//   T1. A clock that rang for one review never keeps those of others waiting: what fails is tried again at the next look.
//   T2. A review of this process rings at its time; one that only another process knows of, at most `LOOK_MS` late.
import { toFault } from '@baton/contracts'
import type { Logger } from '@baton/telemetry'
import type { ReviewDesk } from './review-desk.ts'
import type { ReviewRepository } from './review.repository.ts'

/** Other processes open reviews, and may die before these ring. */
const LOOK_MS = 1_000
/** Clocks that ring one after the other share a look. */
const PAUSE_MS = 20
/** What rang and could not be changed is tried again after so long. */
const AGAIN_MS = 250
const BATCH_REVIEWS = 500
/** Reviews that are changed at the same time. */
const AT_ONCE = 8

type ClockOptions = {
  readonly reviews: Pick<ReviewRepository, 'overdue' | 'nextRingMs'>
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

export type OverdueClock = {
  /** A review of this process rings then. */
  noticed(atMs: number | null): void
  /** Waits for the look under way. */
  close(): Promise<void>
}

/** Starts the clock. */
export const overdueClock = (options: ClockOptions): OverdueClock => {
  const { reviews, nowMs, logger } = options
  let running: Promise<void> | undefined
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let ringsAtMs = Infinity
  const arm = (): void => {
    clearTimeout(timer)
    if (closed) return
    const waitMs = Math.max(PAUSE_MS, Math.min(LOOK_MS, ringsAtMs - nowMs()))
    timer = setTimeout(() => {
      running = look().finally(() => {
        running = undefined
        arm()
      })
    }, waitMs).unref()
  }
  const look = async (): Promise<void> => {
    try {
      while ((await ringOverdue(options)) && !closed);
      ringsAtMs = Infinity // Who is noticed while the question is under way counts as well.
      const nextMs = (await reviews.nextRingMs()) ?? Infinity
      const atMs = nowMs()
      ringsAtMs = Math.min(ringsAtMs, nextMs < atMs ? atMs + AGAIN_MS : nextMs) // T1, T2
    } catch (error) {
      logger.warn({ code: toFault(error).code, reason: toFault(error).message }, 'overdue reviews could not be looked for')
    }
  }
  arm()
  return {
    noticed: (atMs) => {
      if (atMs === null || atMs >= ringsAtMs) return
      ringsAtMs = atMs
      if (running === undefined) arm()
    },
    close: async () => {
      closed = true
      clearTimeout(timer)
      await running
    },
  }
}
