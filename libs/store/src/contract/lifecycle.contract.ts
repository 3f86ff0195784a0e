import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from '@jest/globals'
import type { StoreUnderTest } from '../contract.ts'

/** Aliases with their history, plans by hash, params with their audit. */
export const lifecycleContract = (get: () => StoreUnderTest): void => {
  let tenant: string
  let flow: string
  beforeEach(() => {
    tenant = `t-${randomUUID()}`
    flow = `ns-${randomUUID()}/answer`
  })
  const publish = (version: string, content = version, more: { by?: string; yields?: boolean; replace?: boolean } = {}) =>
    get().stores.flows.publish({
      tenant,
      flow,
      version,
      hash: `${content}-${tenant}`,
      body: JSON.stringify({ flow, version }),
      alias: 'stable',
      replace: false,
      by: 'ada',
      ...more,
    })
  const stable = async (): Promise<string | undefined> => (await get().stores.flows.resolve({ tenant, flow, at: 'stable' }))?.version
  const name = () => ({ tenant, flow, alias: 'stable', by: 'bob' })

  describe('aliases', () => {
    it('A1: move to a published version and remember who moved them', async () => {
      await publish('1')
      await publish('2')
      const { aliases } = get().stores
      expect(await aliases.move({ ...name(), version: '1', reason: 'too slow' })).toEqual({
        version: '1',
        hash: `1-${tenant}`,
        changed: true,
      })
      expect(await aliases.move({ ...name(), version: '1' })).toMatchObject({ changed: false })
      expect(await stable()).toBe('1')
      expect(await aliases.history({ tenant, flow, limit: 10 })).toMatchObject([
        { alias: 'stable', version: '1', kind: 'move', by: 'bob', reason: 'too slow', atMs: expect.any(Number) },
        { version: '2', kind: 'publish', by: 'ada' },
        { version: '1', kind: 'publish', by: 'ada' },
      ])
      expect(await aliases.history({ tenant, flow, alias: 'beta', limit: 10 })).toEqual([])
      await expect(aliases.move({ ...name(), version: '9' })).rejects.toMatchObject({ code: 'flow.unknown' })
    })

    it('A2: two rollbacks undo two moves; before the first there is nothing', async () => {
      for (const version of ['1', '2', '3']) await publish(version)
      const { aliases } = get().stores
      expect(await aliases.rollback(name())).toEqual({ version: '2', hash: `2-${tenant}`, from: '3' })
      expect(await aliases.rollback(name())).toMatchObject({ version: '1', from: '2' })
      expect(await stable()).toBe('1')
      await expect(aliases.rollback(name())).rejects.toMatchObject({ code: 'request.not_found' })
      await publish('4')
      expect(await aliases.rollback(name())).toMatchObject({ version: '1', from: '4' })
    })

    it('A1: moves of one alias at the same time leave a history without gaps', async () => {
      const versions = ['1', '2', '3', '4', '5', '6']
      await Promise.all(versions.map((version) => publish(version)))
      const { aliases } = get().stores
      for (const _ of versions.slice(1)) await aliases.rollback(name())
      await expect(aliases.rollback(name())).rejects.toMatchObject({ code: 'request.not_found' })
      const history = await aliases.history({ tenant, flow, limit: 100 })
      expect(new Set(history.map(({ version }) => version))).toEqual(new Set(versions))
      expect(history[0]?.version).toBe(history.at(-1)?.version)
    })

    it('a start leaves an alias alone that somebody has moved, unless the version is new', async () => {
      await publish('1')
      await publish('2', '2', { by: 'start', yields: true })
      expect(await stable()).toBe('2')
      await get().stores.aliases.rollback(name())
      expect(await publish('2', '2', { by: 'start', yields: true })).toEqual({ changed: false })
      expect(await stable()).toBe('1')
      await publish('3', '3', { by: 'start', yields: true })
      expect(await stable()).toBe('3')
    })
  })

  describe('plans by hash', () => {
    it('are found by flow and hash, also after their version was replaced', async () => {
      const { flows } = get().stores
      await publish('1', 'a')
      const at = `sha256:a-${tenant}`
      expect(await flows.resolve({ tenant, flow, at })).toEqual({ hash: `a-${tenant}`, version: '1' })
      await publish('1', 'b', { replace: true })
      expect(await flows.resolve({ tenant, flow, at })).toEqual({ hash: `a-${tenant}`, version: '1' })
      expect(await flows.resolve({ tenant, flow: 'other/flow', at })).toBeUndefined()
      expect(await flows.resolve({ tenant: `${tenant}2`, flow, at })).toBeUndefined()
      expect(await flows.resolve({ tenant, flow, at: 'sha256:nothing' })).toBeUndefined()
    })
  })

  describe('params', () => {
    const set = (scope: { tenant?: string; environment?: string }, values: Record<string, number | string | boolean | null>) =>
      get().stores.params.set({ flow, tenant: '', environment: '', ...scope, values, by: 'ada', reason: 'trial' })

    it('O2: overrides come the weakest first, only those that apply', async () => {
      await set({}, { send: 0.7, review: 0.5 })
      await set({ environment: 'staging' }, { send: 0.6 })
      await set({ tenant }, { send: 0.9 })
      await set({ tenant, environment: 'staging' }, { mode: 'fast' })
      await set({ tenant: `${tenant}2` }, { send: 0.1 })
      const { params } = get().stores
      expect(await params.overrides({ flow, tenant, environment: 'staging' })).toEqual([
        { scope: { tenant: '', environment: '' }, values: { send: 0.7, review: 0.5 } },
        { scope: { tenant: '', environment: 'staging' }, values: { send: 0.6 } },
        { scope: { tenant, environment: '' }, values: { send: 0.9 } },
        { scope: { tenant, environment: 'staging' }, values: { mode: 'fast' } },
      ])
      expect(await params.overrides({ flow, tenant: 'nobody', environment: '' })).toHaveLength(1)
      expect(await params.all(flow)).toHaveLength(5)
      expect(await params.overrides({ flow: 'other/flow', tenant, environment: 'staging' })).toEqual([])
    })

    it('O1: every change is kept with who, when, old and new; what stays the same is no change', async () => {
      expect(await set({}, { send: 0.7 })).toEqual({ changed: 1 })
      expect(await set({}, { send: 0.7 })).toEqual({ changed: 0 })
      expect(await set({ tenant }, { send: true })).toEqual({ changed: 1 })
      expect(await set({}, { send: null })).toEqual({ changed: 1 })
      const { params } = get().stores
      expect(await params.history({ flow, limit: 10 })).toMatchObject([
        { tenant: '', environment: '', name: 'send', old: 0.7, new: null, by: 'ada', reason: 'trial', atMs: expect.any(Number) },
        { tenant, old: null, new: true },
        { tenant: '', old: null, new: 0.7 },
      ])
      expect(await params.history({ flow, tenant, limit: 10 })).toHaveLength(1)
      expect(await params.history({ flow, limit: 1 })).toHaveLength(1)
      expect(await params.overrides({ flow, tenant: '', environment: '' })).toEqual([])
    })
  })
}
