import { describe, expect, it } from '@jest/globals'
import { Overflow } from './overflow.policy.ts'

const message = (tenant: string, key: string, returning = false) => ({ tenant, key, returning })
const taken = (overflow: Overflow, count: number, nowMs = 0): number[] =>
  Array.from({ length: count }, (_, n) => overflow.take(message('flood', `k${n}`), nowMs))

describe('overflow', () => {
  it('lanes/O1: nobody is put off while alone, or when the others were not heard of for long', () => {
    const overflow = new Overflow({ ordered: true, tenantPendingMax: 2 })
    expect(taken(overflow, 5)).toEqual([0, 0, 0, 0, 0])
    overflow.take(message('quiet', 'q'), 0)
    expect(taken(overflow, 1, 10)).toEqual([1_000])
    expect(taken(overflow, 1, 90_000)).toEqual([0])
  })

  it('lanes/O1: who is within the bound is not put off, whatever the others do', () => {
    const overflow = new Overflow({ ordered: true, tenantPendingMax: 2 })
    taken(overflow, 100)
    expect([1, 2, 3].map((n) => overflow.take(message('quiet', `q${n}`), 0))).toEqual([0, 0, 1_000])
  })

  it('lanes/O2: the wait is as long as what is put off already needs', () => {
    const overflow = new Overflow({ ordered: false, tenantPendingMax: 2 })
    overflow.take(message('quiet', 'q'), 0)
    taken(overflow, 2)
    for (let n = 0; n < 100; n++) {
      overflow.done(message('flood', ''), 10 * (n + 1))
      overflow.take(message('flood', ''), 10 * (n + 1))
    }
    const waits = taken(overflow, 500, 1_000)
    expect([waits[0], waits[499]]).toEqual([1_000, 5_010])
    expect(waits).toEqual(waits.toSorted((left, right) => left - right))
  })

  it('lanes/O3: a key that was put off stays behind what was, also when there is room again', () => {
    const overflow = new Overflow({ ordered: true, tenantPendingMax: 1 })
    overflow.take(message('quiet', 'q'), 0)
    overflow.take(message('flood', 'a'), 0)
    expect(overflow.take(message('flood', 'b'), 0)).toBe(1_000)
    overflow.done(message('flood', 'a'), 5)
    expect([overflow.take(message('flood', 'b'), 400), overflow.take(message('flood', 'c'), 400)]).toEqual([600, 0])
    overflow.done(message('flood', 'c'), 500)
    expect(overflow.take(message('flood', 'b', true), 1_000)).toBe(0)
  })
})
