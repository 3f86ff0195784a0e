import { describe, expect, it } from '@jest/globals'
import { LimitsFile } from '../limits/limits-config.ts'
import { shownBudget } from './shown-budget.policy.ts'

const DAY_MS = 86_400_000
const file = LimitsFile.parse({
  budgets: [
    { of: 'tenant', per: 'day', usd: 1 },
    { of: 'tenant', name: 'acme', per: 'day', usd: 1, softAt: 0.4 },
  ],
})
const row = { key: 'tenant:other/day', startMs: 100 * DAY_MS, cap: 1_000, spent: 400, reserved: 100, lost: 0 }

describe('a budget as it is shown (B9)', () => {
  it('says when it is used up if it goes on like this, and nothing where it lasts', () => {
    const atNine = 100 * DAY_MS + 9 * 3_600_000
    expect(shownBudget(row, file, atNine)).toMatchObject({ used: 0.5, standing: 'free', goneAtMs: 100 * DAY_MS + 18 * 3_600_000 })
    expect(shownBudget({ ...row, spent: 100 }, file, atNine)).not.toHaveProperty('goneAtMs')
  })
  it('says nothing of the future of a period that is over', () => {
    expect(shownBudget(row, file, 102 * DAY_MS)).toMatchObject({ endMs: 101 * DAY_MS })
    expect(shownBudget(row, file, 102 * DAY_MS)).not.toHaveProperty('goneAtMs')
  })
  it('goes by the soft limit of its own rule', () => {
    expect(shownBudget({ ...row, key: 'tenant:acme/day' }, file, row.startMs).standing).toBe('soft')
    expect(shownBudget({ ...row, spent: 900 }, file, row.startMs).standing).toBe('gone')
  })
})
