import { describe, expect, it } from '@jest/globals'
import { budgetsOf, claimsOf, LimitsFile } from './limits-config.ts'

const file = LimitsFile.parse({
  limits: [
    { of: 'tenant', requestsPerMinute: 100 },
    { of: 'tenant', name: 'acme', requestsPerMinute: 500 },
    { of: 'user', tokensPerMinute: 1_000 },
  ],
  budgets: [
    { of: 'all', per: 'month', usd: 5_000 },
    { of: 'tenant', per: 'day', usd: 10 },
    { of: 'flow', name: 'support/desk', per: 'day', usd: 1 },
  ],
})
const subject = { tenant: 'acme', flow: 'support/desk', user: 'ada' }

describe('config/limits.yaml', () => {
  it('L1: a name stands before `*`, and each has a limit of its own', () => {
    expect(claimsOf(file, subject)).toEqual([
      { key: 'tenant:acme', requestsPerMinute: 500 },
      { key: 'user:acme/ada', tokensPerMinute: 1_000 },
    ])
    expect(claimsOf(file, { tenant: 'other', flow: 'x' })).toEqual([{ key: 'tenant:other', requestsPerMinute: 100 }])
  })
  it('B9: every budget that applies counts, by period', () => {
    expect(budgetsOf(file, subject).map(({ key, capMicroUsd }) => [key, capMicroUsd])).toEqual([
      ['all/month', 5_000_000_000],
      ['tenant:acme/day', 10_000_000],
      ['flow:acme/support/desk/day', 1_000_000],
    ])
    expect(budgetsOf(file, { tenant: 'other', flow: 'x' })).toHaveLength(2)
  })
})
