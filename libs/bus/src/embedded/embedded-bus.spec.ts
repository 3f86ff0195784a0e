import { afterEach, describe, expect, it } from '@jest/globals'
import type { FaultData } from '@baton/contracts/fault'
import type { TopicSpec } from '@baton/contracts/topics'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BusRecord, LaneHandler, OutgoingRecord } from '../bus.ts'
import { openEmbeddedBus, type EmbeddedBus, type EmbeddedBusOptions } from './embedded-bus.ts'
import { segmentPath } from './segment.ts'

const DAY_MS = 86_400_000
const topic = (name: string, more: Partial<TopicSpec> = {}): TopicSpec => ({
  name,
  partitions: 1,
  retentionMs: DAY_MS,
  compacted: false,
  logAppendTime: true,
  about: '',
  ...more,
})
const TOPICS = [
  topic('events'),
  topic('work'),
  topic('journal'),
  topic('dlt', { retentionMs: 10 * DAY_MS }),
  topic('config', { compacted: true }),
]

const dirs: string[] = []
const buses: EmbeddedBus[] = []
const freshDir = (): string => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-embedded-'))
  dirs.push(dir)
  return dir
}
const open = async (options: Partial<EmbeddedBusOptions> & { dir: string }): Promise<EmbeddedBus> => {
  const bus = await openEmbeddedBus({ topics: TOPICS, keepTopics: ['dlt'], ...options })
  buses.push(bus)
  return bus
}
afterEach(async () => {
  for (const bus of buses.splice(0)) await bus.close()
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})

const record = (to: string, n: number, bytes = 10): OutgoingRecord => ({
  topic: to,
  key: `k${n}`,
  value: Buffer.alloc(bytes, n),
  headers: { n: String(n) },
})
const fill = async (bus: EmbeddedBus, to: string, count: number, bytes = 1_000): Promise<void> => {
  for (let n = 0; n < count; n++) await bus.publish([record(to, n, bytes)])
}
const range = async (bus: EmbeddedBus, of: string): Promise<{ first: number; next: number }> => {
  const [partition] = (await bus.describe(of)).partitions
  return { first: partition?.first ?? -1, next: partition?.next ?? -1 }
}
const all = async (bus: EmbeddedBus, of: string): Promise<readonly BusRecord[]> =>
  bus.read({ topic: of, partition: 0, offset: 0, limit: 10_000 })
const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await condition())) await sleep(5)
}
const lanes = async (bus: EmbeddedBus, handler: LaneHandler, of = 'work') =>
  bus.lanes({ group: 'g', topics: [of], handler, retry: { laneAttemptsMax: 1, laneDelayMs: 1, retryTopics: [], deadLetterTopic: 'dlt' } })

/** Small enough that a few hundred records fill it. */
const SMALL = { segmentBytesMax: 8_000, diskBytesMax: 64_000, cacheBytesMax: 10_000 }

describe('embedded log', () => {
  it('D1, N2: nobody sees a record before `publish` could resolve', async () => {
    const bus = await open({ dir: freshDir() })
    const seen: number[] = []
    const reader = await bus.log({
      topic: 'events',
      onFault: () => {},
      onBatch: (_, records) => void seen.push(...records.map(({ offset }) => offset)),
    })
    await reader.seek(0, 0)
    const publishing = bus.publish([record('events', 1)])
    expect([seen, (await range(bus, 'events')).next]).toEqual([[], 0])
    const [place] = await publishing
    expect([place?.offset, (await range(bus, 'events')).next]).toEqual([0, 1])
    await until(() => seen.length === 1)
  })

  it('D2, N1: concurrent appends get every offset once, in the order of the calls', async () => {
    const bus = await open({ dir: freshDir() })
    const places = await Promise.all(Array.from({ length: 200 }, async (_, n) => bus.publish([record(n % 2 === 0 ? 'events' : 'work', n)])))
    expect(places.flat().map(({ offset }) => offset)).toEqual(Array.from({ length: 200 }, (_, n) => Math.floor(n / 2)))
  })

  it('N1: times never go back, even when the clock does', async () => {
    let nowMs = 5_000
    const bus = await open({ dir: freshDir(), nowMs: () => nowMs })
    await bus.publish([record('events', 0)])
    nowMs = 3_000
    await bus.publish([record('events', 1)])
    expect((await all(bus, 'events')).map(({ timestampMs }) => timestampMs)).toEqual([5_000, 5_000])
  })

  it('D3: after a write that failed nothing more is taken, and offsets given out for it are not seen', async () => {
    const dir = freshDir()
    const faults: string[] = []
    const bus = await open({ dir, onFault: ({ code }) => faults.push(code), segmentBytesMax: 2_000 })
    await bus.publish([record('events', 0, 3_000)])
    rmSync(dir, { recursive: true }) // The next segment cannot be made.
    await expect(bus.publish([record('events', 1)])).rejects.toMatchObject({ name: 'Fault' })
    await expect(bus.publish([record('events', 2)])).rejects.toMatchObject({ name: 'Fault' })
    expect(faults).toHaveLength(1)
    expect((await range(bus, 'events')).next).toBe(1)
    buses.splice(buses.indexOf(bus), 1)
    await expect(bus.close()).rejects.toMatchObject({ name: 'Fault' })
  })

  it('D4: a full log refuses with disk.full and takes records again when a checkpoint freed it', async () => {
    const bus = await open({ dir: freshDir(), ...SMALL })
    await bus.log({ topic: 'events', onBatch: () => {}, onFault: () => {} })
    let taken = 0
    const error = await (async () => {
      for (;;) {
        try {
          await bus.publish([record('events', taken % 200, 500)])
          taken++
        } catch (thrown) {
          return thrown
        }
      }
    })()
    expect(error).toMatchObject({ code: 'disk.full', detail: { neededBy: 'the log reader of events/0 at 0' } })
    expect(bus.usage().usedBytes).toBeLessThanOrEqual(SMALL.diskBytesMax)
    expect((await range(bus, 'events')).first).toBe(0)
    bus.trim('events', 0, taken - 5)
    await until(async () => (await range(bus, 'events')).first > 0)
    await bus.publish([record('events', 1, 500)])
  })

  it('K1: what a consumer group has not settled yet is kept, and freed once it has', async () => {
    const bus = await open({ dir: freshDir(), ...SMALL })
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    let handled = 0
    await lanes(bus, async () => {
      await held
      handled++
      return { outcome: 'ack' }
    })
    await fill(bus, 'work', 40)
    expect((await range(bus, 'work')).first).toBe(0)
    release()
    await until(() => handled === 40)
    await sleep(200) // until positions are stored
    await fill(bus, 'journal', 20)
    await until(async () => (await range(bus, 'work')).first > 0)
  })

  it('K1: a log reader’s position holds what is behind it; seeking before the rest is log.truncated', async () => {
    const bus = await open({ dir: freshDir(), ...SMALL })
    const faults: FaultData[] = []
    const reader = await bus.log({ topic: 'events', onBatch: () => {}, onFault: (_, fault) => faults.push(fault) })
    await fill(bus, 'events', 30)
    expect((await range(bus, 'events')).first).toBe(0)
    bus.trim('events', 0, 25)
    await fill(bus, 'journal', 20)
    await until(async () => (await range(bus, 'events')).first > 0)
    const { first } = await range(bus, 'events')
    expect(first).toBeLessThanOrEqual(25)
    await reader.seek(0, first - 1)
    expect(faults.map(({ code }) => code)).toEqual(['log.truncated'])
  })

  it('K2: what nobody reads goes when its retention is over', async () => {
    let nowMs = 1_000
    const dir = freshDir()
    const bus = await open({ dir, segmentBytesMax: 8_000, nowMs: () => nowMs })
    await fill(bus, 'journal', 20)
    expect((await range(bus, 'journal')).first).toBe(0)
    nowMs += DAY_MS + 1
    await fill(bus, 'journal', 10)
    await until(async () => (await range(bus, 'journal')).first > 0)
    expect((await all(bus, 'journal')).at(0)?.offset).toBe((await range(bus, 'journal')).first)
  })

  it('K2: under pressure what nobody needs goes before its retention, oldest first', async () => {
    const dir = freshDir()
    const bus = await open({ dir, ...SMALL })
    await fill(bus, 'journal', 200)
    const { first, next } = await range(bus, 'journal')
    expect(next).toBe(200)
    expect(first).toBeGreaterThan(100)
    expect(bus.usage().usedBytes).toBeLessThan(SMALL.diskBytesMax)
    expect(readdirSync(dir).length).toBeLessThan(10)
    await bus.close()
    const again = await open({ dir, ...SMALL })
    expect((await range(again, 'journal')).next).toBe(200)
    expect((await all(again, 'journal')).map(({ offset }) => offset)).toEqual(Array.from({ length: 200 - first }, (_, n) => first + n))
  })

  it('K3: dead letters and the newest of each key outlive their segment, at their offsets, also after a new start', async () => {
    const dir = freshDir()
    const bus = await open({ dir, ...SMALL })
    await bus.publish([
      record('dlt', 1),
      record('config', 1),
      record('config', 2),
      record('config', 1, 20),
      { ...record('config', 2), value: Buffer.alloc(0) },
    ])
    await fill(bus, 'journal', 80)
    await bus.publish([record('dlt', 3)])
    await fill(bus, 'journal', 80)
    const check = async (log: EmbeddedBus): Promise<void> => {
      expect((await all(log, 'dlt')).map(({ offset, key, value, headers }) => [offset, key, value.length, headers])).toEqual([
        [0, 'k1', 10, { n: '1' }],
        [1, 'k3', 10, { n: '3' }],
      ])
      expect((await all(log, 'config')).map(({ offset, key, value }) => [offset, key, value.length])).toEqual([[2, 'k1', 20]])
      expect(await range(log, 'config')).toEqual({ first: 2, next: 4 })
    }
    expect((await range(bus, 'journal')).first).toBeGreaterThan(80)
    await check(bus)
    await bus.close()
    await check(await open({ dir, ...SMALL }))
  })

  it('E1: a reader that fell out of the memory goes on from disk, in order and without gaps', async () => {
    const bus = await open({ dir: freshDir(), cacheBytesMax: 5_000 })
    await fill(bus, 'events', 300, 200)
    const seen: number[] = []
    const reader = await bus.log({
      topic: 'events',
      onFault: () => {},
      onBatch: async (_, records) => {
        seen.push(...records.map(({ offset }) => offset))
        await sleep(1)
      },
    })
    await reader.seek(0, 0)
    await fill(bus, 'events', 50, 200)
    await until(() => seen.length >= 350)
    expect(seen).toEqual(Array.from({ length: 350 }, (_, n) => n))
  })

  it('E2: catching up leaves the event loop its turns', async () => {
    const bus = await open({ dir: freshDir() })
    await bus.publish(Array.from({ length: 5_000 }, (_, n) => record('events', n % 200)))
    const batches: number[] = []
    let turns = 0
    const reader = await bus.log({ topic: 'events', onFault: () => {}, onBatch: (_, records) => void batches.push(records.length) })
    await reader.seek(0, 0)
    while (batches.reduce((sum, count) => sum + count, 0) < 5_000) {
      turns++
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(Math.max(...batches)).toBeLessThanOrEqual(1_000)
    expect(turns).toBeGreaterThanOrEqual(5)
  })

  it('U1: no partition is handled by two members, and none by nobody', async () => {
    const bus = await open({ dir: freshDir(), topics: [topic('work', { partitions: 5 }), topic('dlt')] })
    const owners = new Map<number, Set<string>>()
    const join = async (name: string) =>
      lanes(bus, async ({ partition }) => {
        owners.set(partition, (owners.get(partition) ?? new Set()).add(name))
        return { outcome: 'ack' }
      })
    await join('a')
    await join('b')
    await bus.publish(Array.from({ length: 50 }, (_, n) => ({ ...record('work', n), partition: n % 5 })))
    await until(() => owners.size === 5)
    expect([...owners.values()].map(({ size }) => size)).toEqual([1, 1, 1, 1, 1])
  })

  it('U2: positions are stored while the bus runs, not only when it closes', async () => {
    const dir = freshDir()
    const bus = await open({ dir })
    let handled = 0
    await lanes(bus, async () => {
      handled++
      return { outcome: 'ack' }
    })
    await fill(bus, 'work', 5)
    await until(() => handled === 5)
    await sleep(200)
    const copy = join(freshDir(), 'copy') // what a kill would leave
    cpSync(dir, copy, { recursive: true })
    rmSync(join(copy, 'lock'))
    const later: string[] = []
    const after = await open({ dir: copy })
    await lanes(after, async ({ key }) => {
      later.push(key)
      return { outcome: 'ack' }
    })
    await after.publish([record('work', 99)])
    await until(() => later.length > 0)
    expect(later).toEqual(['k99'])
  })

  it('one directory, one process: a second opener is told who has it', async () => {
    const dir = freshDir()
    await open({ dir })
    await expect(open({ dir })).rejects.toMatchObject({ code: 'config.invalid', detail: { pid: process.pid } })
  })

  it('a lock left by a process that is gone is taken over', async () => {
    const dir = freshDir()
    writeFileSync(join(dir, 'lock'), JSON.stringify({ pid: 2 ** 22 + 1, started: '1' }))
    const bus = await open({ dir })
    await expect(bus.publish([record('work', 1)])).resolves.toHaveLength(1)
  })

  it('refuses unknown topics and partitions, values that are too large, and work after close', async () => {
    const bus = await open({ dir: freshDir(), recordBytesMax: 100 })
    await expect(bus.publish([record('nowhere', 1)])).rejects.toMatchObject({ code: 'config.invalid' })
    await expect(bus.publish([{ ...record('work', 1), partition: 7 }])).rejects.toMatchObject({ code: 'config.invalid' })
    await expect(bus.publish([record('work', 1, 101)])).rejects.toMatchObject({ code: 'request.too_large' })
    await bus.close()
    await expect(bus.publish([record('work', 1)])).rejects.toMatchObject({ code: 'bus.draining' })
    await expect(lanes(bus, async () => ({ outcome: 'ack' }))).rejects.toMatchObject({ code: 'bus.draining' })
  })

  it('makes a topic that is looked for and in no manifest; it is there with its records after a new start', async () => {
    const dir = freshDir()
    const bus = await open({ dir })
    expect(await bus.findTopic('tickets')).toBe(true)
    await bus.publish([{ ...record('tickets', 1), partition: 0 }])
    const { topicId } = await bus.describe('tickets')
    await bus.close()
    const again = await open({ dir })
    expect(await again.findTopic('tickets')).toBe(true)
    expect((await again.describe('tickets')).topicId).toBe(topicId)
    expect(await all(again, 'tickets')).toHaveLength(1)
  })

  it('prefixes keep installations in one directory apart, and partitions stay as they were made', async () => {
    const dir = freshDir()
    const blue = await open({ dir, topicPrefix: 'blue.' })
    await blue.publish([record('work', 1)])
    await blue.close()
    const green = await open({ dir, topicPrefix: 'green.', topics: [topic('work', { partitions: 4 })] })
    expect([(await range(green, 'work')).next, green.partitions('work')]).toEqual([0, 4])
    await green.close()
    const again = await open({ dir, topicPrefix: 'blue.', topics: [topic('work', { partitions: 9 })] })
    expect([(await range(again, 'work')).next, again.partitions('work')]).toEqual([1, 1])
    expect((await all(again, 'work')).map((one) => one.topic)).toEqual(['work'])
  })
})

// Where every write fails for want of space.
const describeWithFullDisk = existsSync('/dev/full') ? describe : describe.skip
describeWithFullDisk('embedded log on a full disk', () => {
  it('D3: no space left refuses with disk.full; with space again it goes on without a gap', async () => {
    const dir = freshDir()
    const bus = await open({ dir, segmentBytesMax: 2_000 })
    await bus.publish([record('events', 0, 3_000)])
    symlinkSync('/dev/full', segmentPath(dir, 2))
    const refused = [bus.publish([record('events', 1)]), bus.publish([record('work', 2)])]
    for (const one of refused) await expect(one).rejects.toMatchObject({ code: 'disk.full' })
    rmSync(segmentPath(dir, 2))
    expect(await bus.publish([record('events', 3)])).toEqual([{ partition: 0, offset: 1 }])
    await bus.close()
    const again = await open({ dir })
    expect((await all(again, 'events')).map(({ offset, key }) => [offset, key])).toEqual([
      [0, 'k0'],
      [1, 'k3'],
    ])
  })
})
