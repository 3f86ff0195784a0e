import { expect, it } from '@jest/globals'
import type { BusRecord } from '../bus.ts'
import { listDeadLetters, redriveDeadLetters, showDeadLetter } from '../dead-letters/dead-letters.ts'
import { LetterBook } from '../dead-letters/letter-book.ts'
import { putAway, sendAgain } from '../dead-letters/send-again.ts'
import { HEADER } from '../lanes/failure-record.ts'
import { ack, DEAD, message, reject, sent, until, WORK, type Suite } from './harness.ts'

/** Three letters, of the keys a, b and c, and handlers that take them once they are healed. */
const threeLetters = async ({ start, lanes, deadLetters }: Suite) => {
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

/** Reading and redriving, as the operator's tools do it. */
export const deadLettersContract = (suite: Suite): void => {
  const { deadLetters } = suite
  it('X1: a redriven message is handled as it was the first time, under its own id', async () => {
    const { bus, seen, heal } = await threeLetters(suite)
    heal()
    const { redriveId, letters } = await redriveDeadLetters(bus, { topic: DEAD, where: ({ key }) => key === 'b' })
    await until(() => seen.length === 4)
    const [record, attempt] = seen[3] ?? []
    const original = sent(message('b', 1))
    expect([letters.length, attempt, record?.partition]).toEqual([1, 1, 1])
    expect(record === undefined ? undefined : sent(record)).toEqual({
      ...original,
      headers: { ...original.headers, [HEADER.redriveId]: redriveId, [HEADER.redriveHistory]: expect.any(String) },
    })
  })

  it('X2: a redriven letter is no longer open, can be shown, and can be redriven again by name', async () => {
    const { bus, seen, heal } = await threeLetters(suite)
    heal()
    const [first] = (await redriveDeadLetters(bus, { topic: DEAD, limit: 1 })).letters
    if (first === undefined) throw new Error('nothing was redriven')
    const open = await listDeadLetters(bus, { topic: DEAD })
    expect(open.letters.map(({ redriven, failure }) => [redriven, failure.fault?.code])).toEqual([
      [false, 'message.undecodable'],
      [false, 'message.undecodable'],
    ])
    expect((await listDeadLetters(bus, { topic: DEAD, includeClosed: true })).letters).toHaveLength(3)
    expect((await showDeadLetter(bus, { topic: DEAD, ...first })).redriven).toBe(true)
    expect((await redriveDeadLetters(bus, { topic: DEAD, only: [first] })).letters).toEqual([first])
    await until(() => seen.length === 5)
    expect(seen[4]?.[0].key).toBe(seen[3]?.[0].key)
  })

  it('X2: a message that fails again is a letter again, with all it has behind it', async () => {
    const { bus, seen } = await threeLetters(suite)
    const [before] = (await listDeadLetters(bus, { topic: DEAD })).letters
    for (const times of [4, 5]) {
      const { redriveId } = await redriveDeadLetters(bus, { topic: DEAD, where: ({ key }) => key === 'a', by: 'ada' })
      await until(() => seen.length === times)
      await deadLetters(bus, 2 * times - 3)
      const { letters } = await listDeadLetters(bus, { topic: DEAD })
      expect(letters.map(({ key }) => key).toSorted()).toEqual(['a', 'b', 'c'])
      const back = letters.find(({ key }) => key === 'a')
      expect(back).toMatchObject({ redriveId, redrives: times - 3, first: before?.first, fingerprint: before?.fingerprint })
      expect(back?.headers).toEqual(message('a', 0).headers)
      expect(back?.history.map(({ attempt, code }) => [attempt, code])).toEqual(
        Array.from({ length: times - 2 }, () => [1, 'message.undecodable']),
      )
    }
    const all = await listDeadLetters(bus, { topic: DEAD, includeClosed: true })
    expect(all.letters.filter(({ redriven }) => redriven).map(({ actions }) => actions)).toMatchObject([
      [{ action: 'redriven', by: 'ada' }],
      [{ action: 'redriven', by: 'ada' }],
    ])
  })

  it('lists page by page, and a dry run sends nothing', async () => {
    const { bus, seen } = await threeLetters(suite)
    const page = await listDeadLetters(bus, { topic: DEAD, limit: 2 })
    if (page.next === undefined) throw new Error('there is more')
    const rest = await listDeadLetters(bus, { topic: DEAD, after: page.next })
    expect([page.letters.length, rest.letters.length, rest.next]).toEqual([2, 1, undefined])
    expect((await redriveDeadLetters(bus, { topic: DEAD, dryRun: true })).letters).toHaveLength(3)
    expect([(await listDeadLetters(bus, { topic: DEAD })).letters.length, seen.length]).toEqual([3, 3])
    await expect(showDeadLetter(bus, { topic: DEAD, partition: 0, offset: 77 })).rejects.toMatchObject({ code: 'request.not_found' })
  })
}

/** Changing, discarding, and knowing them all. */
export const letterChangesContract = (suite: Suite): void => {
  it('X2: what is discarded is no longer open, and it is kept who said so and why', async () => {
    const { bus, seen, heal } = await threeLetters(suite)
    heal()
    const [letter] = (await listDeadLetters(bus, { topic: DEAD, limit: 1 })).letters
    if (letter === undefined) throw new Error('there is a letter')
    await putAway(bus, DEAD, { letters: [letter], sender: { id: 'd1', nowMs: 5, by: 'ada', reason: 'a test order' } })
    expect((await listDeadLetters(bus, { topic: DEAD })).letters).toHaveLength(2)
    expect((await redriveDeadLetters(bus, { topic: DEAD })).letters).toHaveLength(2)
    await until(() => seen.length === 5)
    expect(await showDeadLetter(bus, { topic: DEAD, ...letter })).toMatchObject({
      state: 'discarded',
      redriven: false,
      value: letter.value,
      actions: [{ action: 'discarded', id: 'd1', by: 'ada', reason: 'a test order', atMs: expect.any(Number) }],
    })
  })

  it('X4: an edited letter goes under its own key and id; an edit of those is refused before anything is sent', async () => {
    const { bus, seen, heal } = await threeLetters(suite)
    heal()
    const { letters } = await listDeadLetters(bus, { topic: DEAD })
    const letter = letters.find(({ key }) => key === 'b')
    if (letter === undefined) throw new Error('there is a letter')
    const sender = { id: 'r1', nowMs: 5, by: 'ada' }
    const changes = [{ at: 'body', before: 'b#1', after: 'mended' }]
    const edit = { value: Buffer.from('mended'), headers: { ...letter.headers, 'x-own': 'other' }, changes }
    const stolen = { ...edit, headers: { ...edit.headers, ce_id: 'another' } }
    await expect(sendAgain(bus, DEAD, { letters: [{ letter, edit: stolen }], sender })).rejects.toMatchObject({ code: 'request.malformed' })
    await sendAgain(bus, DEAD, { letters: [{ letter, edit }], sender })
    await until(() => seen.length === 4)
    expect(seen[3]?.[0]).toMatchObject({ key: 'b', value: Buffer.from('mended'), headers: { ce_id: 'b/1', 'x-own': 'other' } })
    expect(await showDeadLetter(bus, { topic: DEAD, ...letter })).toMatchObject({ value: letter.value, actions: [{ by: 'ada', changes }] })
  })

  it('K1, K2: a book knows every letter and what was done with it; of too many it forgets the oldest', async () => {
    const { bus, heal } = await threeLetters(suite)
    const arrived: string[] = []
    const book = new LetterBook({ bus, topic: DEAD, onLetter: ({ key }) => arrived.push(key) })
    await book.refresh()
    const [first] = [...book.letters()]
    if (first === undefined) throw new Error('there is a letter')
    expect(first).toMatchObject({ code: 'message.undecodable', tenant: 'default', originTopic: WORK, state: 'open', attempts: 1 })
    heal()
    await sendAgain(bus, DEAD, { letters: [{ letter: await book.read(first.offset) }], sender: { id: 'r1', nowMs: 5 } })
    await Promise.all([book.refresh(), book.refresh()])
    expect([...book.letters()].map(({ state }) => state)).toEqual(['redriven', 'open', 'open'])
    expect(arrived.toSorted()).toEqual(['a', 'b', 'c'])
    expect((await book.read(first.offset)).actions).toMatchObject([{ action: 'redriven', id: 'r1' }])
    await expect(book.read(77)).rejects.toMatchObject({ code: 'request.not_found' })
    const some = await book.readMany([first.offset, 2, 77])
    expect(some.map(({ offset }) => offset)).toEqual([first.offset, 2])
    const small = new LetterBook({ bus, topic: DEAD, lettersMax: 2 })
    await small.refresh()
    expect([[...small.letters()].length, small.forgotten, small.get(first.offset)]).toEqual([2, 1, undefined])
    expect((await small.read(first.offset)).key).toBe(first.key)
  })
}
