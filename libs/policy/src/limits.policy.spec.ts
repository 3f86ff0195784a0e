import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { bucketOf, Slice, SLICE_MS } from './limits.policy.ts'

/** The bucket as a store keeps it. */
const store = (bucket: ReturnType<typeof bucketOf>) => {
  let held = bucket.capacity
  let atMs = 0
  return (want: number, min: number, nowMs: number): number => {
    held = Math.min(bucket.capacity, held + (nowMs - atMs) * bucket.perMs)
    atMs = nowMs
    const grant = held >= want ? want : held >= min ? held : 0
    held -= grant
    return grant
  }
}

describe('rates (B8)', () => {
  it('L1: no stretch as long as the period has more than the count, whoever asks when', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.record({ afterMs: fc.integer({ min: 0, max: 120 }), who: fc.integer({ min: 0, max: 2 }) }), { maxLength: 300 }),
        (count, asks) => {
          const bucket = bucketOf({ count, periodMs: 1_000 })
          const take = store(bucket)
          const replicas = [new Slice(), new Slice(), new Slice()]
          const done: number[] = []
          let nowMs = 0
          for (const { afterMs, who } of asks) {
            nowMs += afterMs
            const slice = replicas[who]
            if (slice === undefined) continue
            if (!slice.take(1, nowMs)) {
              const grant = take(slice.want(1, bucket), 1, nowMs)
              if (grant === 0) continue
              slice.granted(grant, nowMs)
              if (!slice.take(1, nowMs)) continue
            }
            done.push(nowMs)
          }
          return done.every((startMs) => done.filter((atMs) => atMs >= startMs && atMs < startMs + 1_000).length <= count)
        },
      ),
    )
  })
  it('L1: the count is nearly reached when there is always somebody who wants', () => {
    const take = store(bucketOf({ count: 600, periodMs: 60_000 }))
    let done = 0
    for (let nowMs = 0; nowMs < 60_000; nowMs += 20) done += take(1, 1, nowMs)
    expect(done).toBeGreaterThan(590)
    expect(done).toBeLessThanOrEqual(600)
  })
  it('L2: what is held too long is forgotten', () => {
    const slice = new Slice()
    slice.granted(5, 0)
    expect(slice.take(1, SLICE_MS - 1)).toBe(true)
    expect(slice.take(1, SLICE_MS)).toBe(false)
  })
})
