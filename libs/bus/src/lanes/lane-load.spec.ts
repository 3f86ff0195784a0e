// What a tenant or a class feels while others flood, on a simulated clock: the promises of `npm run bench:bus`, without the machine's noise.
import { describe, expect, it } from '@jest/globals'
import { percentile, simulate, type Load } from './lane-load.fixture.ts'

/** Of the machine; the simulated times are asserted below. */
const TIMEOUT_MS = 60_000
const SLOTS = 8
const HANDLER_MS = 10
const CAPACITY_PER_S = (SLOTS * 1_000) / HANDLER_MS
const CLASSES = ['work.high', 'work', 'work.bulk']

describe('a tenant within its share', () => {
  const load = (flood: number, lanes: Load['lanes']): Load => ({
    topics: ['work'],
    partitions: 6,
    handlerMs: HANDLER_MS,
    forMs: 5_000,
    producers: [
      { tenant: 'quiet', topic: 'work', perSecond: 10 },
      { tenant: 'flood', topic: 'work', perSecond: flood },
    ],
    lanes: { concurrencyMax: SLOTS, ...lanes },
  })

  it.each([
    { flood: 1_000, what: '100 times as much as it' },
    { flood: 10_000, what: '1,000 times as much as it' },
  ])(
    'lanes/S5: has a p95 of at most half more while another sends $what',
    async ({ flood }) => {
      const alone = (await simulate(load(0, {}))).times.get('quiet/work') ?? []
      const { times, produced } = await simulate(load(flood, {}))
      const beside = times.get('quiet/work') ?? []
      expect(beside.length).toBeGreaterThanOrEqual((produced.get('quiet/work') ?? 0) - 1)
      expect(percentile(beside, 0.95)).toBeLessThanOrEqual(1.5 * percentile(alone, 0.95))
      expect(times.get('flood/work')?.length).toBeGreaterThan(0.8 * 5 * CAPACITY_PER_S * (7 / 8))
    },
    TIMEOUT_MS,
  )
})

describe('what is urgent', () => {
  const load = (times: number): Load => ({
    topics: CLASSES,
    partitions: 3,
    handlerMs: HANDLER_MS,
    forMs: 6_000,
    producers: [
      { tenant: 'one', topic: 'work.high', perSecond: 50, bytes: 1_000 },
      ...['work', 'work.bulk'].map((topic) => ({
        tenant: 'one',
        topic,
        perSecond: Math.max(0, (CAPACITY_PER_S * times - 50) / 2),
        bytes: 1_000,
      })),
    ],
    lanes: { concurrencyMax: SLOTS },
  })

  it.each([2, 10])(
    'lanes/S6: has a p99 within three times of what it has alone at %d times the capacity; memory stays flat',
    async (times) => {
      const alone = (await simulate(load(0))).times.get('one/work.high') ?? []
      const loaded = await simulate(load(times))
      const beside = loaded.times.get('one/work.high') ?? []
      expect(beside.length).toBeGreaterThanOrEqual(0.99 * (loaded.produced.get('one/work.high') ?? 0))
      expect(percentile(beside, 0.99)).toBeLessThanOrEqual(3 * percentile(alone, 0.99))
      expect(loaded.times.get('one/work.bulk')?.length).toBeGreaterThan(0)
      const half = loaded.heldBytes.length / 2
      expect(Math.max(...loaded.heldBytes)).toBeLessThanOrEqual(64 * 1_048_576)
      expect(Math.max(...loaded.heldBytes.slice(half))).toBeLessThanOrEqual(32 * 1_048_576)
    },
    TIMEOUT_MS,
  )
})
