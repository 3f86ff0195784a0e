import { expect, it } from '@jest/globals'
import type { BusRecord } from '../bus.ts'
import { listDeadLetters, redriveDeadLetters, showDeadLetter } from '../dead-letters.ts'
import { HEADER } from '../lanes/failure-record.ts'
import { ack, DEAD, message, reject, sent, until, type Suite } from './harness.ts'

/** Reading and redriving, as the operator's tools do it. */
export const deadLettersContract = ({ start, lanes, deadLetters }: Suite): void => {
  const attemptsOf = async () => {
    const { bus } = await start()
    const seen: [BusRecord, number][] = []
    let healed = false
    await lanes(bus, async (record, { attempt }) => {
      seen.push([record, attempt])
      return healed ? ack : reject
    })
    await bus.publish(['a', 'b', 'c'].map((key, n) => message(key, n, { partition: 1 })))
    await deadLetters(bus, 3)
    return { bus, seen, heal: () => (healed = true) }
  }

  it('X1: a redriven message is handled as it was the first time, under its own id', async () => {
    const { bus, seen, heal } = await attemptsOf()
    heal()
    const { redriveId, letters } = await redriveDeadLetters(bus, { topic: DEAD, where: ({ key }) => key === 'b' })
    await until(() => seen.length === 4)
    const [record, attempt] = seen[3] ?? []
    const original = sent(message('b', 1))
    expect([letters.length, attempt, record?.partition]).toEqual([1, 1, 1])
    expect(record === undefined ? undefined : sent(record)).toEqual({
      ...original,
      headers: { ...original.headers, [HEADER.redriveId]: redriveId },
    })
  })

  it('X2: a redriven letter is no longer open, can be shown, and can be redriven again by name', async () => {
    const { bus, seen, heal } = await attemptsOf()
    heal()
    const [first] = (await redriveDeadLetters(bus, { topic: DEAD, limit: 1 })).letters
    if (first === undefined) throw new Error('nothing was redriven')
    const open = await listDeadLetters(bus, { topic: DEAD })
    expect(open.letters.map(({ redriven, failure }) => [redriven, failure.fault?.code])).toEqual([
      [false, 'message.undecodable'],
      [false, 'message.undecodable'],
    ])
    expect((await listDeadLetters(bus, { topic: DEAD, includeRedriven: true })).letters).toHaveLength(3)
    expect((await showDeadLetter(bus, { topic: DEAD, ...first })).redriven).toBe(true)
    expect((await redriveDeadLetters(bus, { topic: DEAD, only: [first] })).letters).toEqual([first])
    await until(() => seen.length === 5)
    expect(seen[4]?.[0].key).toBe(seen[3]?.[0].key)
  })

  it('X2: a message that fails again is a letter again', async () => {
    const { bus, seen } = await attemptsOf()
    await redriveDeadLetters(bus, { topic: DEAD, where: ({ key }) => key === 'a' })
    await until(() => seen.length === 4)
    await deadLetters(bus, 5)
    const { letters } = await listDeadLetters(bus, { topic: DEAD })
    const first = new Map(letters.map(({ key, headers }) => [key, headers[HEADER.redriveId] === undefined]))
    expect([letters.length, Object.fromEntries(first)]).toEqual([3, { a: false, b: true, c: true }])
  })

  it('lists page by page, and a dry run sends nothing', async () => {
    const { bus, seen } = await attemptsOf()
    const page = await listDeadLetters(bus, { topic: DEAD, limit: 2 })
    if (page.next === undefined) throw new Error('there is more')
    const rest = await listDeadLetters(bus, { topic: DEAD, after: page.next })
    expect([page.letters.length, rest.letters.length, rest.next]).toEqual([2, 1, undefined])
    expect((await redriveDeadLetters(bus, { topic: DEAD, dryRun: true })).letters).toHaveLength(3)
    expect([(await listDeadLetters(bus, { topic: DEAD })).letters.length, seen.length]).toEqual([3, 3])
    await expect(showDeadLetter(bus, { topic: DEAD, partition: 0, offset: 77 })).rejects.toMatchObject({ code: 'request.not_found' })
  })
}
