import { describe, expect, it } from '@jest/globals'
import { figuresOfCases, judge, type PlayedCase } from './verdict.ts'

const played = (right: number, wrong: number, person: number, failed = 0): readonly PlayedCase[] => [
  ...Array.from({ length: right }, (_, index) => ({ id: `r${index}`, outcome: 'automatic', right: true }) as const),
  ...Array.from({ length: wrong }, (_, index) => ({ id: `w${index}`, outcome: 'automatic', right: false }) as const),
  ...Array.from({ length: person }, (_, index) => ({ id: `p${index}`, outcome: 'person' }) as const),
  ...Array.from({ length: failed }, (_, index) => ({ id: `f${index}`, outcome: 'failed' }) as const),
]

describe('verdict of an evaluation (G5)', () => {
  const baseline = figuresOfCases(played(76, 4, 20))

  it('judges accuracy on automatic answers only, and counts what failed', () => {
    expect(baseline).toEqual({ cases: 100, automatic: 0.8, accuracy: 0.95, failed: 0 })
    expect(figuresOfCases(played(1, 1, 1, 1))).toEqual({ cases: 4, automatic: 0.5, accuracy: 0.5, failed: 0.25 })
  })

  it('passes within the margin and fails beyond it, naming the drop', () => {
    expect(judge(figuresOfCases(played(75, 5, 20)), baseline, 0.02).verdict).toBe('pass')
    expect(judge(figuresOfCases(played(70, 10, 20)), baseline, 0.02)).toEqual({
      verdict: 'fail',
      drops: ['accuracy of automatic answers fell from 95.0 % to 87.5 %'],
    })
  })

  it('does not let a flow look better by handing more to people, or by failing', () => {
    expect(judge(figuresOfCases(played(50, 0, 50)), baseline, 0.02).drops).toEqual(['automatic share fell from 80.0 % to 50.0 %'])
    expect(judge(figuresOfCases(played(76, 4, 10, 10)), baseline, 0.02).drops).toEqual(['failed runs rose from 0.0 % to 10.0 %'])
  })

  it('says so when there is nothing to compare with', () => {
    expect(judge(baseline, undefined, 0.02).verdict).toBe('no baseline')
  })
})
