import { expect, it } from '@jest/globals'
import { LOG, message, OTHER, sent, WORK, type Suite } from './harness.ts'

/** B1: where records go and that they stay there. */
export const placesContract = ({ start }: Suite): void => {
  it('B1: resolves with the place of each record, in the order given, and it is there to be read', async () => {
    const { bus } = await start()
    const records = Array.from({ length: 20 }, (_, n) => message(`k${n % 4}`, n, { topic: n % 5 === 0 ? OTHER : WORK }))
    const places = await bus.publish(records)
    expect(places).toHaveLength(records.length)
    for (const [index, record] of records.entries()) {
      const place = places[index] ?? { partition: -1, offset: -1 }
      const [stored] = await bus.read({ topic: record.topic, partition: place.partition, offset: place.offset, limit: 1 })
      expect(stored).toMatchObject(place)
      expect(stored === undefined ? undefined : sent(stored)).toEqual(sent(record))
    }
  })

  it('B1: keeps the order of one call in each partition, and of calls made one after the other', async () => {
    const { bus } = await start()
    const first = bus.publish([1, 2, 3].map((n) => message('k', n, { topic: LOG, partition: 1 })))
    const second = bus.publish([4, 5].map((n) => message('k', n, { topic: LOG, partition: 1 })))
    const offsets = [...(await first), ...(await second)].map(({ offset }) => offset)
    expect(offsets).toEqual(offsets.toSorted((left, right) => left - right))
    const stored = await bus.read({ topic: LOG, partition: 1, offset: 0, limit: 10 })
    expect(stored.map(({ headers }) => headers['ce_id'])).toEqual(['k/1', 'k/2', 'k/3', 'k/4', 'k/5'])
  })

  it('B1: what was acknowledged is there after the bus is opened again', async () => {
    const { bus, reopen } = await start()
    const [place] = await bus.publish([message('k', 1)])
    const again = await reopen()
    const [stored] = await again.read({ topic: WORK, partition: place?.partition ?? 0, offset: place?.offset ?? 0, limit: 1 })
    expect(stored === undefined ? undefined : sent(stored)).toEqual(sent(message('k', 1)))
  })

  it('finds a topic that is there', async () => {
    const { bus } = await start()
    expect(await bus.findTopic(WORK)).toBe(true)
  })

  it('a key always goes to the same partition, and a partition asked for is kept', async () => {
    const { bus } = await start()
    const places = await bus.publish([
      message('a', 1),
      message('a', 2),
      message('a', 3, { partition: 2 }),
      message('b', 4, { partition: 0 }),
    ])
    expect(places[0]?.partition).toBe(places[1]?.partition)
    expect([places[2]?.partition, places[3]?.partition]).toEqual([2, 0])
  })
}

/** What can be read at rest. */
export const atRestContract = ({ start }: Suite): void => {
  it('stamps the time of appending, never going back within a partition', async () => {
    const { bus } = await start()
    const before = Date.now()
    for (let n = 0; n < 5; n++) await bus.publish([message('k', n, { topic: OTHER })])
    const times = (await bus.read({ topic: OTHER, partition: 0, offset: 0, limit: 9 })).map(({ timestampMs }) => timestampMs)
    expect(times).toEqual(times.toSorted((left, right) => left - right))
    expect(times[0]).toBeGreaterThanOrEqual(before - 1_000)
  })

  it('keeps large values and values of any byte', async () => {
    const { bus } = await start()
    const value = Buffer.alloc(
      700_000,
      Uint8Array.from({ length: 256 }, (_, byte) => byte),
    )
    await bus.publish([message('k', 1, { topic: OTHER, value })])
    const [stored] = await bus.read({ topic: OTHER, partition: 0, offset: 0, limit: 1 })
    expect(stored?.value.equals(value)).toBe(true)
  })

  it('describe tells the range of each partition and an id that stays', async () => {
    const { bus, reopen } = await start()
    await bus.publish([1, 2, 3].map((n) => message('k', n, { topic: LOG, partition: 1 })))
    const described = await bus.describe(LOG)
    expect(bus.partitions(LOG)).toBe(2)
    expect(described.topicId).not.toBe('')
    expect(described.topicId).not.toBe((await bus.describe(OTHER)).topicId)
    expect(described.partitions).toEqual([
      { partition: 0, first: 0, next: 0 },
      { partition: 1, first: 0, next: 3 },
    ])
    expect(await (await reopen()).describe(LOG)).toEqual(described)
  })

  it('read gives at most what was asked for, and nothing at the end', async () => {
    const { bus } = await start()
    await bus.publish([0, 1, 2, 3].map((n) => message('k', n, { topic: OTHER })))
    const read = async (offset: number, limit: number) =>
      (await bus.read({ topic: OTHER, partition: 0, offset, limit })).map((record) => record.offset)
    expect([await read(1, 2), await read(3, 9), await read(4, 9)]).toEqual([[1, 2], [3], []])
  })
}
