// Attempts for specs: real ones, over stores that are only memory.
import type { BudgetStore, LimitStore, ModelCacheStore } from '@baton/store'
import type { Json } from '@baton/contracts/json'
import { createBudgetBook } from '../budget/budget-book.ts'
import { createAnswerCache } from '../cache/answer-cache.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { InvokeTools } from '../invoke/invoke.ts'
import { createLimiter } from '../limits/limiter.ts'
import { LimitsFile } from '../limits/limits-config.ts'
import { createAttempts } from './attempts.ts'
import { Conditions, type Told } from './conditions.ts'
import type { Routed } from './routed.ts'

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => quiet }
export const quietTelemetry = {
  logger: quiet,
  metrics: { count: () => undefined, gauge: () => undefined, observe: () => undefined, render: () => Promise.resolve('') },
}

/** Leases without end, of budgets with a cap. */
export const memoryBudgets = (): BudgetStore & { readonly leased: () => number } => {
  const slices = new Map<string, { amount: number; spent: number }>()
  let settled = 0
  const total = (): number => settled + [...slices.values()].reduce((sum, { amount }) => sum + amount, 0)
  return {
    leased: () => [...slices.values()].reduce((sum, { amount }) => sum + amount, 0),
    lease: ({ cap, want, min }) => {
      const amount = cap - total() >= min ? Math.min(want, cap - total()) : 0
      const elsewhere = [...slices.values()].reduce((sum, slice) => sum + slice.amount - slice.spent, 0)
      if (amount === 0) return Promise.resolve({ slice: undefined, used: total(), elsewhere })
      const sliceId = `s${slices.size + settled}-${Math.random()}`
      slices.set(sliceId, { amount, spent: 0 })
      return Promise.resolve({ slice: { sliceId, amount }, used: total(), elsewhere })
    },
    renew: ({ slices: told }) => {
      const held = told.flatMap(({ sliceId, spent, amount, close }) => {
        const slice = slices.get(sliceId)
        if (slice === undefined) return []
        slice.spent = spent
        slice.amount = Math.max(Math.min(slice.amount, amount), spent)
        if (!close) return [{ sliceId, wanted: false }]
        slices.delete(sliceId)
        settled += spent
        return []
      })
      return Promise.resolve(held)
    },
    list: () => Promise.resolve([]),
    forgive: () => {
      const forgiven = settled
      settled = 0
      return Promise.resolve(forgiven)
    },
    sweep: () => Promise.resolve(0),
  }
}

/** Gives all that is asked for. */
const freeLimits: LimitStore = {
  take: ({ want }) => Promise.resolve({ granted: want, waitMs: 0 }),
  places: ({ want, max }) => Promise.resolve(Math.min(want, max)),
}

const memoryCache = (): ModelCacheStore => {
  const kept = new Map<string, Json>()
  const id = ({ tenant, key }: { tenant: string; key: string }): string => `${tenant} ${key}`
  return {
    find: (of) => {
      const body = kept.get(id(of))
      return Promise.resolve(body === undefined ? undefined : { body, leftMs: 60_000 })
    },
    save: (of) => Promise.resolve(void kept.set(id(of), of.body)),
    forget: (of) => Promise.resolve(void kept.delete(id(of))),
    sweep: () => Promise.resolve(0),
  }
}

export type Seen = { readonly routed: Routed[]; readonly told: Told[]; readonly conditions: Conditions; readonly budgets: BudgetStore }

/** What a handler stands on, over a catalogue. */
export const attemptsOver = (
  catalogue: Pick<Catalogue, 'plan' | 'resolve'>,
  { limits = {}, limitStore = freeLimits, random = () => 0 }: { limits?: object; limitStore?: LimitStore; random?: () => number } = {},
): InvokeTools & { readonly seen: Seen } => {
  const clockMs = (): number => performance.now()
  const told: Told[] = []
  const routed: Routed[] = []
  const file = LimitsFile.parse(limits)
  const store = memoryBudgets()
  const conditions = new Conditions({ metrics: quietTelemetry.metrics, clockMs, random, tell: (news) => told.push(news) })
  const attempts = createAttempts({
    catalogue,
    conditions,
    limiter: createLimiter({ store: limitStore, holder: 'here', clockMs }),
    budgets: createBudgetBook({ file, store, telemetry: quietTelemetry, holder: 'here', clockMs, nowMs: Date.now }),
    limits: file,
    routed: { tell: (one) => routed.push(one), settled: () => Promise.resolve() },
    telemetry: quietTelemetry,
    called: () => undefined,
    random,
    clockMs,
    nowMs: Date.now,
  })
  const cache = createAnswerCache({ store: memoryCache(), metrics: quietTelemetry.metrics, clockMs })
  return { catalogue, attempts, cache, pieces: () => undefined, clockMs, seen: { routed, told, conditions, budgets: store } }
}
