import { describe, expect, it } from '@jest/globals'
import { Pace } from './breaker-pace.policy.ts'

describe('the pace of what was put off', () => {
  it('Z1: is about twice that of the answers before', () => {
    const pace = new Pace()
    for (let nowMs = 0; nowMs < 30_000; nowMs += 10) pace.answered(nowMs)
    const waits = Array.from({ length: 1_000 }, () => pace.slot(30_000, 2_000))
    expect(waits[0]).toBe(2_000)
    const span = (waits.at(-1) ?? 0) - (waits[0] ?? 0)
    expect(span).toBeGreaterThan(4_500)
    expect(span).toBeLessThan(5_500)
  })
  it('Z2: nobody comes before the wait, and where nothing is known ten a second come', () => {
    const pace = new Pace()
    expect(Array.from({ length: 3 }, () => pace.slot(0, 500))).toEqual([500, 600, 700])
    expect(pace.slot(0, 5_000)).toBe(5_000)
  })
})
