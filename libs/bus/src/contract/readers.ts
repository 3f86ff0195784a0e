import { expect, it } from '@jest/globals'
import type { FaultData } from '@baton/contracts/fault'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus, BusRecord } from '../bus.ts'
import { gate, LOG, message, sent, TABLE, until, type Suite } from './harness.ts'

const fill = async (bus: Bus, partition: number, count: number): Promise<void> => {
  await bus.publish(Array.from({ length: count }, (_, n) => message('k', n, { topic: LOG, partition })))
}

/** A reader that keeps everything. */
const reading = async (bus: Bus) => {
  const seen: BusRecord[] = []
  const faults: [number, FaultData][] = []
  const reader = await bus.log({
    topic: LOG,
    onBatch: (_, records) => void seen.push(...records),
    onFault: (partition, fault) => faults.push([partition, fault]),
  })
  return {
    reader,
    seen,
    faults,
    offsets: (partition: number) => seen.filter((record) => record.partition === partition).map(({ offset }) => offset),
  }
}

const from = (start: number, end: number): readonly number[] => Array.from({ length: end - start }, (_, n) => start + n)

/** B5: positions. */
export const positionsContract = ({ start }: Suite): void => {
  it('B5: reads a partition from the position on, in order and without gaps, what is there and what comes', async () => {
    const { bus } = await start()
    await fill(bus, 0, 50)
    const { reader, seen, offsets } = await reading(bus)
    await reader.seek(0, 10)
    await until(() => seen.length >= 40)
    await fill(bus, 0, 50)
    await fill(bus, 1, 5)
    await until(() => seen.length >= 90)
    expect(offsets(0)).toEqual(from(10, 100))
    expect(offsets(1)).toEqual([])
    expect(sent(seen[0] ?? message('', 0))).toEqual(sent(message('k', 10, { topic: LOG })))
  })

  it('B5: the reader owns the position: it may go back, and another reader does not care', async () => {
    const { bus } = await start()
    await fill(bus, 0, 20)
    const [one, two] = [await reading(bus), await reading(bus)]
    await one.reader.seek(0, 15)
    await two.reader.seek(0, 18)
    await until(() => one.seen.length === 5 && two.seen.length === 2)
    await one.reader.seek(0, 17)
    await until(() => one.seen.length === 8)
    expect(one.offsets(0)).toEqual([...from(15, 20), ...from(17, 20)])
    expect(two.offsets(0)).toEqual(from(18, 20))
  })
}

/** B5: batches and partitions. */
export const batchesContract = ({ start }: Suite): void => {
  it('B5: the next batch of a partition waits for the one before; other partitions do not', async () => {
    const { bus } = await start()
    const slow = gate()
    const calls: string[] = []
    const reader = await bus.log({
      topic: LOG,
      onFault: () => {},
      onBatch: async (partition, records) => {
        calls.push(`${partition}:${records.length > 0}`)
        if (partition === 0) await slow.opened
      },
    })
    await reader.seek(0, 0)
    await reader.seek(1, 0)
    await fill(bus, 0, 1)
    await until(() => calls.length === 1)
    await fill(bus, 0, 1)
    await fill(bus, 1, 1)
    await until(() => calls.length === 2)
    await sleep(20)
    expect(calls).toEqual(['0:true', '1:true'])
    slow.open()
    await until(() => calls.length === 3)
    expect(calls[2]).toBe('0:true')
  })

  it('B5: a released partition is silent until it is sought again', async () => {
    const { bus } = await start()
    const { reader, seen, offsets } = await reading(bus)
    await reader.seek(0, 0)
    await fill(bus, 0, 3)
    await until(() => seen.length === 3)
    await reader.release(0)
    await fill(bus, 0, 3)
    await reader.seek(1, 0)
    await fill(bus, 1, 1)
    await until(() => offsets(1).length === 1)
    expect(offsets(0)).toEqual([0, 1, 2])
    await reader.seek(0, 3)
    await until(() => offsets(0).length === 6)
    expect(offsets(0)).toEqual(from(0, 6))
  })
}

/** B5: the ends of the log. */
export const rangeContract = ({ start }: Suite): void => {
  it('B5: a position outside the log is log.truncated, never a silent reset', async () => {
    const { bus } = await start()
    await fill(bus, 0, 5)
    const { reader, seen, faults } = await reading(bus)
    await reader.seek(0, 9)
    await until(() => faults.length === 1)
    await fill(bus, 0, 10)
    await reader.seek(1, 0)
    await fill(bus, 1, 1)
    await until(() => seen.length === 1)
    expect(faults.map(([partition, { code }]) => [partition, code])).toEqual([[0, 'log.truncated']])
    expect(seen[0]?.partition).toBe(1)
  })

  it('B5: the end of the log is a position like any other', async () => {
    const { bus } = await start()
    await fill(bus, 0, 4)
    const { reader, seen, faults, offsets } = await reading(bus)
    await reader.seek(0, 4)
    await fill(bus, 0, 2)
    await until(() => seen.length === 2)
    expect([offsets(0), faults]).toEqual([[4, 5], []])
  })
}

/** B6. */
export const tableContract = ({ start }: Suite): void => {
  const put = (key: string, text: string) => message(key, 0, { topic: TABLE, value: Buffer.from(text) })

  const open = async (bus: Bus) => {
    const rows = new Map<string, string>()
    const reader = await bus.table({
      topic: TABLE,
      onRecord: ({ key, value }) => {
        if (value.length === 0) rows.delete(key)
        else rows.set(key, value.toString())
      },
    })
    return { reader, rows }
  }

  it('B6: first everything there is, then each change, deletions too', async () => {
    const { bus } = await start()
    await bus.publish([put('a', '1'), put('b', '1'), put('a', '2'), put('c', '1'), put('c', '')])
    const { reader, rows } = await open(bus)
    await reader.ready
    expect(Object.fromEntries(rows)).toEqual({ a: '2', b: '1' })
    await bus.publish([put('b', ''), put('d', '1')])
    await until(() => rows.has('d'))
    expect(Object.fromEntries(rows)).toEqual({ a: '2', d: '1' })
  })

  it('B6: an empty table is ready at once, and a closed reader hears nothing more', async () => {
    const { bus } = await start()
    const [one, two] = [await open(bus), await open(bus)]
    await Promise.all([one.reader.ready, two.reader.ready])
    await one.reader.close()
    await bus.publish([put('a', '1')])
    await until(() => two.rows.size === 1)
    expect(one.rows.size).toBe(0)
  })

  it('B6: the table is the same after the bus is opened again', async () => {
    const { bus, reopen } = await start()
    await bus.publish([put('a', '1'), put('b', '1'), put('a', '2'), put('b', '')])
    const { reader, rows } = await open(await reopen())
    await reader.ready
    expect(Object.fromEntries(rows)).toEqual({ a: '2' })
  })
}
