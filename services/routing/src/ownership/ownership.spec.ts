import { describe, expect, it } from '@jest/globals'
import type { LeaseStore, PartitionLease } from '@baton/store'
import type { Logger } from '@baton/telemetry'
import { startOwnership } from './ownership.ts'

const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => silent }
const lease = (partition: number): PartitionLease => ({ partition, topicId: 't', next: 0, epoch: 1, suspectOffset: null, crashCount: 0 })

/** The database at the outer edge, with faults that databases have. */
const database = () => {
  const state = { free: new Set([0, 1]), down: false, releases: 0 }
  const leases: LeaseStore = {
    install: async () => undefined,
    acquire: async ({ wanted }) => {
      if (state.down) throw new Error('connection refused')
      const taken = wanted.filter((partition) => state.free.delete(partition))
      return taken.map(lease)
    },
    renew: async () => {
      if (state.down) throw new Error('connection refused')
      return [0, 1].filter((partition) => !state.free.has(partition))
    },
    release: async () => {
      state.releases += 1
    },
    suspect: async () => undefined,
  }
  return { state, leases }
}

const start = async (leases: LeaseStore, clock: { nowMs: number }) => {
  const seen: string[] = []
  const ownership = await startOwnership({
    leases, prefix: '', ownerUuid: 'owner', partitions: 2, leaseMs: 40, pollMs: 5, monotonicMs: () => clock.nowMs, logger: silent,
    onTaken: async ({ partition }) => void seen.push(`taken ${partition}`),
    onLost: (partition) => void seen.push(`lost ${partition}`),
  })
  return { ownership, seen }
}
const eventually = async (check: () => boolean): Promise<void> => {
  for (let tries = 0; tries < 400 && !check(); tries += 1) await new Promise((tick) => setTimeout(tick, 5))
  expect(check()).toBe(true)
}

describe('ownership of log partitions (L4)', () => {
  it('ownership/O1: allows deciding only while the last confirmed renewal is younger than half the lease', async () => {
    const clock = { nowMs: 1_000 }
    const { leases, state } = database()
    const { ownership } = await start(leases, clock)
    expect(ownership.confirmed()).toBe(true)
    state.down = true
    clock.nowMs += 21
    expect(ownership.confirmed()).toBe(false)
    await ownership.close()
  })

  it('ownership/O2: reports a partition lost once, and takes it again when it is free', async () => {
    const clock = { nowMs: 1_000 }
    const { leases, state } = database()
    const { ownership, seen } = await start(leases, clock)
    state.free.add(1)
    await eventually(() => seen.filter((line) => line === 'taken 1').length === 2)
    expect(seen.filter((line) => line === 'lost 1')).toHaveLength(1)
    await ownership.close()
    expect(state.releases).toBe(1)
  })

  it('ownership/O3: owns nothing when the database stays away', async () => {
    const clock = { nowMs: 1_000 }
    const { leases, state } = database()
    const { ownership, seen } = await start(leases, clock)
    state.down = true
    clock.nowMs += 100
    await eventually(() => seen.includes('lost 0') && seen.includes('lost 1'))
    expect([ownership.owns(0), ownership.owns(1)]).toEqual([false, false])
    await ownership.close()
  })
})
