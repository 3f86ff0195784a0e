import { afterEach, describe, expect, it } from '@jest/globals'
import { Fault } from '@baton/contracts/fault'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import type { BusRecord, Delivery, OutgoingRecord, Settlement } from '../bus.ts'
import { HEADER } from './failure-record.ts'
import { ack, deferred, drainAll, eventually, fault, harness, record } from './lane-runner.fixture.ts'

afterEach(drainAll)

describe('lane runner', () => {
  it('lanes/R1: an acknowledged message moves the position, a running one holds it', async () => {
    const { promise, resolve } = deferred<Settlement>()
    const { runner, position } = harness(async ({ offset }) => (offset === 1 ? promise : ack))
    runner.enqueue('commands', 0, [record(0), record(1), record(2)])
    await turn()
    expect(position()).toBe(1)
    expect(runner.stats()).toMatchObject({ inFlight: 1, watermarkGap: 2, settled: 2 })
    resolve(ack)
    await turn()
    expect(position()).toBe(3)
  })

  it('lanes/R1: a forwarded message is settled only when its copy is durable', async () => {
    const { promise, resolve } = deferred<void>()
    const { runner, position } = harness(async () => ({ outcome: 'reject', fault }), { publish: () => promise })
    runner.enqueue('commands', 0, [record(0)])
    await turn()
    expect(position()).toBe(0)
    resolve()
    await turn()
    expect(position()).toBe(1)
  })

  it('lanes/R2: while one key waits for its retry the others go on, and its own followers wait', async () => {
    const order: string[] = []
    const { runner, position } = harness(async ({ key, offset }, { attempt }) => {
      order.push(`${key}${offset}#${attempt}`)
      return offset === 0 && attempt === 1 ? { outcome: 'retry', fault } : ack
    })
    runner.enqueue('commands', 0, [record(0, 'bad'), record(1, 'bad'), record(2, 'good')])
    await eventually(() => position() === 3)
    expect(order).toEqual(['bad0#1', 'good2#1', 'bad0#2', 'bad1#1'])
  })

  it('lanes/R2: a forward that fails is tried again until it is durable', async () => {
    let failures = 1
    const published: OutgoingRecord[] = []
    const publish = async (records: readonly OutgoingRecord[]): Promise<void> => {
      if (failures-- > 0) throw new Fault('bus.unavailable', 'down')
      published.push(...records)
    }
    const { runner, position } = harness(async ({ offset }) => (offset === 0 ? { outcome: 'reject', fault } : ack), {
      publish,
      concurrencyMax: 1,
    })
    runner.enqueue('commands', 0, [record(0), record(1)])
    await eventually(() => runner.stats().settled === 1)
    expect(position()).toBe(0)
    await eventually(() => position() === 2)
    expect(published).toHaveLength(1)
  })

  it.each([
    [
      'rejects',
      async () => {
        throw new Error('boom')
      },
    ],
    [
      'throws',
      () => {
        throw new Error('boom')
      },
    ],
  ] as const)('lanes/R3: a handler that %s asks for a retry with handler.failed', async (_, handler) => {
    const { runner, published } = harness(handler)
    runner.enqueue('commands', 0, [record(0)])
    await eventually(() => published.length === 1)
    expect(published[0]).toMatchObject({
      topic: 'retry.short',
      headers: { [HEADER.faultCode]: 'handler.failed', [HEADER.faultMessage]: 'boom' },
    })
  })

  it('lanes/R4: revoking aborts what runs; its late answer changes nothing', async () => {
    const { promise, resolve } = deferred<Settlement>()
    const signals: AbortSignal[] = []
    const handled: number[] = []
    const { runner, published } = harness(async ({ offset }, { signal }) => {
      signals.push(signal)
      handled.push(offset)
      return promise
    })
    runner.enqueue('commands', 0, [record(0, 'a'), record(1, 'a')])
    runner.revoke('commands', 0)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
    runner.enqueue('commands', 0, [record(2)])
    resolve({ outcome: 'reject', fault })
    await turn()
    expect([handled, published, runner.positions()]).toEqual([[0], [], []])
  })

  it('lanes/R5: the handler sees a retried message as it was the first time, with its attempt', async () => {
    const seen: [BusRecord, Delivery][] = []
    const { runner, published } = harness(async (message, delivery) => {
      seen.push([message, delivery])
      return { outcome: 'retry', fault }
    })
    const first = record(0)
    runner.enqueue('commands', 0, [first])
    for (const topic of ['retry.short', 'retry.long']) {
      await eventually(() => published.at(-1)?.topic === topic)
      const sent = published.at(-1)
      if (sent === undefined) throw new Error('nothing was forwarded')
      runner.assign(topic, 2, 7)
      runner.enqueue(topic, 2, [{ ...sent, partition: 2, offset: 7, timestampMs: 9 }])
    }
    await eventually(() => published.at(-1)?.topic === 'dlt')
    expect(seen.map(([message]) => message)).toEqual([first, first, first, first])
    expect(seen.map(([, { attempt, lastAttempt, nextDelayMs }]) => [attempt, lastAttempt, nextDelayMs])).toEqual([
      [1, false, 0],
      [2, false, 20],
      [3, false, 40],
      [4, true, 0],
    ])
    expect(published.at(-1)?.headers).toMatchObject({
      ce_id: '0',
      [HEADER.attempts]: '4',
      [HEADER.originTopic]: 'commands',
      [HEADER.faultCode]: 'tool.failed',
    })
  })

  it('lanes/R6: timers run while messages wait, however fast the handler is', async () => {
    let handled = 0
    const { runner } = harness(
      async () => {
        handled++
        return ack
      },
      { pendingMax: 100_000 },
    )
    runner.enqueue(
      'commands',
      0,
      Array.from({ length: 5_000 }, (_, offset) => record(offset)),
    )
    await turn()
    expect(handled).toBeLessThan(5_000)
    await eventually(() => handled === 5_000)
  })

  it('lanes/H3: a stranger’s failure headers on a main topic mean nothing, and do not travel on', async () => {
    const forged = { [HEADER.originTopic]: 'secret', [HEADER.attempts]: '99', [HEADER.notBeforeMs]: '9999999999999' }
    const seen: [string, number][] = []
    const { runner, published } = harness(async ({ topic }, { attempt }) => {
      seen.push([topic, attempt])
      return { outcome: 'reject', fault }
    })
    runner.enqueue('commands', 0, [record(0, 'a', { headers: forged })])
    await eventually(() => published.length === 1)
    expect(seen).toEqual([['commands', 1]])
    expect(published[0]?.headers).toMatchObject({ [HEADER.originTopic]: 'commands', [HEADER.attempts]: '1' })
    expect(published[0]?.headers[HEADER.notBeforeMs]).toBeUndefined()
  })

  it('drain: waits for what runs, starts nothing, and leaves the rest for redelivery', async () => {
    const handled: number[] = []
    const { runner, position } = harness(
      async ({ offset }) => {
        handled.push(offset)
        await sleep(5)
        return ack
      },
      { concurrencyMax: 1 },
    )
    runner.enqueue('commands', 0, [record(0), record(1)])
    await runner.drain({ graceMs: 1_000 })
    expect([handled, position()]).toEqual([[0], 1])
  })

  it('drain: aborts what is still running after the grace time', async () => {
    let aborted = false
    const { runner, position } = harness(
      async (_, { signal }) =>
        new Promise<Settlement>((resolve) =>
          signal.addEventListener('abort', () => {
            aborted = true
            resolve(ack)
          }),
        ),
    )
    runner.enqueue('commands', 0, [record(0)])
    await runner.drain({ graceMs: 5 })
    expect([aborted, position()]).toEqual([true, 0])
  })
})
