import { describe, expect, it } from '@jest/globals'
import { Overflow } from './overflow.policy.ts'

const message = (tenant: string, key = 'k', returning = false) => ({ tenant, key, returning })
/** A flood that is served slowly since 600 ms, and a quiet tenant that was heard of: 1,000 ms are now. */
const flooded = (tenantPendingMax: number): Overflow => {
  const overflow = new Overflow({ ordered: true, tenantPendingMax })
  overflow.take(message('flood', 'first'), 400)
  for (let n = 1; n < tenantPendingMax; n++) overflow.take(message('flood', `first${n}`), 400)
  overflow.take(message('quiet', 'q'), 900)
  return overflow
}
const taken = (overflow: Overflow, count: number, nowMs: number, tenant = 'flood'): number[] =>
  Array.from({ length: count }, (_, n) => overflow.take(message(tenant, `${tenant}${n}`), nowMs))

describe('overflow', () => {
  it('lanes/O1: what a tenant has too much of is put off; those within the bound are not', () => {
    const overflow = flooded(10)
    expect(taken(overflow, 2, 1_000)).toEqual([1_000, 1_000])
    expect(taken(overflow, 9, 1_000, 'quiet')).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0])
  })

  it('lanes/O1: nobody is put off while alone, or where the others were not heard of for long or have much too', () => {
    const alone = new Overflow({ ordered: true, tenantPendingMax: 2 })
    taken(alone, 2, 0)
    expect(taken(alone, 3, 600)).toEqual([0, 0, 0])
    const long = flooded(10)
    expect(taken(long, 1, 90_000)).toEqual([0])
    const both = flooded(10)
    taken(both, 8, 900, 'quiet')
    expect(taken(both, 1, 1_000)).toEqual([0])
  })

  it('lanes/O1: nobody is put off whose messages are handled faster than others notice, nor after a quiet time', () => {
    const fast = flooded(10)
    for (let n = 0; n < 1_000; n++) {
      fast.done(message('flood'))
      fast.take(message('flood', `f${n}`), 950)
    }
    expect(taken(fast, 1, 1_000)).toEqual([0])
    const quiet = flooded(10)
    quiet.take(message('quiet'), 20_000)
    expect([taken(quiet, 1, 20_000), taken(quiet, 1, 20_600)]).toEqual([[0], [1_000]])
  })

  it('lanes/O2: the wait is as long as what is put off already needs', () => {
    const overflow = flooded(100)
    for (let n = 0; n < 60; n++) overflow.done(message('flood'))
    taken(overflow, 60, 1_000)
    const waits = taken(overflow, 500, 1_000).filter((ms) => ms > 0)
    expect([waits[0], waits.at(-1)]).toEqual([1_000, 5_990])
    expect(waits).toEqual(waits.toSorted((left, right) => left - right))
  })

  it('lanes/O3: a key that was put off stays behind what was, also when there is room again', () => {
    const overflow = flooded(2)
    expect(overflow.take(message('flood', 'b'), 1_000)).toBe(1_000)
    overflow.done(message('flood', 'first'))
    expect([overflow.take(message('flood', 'b'), 1_500), overflow.take(message('flood', 'c'), 1_500)]).toEqual([1_000, 0])
    expect(overflow.take(message('quiet', 'b', true), 1_600)).toBe(0)
  })
})
