import { describe, expect, it } from '@jest/globals'
import { seededRandom } from '../seeded-random.policy.ts'
import { bootstrapInterval, mean, pairedDifference, standardDeviation, wilsonInterval } from './statistics.policy.ts'

const numbers = (seed: number, count: number): readonly number[] => {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => random())
}

describe('intervals', () => {
  it('T1: the same rows and seed give the same interval, and it holds the figure', () => {
    const values = numbers(1, 200)
    const statistic = (rows: Int32Array): number => mean([...rows].map((row) => values[row] ?? 0))
    const interval = bootstrapInterval(values.length, statistic, { resamples: 300, seed: 4 })
    expect(bootstrapInterval(values.length, statistic, { resamples: 300, seed: 4 })).toEqual(interval)
    expect(interval.low).toBeLessThan(interval.value)
    expect(interval.high).toBeGreaterThan(interval.value)
    expect(interval.high - interval.low).toBeCloseTo((2 * 1.96 * standardDeviation(values)) / Math.sqrt(200), 1)
  })

  it('T2: pairing sees a small difference that two noisy means hide', () => {
    const left = numbers(2, 100)
    const { value, low, high } = pairedDifference(
      left.map((one) => one + 0.01),
      left,
    )
    expect(value).toBeCloseTo(0.01)
    expect(low).toBeGreaterThan(0.009)
    expect(high).toBeLessThan(0.011)
  })

  it('a share near 1 has an interval that stays inside 0..1', () => {
    expect(wilsonInterval(50, 50)).toMatchObject({ value: 1 })
    expect(wilsonInterval(50, 50).high).toBeCloseTo(1)
    expect(wilsonInterval(50, 50).low).toBeCloseTo(0.9287, 3)
    expect(wilsonInterval(0, 0)).toEqual({ value: 0, low: 0, high: 1 })
  })
})
