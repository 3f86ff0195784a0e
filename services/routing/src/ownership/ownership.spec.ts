import { afterEach, describe, expect, it } from '@jest/globals'
import type { LeaseStore, PartitionLease } from '@baton/store'
import type { Logger } from '@baton/telemetry'
import { Ownership } from './ownership.ts'

const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => silent }
const lease = (partition: number): PartitionLease => ({ partition, topicId: 't', next: 0, epoch: 1, suspectOffset: null, crashCount: 0 })
const PARTITIONS = [0, 1]

/** The database at the outer edge, with faults that databases have. */
const database = () => {
  const state = { free: new Set(PARTITIONS), stolen: new Set<number>(), down: false, releases: 0, acquired: [] as (readonly number[])[] }
  const leases: LeaseStore = {
    install: async () => undefined,
    engineVersion: async () => undefined,
    raiseEngine: async () => undefined,
    acquire: async ({ wanted }) => {
      if (state.down) throw new Error('connection refused')
      state.acquired.push(wanted)
      const taken = wanted.filter((partition) => !state.stolen.has(partition))
      for (const partition of taken) state.free.delete(partition)
      return taken.map(lease)
    },
    renew: async () => {
      if (state.down) throw new Error('connection refused')
      return PARTITIONS.filter((partition) => !state.free.has(partition) && !state.stolen.has(partition))
    },
    release: async () => {
      state.releases += 1
    },
    suspect: async () => undefined,
  }
  return { state, leases }
}

const opened: Ownership[] = []
// A test that fails must not leave timers behind: they would keep the process alive.
afterEach(() => Promise.all(opened.splice(0).map((ownership) => ownership.close())))

const start = async (leases: LeaseStore, clock: { nowMs: number }, onOpen: (lease: PartitionLease) => void = () => undefined) => {
  const seen: string[] = []
  const ownership = new Ownership({
    leases,
    prefix: '',
    ownerUuid: 'owner',
    partitions: PARTITIONS.length,
    leaseMs: 40,
    pollMs: 5,
    monotonicMs: () => clock.nowMs,
    logger: silent,
    onTaken: async (taken) => {
      onOpen(taken)
      seen.push(`taken ${taken.partition}`)
    },
    onLost: (partition) => void seen.push(`lost ${partition}`),
  })
  opened.push(ownership)
  await ownership.start()
  return { ownership, seen }
}
const eventually = async (check: () => boolean): Promise<void> => {
  for (let tries = 0; tries < 400 && !check(); tries += 1) await new Promise((tick) => setTimeout(tick, 5))
  expect(check()).toBe(true)
}

describe('ownership of log partitions (L4)', () => {
  it('O5: who stands aside gives everything back and takes nothing until it comes back', async () => {
    const { state, leases } = database()
    const clock = { nowMs: 0 }
    const { ownership, seen } = await start(leases, clock)
    await ownership.standAside()
    expect(seen.slice(-2)).toEqual(['lost 0', 'lost 1'])
    expect(state.releases).toBe(1)
    const asked = state.acquired.length
    await new Promise((resolve) => setTimeout(resolve, 40))
    expect(state.acquired).toHaveLength(asked)
    ownership.comeBack()
    for (let tries = 0; tries < 200 && !ownership.owns(0); tries += 1) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(ownership.owns(0)).toBe(true)
  })

  it('ownership/O1: allows deciding only while the last confirmed renewal is younger than half the lease', async () => {
    const clock = { nowMs: 1_000 }
    const { leases, state } = database()
    const { ownership } = await start(leases, clock)
    expect(ownership.confirmed()).toBe(true)
    state.down = true
    clock.nowMs += 21
    expect(ownership.confirmed()).toBe(false)
  })

  it('ownership/O2: reports a partition lost once, and takes it again when it is free', async () => {
    const clock = { nowMs: 1_000 }
    const { leases, state } = database()
    const { ownership, seen } = await start(leases, clock)
    state.stolen.add(1)
    await eventually(() => seen.includes('lost 1'))
    expect(ownership.owns(1)).toBe(false)
    state.stolen.delete(1)
    await eventually(() => seen.filter((line) => line === 'taken 1').length === 2)
    expect(seen).toEqual(['taken 0', 'taken 1', 'lost 1', 'taken 1'])
  })

  it('ownership/O2: releases everything at the end, once', async () => {
    const { leases, state } = database()
    const { ownership } = await start(leases, { nowMs: 1_000 })
    await ownership.close()
    expect([state.releases, ownership.confirmed()]).toEqual([1, false])
    opened.length = 0
  })

  it('ownership/O3: owns nothing when the database stays away', async () => {
    const clock = { nowMs: 1_000 }
    const { leases, state } = database()
    const { ownership, seen } = await start(leases, clock)
    state.down = true
    clock.nowMs += 100
    await eventually(() => seen.includes('lost 0') && seen.includes('lost 1'))
    expect([ownership.owns(0), ownership.owns(1)]).toEqual([false, false])
  })

  it('ownership/O4: does not own what could not be opened, and opens it again', async () => {
    const { leases } = database()
    let failures = 2
    const { ownership, seen } = await start(leases, { nowMs: 1_000 }, ({ partition }) => {
      if (partition === 1 && failures > 0) {
        failures -= 1
        throw new Error('its timers could not be read')
      }
    })
    expect([ownership.owns(0), ownership.owns(1)]).toEqual([true, false])
    await eventually(() => seen.includes('lost 1'))
    expect(seen.filter((line) => line === 'taken 1')).toEqual([])
  })

  it('ownership/O4: takes what was dropped at once, and what is dropped again and again later and later', async () => {
    const clock = { nowMs: 1_000 }
    const { leases, state } = database()
    const { ownership } = await start(leases, clock)
    ownership.drop(0)
    await eventually(() => ownership.owns(0))
    ownership.drop(0)
    const before = state.acquired.length
    await new Promise((tick) => setTimeout(tick, 40))
    expect([ownership.owns(0), state.acquired.length]).toEqual([false, before]) // The clock stands still.
    clock.nowMs += 6
    await eventually(() => ownership.owns(0))
  })

  it('takes nothing more while it drains, and keeps what it has', async () => {
    const { leases, state } = database()
    state.stolen.add(1)
    const { ownership } = await start(leases, { nowMs: 1_000 })
    ownership.drain()
    state.stolen.delete(1)
    await new Promise((tick) => setTimeout(tick, 30))
    expect([ownership.owns(0), ownership.owns(1)]).toEqual([true, false])
  })
})
