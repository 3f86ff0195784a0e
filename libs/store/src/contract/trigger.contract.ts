import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from '@jest/globals'
import type { StoreUnderTest } from '../contract.ts'
import type { TriggerRow } from '../ports.ts'

/** What is remembered of triggers. */
export const triggerContract = (get: () => StoreUnderTest): void => {
  let tenant: string
  beforeEach(() => {
    tenant = `t-${randomUUID()}`
  })
  const publish = (flow: string, version: string) =>
    get().stores.flows.publish({
      tenant,
      flow,
      version,
      hash: `${flow}-${version}`,
      body: JSON.stringify({ flow, version }),
      alias: 'stable',
      replace: false,
      by: 'ada',
    })
  const of = (flow: string, kind: TriggerRow['kind'], subject: string) => ({ id: `${tenant}/${flow}/${subject}`, kind, subject })
  const rows = (): Promise<readonly TriggerRow[]> => get().stores.triggers.list(tenant)
  const sync = (flow: string, hash: string | null, ...triggers: readonly ReturnType<typeof of>[]) =>
    get().stores.triggers.sync({ tenant, flow, hash, triggers })

  describe('triggers', () => {
    it('T1: follow the alias: another version replaces them together, an older view changes nothing', async () => {
      await publish('a', '1')
      expect(await sync('a', 'a-1', of('a', 'topic', 'tickets'), of('a', 'schedule', '0 6 * * *'))).toBe(true)
      await publish('a', '2')
      expect(await sync('a', 'a-1')).toBe(false)
      expect(await rows()).toHaveLength(2)
      expect(await sync('a', 'a-2', of('a', 'topic', 'tickets'), of('a', 'topic', 'mails'))).toBe(true)
      expect((await rows()).map(({ subject, planHash }) => `${subject} ${planHash}`)).toEqual(['mails a-2', 'tickets a-2'])
      expect((await get().stores.triggers.stable()).filter((flow) => flow.tenant === tenant)).toEqual([{ tenant, flow: 'a', hash: 'a-2' }])
      expect(await sync('gone', null)).toBe(true)
    })

    it('T2: a due time is claimed by one, and handled once', async () => {
      await publish('a', '1')
      const { id, ...rest } = of('a', 'schedule', 'every 1h')
      await sync('a', 'a-1', { id, ...rest })
      const { triggers } = get().stores
      await triggers.schedule({ id, nextDueMs: 1_000 })
      await triggers.schedule({ id, nextDueMs: 9_000 })
      const due = { id, planHash: 'a-1', dueMs: 1_000 }
      const claims = await Promise.all([1, 2, 3].map(() => triggers.claim({ ...due, leaseMs: 60_000 })))
      expect(claims.filter(Boolean)).toHaveLength(1)
      expect(await triggers.claim({ ...due, planHash: 'a-0', leaseMs: 60_000 })).toBe(false)
      expect(await triggers.advance({ id, dueMs: 1_000, nextDueMs: 2_000, lastRunId: 'run_1' })).toBe(true)
      expect(await triggers.advance({ id, dueMs: 1_000, nextDueMs: 2_000, lastRunId: 'run_2' })).toBe(false)
      expect(await rows()).toMatchObject([{ nextDueMs: 2_000, lastRunId: 'run_1', lastError: null }])
      expect(await triggers.claim({ ...due, dueMs: 2_000, leaseMs: 0 })).toBe(true)
    })

    it('T2: a paused one is not claimed, and goes on at its next time', async () => {
      await publish('a', '1')
      const { id, ...rest } = of('a', 'schedule', 'every 1h')
      await sync('a', 'a-1', { id, ...rest })
      const { triggers } = get().stores
      await triggers.schedule({ id, nextDueMs: 1_000 })
      expect(await triggers.pause({ id, tenant: 'other', paused: true, by: 'ada' })).toBe(false)
      expect(await triggers.pause({ id, tenant, paused: true, by: 'ada' })).toBe(true)
      expect(await triggers.claim({ id, planHash: 'a-1', dueMs: 1_000, leaseMs: 1 })).toBe(false)
      await triggers.pause({ id, tenant, paused: false, by: 'ada' })
      expect(await rows()).toMatchObject([{ paused: false, nextDueMs: null }])
    })

    it('T3: a method and path belong to the flow that had them first, and are free when it lets go', async () => {
      await publish('a', '1')
      await publish('b', '1')
      const owner = async () => (await rows()).map(({ flow }) => flow)
      await sync('a', 'a-1', of('a', 'http', 'POST /tickets'))
      await sync('b', 'b-1', of('b', 'http', 'POST /tickets'))
      expect(await owner()).toEqual(['a'])
      await sync('a', 'a-1')
      await sync('b', 'b-1', of('b', 'http', 'POST /tickets'))
      expect(await owner()).toEqual(['b'])
    })

    it('remembers where a topic stood when it began, and what came of it last', async () => {
      await publish('a', '1')
      const { id, ...rest } = of('a', 'topic', 'tickets')
      await sync('a', 'a-1', { id, ...rest })
      const { triggers } = get().stores
      const beginsAt = { topicId: 'x', next: { 0: 5 } }
      expect(await triggers.begin({ id, beginsAt })).toEqual(beginsAt)
      expect(await triggers.begin({ id, beginsAt: { topicId: 'y', next: {} } })).toEqual(beginsAt)
      expect(await triggers.begin({ id: 'none', beginsAt })).toBeUndefined()
      await triggers.note({ id, lastRunId: 'run_1' })
      await triggers.note({ id, lastError: 'input.invalid: input.text is required' })
      expect(await rows()).toMatchObject([{ lastRunId: 'run_1', lastError: 'input.invalid: input.text is required', beginsAt }])
    })
  })
}
