import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { backoffMs, parseRetryAfter } from './backoff.policy.ts'

const spec = { backoff: 'exponential', delayMs: 200, maxDelayMs: 2_000, jitter: false } as const

describe('backoffMs (B6)', () => {
  it('doubles from the first delay and stops at the longest', () => {
    expect([1, 2, 3, 4, 5, 60].map((failed) => backoffMs(spec, { failed, random: 0 }))).toEqual([200, 400, 800, 1_600, 2_000, 2_000])
  })

  it('stays the same when fixed', () => {
    expect([1, 2, 9].map((failed) => backoffMs({ ...spec, backoff: 'fixed' }, { failed, random: 0.5 }))).toEqual([200, 200, 200])
  })

  it('W1: waits as long as Retry-After says, even beyond the longest delay', () => {
    expect(backoffMs(spec, { failed: 1, random: 0, retryAfterMs: 30_000 })).toBe(30_000)
    expect(backoffMs(spec, { failed: 4, random: 0, retryAfterMs: 1_000 })).toBe(1_600)
  })

  it('W2: jitter keeps every wait between half and the whole', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (failed, random) => {
        const plain = backoffMs(spec, { failed, random })
        const jittered = backoffMs({ ...spec, jitter: true }, { failed, random })
        expect(jittered).toBeLessThanOrEqual(plain)
        expect(jittered).toBeGreaterThanOrEqual(Math.floor(plain / 2))
      }),
    )
  })
})

describe('parseRetryAfter', () => {
  it('reads seconds and HTTP dates', () => {
    expect(parseRetryAfter('7', 0)).toBe(7_000)
    expect(parseRetryAfter('1.5', 0)).toBe(1_500)
    const nowMs = Date.UTC(2024, 1, 29, 12, 0, 0)
    expect(parseRetryAfter('Thu, 29 Feb 2024 12:00:30 GMT', nowMs)).toBe(30_000)
    expect(parseRetryAfter('Thu, 29 Feb 2024 11:00:00 GMT', nowMs)).toBe(0)
  })

  it('agrees with the platform on every date', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800 }), (seconds) => {
        expect(parseRetryAfter(new Date(seconds * 1_000).toUTCString(), 0)).toBe(seconds * 1_000)
      }),
    )
  })

  it('says nothing about anything else', () => {
    for (const header of [undefined, '', 'soon', '-3', 'Thu, 29 Foo 2024 12:00:30 GMT']) expect(parseRetryAfter(header, 0)).toBeUndefined()
  })
})
