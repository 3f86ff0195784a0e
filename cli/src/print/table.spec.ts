import { describe, expect, it } from '@jest/globals'
import { duration, percent, quantile, table } from './table.ts'

describe('figures on a terminal', () => {
  it('aligns words to the left and numbers to the right', () => {
    expect(
      table(
        ['queue', 'open'],
        [
          ['support', 7],
          ['senior', 12],
        ],
      ),
    ).toBe('queue    open\n-------  ----\nsupport     7\nsenior     12')
  })

  it('takes quantiles by nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1)
    expect([quantile(hundred, 0.5), quantile(hundred, 0.95), quantile(hundred, 1), quantile([], 0.5)]).toEqual([50, 95, 100, 0])
  })

  it('says a share of nothing is unknown, and picks units people read', () => {
    expect([percent(0, 0), percent(1, 8), duration(4.23), duration(1_300), duration(150_000), duration(604_800_000)]).toEqual([
      '-',
      '12.5 %',
      '4.2 ms',
      '1.3 s',
      '2.5 min',
      '7.0 d',
    ])
  })
})
