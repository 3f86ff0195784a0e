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

    it('L2: a newer binary changes nothing until the installation is raised, which is never undone', async () => {
      await leases().install({ prefix, ...installation, engineVersion: 3 })
      expect(await leases().engineVersion(prefix)).toBe(2)
      expect(await leases().raiseEngine({ prefix, engineVersion: 3 })).toBe(3)
      expect(await leases().raiseEngine({ prefix, engineVersion: 2 })).toBe(3)
      expect(await leases().engineVersion(prefix)).toBe(3)
      expect(await leases().engineVersion('nowhere')).toBeUndefined()
    })

    it('O1: taking raises the epoch and tells the position', async () => {
      const taken = await leases().acquire({ prefix, ownerUuid: one, wanted, leaseMs: 60_000 })
      expect(taken).toEqual(
        wanted.map((partition) => ({ partition, topicId: 'topic', next: 0, epoch: 1, suspectOffset: null, crashCount: 0 })),
      )
    })

    it('O2, K1: nobody gets what another holds; its owner may take anew what it dropped, with a newer epoch', async () => {
      await leases().acquire({ prefix, ownerUuid: one, wanted: [0, 1], leaseMs: 60_000 })
      expect((await leases().acquire({ prefix, ownerUuid: other, wanted, leaseMs: 60_000 })).map(({ partition }) => partition)).toEqual([2])
      expect(await leases().acquire({ prefix, ownerUuid: one, wanted: [1, 2], leaseMs: 60_000 })).toMatchObject([
        { partition: 1, epoch: 2 },
      ])
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

    it('O4: counts the owners in a row that died without moving the position', async () => {
      const die = async () => (await leases().acquire({ prefix, ownerUuid: randomUUID(), wanted: [0], leaseMs: 0 }))[0]?.crashCount
      expect([await die(), await die(), await die()]).toEqual([0, 1, 2])
      const [held] = await leases().acquire({ prefix, ownerUuid: one, wanted: [0], leaseMs: 60_000 })
      expect(held?.crashCount).toBe(3)
      // The same owner that takes it anew has not died.
      await get().stores.runs.checkpoint({ ownerUuid: one, partitions: [{ partition: 0, epoch: held?.epoch ?? 0, next: 7 }], runs: [] })
      await leases().renew({ prefix, ownerUuid: one, leaseMs: 0 })
      expect([await die(), await die()]).toEqual([1, 2])
    })

    it('O4: a record under suspicion counts until the position has passed it; releasing forgets it', async () => {
      const take = async (ownerUuid: string) => (await leases().acquire({ prefix, ownerUuid, wanted: [0], leaseMs: 0 }))[0]
      const moveTo = async (epoch: number | undefined, ownerUuid: string, next: number) =>
        get().stores.runs.checkpoint({ ownerUuid, partitions: [{ partition: 0, epoch: epoch ?? 0, next }], runs: [] })
      const first = await take(one)
      await moveTo(first?.epoch, one, 4)
      await leases().suspect({ prefix, partition: 0, offset: 4, crashCount: 2, owner: { ownerUuid: one, epoch: first?.epoch ?? 0 } })
      const second = await take(other)
      expect(second).toMatchObject({ suspectOffset: 4, crashCount: 3 })
      await expect(
        leases().suspect({ prefix, partition: 0, offset: 9, crashCount: 9, owner: { ownerUuid: one, epoch: first?.epoch ?? 0 } }),
      ).rejects.toMatchObject({ code: 'lease.lost' })
      await moveTo(second?.epoch, other, 5)
      expect(await take(one)).toMatchObject({ suspectOffset: null, crashCount: 1 })
      await leases().suspect({ prefix, partition: 0, offset: 5, crashCount: 4 })
      await leases().release({ prefix, ownerUuid: one })
      expect(await take(other)).toMatchObject({ suspectOffset: null, crashCount: 0 })
    })
  })
}
