import { describe, expect, it } from '@jest/globals'
import { goneAtMs, periodOf, sliceOf, standingOf } from './budget.policy.ts'

const at = (text: string): number => Date.parse(text)

describe('budgets (B9)', () => {
  it('periods are hours, days and months in UTC', () => {
    const nowMs = at('2026-02-28T23:30:00Z')
    expect(periodOf('hour', nowMs)).toEqual({ startMs: at('2026-02-28T23:00:00Z'), endMs: at('2026-03-01T00:00:00Z') })
    expect(periodOf('day', nowMs)).toEqual({ startMs: at('2026-02-28T00:00:00Z'), endMs: at('2026-03-01T00:00:00Z') })
    expect(periodOf('month', nowMs)).toEqual({ startMs: at('2026-02-01T00:00:00Z'), endMs: at('2026-03-01T00:00:00Z') })
  })
  it('months are those of the calendar, leap years and all', () => {
    for (let nowMs = at('1970-01-01T00:00:00Z'); nowMs < at('2060-01-01T00:00:00Z'); nowMs += 86_400_000 * 3.7) {
      const now = new Date(nowMs)
      const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()]
      expect(periodOf('month', nowMs)).toEqual({ startMs: Date.UTC(year, month, 1), endMs: Date.UTC(year, month + 1, 1) })
    }
  })
  it('a slice is enough for some calls and little of the whole', () => {
    expect(sliceOf(100, 1_000_000, 0)).toBe(800)
    expect(sliceOf(100, 1_000_000, 5_000)).toBe(5_000)
    expect(sliceOf(100, 10_000, 5_000)).toBe(200)
    expect(sliceOf(100, 150, 0)).toBe(100)
  })
  it('stands free, soft, gone', () => {
    expect([10, 80, 100].map((used) => standingOf(used, 100, 0.8))).toEqual(['free', 'soft', 'gone'])
  })
  it('foretells when it will be gone, and nothing where it will last', () => {
    const day = { cap: 100, startMs: 0, endMs: 86_400_000 }
    expect(goneAtMs({ ...day, used: 50 }, 21_600_000)).toBe(43_200_000)
    expect(goneAtMs({ ...day, used: 10 }, 21_600_000)).toBeUndefined()
    expect(goneAtMs({ ...day, used: 50 }, 60_000)).toBeUndefined()
  })
})
