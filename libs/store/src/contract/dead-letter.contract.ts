import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import type { StoreUnderTest } from '../contract.ts'

const DAY_MS = 86_400_000

/** What kinds of dead letters were met. */
export const deadLetterContract = (get: () => StoreUnderTest): void => {
  describe('kinds of dead letters', () => {
    const meet = (fingerprint: string, atMs: number) =>
      get().stores.deadLetters.meet({ fingerprint, service: 'tools', code: 'tool.failed', atMs })

    it('D1: the first of a kind is told once, whoever asks, and again after a week of rest', async () => {
      const fingerprint = randomUUID()
      const now = Date.now()
      const told = await Promise.all(Array.from({ length: 5 }, () => meet(fingerprint, now - 20 * DAY_MS)))
      expect(told.filter(Boolean)).toHaveLength(1)
      expect(await meet(fingerprint, now - 19 * DAY_MS)).toBe(false)
      expect(await meet(fingerprint, now - 13 * DAY_MS)).toBe(false)
      const again = await Promise.all(Array.from({ length: 5 }, () => meet(fingerprint, now)))
      expect(again.filter(Boolean)).toHaveLength(1)
      expect(await meet(fingerprint, now - 15 * DAY_MS)).toBe(false)
    })

    it('know when they were met first', async () => {
      const [one, other] = [randomUUID(), randomUUID()]
      const now = Date.now()
      await meet(one, now - DAY_MS)
      await meet(one, now)
      expect(await get().stores.deadLetters.firstSeen([one, other])).toEqual(new Map([[one, now - DAY_MS]]))
    })
  })
}
