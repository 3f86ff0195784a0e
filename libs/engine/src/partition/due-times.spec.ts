import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { DueTimes } from './due-times.ts'

describe('due times', () => {
  it('D1: gives what is due and nothing else, at most as much as asked for', () => {
    const times = new DueTimes()
    times.set('a', 1_000)
    times.set('b', 1_010)
    times.set('c', 5_000)
    expect(times.earliest()).toBe(1_000)
    expect(times.take(999, 10, 1_000)).toEqual([])
    expect(times.take(1_005, 10, 1_000)).toEqual([{ runId: 'a', dueAtMs: 1_000 }])
    times.set('a', null)
    expect(times.take(9_000, 1, 1_000)).toEqual([{ runId: 'b', dueAtMs: 1_010 }])
    expect(times.take(9_000, 1, 1_000)).toEqual([{ runId: 'c', dueAtMs: 5_000 }])
  })

  it('D2: gives again what was not set anew', () => {
    const times = new DueTimes()
    times.set('a', 1_000)
    expect(times.take(1_000, 10, 500)).toHaveLength(1)
    expect(times.earliest()).toBe(1_500)
    times.set('a', 1_000)
    expect(times.take(1_499, 10, 500)).toEqual([])
    expect(times.take(1_500, 10, 500)).toEqual([{ runId: 'a', dueAtMs: 1_000 }])
    times.set('a', 7_000)
    expect(times.take(2_500, 10, 500)).toEqual([])
  })

  it('agrees with a list of what is due, whatever is set, moved and removed', () => {
    const change = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.option(fc.nat({ max: 1_000 })))
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), fc.nat({ max: 1_000 }), (changes, nowMs) => {
        const times = new DueTimes()
        const model = new Map<string, number>()
        for (const [runId, dueAtMs] of changes) {
          times.set(runId, dueAtMs)
          if (dueAtMs === null) model.delete(runId)
          else model.set(runId, dueAtMs)
        }
        expect(times.size).toBe(model.size)
        expect(times.earliest()).toBe(model.size === 0 ? null : Math.min(...model.values()))
        const due = [...model].filter(([, dueAtMs]) => dueAtMs <= nowMs)
        expect(new Set(times.take(nowMs, 100, 10_000).map(({ runId }) => runId))).toEqual(new Set(due.map(([runId]) => runId)))
      }),
    )
  })
})
