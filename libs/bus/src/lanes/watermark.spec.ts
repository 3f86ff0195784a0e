import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Watermark, type Tracked } from './watermark.ts'

const entry = (offset: number): Tracked => ({ offset, takenAtMs: offset * 10, bornMs: 0, settled: false })

describe('watermark', () => {
  it('lanes/W1: is the first unsettled offset, whatever the order of settling', () => {
    const steps = fc.record({
      start: fc.nat(50),
      gaps: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 40 }),
      seed: fc.nat(),
    })
    fc.assert(
      fc.property(steps, fc.infiniteStream(fc.nat()), ({ start, gaps }, picks) => {
        const watermark = new Watermark(start)
        let offset = start - 1
        const entries = gaps.map((gap) => entry((offset += gap)))
        for (const one of entries) watermark.take(one)
        const open = [...entries]
        while (open.length > 0) {
          const [settled] = open.splice((picks.next().value ?? 0) % open.length, 1)
          if (settled !== undefined) watermark.settle(settled)
          expect(watermark.position).toBe(entries.find((one) => open.includes(one))?.offset ?? offset + 1)
        }
      }),
    )
  })

  it('lanes/W2: gaps between offsets never hold it back', () => {
    const watermark = new Watermark(0)
    const [first, second] = [entry(5), entry(90)]
    watermark.take(first)
    watermark.take(second)
    expect(watermark.settle(second)).toBe(false)
    expect(watermark.position).toBe(5)
    expect(watermark.settle(first)).toBe(true)
    expect(watermark.position).toBe(91)
  })

  it('tells what is open and since when', () => {
    const watermark = new Watermark(3)
    expect([watermark.gap, watermark.position, watermark.oldest?.takenAtMs]).toEqual([0, 3, undefined])
    watermark.take(entry(3))
    watermark.take(entry(4))
    expect([watermark.gap, watermark.high, watermark.oldest?.takenAtMs]).toEqual([2, 5, 30])
  })
})
