import { expect, it } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BusRecord, Delivery } from '../bus.ts'
import { decodeFailure, withoutFailure } from '../lanes/failure-record.ts'
import { ack, message, reject, RETRIES, retry, sent, until, WORK, type Suite } from './harness.ts'

/** B4: the whole ladder, and who is not held up by it. */
export const ladderContract = ({ start, lanes, deadLetters, retryDelayMs }: Suite): void => {
  it('B4: lane, retry topics, dead letters: each try told, the bytes kept, the reason given', async () => {
    const { bus } = await start()
    const tries: [BusRecord, Delivery, number][] = []
    await lanes(bus, async (record, delivery) => {
      tries.push([record, delivery, Date.now()])
      return retry()
    })
    const [place] = await bus.publish([message('poison', 1)])
    await until(() => tries.length === 4)
    const dead = await deadLetters(bus, 1)
    expect(tries.map(([, { attempt, lastAttempt, nextDelayMs }]) => [attempt, lastAttempt, nextDelayMs])).toEqual([
      [1, false, 0],
      [2, false, retryDelayMs],
      [3, false, retryDelayMs * 2],
      [4, true, 0],
    ])
    for (const [record] of tries)
      expect({ ...sent(record), ...place }).toEqual({
        ...sent(message('poison', 1)),
        partition: record.partition,
        offset: record.offset,
      })
    const at = tries.map(([, , time]) => time)
    expect((at[2] ?? 0) - (at[1] ?? 0)).toBeGreaterThanOrEqual(retryDelayMs)
    expect((at[3] ?? 0) - (at[2] ?? 0)).toBeGreaterThanOrEqual(retryDelayMs * 2)
    const [letter] = dead
    if (letter === undefined) throw new Error('no dead letter')
    expect({ ...sent(letter), topic: WORK, headers: withoutFailure(letter.headers) }).toEqual(sent(message('poison', 1)))
    expect(decodeFailure(letter)).toMatchObject({
      origin: { topic: WORK, ...place },
      attempts: 4,
      fault: { code: 'tool.failed', message: 'the tool is down', detail: { status: 503 } },
    })
  })

  it('B4: a poison message blocks no other key, and a handler that throws counts as handler.failed', async () => {
    const { bus } = await start()
    const handled: string[] = []
    await lanes(bus, async ({ key, headers }, { attempt }) => {
      if (key === 'poison') throw new Error(`no, not ${attempt}`)
      handled.push(headers['ce_id'] ?? '')
      return ack
    })
    await bus.publish(Array.from({ length: 30 }, (_, n) => message(n % 3 === 0 ? 'poison' : `k${n % 3}`, n, { partition: 0 })))
    await until(() => handled.length === 20)
    const dead = await deadLetters(bus, 10)
    expect(handled).toHaveLength(20)
    expect(dead.map(({ key }) => key)).toEqual(Array.from({ length: 10 }, () => 'poison'))
    expect(dead.map((letter) => decodeFailure(letter)?.fault)).toEqual(
      Array.from({ length: 10 }, () => ({ code: 'handler.failed', message: 'no, not 4' })),
    )
  })
}

/** B4: ways off the ladder. */
export const shortcutsContract = ({ start, lanes, deadLetters, retryDelayMs }: Suite): void => {
  it('B4: a rejected message goes to the dead letters at once', async () => {
    const { bus } = await start()
    let tries = 0
    await lanes(bus, async () => {
      tries++
      return reject
    })
    await bus.publish([message('k', 1)])
    const dead = await deadLetters(bus, 1)
    expect([tries, dead.map((letter) => decodeFailure(letter)?.fault?.code)]).toEqual([1, ['message.undecodable']])
  })

  it('B4: a wish for a long wait skips the lane and takes the retry topic that is long enough', async () => {
    const { bus } = await start()
    const tries: Delivery[] = []
    await lanes(bus, async (_, delivery) => {
      tries.push(delivery)
      return tries.length === 1 ? retry(3_600_000) : ack
    })
    await bus.publish([message('k', 1)])
    await until(() => tries.length === 2)
    expect(tries.map(({ attempt, nextDelayMs }) => [attempt, nextDelayMs])).toEqual([
      [1, 0],
      [2, retryDelayMs * 2],
    ])
  })

  it('B4: a deferred message comes back when asked, as the same attempt', async () => {
    const { bus } = await start()
    const at: number[] = []
    const attempts: number[] = []
    await lanes(bus, async (_, { attempt }) => {
      at.push(Date.now())
      attempts.push(attempt)
      return at.length === 3 ? ack : { outcome: 'defer', untilMs: Date.now() + retryDelayMs, reason: 'breaker open' }
    })
    await bus.publish([message('k', 1)])
    await until(() => at.length === 3)
    expect(attempts).toEqual([1, 1, 1])
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(retryDelayMs - 1)
    expect(await deadLetters(bus, 0)).toEqual([])
  })

  it('B4: a message waiting in a retry topic is not lost with the consumer', async () => {
    const { bus, reopen } = await start()
    const consumer = await lanes(bus, async () => retry(3_600_000))
    await bus.publish([message('k', 1)])
    const waiting = async (): Promise<number> => (await bus.describe(RETRIES[1])).partitions.reduce((sum, { next }) => sum + next, 0)
    while ((await waiting()) === 0) await sleep(5)
    await consumer.close({ graceMs: 1_000 })
    const again = await reopen()
    const seen: [BusRecord, number][] = []
    await lanes(again, async (record, { attempt }) => {
      seen.push([record, attempt])
      return ack
    })
    await until(() => seen.length === 1)
    expect(seen.map(([record, attempt]) => [sent(record), attempt])).toEqual([[sent(message('k', 1)), 2]])
  })
}
