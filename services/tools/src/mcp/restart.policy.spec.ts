import { describe, expect, it } from '@jest/globals'
import { afterFailure, beforeStart, HEALTHY, type Health } from './restart.policy.ts'

const failed = (times: number, nowMs = 0): Health =>
  Array.from({ length: times }).reduce<Health>((health) => afterFailure(health, nowMs, 1), HEALTHY)

describe('starting a server again', () => {
  it('S1: at once the first time, then after rests that double, up to half a minute', () => {
    expect([1, 2, 3, 4, 5, 20].map((times) => failed(times).restUntilMs)).toEqual([0, 250, 500, 1_000, 2_000, 30_000])
    expect(afterFailure(failed(2), 1_000, 0).restUntilMs).toBe(1_375)
  })

  it('S2: short rests are waited for; long ones, and those of a crash loop, are told', () => {
    expect(beforeStart(HEALTHY, 0)).toEqual({ waitMs: 0, refuse: false })
    expect(beforeStart(failed(3), 0)).toEqual({ waitMs: 500, refuse: false })
    expect(beforeStart(failed(5), 0)).toEqual({ waitMs: 2_000, refuse: true })
    expect(beforeStart(failed(9), 0)).toMatchObject({ refuse: true })
    expect(beforeStart(failed(9), 60_000)).toEqual({ waitMs: 0, refuse: false }) // one is let through
  })
})
