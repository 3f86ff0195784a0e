import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { latestDueMs, nextDueMs, type Schedule } from './due-time.ts'

const at = (text: string): number => Date.parse(text)
const times = (schedule: Schedule, from: string, count: number): readonly string[] => {
  const found: string[] = []
  for (let time = nextDueMs(schedule, at(from)); time !== undefined && found.length < count; time = nextDueMs(schedule, time))
    found.push(new Date(time).toISOString().slice(0, 16))
  return found
}
const berlin = (cron: string): Schedule => ({ cron, zone: 'Europe/Berlin' })

describe('due times', () => {
  it('follow the clock of the zone through the year', () => {
    expect(times(berlin('0 6 * * 1-5'), '2026-03-26T12:00:00Z', 3)).toEqual(['2026-03-27T05:00', '2026-03-30T04:00', '2026-03-31T04:00'])
  })

  it('D1: what the clock leaves out in spring is due when the gap ends', () => {
    expect(times(berlin('30 2 * * *'), '2026-03-28T00:00:00Z', 3)).toEqual(['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30'])
  })

  it('D1: what it shows twice in autumn is due once, the first time', () => {
    expect(times(berlin('30 2 * * *'), '2026-10-24T00:00:00Z', 3)).toEqual(['2026-10-24T00:30', '2026-10-25T00:30', '2026-10-26T01:30'])
  })

  it('D1: a wildcard goes by what passes: nothing twice in spring, both hours in autumn', () => {
    const half = berlin('*/30 * * * *')
    expect(times(half, '2026-03-29T00:10:00Z', 3)).toEqual(['2026-03-29T00:30', '2026-03-29T01:00', '2026-03-29T01:30'])
    expect(times(half, '2026-10-24T23:40:00Z', 4)).toEqual(['2026-10-25T00:00', '2026-10-25T00:30', '2026-10-25T01:00', '2026-10-25T01:30'])
  })

  it('take every schedule that a flow may have: lists, steps from a number, names, Sunday as 7', () => {
    expect(times({ cron: '5/20 1 1,15 * mon', zone: 'UTC' }, '2026-01-01T00:00:00Z', 4)).toEqual([
      '2026-01-01T01:05',
      '2026-01-01T01:25',
      '2026-01-01T01:45',
      '2026-01-05T01:05',
    ])
    expect(times({ cron: '0 0 * * 7', zone: 'Asia/Kolkata' }, '2026-01-01T00:00:00Z', 1)).toEqual(['2026-01-03T18:30'])
    expect(times({ cron: '0 0 29 2 *', zone: 'UTC' }, '2026-01-01T00:00:00Z', 2)).toEqual(['2028-02-29T00:00', '2032-02-29T00:00'])
  })

  it('D2: an interval counts from the due time before, and is a second at least', () => {
    expect(times({ everyMs: 90_000, zone: 'UTC' }, '2026-01-01T00:00:00Z', 2)).toEqual(['2026-01-01T00:01', '2026-01-01T00:03'])
    expect(nextDueMs({ everyMs: 5, zone: 'UTC' }, 0)).toBe(1_000)
  })

  it('D3: of missed times the latest counts, never one to come, and what is due now is due', () => {
    const morning = berlin('0 6 * * *')
    const dueMs = at('2026-06-01T04:00:00Z')
    const latest = (now: string) => new Date(latestDueMs(morning, { dueMs, nowMs: at(now) })).toISOString()
    expect(latest('2026-06-01T04:00:00Z')).toBe('2026-06-01T04:00:00.000Z')
    expect(latest('2026-06-04T03:59:59.999Z')).toBe('2026-06-03T04:00:00.000Z')
    expect(latest('2026-06-04T04:00:00Z')).toBe('2026-06-04T04:00:00.000Z')
    expect(latestDueMs({ everyMs: 60_000, zone: 'UTC' }, { dueMs: 10_000, nowMs: 200_000 })).toBe(190_000)
  })

  it('D3: between the latest and now nothing is due', () => {
    const crons = ['*/7 * * * *', '15 2 * * *', '0 0 1 * *', '30 2,3 * * 0', '0 */5 * * *']
    const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'UTC']
    fc.assert(
      fc.property(
        fc.constantFrom(...crons),
        fc.constantFrom(...zones),
        fc.integer({ min: at('2026-01-01'), max: at('2027-01-01') }),
        fc.integer({ min: 0, max: 40 * 86_400_000 }),
        (cron, zone, fromMs, laterMs) => {
          const schedule = { cron, zone }
          const dueMs = nextDueMs(schedule, fromMs) ?? Number.NaN
          const nowMs = dueMs + laterMs
          const latest = latestDueMs(schedule, { dueMs, nowMs })
          expect(latest).toBeGreaterThanOrEqual(dueMs)
          expect(latest).toBeLessThanOrEqual(nowMs)
          expect(nextDueMs(schedule, latest) ?? Infinity).toBeGreaterThan(nowMs)
        },
      ),
      { numRuns: 300 },
    )
  })
})
