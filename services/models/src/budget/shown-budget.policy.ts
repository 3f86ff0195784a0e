// A budget as it is shown: how much of it is gone, and when the rest will be.
import { BUDGET_PERIODS, type BudgetPeriod, type BudgetStanding, goneAtMs, periodOf, standingOf } from '@baton/policy'
import type { BudgetRow } from '@baton/store'
import type { LimitsFile } from '../limits/limits-config.ts'

/** A budget of one period. Amounts are micro-dollars. */
export type ShownBudget = BudgetRow & {
  readonly endMs: number
  /** Spent and reserved, as a share of the cap. */
  readonly used: number
  readonly standing: BudgetStanding
  /** When it will be used up if it goes on like this; absent: not in this period, or too early to say. */
  readonly goneAtMs?: number
}

/** The period in the name of a budget: `tenant:acme/day`. */
export const periodIn = (key: string): BudgetPeriod | undefined => BUDGET_PERIODS.find((per) => key.endsWith(`/${per}`))

const SOFT_AT = 0.8

/** The share from which cheaper models go first: that of the rule with this name, else of the rule for each. */
const softAtOf = (key: string, { budgets }: LimitsFile): number => {
  const [, of = '', name = ''] = /^([a-z]+):?(.*)\/[a-z]+$/.exec(key) ?? []
  const fitting = budgets.filter((rule) => rule.of === of && key.endsWith(`/${rule.per}`))
  const named = fitting.find((rule) => rule.name !== '*' && (name === rule.name || name.endsWith(`/${rule.name}`)))
  return (named ?? fitting.find((rule) => rule.name === '*'))?.softAt ?? SOFT_AT
}

/** How it stands at this moment. */
export const shownBudget = (row: BudgetRow, file: LimitsFile, nowMs: number): ShownBudget => {
  const { key, startMs, cap, spent, reserved } = row
  const { endMs } = periodOf(periodIn(key) ?? 'day', startMs)
  const used = spent + reserved
  const goneAt = nowMs < endMs ? goneAtMs({ used, cap, startMs, endMs }, nowMs) : undefined
  return {
    ...row,
    endMs,
    used: cap === 0 ? 1 : used / cap,
    standing: standingOf(used, cap, softAtOf(key, file)),
    ...(goneAt === undefined ? {} : { goneAtMs: goneAt }),
  }
}
