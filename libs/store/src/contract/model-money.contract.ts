import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from '@jest/globals'
import type { StoreUnderTest } from '../contract.ts'
import { type BudgetRow, ENDED } from '../model-ports.ts'

/** Money, rates, places, rests and cached answers. */
export const modelMoneyContract = (get: () => StoreUnderTest): void => {
  let key = ''
  beforeEach(() => {
    key = `k-${randomUUID()}`
  })
  const stores = (): StoreUnderTest['stores'] => get().stores

  describe('budgets', () => {
    const startMs = 1_000
    const lease = (want: number, min: number, { holder = 'a', leaseMs = 60_000, cap = 1_000 } = {}) =>
      stores().budgets.lease({ key, startMs, cap, want, min, holder, leaseMs })
    const standing = async (): Promise<BudgetRow | undefined> =>
      (await stores().budgets.list({ sinceMs: 0, limit: 10_000 })).find((row) => row.key === key)

    it('G1: a hundred that ask at once get no more than there is', async () => {
      const asked = await Promise.all(Array.from({ length: 100 }, (_, at) => lease(30, 30, { holder: `h${at % 4}` })))
      const got = asked.flatMap(({ slice }) => slice ?? [])
      expect(got.reduce((sum, { amount }) => sum + amount, 0)).toBe(990)
      expect(asked.find(({ slice }) => slice === undefined)).toMatchObject({ elsewhere: 990, used: 990 })
      expect((await lease(30, 5)).slice?.amount).toBe(10)
    })
    it('what is spent is told, what is not used is given back, what is closed is settled once', async () => {
      const { slice } = await lease(500, 100)
      const sliceId = slice?.sliceId ?? ''
      const renew = (spent: number, amount: number, close = false) =>
        stores().budgets.renew({ holder: 'a', leaseMs: 60_000, slices: [{ sliceId, spent, amount, close }] })
      expect(await renew(120, 300)).toEqual([{ sliceId, wanted: false }])
      expect(await standing()).toMatchObject({ spent: 120, reserved: 180, lost: 0 })
      expect(await renew(200, 300, true)).toEqual([])
      expect(await renew(200, 300, true)).toEqual([])
      expect(await standing()).toMatchObject({ spent: 200, reserved: 0, lost: 0 })
    })
    it('whoever holds what another needs is told', async () => {
      const { slice } = await lease(1_000, 100)
      expect((await lease(100, 100, { holder: 'b' })).slice).toBeUndefined()
      const told = await stores().budgets.renew({
        holder: 'a',
        leaseMs: 60_000,
        slices: [{ sliceId: slice?.sliceId ?? '', spent: 0, amount: 200, close: false }],
      })
      expect(told).toMatchObject([{ wanted: true }])
      expect((await lease(100, 100, { holder: 'b' })).slice?.amount).toBe(100)
    })
    it('G2, G3: the slice of a process that died counts as spent, and is not his any more', async () => {
      const { slice } = await lease(400, 100, { leaseMs: 0 })
      await setTimeout(5)
      expect(await standing()).toMatchObject({ spent: 400, reserved: 0, lost: 400 })
      expect((await lease(700, 100, { holder: 'b' })).slice?.amount).toBe(600)
      const late = { sliceId: slice?.sliceId ?? '', spent: 50, amount: 400, close: true }
      expect(await stores().budgets.renew({ holder: 'a', leaseMs: 1, slices: [late] })).toEqual([])
      expect(await standing()).toMatchObject({ spent: 400, reserved: 600 })
    })
    it('what was spent can be forgiven; what is held stays held', async () => {
      const { slice } = await lease(400, 100, { leaseMs: 0 })
      await setTimeout(5)
      await lease(500, 100, { holder: 'b' })
      expect(slice?.amount).toBe(400)
      expect(await stores().budgets.forgive({ key, startMs })).toBe(400)
      expect(await standing()).toMatchObject({ spent: 0, reserved: 500, lost: 0 })
      expect((await lease(600, 100, { holder: 'c' })).slice?.amount).toBe(500)
      expect(await stores().budgets.forgive({ key: `${key}-none`, startMs })).toBeUndefined()
    })
    it('a call that cost more than was reserved is told all the same', async () => {
      const { slice } = await lease(100, 100)
      const dear = { sliceId: slice?.sliceId ?? '', spent: 1_300, amount: 100, close: false }
      await stores().budgets.renew({ holder: 'a', leaseMs: 60_000, slices: [dear] })
      expect(await standing()).toMatchObject({ spent: 1_300, reserved: 0 })
      expect((await lease(1, 1)).slice).toBeUndefined()
    })
    it('old periods are forgotten, unless something of them is out', async () => {
      const old = { key, startMs: 1, cap: 10, want: 5, min: 5, holder: 'a', leaseMs: 60_000 }
      const { slice } = await stores().budgets.lease(old)
      await stores().budgets.sweep({ beforeMs: 2, limit: 1_000 })
      expect(await standing()).toMatchObject({ startMs: 1, reserved: 5 })
      const done = { sliceId: slice?.sliceId ?? '', spent: 5, amount: 5, close: true }
      await stores().budgets.renew({ holder: 'a', leaseMs: 1, slices: [done] })
      await stores().budgets.sweep({ beforeMs: 2, limit: 1_000 })
      expect(await standing()).toBeUndefined()
    })
  })

  describe('limits', () => {
    it('T1: a bucket gives what it holds, then what comes in, and says how long to wait', async () => {
      const take = (want: number, min: number) => stores().limits.take({ key, capacity: 10, perMs: 0.000_1, want, min })
      expect((await take(8, 1)).granted).toBe(8)
      const rest = await take(8, 1)
      expect(rest.granted).toBeGreaterThanOrEqual(2)
      expect(rest.granted).toBeLessThan(3)
      const none = await take(8, 1)
      expect(none.granted).toBe(0)
      expect(none.waitMs).toBeGreaterThan(1_000)
    })
    it('T1: many that ask at once get no more than it holds', async () => {
      const asked = await Promise.all(
        Array.from({ length: 60 }, () => stores().limits.take({ key, capacity: 20, perMs: 0, want: 1, min: 1 })),
      )
      expect(asked.filter(({ granted }) => granted === 1)).toHaveLength(20)
    })
    it('T2: places are shared out, and those of a process that died are free again', async () => {
      const places = (holder: string, want: number, leaseMs = 60_000) => stores().limits.places({ key, holder, want, max: 8, leaseMs })
      expect(await places('a', 6)).toBe(6)
      expect(await places('b', 6)).toBe(2)
      expect(await places('a', 2, 0)).toBe(2)
      await setTimeout(5)
      expect(await places('b', 10)).toBe(8)
      expect(await places('a', 1)).toBe(0)
    })
  })

  describe('rests and cached answers', () => {
    it('a rest is known to all until it is over, and never shortened', async () => {
      const mine = async () => (await stores().cooldowns.list()).find((row) => row.key === key)
      await stores().cooldowns.rest({ key, restMs: 60_000, reason: 'model.rate_limited', by: 'a' })
      await stores().cooldowns.rest({ key, restMs: 10, reason: 'model.unavailable', by: 'b' })
      expect((await mine())?.leftMs).toBeGreaterThan(50_000)
      const short = `${key}-short`
      await stores().cooldowns.rest({ key: short, restMs: 0, reason: 'x', by: 'a' })
      await setTimeout(5)
      expect((await stores().cooldowns.list()).some((row) => row.key === short)).toBe(false)
    })
    it('a rest that was ended is over, and all can read that it was', async () => {
      const mine = async () => (await stores().cooldowns.list()).find((row) => row.key === key)
      await stores().cooldowns.rest({ key, restMs: 60_000, reason: 'model.unavailable', by: 'a' })
      await stores().cooldowns.end({ key, by: 'b', noticeMs: 5_000 })
      expect(await mine()).toMatchObject({ reason: ENDED, by: 'b' })
      expect((await mine())?.leftMs).toBeLessThanOrEqual(5_000)
    })
    it('a cached answer is found by its tenant until it is too old or forgotten', async () => {
      const { modelCache } = stores()
      await modelCache.save({ tenant: 'a', key, body: { text: 'Grüße \u0000' }, ttlMs: 60_000 })
      expect((await modelCache.find({ tenant: 'a', key }))?.body).toEqual({ text: 'Grüße \u0000' })
      expect(await modelCache.find({ tenant: 'b', key })).toBeUndefined()
      await modelCache.forget({ tenant: 'a', key })
      expect(await modelCache.find({ tenant: 'a', key })).toBeUndefined()
      await modelCache.save({ tenant: 'a', key, body: 1, ttlMs: 0 })
      await setTimeout(5)
      expect(await modelCache.find({ tenant: 'a', key })).toBeUndefined()
      expect(await modelCache.sweep({ limit: 1_000 })).toBeGreaterThan(0)
    })
  })
}
