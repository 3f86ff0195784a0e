import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from '@jest/globals'
import type { StoreUnderTest } from '../contract.ts'
import type { RunRow } from '../ports.ts'

/** Checkpoints of runs (L3, L4). */
export const runContract = (get: () => StoreUnderTest): void => {
  describe('runs', () => {
    let prefix: string
    let ownerUuid: string
    const claim = (partition: number, next: number, epoch = 1): { partition: number; epoch: number; next: number } => ({
      partition,
      epoch,
      next,
    })
    const run = (change: Partial<RunRow> = {}): RunRow => ({
      runId: `run_${randomUUID()}`,
      tenant: 'default',
      partition: 0,
      status: 'running',
      wakeAtMs: null,
      seq: 3,
      appliedOffset: 7,
      formatVersion: 1,
      engineVersion: 1,
      body: '{"text":"\\u0000 \\" Grüße 🎈"}',
      ...change,
    })
    const positions = async (): Promise<readonly number[]> => {
      const { rows } = await get().db.query<{ next: string }>('select next from log_partitions where prefix = $1 order by partition', [
        prefix,
      ])
      return rows.map(({ next }) => Number(next))
    }
    beforeEach(async () => {
      prefix = `p-${randomUUID()}`
      ownerUuid = randomUUID()
      const { leases } = get().stores
      await leases.install({ prefix, partitions: 3, topicId: 't', engineVersion: 1 })
      await leases.acquire({ prefix, ownerUuid, wanted: [0, 1], leaseMs: 60_000 })
    })

    it('L3: states and positions are there together, and read back as written', async () => {
      const { runs } = get().stores
      const rows = [run(), run({ status: 'waiting', wakeAtMs: 1_900_000_000_123, partition: 1 })]
      await runs.checkpoint({ ownerUuid, partitions: [claim(0, 8), claim(1, 9)], runs: rows })
      const loaded = await runs.load(rows.map(({ runId }) => runId))
      expect(loaded.toSorted((a, b) => a.partition - b.partition)).toEqual(rows)
      expect(await positions()).toEqual([8, 9, 0])
    })

    it('L3: a later snapshot replaces the earlier one', async () => {
      const { runs } = get().stores
      const before = run()
      const after = { ...before, status: 'ended' as const, seq: 9, appliedOffset: 20, body: '{"done":true}' }
      await runs.checkpoint({ ownerUuid, partitions: [claim(0, 8)], runs: [before] })
      await runs.checkpoint({ ownerUuid, partitions: [claim(0, 21)], runs: [after] })
      expect(await runs.load([before.runId])).toEqual([after])
    })

    it('L3: moves positions without any run, and does nothing for nothing', async () => {
      const { runs } = get().stores
      await runs.checkpoint({ ownerUuid, partitions: [claim(0, 8)], runs: [] })
      await runs.checkpoint({ ownerUuid, partitions: [], runs: [] })
      expect(await positions()).toEqual([8, 0, 0])
    })

    it.each([
      ['another owner', { owner: 'somebody', epoch: 1, partition: 1 }],
      ['an older epoch', { owner: undefined, epoch: 0, partition: 1 }],
      ['a partition that was never taken', { owner: undefined, epoch: 1, partition: 2 }],
    ])('L4: refuses %s, and writes nothing at all', async (_, { owner, epoch, partition }) => {
      const { runs } = get().stores
      const row = run()
      const refused = runs.checkpoint({ ownerUuid: owner ?? ownerUuid, partitions: [claim(0, 8), claim(partition, 9, epoch)], runs: [row] })
      await expect(refused).rejects.toMatchObject({ code: 'lease.lost' })
      expect(await runs.load([row.runId])).toEqual([])
      expect(await positions()).toEqual([0, 0, 0])
    })

    it('L4: refuses a run on a partition that the checkpoint does not claim', async () => {
      const row = run({ partition: 1 })
      await expect(get().stores.runs.checkpoint({ ownerUuid, partitions: [claim(0, 8)], runs: [row] })).rejects.toMatchObject({
        code: 'lease.lost',
      })
    })

    it('L3: a large snapshot is one transaction', async () => {
      const { runs } = get().stores
      const rows = Array.from({ length: 2_300 }, () => run({ body: '{}' }))
      await expect(runs.checkpoint({ ownerUuid, partitions: [claim(0, 8, 5)], runs: rows })).rejects.toMatchObject({ code: 'lease.lost' })
      expect(await runs.load(rows.map(({ runId }) => runId))).toEqual([])
      await runs.checkpoint({ ownerUuid, partitions: [claim(0, 8)], runs: rows })
      expect(await runs.load(rows.map(({ runId }) => runId))).toHaveLength(2_300)
    })

    it('gives the timers of open runs of a partition, earliest first', async () => {
      const { runs } = get().stores
      const base = 4_000_000_000_000
      const [late, early, ended, idle, elsewhere] = [
        run({ wakeAtMs: base + 2, status: 'waiting' }),
        run({ wakeAtMs: base + 1 }),
        run({ wakeAtMs: base, status: 'ended' }),
        run({ wakeAtMs: null }),
        run({ wakeAtMs: base, partition: 1 }),
      ] as const
      await runs.checkpoint({ ownerUuid, partitions: [claim(0, 8), claim(1, 1)], runs: [late, early, ended, idle, elsewhere] })
      expect((await runs.timers(0)).filter(({ wakeAtMs }) => wakeAtMs >= base)).toEqual([
        { runId: early.runId, wakeAtMs: base + 1 },
        { runId: late.runId, wakeAtMs: base + 2 },
      ])
    })
  })
}
