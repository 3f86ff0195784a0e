// What breakers of other replicas say, through the database.
//   S1. What opens here is written at once; what others wrote is read twice a second while calls are made, and not at all while none are.
//   S3. That a person ended a rest is taken once, however often it is read.
//   S2. Without the database each replica goes by what it sees itself.
import { type CooldownStore, ENDED } from '@baton/store'
import type { Logger } from '@baton/telemetry'
import type { Conditions, Told } from './conditions.ts'

const READ_MS = 500
/** Reading goes on so long after the last call. */
const LINGER_MS = 5_000
/** Shorter rests are over before anybody has read of them. */
const WORTH_MS = 300
/** So long it can be read that a rest was ended. */
const NOTICE_MS = 5_000

export type Cooldowns = {
  readonly tell: (told: Told) => void
  /** A call is made: others may know something about it. */
  readonly called: () => void
  /** Ends rests on every replica; those that make calls read it within half a second. */
  readonly end: (keys: readonly string[]) => Promise<void>
  readonly close: () => Promise<void>
}

/** Joins conditions with those of other replicas. */
export const shareCooldowns = (given: {
  readonly conditions: () => Conditions
  readonly store: CooldownStore
  readonly logger: Logger
  readonly holder: string
  readonly clockMs: () => number
}): Cooldowns => {
  const { store, logger, holder, clockMs } = given
  let lastCallMs = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let working: Promise<void> = Promise.resolve()
  const read = async (): Promise<void> => {
    for (const { key, leftMs, by, reason } of await store.list())
      if (reason === ENDED) taken(key)
      else if (by !== holder) given.conditions().rest(key, leftMs, reason === 'model.rate_limited')
  }
  const takenAtMs = new Map<string, number>()
  const taken = (key: string): void => {
    if (clockMs() - (takenAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < NOTICE_MS) return // S3
    takenAtMs.set(key, clockMs())
    given.conditions().retry(key)
  }
  const schedule = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined
      working = read().catch(() => undefined) // S2
      void working.then(() => {
        if (clockMs() - lastCallMs < LINGER_MS) schedule() // S1
      })
    }, READ_MS).unref()
  }
  return {
    tell: ({ key, restMs, code }) => {
      logger.warn({ name: key, restMs: Math.round(restMs), code }, 'breaker opened')
      if (restMs >= WORTH_MS) working = store.rest({ key, restMs, reason: code, by: holder }).catch(() => undefined) // S1, S2
    },
    end: async (keys) => {
      for (const key of keys) {
        taken(key)
        await store.end({ key, by: holder, noticeMs: NOTICE_MS })
      }
    },
    called: () => {
      lastCallMs = clockMs()
      schedule()
    },
    close: async () => {
      clearTimeout(timer)
      await working
      clearTimeout(timer)
    },
  }
}
