import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import type { StoreUnderTest } from '../contract.ts'

/** Events that came with a key (A10). */
export const eventInboxContract = (get: () => StoreUnderTest): void => {
  describe('events with a key', () => {
    const inbox = (): StoreUnderTest['stores']['eventInbox'] => get().stores.eventInbox
    const event = () => ({ tenant: `t-${randomUUID()}`, eventId: randomUUID(), event: 'paid', key: 'T-1', data: { n: 1 } })
    const claim = (only: { tenant: string; eventId: string }, pauseMs = 60_000) => inbox().claim({ limit: 5, pauseMs, only })

    it('N1: the same event twice is one', async () => {
      const one = event()
      expect(await inbox().put({ ...one, keepMs: 60_000 })).toEqual({ fresh: true })
      expect(await inbox().put({ ...one, data: 2, keepMs: 60_000 })).toEqual({ fresh: false })
      expect(await claim(one)).toEqual([one])
    })

    it('N2: is looked after by one, and comes again after a pause', async () => {
      const one = event()
      await inbox().put({ ...one, by: 'bank', keepMs: 60_000 })
      const claims = await Promise.all([claim(one), claim(one), claim(one)])
      expect(claims.flat()).toEqual([{ ...one, by: 'bank' }])
      expect(await claim(one)).toEqual([])
      const other = event()
      await inbox().put({ ...other, keepMs: 60_000 })
      await claim(other, 0)
      expect(await claim(other)).toHaveLength(1)
    })

    it('N3: is for one run, and is told to it until it was', async () => {
      const one = event()
      const run = { runId: 'run_1', rootRunId: 'run_0' }
      await inbox().put({ ...one, keepMs: 60_000 })
      expect(await inbox().found({ ...one, run })).toBe(true)
      expect(await inbox().found({ ...one, run: { runId: 'run_2', rootRunId: 'run_2' } })).toBe(false)
      expect(await claim(one, 0)).toEqual([{ ...one, run }])
      await inbox().delivered(one)
      expect(await claim(one, 0)).toEqual([])
      expect(await inbox().put({ ...one, keepMs: 60_000 })).toEqual({ fresh: false, runId: 'run_1' })
    })

    it('is forgotten when nobody waited for it in time', async () => {
      const one = event()
      await inbox().put({ ...one, keepMs: 0 })
      expect(await claim(one)).toEqual([])
      expect(await inbox().sweep()).toBeGreaterThan(0)
      expect(await inbox().put({ ...one, keepMs: 60_000 })).toEqual({ fresh: true })
    })
  })
}
