import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from '@jest/globals'
import type { StoreUnderTest } from '../contract.ts'

/** Ownership of log partitions (L4, L10). */
export const leaseContract = (get: () => StoreUnderTest): void => {
  describe('leases', () => {
    let [prefix, one, other] = ['', '', '']
    const wanted = [0, 1, 2]
    const leases = (): StoreUnderTest['stores']['leases'] => get().stores.leases
    const installation = { partitions: 3, topicId: 'topic', engineVersion: 2 }
    beforeEach(async () => {
      ;[prefix, one, other] = [`p-${randomUUID()}`, randomUUID(), randomUUID()]
      await leases().install({ prefix, ...installation })
    })

    it('installing again changes nothing, not even when done together', async () => {
      await leases().acquire({ prefix, ownerUuid: one, wanted: [0], leaseMs: 60_000 })
      await Promise.all([1, 2, 3].map(() => leases().install({ prefix, ...installation, topicId: 'new' })))
      expect(await leases().renew({ prefix, ownerUuid: one, leaseMs: 60_000 })).toEqual([0])
      expect(await leases().acquire({ prefix, ownerUuid: one, wanted: [1], leaseMs: 60_000 })).toMatchObject([
        { topicId: 'topic', epoch: 1 },
      ])
    })

    it('refuses another number of partitions, because runs would move', async () => {
      await expect(leases().install({ prefix, ...installation, partitions: 4 })).rejects.toMatchObject({ code: 'config.invalid' })
    })

    it('L2: refuses a binary that lacks the engine version in use', async () => {
      await expect(leases().install({ prefix, ...installation, engineVersion: 1 })).rejects.toMatchObject({ code: 'engine.unsupported' })
    })

    it('O1: taking raises the epoch and tells the position', async () => {
      const taken = await leases().acquire({ prefix, ownerUuid: one, wanted, leaseMs: 60_000 })
      expect(taken).toEqual(
        wanted.map((partition) => ({ partition, topicId: 'topic', next: 0, epoch: 1, suspectOffset: null, crashCount: 0 })),
      )
    })

    it('O2, K1: nobody gets what is held, and the holder gets it only once', async () => {
      await leases().acquire({ prefix, ownerUuid: one, wanted: [0, 1], leaseMs: 60_000 })
      expect((await leases().acquire({ prefix, ownerUuid: other, wanted, leaseMs: 60_000 })).map(({ partition }) => partition)).toEqual([2])
      expect(await leases().acquire({ prefix, ownerUuid: one, wanted, leaseMs: 60_000 })).toEqual([])
    })

    it('O2: of owners that ask together each partition goes to one', async () => {
      const owners = Array.from({ length: 5 }, () => randomUUID())
      const taken = await Promise.all(owners.map((ownerUuid) => leases().acquire({ prefix, ownerUuid, wanted, leaseMs: 60_000 })))
      expect(
        taken
          .flat()
          .map(({ partition, epoch }) => `${partition}/${epoch}`)
          .toSorted(),
      ).toEqual(['0/1', '1/1', '2/1'])
    })

    it('O2: what ran out can be taken; the owner before can neither renew nor checkpoint', async () => {
      await leases().acquire({ prefix, ownerUuid: one, wanted: [0], leaseMs: 1 })
      await setTimeout(20)
      expect(await leases().acquire({ prefix, ownerUuid: other, wanted: [0], leaseMs: 60_000 })).toMatchObject([{ partition: 0, epoch: 2 }])
      expect(await leases().renew({ prefix, ownerUuid: one, leaseMs: 60_000 })).toEqual([])
      const late = get().stores.runs.checkpoint({ ownerUuid: one, partitions: [{ partition: 0, epoch: 1, next: 5 }], runs: [] })
      await expect(late).rejects.toMatchObject({ code: 'lease.lost' })
      expect(await leases().renew({ prefix, ownerUuid: other, leaseMs: 60_000 })).toEqual([0])
    })

    it('O3: renewing keeps the epoch and holds off others', async () => {
      await leases().acquire({ prefix, ownerUuid: one, wanted: [0, 2], leaseMs: 1 })
      expect(await leases().renew({ prefix, ownerUuid: one, leaseMs: 60_000 })).toEqual([0, 2])
      await setTimeout(20)
      expect(await leases().acquire({ prefix, ownerUuid: other, wanted: [0, 2], leaseMs: 60_000 })).toEqual([])
      await get().stores.runs.checkpoint({ ownerUuid: one, partitions: [{ partition: 0, epoch: 1, next: 5 }], runs: [] })
    })

    it('what is released is free at once, with its position', async () => {
      await leases().acquire({ prefix, ownerUuid: one, wanted: [0], leaseMs: 60_000 })
      await get().stores.runs.checkpoint({ ownerUuid: one, partitions: [{ partition: 0, epoch: 1, next: 42 }], runs: [] })
      await leases().release({ prefix, ownerUuid: one })
      expect(await leases().renew({ prefix, ownerUuid: one, leaseMs: 60_000 })).toEqual([])
      expect(await leases().acquire({ prefix, ownerUuid: other, wanted: [0], leaseMs: 60_000 })).toMatchObject([{ next: 42, epoch: 2 }])
    })

    it('L10: remembers the suspect and its crashes for the next owner', async () => {
      await leases().suspect({ prefix, partition: 1, offset: 99, crashCount: 2 })
      expect(await leases().acquire({ prefix, ownerUuid: one, wanted: [1], leaseMs: 60_000 })).toMatchObject([
        { suspectOffset: 99, crashCount: 2 },
      ])
      await leases().suspect({ prefix, partition: 1, offset: null, crashCount: 0 })
      await leases().release({ prefix, ownerUuid: one })
      expect(await leases().acquire({ prefix, ownerUuid: one, wanted: [1], leaseMs: 60_000 })).toMatchObject([
        { suspectOffset: null, crashCount: 0 },
      ])
    })
  })
}
