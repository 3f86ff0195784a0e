import { afterEach, describe, expect, it } from '@jest/globals'
import { setImmediate as turn } from 'node:timers/promises'
import type { BusRecord, Settlement } from '../bus.ts'
import { encodeFailure, HEADER } from './failure-record.ts'
import { ack, deferred, drainAll, eventually, harness, record } from './lane-runner.fixture.ts'

afterEach(drainAll)

describe('what a lane consumer holds', () => {
  it('lanes/Q1: a record of a retry topic waits until it is due, and the position with it', async () => {
    const at: number[] = []
    const { runner, flow, published } = harness(async ({ topic }) => {
      at.push(Date.now())
      return topic === 'commands' && at.length === 1 ? { outcome: 'defer', untilMs: Date.now() + 15, reason: 'breaker open' } : ack
    })
    runner.enqueue('commands', 0, [record(0)])
    await eventually(() => published.length === 1)
    const [sent] = published
    if (sent === undefined) throw new Error('nothing was forwarded')
    expect(sent.headers).toMatchObject({ [HEADER.attempt]: '1' })
    runner.assign('retry.short', 0, 0)
    runner.enqueue('retry.short', 0, [{ ...sent, partition: 0, offset: 0, timestampMs: 9 }])
    await eventually(() => at.length === 2)
    expect(at[1]).toBeGreaterThanOrEqual(Number(sent.headers[HEADER.notBeforeMs]))
    await eventually(() => runner.positions().some(({ topic, next }) => topic === 'retry.short' && next === 1))
    expect(flow).toEqual([])
  })

  it('lanes/Q1: what is due first goes first, whatever stands before it in the topic; what was written first, when both are due', async () => {
    const order: number[] = []
    const now = { ms: 10_000 }
    const { runner } = harness(
      async ({ offset }) => {
        order.push(offset)
        return ack
      },
      { nowMs: () => now.ms, concurrencyMax: 1 },
    )
    const waiting = (at: number, origin: number, dueMs: number): BusRecord => {
      const from = { topic: 'commands', partition: 0, offset: origin, timestampMs: origin }
      const { headers } = encodeFailure('retry.long', record(origin), { origin: from, attempts: 1, stage: 1, notBeforeMs: dueMs })
      return record(at, `k${origin}`, { topic: 'retry.long', headers })
    }
    runner.assign('retry.long', 0, 0)
    runner.enqueue('retry.long', 0, [waiting(0, 7, 10_030), waiting(1, 5, 10_030), waiting(2, 9, 10_005)])
    expect(runner.stats()).toMatchObject({ watermarkGap: 0, oldestMs: 0, retryDepth: { 'retry.long': 3 } })
    now.ms = 10_010
    await eventually(() => order.length === 1)
    now.ms = 10_030
    await eventually(() => order.length === 3)
    expect(order).toEqual([9, 5, 7])
  })

  it('lanes/Q1, Q2: a retry partition with much that is not due pauses, and resumes when half of it is gone', async () => {
    const now = { ms: 10_000 }
    const { runner, flow } = harness(async () => ack, { nowMs: () => now.ms })
    const dueAt = (offset: number): BusRecord => {
      const from = { topic: 'commands', partition: 0, offset, timestampMs: offset }
      return record(offset, 'k', {
        topic: 'retry.long',
        headers: encodeFailure('retry.long', record(offset), { origin: from, attempts: 1, stage: 1, notBeforeMs: 10_020 }).headers,
      })
    }
    runner.assign('retry.long', 0, 0)
    runner.enqueue(
      'retry.long',
      0,
      Array.from({ length: 300 }, (_, offset) => dueAt(offset)),
    )
    expect(flow).toEqual(['pause retry.long'])
    now.ms = 10_020
    await eventually(() => runner.stats().settled === 300)
    expect(flow).toEqual(['pause retry.long', 'resume retry.long'])
  })

  it('lanes/Q2, S2: a stuck message stops its key alone, until the gap behind it is as large as it may be', async () => {
    const { promise, resolve } = deferred<Settlement>()
    const { runner, flow, position } = harness(async ({ key }) => (key === 'stuck' ? promise : ack), { pendingMax: 4, gapMax: 14 })
    runner.enqueue('commands', 0, [record(0, 'stuck'), record(1), record(2)])
    await turn()
    runner.enqueue('commands', 0, [record(3), record(4), record(5), record(6)])
    await turn()
    expect([position(), runner.stats().settled, flow]).toEqual([0, 6, ['pause commands', 'resume commands']])
    flow.length = 0
    for (const from of [7, 10]) runner.enqueue('commands', 0, [record(from), record(from + 1), record(from + 2)])
    runner.enqueue('commands', 0, [record(13)])
    await turn()
    expect([flow.at(-1), runner.stats()]).toMatchObject(['pause commands', { watermarkGap: 14, settled: 13, paused: 1 }])
    resolve(ack)
    await turn()
    expect([position(), flow.at(-1)]).toEqual([14, 'resume commands'])
  })

  it('lanes/M1: when the memory of all partitions is full, bulk stops first and high goes on', async () => {
    const { runner, flow } = harness(async () => new Promise<Settlement>(() => {}), {
      topics: ['commands.high', 'commands', 'commands.bulk'],
      memoryMessagesMax: 16,
      concurrencyMax: 1,
    })
    for (const topic of ['commands.high', 'commands.bulk']) runner.assign(topic, 0, 0)
    const take = (topic: string, from: number, count: number): void =>
      runner.enqueue(
        topic,
        0,
        Array.from({ length: count }, (_, n) => record(from + n, `${topic}${from + n}`, { topic })),
      )
    take('commands.bulk', 0, 12)
    expect(flow).toEqual(['pause commands.bulk'])
    take('commands', 0, 2)
    expect(flow).toEqual(['pause commands.bulk', 'pause commands'])
    take('commands.high', 0, 2)
    expect(flow).toEqual(['pause commands.bulk', 'pause commands', 'pause commands.high'])
    runner.revoke('commands.bulk', 0)
    expect(flow.slice(3).toSorted()).toEqual(['resume commands', 'resume commands.high'])
    expect(runner.stats()).toMatchObject({ partitions: 2, paused: 0, ownershipChanges: 4 })
  })

  it('lanes/R7, O1: what is too much of one tenant waits in a retry topic, not as an attempt, and those behind it are handled', async () => {
    const now = { ms: 10_000 }
    const handled: string[] = []
    const { runner, published, position } = harness(
      async ({ key, headers }) => {
        handled.push(key)
        return headers['ce_tenant'] === 'flood' ? new Promise<Settlement>(() => {}) : ack
      },
      { tenantPendingMax: 3, pendingMax: 50, nowMs: () => now.ms },
    )
    const of = (tenant: string, from: number, count: number): BusRecord[] =>
      Array.from({ length: count }, (_, n) => record(from + n, `${tenant}${from + n}`, { headers: { ce_tenant: tenant } }))
    runner.enqueue('commands', 0, [...of('quiet', 0, 1), ...of('flood', 1, 3)])
    now.ms += 600
    runner.enqueue('commands', 0, [...of('flood', 4, 17), ...of('quiet', 21, 1)])
    await eventually(() => published.length === 17 && handled.length === 5)
    expect(handled.toSorted()).toEqual(['flood1', 'flood2', 'flood3', 'quiet0', 'quiet21'])
    expect(published[0]).toMatchObject({ topic: 'retry.long', headers: { [HEADER.attempt]: '1', ce_tenant: 'flood' } })
    await eventually(() => runner.stats().settled === 19)
    expect([position(), runner.stats().heldBytes > 0]).toEqual([1, true])
  })

  it('lanes/R4: what is revoked while it is handled is aborted, settles nothing and leaves the memory to others', async () => {
    const { promise, resolve } = deferred<Settlement>()
    const signals: AbortSignal[] = []
    const { runner } = harness(async (_, { signal }) => {
      signals.push(signal)
      return promise
    })
    runner.enqueue('commands', 0, [record(0), record(1)])
    await turn()
    runner.revoke('commands', 0)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
    resolve(ack)
    await turn()
    expect(runner.positions()).toEqual([])
    expect(runner.stats()).toMatchObject({ settled: 0, heldBytes: 0, inFlight: 0, lanes: 0 })
  })

  it('lanes/Q2: at pendingMax the partition pauses, at half of it it resumes', async () => {
    const waiting: (() => void)[] = []
    const { runner, flow } = harness(async () => new Promise<Settlement>((resolve) => waiting.push(() => resolve(ack))), { pendingMax: 4 })
    runner.enqueue(
      'commands',
      0,
      [0, 1, 2, 3].map((offset) => record(offset)),
    )
    expect(flow).toEqual(['pause commands'])
    waiting.shift()?.()
    await turn()
    expect(flow).toEqual(['pause commands'])
    waiting.shift()?.()
    await turn()
    expect(flow).toEqual(['pause commands', 'resume commands'])
  })

  it('lanes/Q3: records fetched twice are handled once', async () => {
    const handled: number[] = []
    const { runner } = harness(async ({ offset }) => {
      handled.push(offset)
      return ack
    })
    runner.enqueue('commands', 0, [record(0), record(1)])
    runner.enqueue('commands', 0, [record(1), record(2)])
    await turn()
    expect(handled).toEqual([0, 1, 2])
  })
})
