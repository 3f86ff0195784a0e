import { describe, expect, it } from '@jest/globals'
import { SteadyClock } from './steady-clock.ts'

const HOUR_MS = 3_600_000
const clocks = () => {
  const at = { wall: 1_000_000_000_000, steady: 5_000 }
  const clock = new SteadyClock(
    () => at.wall,
    () => at.steady,
  )
  return { at, clock }
}

describe('a steady clock', () => {
  it('S1: knows how long it is until a time of day', () => {
    const { at, clock } = clocks()
    expect(clock.dueMs(at.wall + 700, 1_000)).toBe(5_700)
    expect(clock.dueMs(at.wall - 700, 1_000)).toBeLessThan(clock.nowMs())
  })

  it('S1: waits no longer than was asked for, when the clock went back after somebody wrote down when', () => {
    const { at, clock } = clocks()
    const written = at.wall + 1_000
    at.wall -= HOUR_MS
    expect(clock.dueMs(written, 1_000)).toBe(6_000)
  })

  it('S1: measures new waits by the new time of day', () => {
    const { at, clock } = clocks()
    for (const jump of [HOUR_MS, -HOUR_MS, -HOUR_MS]) {
      at.wall += jump
      expect(clock.dueMs(at.wall + 400, 1_000)).toBe(5_400)
    }
  })

  it('S2: keeps the distance of two times of day while clocks tick unevenly', () => {
    const { at, clock } = clocks()
    const [one, two] = [at.wall + 500, at.wall + 501]
    const first = clock.dueMs(one, 1_000)
    at.wall += 11
    at.steady += 10.4
    expect(clock.dueMs(two, 1_000) - first).toBe(1)
  })
})
