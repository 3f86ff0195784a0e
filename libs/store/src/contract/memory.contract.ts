import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import type { StoreUnderTest } from '../contract.ts'
import type { Memory } from '../memory.ports.ts'

/** Conversations, state of sessions, what is known of users (C8, C9, H7). */
export const memoryContract = (get: () => StoreUnderTest): void => {
  describe('sessions and memory', () => {
    const sessions = () => get().stores.sessions
    const memories = () => get().stores.memories
    const place = () => ({ tenant: `t-${randomUUID().slice(0, 20)}`, session: randomUUID() })
    const memory = (more: Partial<Memory> = {}): Memory => ({
      id: 'language',
      kind: 'preference',
      key: 'language',
      value: 'de',
      source: 'run',
      by: 'user',
      runId: 'r1',
      atMs: 1_000,
      expiresAtMs: null,
      ...more,
    })

    it('S1: a turn is kept once, and S2: an answer lies behind its question, however late or early its time', async () => {
      const at = place()
      const said = (runId: string, text: string, atMs: number) => sessions().said({ ...at, runId, userId: 'u1', text, atMs })
      await said('r1', 'hello', 1_000)
      await said('r1', 'hello again', 1_000)
      await said('r2', 'and then?', 2_000)
      for (const text of ['hi', 'hi']) await sessions().answered({ tenant: at.tenant, runId: 'r1', text, atMs: 500 })
      await sessions().answered({ tenant: at.tenant, runId: 'r2', text: 'this', atMs: 9_000 })
      await sessions().answered({ tenant: at.tenant, runId: 'unknown', text: 'nothing', atMs: 9_000 })
      const texts = async (limit: number, exceptRunId?: string) =>
        (await sessions().history({ ...at, limit, ...(exceptRunId === undefined ? {} : { exceptRunId }) })).map(
          ({ role, text }) => `${role}: ${text}`,
        )
      expect(await texts(10)).toEqual(['user: hello', 'assistant: hi', 'user: and then?', 'assistant: this'])
      expect(await texts(3)).toEqual(['assistant: hi', 'user: and then?', 'assistant: this'])
      expect(await texts(10, 'r2')).toEqual(['user: hello', 'assistant: hi'])
      expect(await Promise.all(['r1', 'unknown'].map((runId) => sessions().sessionOf({ tenant: at.tenant, runId })))).toEqual([
        at.session,
        undefined,
      ])
      await sessions().counted({ ...at, turns: [{ runId: 'r1', role: 'user', tokens: 7 }] })
      expect((await sessions().history({ ...at, limit: 10 }))[0]?.tokens).toBe(7)
      expect(await sessions().forget(at)).toBe(4)
    })

    it('S3: of two who write the same entry, the one with the right version does', async () => {
      const at = place()
      const set = (value: number, version?: number) =>
        sessions().set({ ...at, key: 'step', value, runId: 'r', atMs: value, ...(version === undefined ? {} : { version }) })
      expect([await set(1, 0), await set(2, 0), await set(3, 1), await set(4, 1)]).toEqual([true, false, true, false])
      expect(await set(5)).toBe(true)
      expect(await sessions().state(at)).toMatchObject([{ key: 'step', value: 5, version: 3 }])
      expect(await sessions().state({ ...at, tenant: 'other' })).toEqual([])
    })

    it('M1: the newest memory stays, in whatever order they come; what has expired is not told', async () => {
      const who = { tenant: place().tenant, userId: 'u1' }
      expect(await memories().put({ ...who, ...memory({ value: 'en', atMs: 2_000 }) })).toBe(true)
      expect(await memories().put({ ...who, ...memory({ value: 'de', atMs: 1_000 }) })).toBe(false)
      await memories().put({ ...who, ...memory({ id: 'offer', kind: 'fact', key: 'offer', expiresAtMs: 5_000 }) })
      const list = async (nowMs: number) => (await memories().list({ ...who, nowMs, limit: 10 })).map(({ id, value }) => [id, value])
      expect(await list(4_000)).toEqual([
        ['language', 'en'],
        ['offer', 'de'],
      ])
      expect(await list(6_000)).toEqual([['language', 'en']])
      expect(await memories().forget({ ...who, id: 'language' })).toBe(true)
      expect(await memories().forget({ ...who, id: 'language' })).toBe(false)
    })

    it('M2 (H7): who is erased is gone from turns, state and memories, what comes late of before stays away, and others stay', async () => {
      const at = place()
      const who = { tenant: at.tenant, userId: 'u1' }
      const say = (runId: string, userId: string, atMs: number) => sessions().said({ ...at, runId, userId, text: runId, atMs })
      await say('r1', 'u1', 1_000)
      await say('r2', 'u2', 1_000)
      await sessions().answered({ tenant: at.tenant, runId: 'r1', text: 'answer', atMs: 1_100 })
      await sessions().set({ ...at, key: 'name', value: 'Ann', runId: 'r1', userId: 'u1', atMs: 1_000 })
      await memories().put({ ...who, ...memory() })
      expect(await memories().erase({ ...who, by: 'person:dpo', atMs: 5_000 })).toEqual({ memories: 1, turns: 2, state: 1 })
      await say('r1', 'u1', 1_000)
      await sessions().answered({ tenant: at.tenant, runId: 'r1', text: 'answer', atMs: 1_100 })
      expect(await memories().put({ ...who, ...memory() })).toBe(false)
      expect((await sessions().history({ ...at, limit: 10 })).map(({ runId }) => runId)).toEqual(['r2'])
      await say('r3', 'u1', 6_000)
      expect(await sessions().history({ ...at, limit: 10 })).toHaveLength(2)
    })

    it('old turns and entries are swept, at most so many at once', async () => {
      const at = place()
      for (const n of [1, 2, 3]) await sessions().said({ ...at, runId: `r${n}`, text: 'x', atMs: -n })
      expect(await sessions().sweep({ beforeMs: 0, limit: 2 })).toBe(2)
      expect(await sessions().sweep({ beforeMs: 0, limit: 2 })).toBe(1)
    })
  })
}
