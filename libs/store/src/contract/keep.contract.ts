import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from '@jest/globals'
import type { StoreUnderTest } from '../contract.ts'

/** Starts, payloads, flows, answers and effects. */
export const keepContract = (get: () => StoreUnderTest): void => {
  // A tenant of its own keeps each test apart from the rows of others.
  let tenant: string
  beforeEach(() => {
    tenant = `t-${randomUUID()}`
  })

  describe('starts', () => {
    const start = (
      requestId: string,
      bodyHash = 'hash',
    ): { tenant: string; source: string; requestId: string; runId: string; bodyHash: string } => ({
      tenant,
      source: 'kafka',
      requestId,
      runId: `run_${requestId}`,
      bodyHash,
    })

    it('L6: the same request is new once; with another body it conflicts', async () => {
      const { starts } = get().stores
      expect(await starts.begin([start('a'), start('b')])).toEqual(['new', 'new'])
      expect(await starts.begin([start('b'), start('c'), start('a', 'other')])).toEqual(['repeat', 'new', 'conflict'])
    })

    it('L6: repeats inside one batch count as repeats', async () => {
      expect(await get().stores.starts.begin([start('a'), start('a'), start('a', 'other')])).toEqual(['new', 'repeat', 'conflict'])
      expect(await get().stores.starts.begin([start('a', 'other'), start('a')])).toEqual(['conflict', 'repeat'])
    })

    it('L6: of many calls at once one starts the run', async () => {
      const outcomes = await Promise.all(Array.from({ length: 300 }, (_, n) => get().stores.starts.begin([start(`r${n % 3}`)])))
      expect(outcomes.flat().filter((outcome) => outcome === 'new')).toHaveLength(3)
      expect(outcomes.flat().filter((outcome) => outcome === 'repeat')).toHaveLength(297)
    })

    it('L6: tenants and sources do not meet', async () => {
      const { starts } = get().stores
      expect(
        await starts.begin([start('a'), { ...start('a', 'x'), source: 'http' }, { ...start('a', 'y'), tenant: `${tenant}2` }]),
      ).toEqual(['new', 'new', 'new'])
    })

    it('a request that the database cannot hold fails alone', async () => {
      const { starts } = get().stores
      const [good, bad] = await Promise.allSettled([starts.begin([start('fine')]), starts.begin([start('nul \u0000')])])
      expect(good).toEqual({ status: 'fulfilled', value: ['new'] })
      expect(bad.status).toBe('rejected')
    })
  })

  describe('payloads', () => {
    it('gives back every byte, by hash; storing again is free', async () => {
      const { payloads } = get().stores
      const content = Buffer.from(Array.from({ length: 70_000 }, (_, n) => n % 256))
      const ref = await payloads.put({ tenant, content, mediaType: 'application/octet-stream' })
      expect(ref).toEqual(await payloads.put({ tenant, content, mediaType: 'application/octet-stream' }))
      expect(ref.sizeBytes).toBe(70_000)
      expect(await payloads.get({ tenant, sha256: ref.sha256 })).toEqual({ content, mediaType: 'application/octet-stream' })
    })

    it('what is missing, or of another tenant, is `payload.missing`', async () => {
      const { payloads } = get().stores
      const { sha256 } = await payloads.put({ tenant, content: Buffer.from('x'), mediaType: 'text/plain' })
      await expect(payloads.get({ tenant: `${tenant}2`, sha256 })).rejects.toMatchObject({ code: 'payload.missing' })
    })
  })

  describe('flows', () => {
    const flow = (version: string, hash: string, replace = false): Parameters<ReturnType<typeof get>['stores']['flows']['publish']>[0] => ({
      tenant,
      flow: 'support/answer',
      version,
      hash: `${hash}-${tenant}`,
      body: `{"plan":"${hash}"}`,
      alias: 'stable',
      replace,
      by: 'tester',
    })

    it('publishes a version and moves the alias to it', async () => {
      const { flows } = get().stores
      expect(await flows.publish(flow('1', 'a'))).toEqual({ changed: true })
      expect(await flows.publish(flow('1', 'a'))).toEqual({ changed: false })
      expect(await flows.publish(flow('2', 'b'))).toEqual({ changed: true })
      expect(await flows.resolve({ tenant, flow: 'support/answer', at: 'stable' })).toEqual({ hash: `b-${tenant}`, version: '2' })
      expect(await flows.resolve({ tenant, flow: 'support/answer', at: '1' })).toEqual({ hash: `a-${tenant}`, version: '1' })
      expect(await flows.plan(`a-${tenant}`)).toBe('{"plan":"a"}')
    })

    it('publishing an old version again moves the alias back', async () => {
      const { flows } = get().stores
      await flows.publish(flow('1', 'a'))
      await flows.publish(flow('2', 'b'))
      expect(await flows.publish(flow('1', 'a'))).toEqual({ changed: true })
      expect(await flows.resolve({ tenant, flow: 'support/answer', at: 'stable' })).toMatchObject({ version: '1' })
    })

    it('a version keeps its content unless it is replaced on purpose; the plan of a running run stays', async () => {
      const { flows } = get().stores
      await flows.publish(flow('1', 'a'))
      await expect(flows.publish(flow('1', 'b'))).rejects.toMatchObject({ code: 'request.conflicting' })
      expect(await flows.resolve({ tenant, flow: 'support/answer', at: '1' })).toMatchObject({ hash: `a-${tenant}` })
      expect(await flows.publish(flow('1', 'b', true))).toEqual({ changed: true })
      expect(await flows.resolve({ tenant, flow: 'support/answer', at: '1' })).toMatchObject({ hash: `b-${tenant}` })
      expect(await flows.plan(`a-${tenant}`)).toBe('{"plan":"a"}')
    })

    it('knows nothing of other tenants, names and hashes', async () => {
      const { flows } = get().stores
      await flows.publish(flow('1', 'a'))
      expect(await flows.resolve({ tenant: `${tenant}2`, flow: 'support/answer', at: '1' })).toBeUndefined()
      expect(await flows.resolve({ tenant, flow: 'support/answer', at: 'beta' })).toBeUndefined()
      expect(await flows.plan('nothing')).toBeUndefined()
    })

    it('lists versions with their aliases', async () => {
      const { flows } = get().stores
      await flows.publish(flow('1', 'a'))
      await flows.publish({ ...flow('1', 'a'), alias: 'beta' })
      await flows.publish(flow('2', 'b'))
      const listed = await flows.list(tenant)
      expect(listed.map(({ version, aliases }) => ({ version, aliases })).toSorted((a, b) => (a.version < b.version ? -1 : 1))).toEqual([
        { version: '1', aliases: ['beta'] },
        { version: '2', aliases: ['stable'] },
      ])
      expect(listed.every(({ publishedAtMs }) => publishedAtMs > 1_600_000_000_000)).toBe(true)
    })
  })

  describe('answers', () => {
    it('L9: the first answer of an attempt stays', async () => {
      const { answers } = get().stores
      const attemptId = `${tenant}/step/1`
      expect(await answers.find(attemptId)).toBeUndefined()
      await Promise.all([answers.save({ tenant, attemptId, body: { n: 1 } }), answers.save({ tenant, attemptId, body: { n: 2 } })])
      await answers.save({ tenant, attemptId, body: { n: 3 } })
      expect(await answers.find(attemptId)).toEqual({ n: 1 })
    })

    it('L9: survives whatever a model writes', async () => {
      const body = { text: 'nul \u0000, quote ", backslash \\, half \ud83d, 🎈', list: [null, true, 0.1] }
      await get().stores.answers.save({ tenant, attemptId: `${tenant}/odd/1`, body })
      expect(await get().stores.answers.find(`${tenant}/odd/1`)).toEqual(body)
    })
  })

  describe('effects', () => {
    const effect = (argsHash = 'hash'): { tenant: string; key: string; tool: string; argsHash: string } => ({
      tenant,
      key: 'run/pay/0',
      tool: 'billing/refund',
      argsHash,
    })

    it('C4: intent first, then the result answers every repeat', async () => {
      const { effects } = get().stores
      expect(await effects.begin(effect())).toEqual({ state: 'new' })
      expect(await effects.begin(effect())).toEqual({ state: 'open' })
      await effects.finish({ tenant, key: 'run/pay/0', result: { id: 7 } })
      expect(await effects.begin(effect())).toEqual({ state: 'done', result: { id: 7 } })
      await effects.finish({ tenant, key: 'run/pay/0', result: { id: 8 } })
      expect(await effects.begin(effect())).toEqual({ state: 'done', result: { id: 7 } })
    })

    it('C4: other arguments or another tool conflict, done or not', async () => {
      const { effects } = get().stores
      await effects.begin(effect())
      expect(await effects.begin(effect('other'))).toEqual({ state: 'conflict' })
      expect(await effects.begin({ ...effect(), tool: 'billing/pay' })).toEqual({ state: 'conflict' })
    })

    it('a result of null is a result', async () => {
      const { effects } = get().stores
      await effects.begin(effect())
      await effects.finish({ tenant, key: 'run/pay/0', result: null })
      expect(await effects.begin(effect())).toEqual({ state: 'done', result: null })
    })

    it('of calls at once one is new', async () => {
      const states = await Promise.all(Array.from({ length: 10 }, () => get().stores.effects.begin(effect())))
      expect(states.filter(({ state }) => state === 'new')).toHaveLength(1)
    })
  })
}
