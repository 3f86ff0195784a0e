import { describe, expect, it } from '@jest/globals'
import type { FlowStore } from '@baton/store'
import { createPlanCache } from './plan-cache.ts'

const flows = (): FlowStore & { asked: string[] } => ({
  asked: [],
  async plan(hash) {
    this.asked.push(hash)
    return hash === 'none' ? undefined : JSON.stringify({ hash })
  },
  resolve: async () => undefined,
  publish: async () => ({ changed: false }),
  list: async () => [],
})

describe('plan cache', () => {
  it('loads a plan once for many callers', async () => {
    const store = flows()
    const cache = createPlanCache(store)
    await Promise.all([cache.plan('a'), cache.plan('a')])
    await cache.plan('a')
    expect(store.asked).toEqual(['a'])
    expect(cache.peek('a')).toEqual({ hash: 'a' })
  })
  it('forgets the plan that was longest not used', async () => {
    const store = flows()
    const cache = createPlanCache(store, { plansMax: 2 })
    await cache.plan('a')
    await cache.plan('b')
    await cache.plan('a')
    await cache.plan('c')
    expect([cache.peek('a'), cache.peek('b'), cache.peek('c')]).toEqual([{ hash: 'a' }, undefined, { hash: 'c' }])
  })
  it('says flow.unknown for a hash that nobody published, and asks again next time', async () => {
    const store = flows()
    const cache = createPlanCache(store)
    await expect(cache.plan('none')).rejects.toMatchObject({ code: 'flow.unknown' })
    await expect(cache.plan('none')).rejects.toMatchObject({ code: 'flow.unknown' })
    expect(store.asked).toEqual(['none', 'none'])
  })
})
