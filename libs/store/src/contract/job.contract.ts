import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from '@jest/globals'
import type { StoreUnderTest } from '../contract.ts'

/** Work on many runs, one process at a time. */
export const jobContract = (get: () => StoreUnderTest): void => {
  describe('jobs', () => {
    let [tenant, kind, one, other] = ['', '', '', '']
    beforeEach(() => {
      ;[tenant, kind, one, other] = [`t-${randomUUID()}`, `k-${randomUUID()}`, randomUUID(), randomUUID()]
    })
    const jobs = (): StoreUnderTest['stores']['jobs'] => get().stores.jobs
    const create = (jobId: string, body: Record<string, string> = { flow: 'a/b' }) =>
      jobs().create({ tenant, jobId, kind, body, by: 'ada' })
    const claim = (ownerUuid: string, leaseMs = 60_000) => jobs().claim({ kinds: [kind], ownerUuid, leaseMs })
    const step = (ownerUuid: string, done: number, leaseMs = 60_000) =>
      jobs().advance({ tenant, jobId: 'a', ownerUuid, place: { at: done }, matched: 9, done, failed: 1, leaseMs })

    it('are made once: the same id gives the job that is there, with another body it conflicts', async () => {
      const made = await create('a')
      expect(made).toMatchObject({
        jobId: 'a',
        kind,
        body: { flow: 'a/b' },
        by: 'ada',
        status: 'running',
        place: null,
        matched: 0,
        endedAtMs: null,
      })
      expect(await create('a')).toEqual(made)
      await expect(create('a', { flow: 'c/d' })).rejects.toMatchObject({ code: 'request.conflicting' })
      expect(await jobs().find({ tenant, jobId: 'a' })).toEqual(made)
      expect(await jobs().find({ tenant: `${tenant}2`, jobId: 'a' })).toBeUndefined()
    })

    it('are listed newest first, page by page, each tenant its own', async () => {
      for (const id of ['a', 'b', 'c']) await create(id)
      const first = await jobs().list({ tenant, limit: 2 })
      expect(first.jobs.map(({ jobId }) => jobId)).toEqual(['c', 'b'])
      const rest = await jobs().list({ tenant, limit: 2, ...(first.next === null ? {} : { before: first.next }) })
      expect(rest).toMatchObject({ jobs: [{ jobId: 'a' }], next: null })
      expect(await jobs().list({ tenant: `${tenant}2`, limit: 2 })).toEqual({ jobs: [], next: null })
    })

    it('J1: of processes that ask together each job goes to one, the oldest first', async () => {
      for (const id of ['a', 'b']) await create(id)
      const claimed = await Promise.all(Array.from({ length: 5 }, () => claim(randomUUID())))
      expect(claimed.flatMap((job) => job?.jobId ?? []).toSorted()).toEqual(['a', 'b'])
      expect(await claim(one)).toBeUndefined()
      expect(await jobs().claim({ kinds: ['other'], ownerUuid: one, leaseMs: 1 })).toBeUndefined()
    })

    it('J1, J2: who lost the lease changes nothing any more; who took over goes on from the same place', async () => {
      await create('a')
      await claim(one, 0)
      expect(await step(one, 3, 0)).toBe(true)
      await setTimeout(5)
      expect(await claim(other)).toMatchObject({ jobId: 'a', place: { at: 3 }, matched: 9, done: 3, failed: 1 })
      expect(await step(one, 4)).toBe(false)
      expect(await jobs().finish({ tenant, jobId: 'a', ownerUuid: one, status: 'completed' })).toBe(false)
      expect(await step(other, 5)).toBe(true)
      expect(await jobs().find({ tenant, jobId: 'a' })).toMatchObject({ place: { at: 5 }, done: 5, status: 'running' })
    })

    it('what is released is free at once', async () => {
      await create('a')
      await claim(one)
      await jobs().release({ ownerUuid: one })
      expect(await claim(other)).toMatchObject({ jobId: 'a' })
    })

    it('end once, with the reason where they failed, and are not claimed again', async () => {
      await create('a')
      await claim(one)
      const fault = { code: 'bus.unavailable', message: 'away' }
      expect(await jobs().finish({ tenant, jobId: 'a', ownerUuid: one, status: 'failed', fault })).toBe(true)
      expect(await jobs().find({ tenant, jobId: 'a' })).toMatchObject({ status: 'failed', fault, endedAtMs: expect.any(Number) })
      expect(await jobs().finish({ tenant, jobId: 'a', ownerUuid: one, status: 'completed' })).toBe(false)
      expect(await claim(other)).toBeUndefined()
    })

    it('J3: one that was cancelled goes no further; one that has ended cannot be cancelled', async () => {
      await create('a')
      await claim(one)
      expect(await jobs().cancel({ tenant, jobId: 'a' })).toMatchObject({ status: 'cancelled', endedAtMs: expect.any(Number) })
      expect(await step(one, 1)).toBe(false)
      expect(await claim(other, 0)).toBeUndefined()
      await create('b')
      await claim(one)
      await jobs().finish({ tenant, jobId: 'b', ownerUuid: one, status: 'completed' })
      expect(await jobs().cancel({ tenant, jobId: 'b' })).toMatchObject({ status: 'completed' })
      expect(await jobs().cancel({ tenant, jobId: 'none' })).toBeUndefined()
    })

    it('J4: one that is paused rests with the step it was at, and goes on from there; an ended one does neither', async () => {
      await create('a')
      await claim(one)
      expect(await jobs().pause({ tenant, jobId: 'a', paused: true })).toMatchObject({ status: 'paused', endedAtMs: null })
      expect(await step(one, 3)).toBe(false)
      expect(await claim(other, 0)).toBeUndefined()
      expect(await jobs().pause({ tenant, jobId: 'a', paused: false })).toMatchObject({ status: 'running', done: 3 })
      expect(await claim(other)).toMatchObject({ jobId: 'a', place: { at: 3 } })
      await jobs().pause({ tenant, jobId: 'a', paused: true })
      expect(await jobs().cancel({ tenant, jobId: 'a' })).toMatchObject({ status: 'cancelled' })
      expect(await jobs().pause({ tenant, jobId: 'a', paused: false })).toMatchObject({ status: 'cancelled' })
      expect(await jobs().pause({ tenant, jobId: 'none', paused: true })).toBeUndefined()
    })
  })
}
