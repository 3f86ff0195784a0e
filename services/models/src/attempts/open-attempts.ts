// Everything the attempts stand on, for a running service.
import { randomUUID } from 'node:crypto'
import { BREAKER } from '@baton/policy'
import type { Platform } from '@baton/service'
import { createBudgetBook, type BudgetBook } from '../budget/budget-book.ts'
import { createAnswerCache, type AnswerCache } from '../cache/answer-cache.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { createLimiter } from '../limits/limiter.ts'
import { loadLimits, type LimitsFile } from '../limits/limits-config.ts'
import { createAttempts, type Attempts } from './attempts.ts'
import { Conditions } from './conditions.ts'
import { type Cooldowns, shareCooldowns } from './cooldowns.ts'
import { routedTeller } from './routed.ts'

export type OpenAttempts = {
  readonly attempts: Attempts
  readonly conditions: Conditions
  readonly cooldowns: Cooldowns
  readonly budgets: BudgetBook
  readonly cache: AnswerCache
  readonly limits: LimitsFile
  /** Gives back what this process holds; after the lanes are drained. */
  readonly close: () => Promise<void>
}

/** Opens them. Throws `config.invalid` where config/limits.yaml is wrong. */
export const openAttempts = async (platform: Platform, catalogue: Pick<Catalogue, 'plan'>): Promise<OpenAttempts> => {
  const { bus, stores, config, nowMs } = platform
  const telemetry = { ...platform.telemetry, logger: platform.telemetry.logger.child({ service: 'models' }) }
  const limits = await loadLimits(config.configDir)
  const { failuresInRow, failedShare, openForMs } = limits.breakers
  const holder = randomUUID()
  const clockMs = (): number => performance.now()
  const random = Math.random
  const cooldowns = shareCooldowns({
    conditions: () => conditions,
    store: stores.cooldowns,
    logger: telemetry.logger,
    holder,
    clockMs,
  })
  const conditions: Conditions = new Conditions({
    metrics: telemetry.metrics,
    clockMs,
    random,
    tell: cooldowns.tell,
    hedgeShare: limits.hedgeShare,
    breaker: { ...BREAKER, rowMax: failuresInRow, failedShare, openMs: openForMs },
  })
  const limiter = createLimiter({ store: stores.limits, holder, clockMs })
  const budgets = createBudgetBook({ file: limits, store: stores.budgets, telemetry, holder, clockMs, nowMs })
  const routed = routedTeller({ bus, nowMs })
  const attempts = createAttempts({
    catalogue,
    conditions,
    limiter,
    budgets,
    limits,
    routed,
    telemetry,
    called: cooldowns.called,
    random,
    clockMs,
    nowMs,
  })
  const close = async (): Promise<void> => {
    await Promise.allSettled([limiter.close(), budgets.close(), cooldowns.close(), routed.settled()])
  }
  const cache = createAnswerCache({ store: stores.modelCache, metrics: telemetry.metrics, clockMs })
  return { attempts, conditions, cooldowns, budgets, cache, limits, close }
}
