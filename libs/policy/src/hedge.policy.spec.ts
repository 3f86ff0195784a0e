import { describe, expect, it } from '@jest/globals'
import { HedgeBudget, hedgeDelayMs, Latencies } from './hedge.policy.ts'

describe('hedging (B7)', () => {
  it('H1: waits for the time that 95 of 100 calls took, once enough were seen', () => {
    const latencies = new Latencies()
    for (let count = 0; count < 29; count++) latencies.add(100)
    expect(hedgeDelayMs(undefined, latencies.percentiles, true)).toBeUndefined()
    for (let count = 0; count < 400; count++) latencies.add(count % 100)
    const seen = latencies.percentiles
    expect(seen?.p95).toBeGreaterThanOrEqual(90)
    expect(hedgeDelayMs(undefined, seen, true)).toBe(seen?.p95)
    expect(hedgeDelayMs(undefined, seen, false)).toBeUndefined()
  })
  it('H1: the step has the last word', () => {
    expect(hedgeDelayMs({ afterMs: 700 }, undefined, false)).toBe(700)
  })
  it('H2: of a thousand calls at most five in a hundred are started again, however slow all are', () => {
    const budget = new HedgeBudget()
    let again = 0
    for (let count = 0; count < 1_000; count++) {
      budget.called()
      if (budget.take()) again += 1
    }
    expect(again).toBeLessThanOrEqual(51)
    expect(again).toBeGreaterThan(45)
  })
})
