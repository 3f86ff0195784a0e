import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Admission, Breaker, BREAKER } from './breaker.policy.ts'

const open = (breaker: Breaker, nowMs: number): void => {
  for (let count = 0; count < BREAKER.rowMax; count++) breaker.failed(nowMs, 'call', 0)
}

describe('breakers (B6)', () => {
  it('K1: opens after failures in a row, and not when a success is between them', () => {
    const breaker = new Breaker()
    for (let count = 0; count < 30; count++) {
      breaker.failed(count, 'call', 0)
      breaker.succeeded(count, 'call')
      breaker.succeeded(count, 'call')
    }
    expect(breaker.state(30)).toBe('closed')
    open(breaker, 100)
    expect(breaker.state(101)).toBe('open')
    expect(breaker.admit(101)).toBe('wait')
  })
  it('K1: opens when half of the calls of a window fail', () => {
    const breaker = new Breaker()
    for (let count = 0; count < 20; count++) {
      if (count % 2 === 0) breaker.succeeded(count, 'call')
      else breaker.failed(count, 'call', 0)
    }
    expect(breaker.state(20)).toBe('open')
  })
  it('K2: stays open longer each time it opens again', () => {
    const breaker = new Breaker()
    open(breaker, 0)
    const first = breaker.openUntilMs
    expect(breaker.admit(first)).toBe('probe')
    expect(breaker.failed(first, 'probe', 0)).toBe(true)
    expect(breaker.openUntilMs - first).toBe(2 * BREAKER.openMs)
  })
  it('K3: takes up again by one probe, then two, then four, and closes after enough', () => {
    const breaker = new Breaker()
    open(breaker, 0)
    const at = breaker.openUntilMs
    const out = (): readonly Admission[] => Array.from({ length: 20 }, () => breaker.admit(at)).filter((answer) => answer === 'probe')
    expect(out()).toHaveLength(1)
    breaker.succeeded(at, 'probe')
    expect(out()).toHaveLength(2)
    breaker.succeeded(at, 'probe')
    breaker.succeeded(at, 'probe')
    expect(out()).toHaveLength(8)
    for (let count = 0; count < 8; count++) breaker.succeeded(at, 'probe')
    expect(breaker.admit(at)).toBe('call')
    expect(breaker.state(at + BREAKER.recoverMs)).toBe('closed')
  })
  it('K3: when somebody says that it is well again, one call tries it at once; one that fails rests shortly again', () => {
    const breaker = new Breaker()
    open(breaker, 0)
    breaker.pause(60_000)
    expect(breaker.admit(1)).toBe('wait')
    breaker.retry()
    expect(breaker.state(1)).toBe('half_open')
    expect([breaker.admit(1), breaker.admit(1)]).toEqual(['probe', 'wait'])
    expect(breaker.failed(1, 'probe', 0)).toBe(true)
    expect(breaker.openUntilMs).toBe(1 + BREAKER.openMs)
  })
  it('K3: when it has closed no more than twice the usual are out at once, for about as long as it was open', () => {
    const breaker = new Breaker()
    for (let count = 0; count < 20; count++) breaker.admit(0)
    for (let count = 0; count < 20; count++) breaker.failed(0, 'call', 0)
    const at = breaker.openUntilMs + 30_000
    for (let count = 0; count < 8; count++) {
      breaker.admit(at)
      breaker.succeeded(at, 'probe')
    }
    const out = Array.from({ length: 100 }, () => breaker.admit(at)).filter((answer) => answer === 'call')
    expect(out).toHaveLength(40)
    expect(breaker.state(at + 29_000)).toBe('half_open')
    expect(breaker.state(at + 35_000)).toBe('closed')
    expect(breaker.admit(at + 35_000)).toBe('call')
  })
  it('K3: calls that were out when it opened neither close it nor keep it open', () => {
    const breaker = new Breaker()
    open(breaker, 0)
    const until = breaker.openUntilMs
    breaker.failed(10, 'call', 0)
    breaker.succeeded(11, 'call')
    expect([breaker.openUntilMs, breaker.state(until)]).toEqual([until, 'half_open'])
  })
  it('K6: a rest that was asked for ends without probes', () => {
    const breaker = new Breaker()
    breaker.pause(100)
    expect([breaker.state(50), breaker.admit(50)]).toEqual(['open', 'wait'])
    expect([breaker.state(100), breaker.admit(100), breaker.admit(100)]).toEqual(['closed', 'call', 'call'])
  })
  it('K4: a probe that was given up leaves its place to the next', () => {
    const breaker = new Breaker()
    breaker.rest(50, 0)
    expect(breaker.admit(50)).toBe('probe')
    expect(breaker.admit(50)).toBe('wait')
    breaker.released('probe')
    expect(breaker.admit(50)).toBe('probe')
  })
  it('K3: without a success at most one probe is out at a time, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('ask', 'bad', 'gone', 'later'), { maxLength: 200 }), (acts) => {
        const breaker = new Breaker()
        open(breaker, 0)
        let [nowMs, out, most] = [0, 0, 0]
        for (const act of acts) {
          if (act === 'later') nowMs += 1_500
          if (act === 'ask' && breaker.admit(nowMs) === 'probe') out += 1
          if (act === 'bad' && out > 0) breaker.failed(nowMs, 'probe', 0)
          if (act === 'gone' && out > 0) breaker.released('probe')
          if ((act === 'bad' || act === 'gone') && out > 0) out -= 1
          most = Math.max(most, out)
        }
        return most <= 1
      }),
    )
  })
})
