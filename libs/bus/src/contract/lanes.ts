import { expect, it } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BusRecord } from '../bus.ts'
import { ack, gate, message, OTHER, sent, until, WORK, type Suite } from './harness.ts'

const keysOf = (count: number): readonly string[] => Array.from({ length: count }, (_, n) => `k${n}`)

/** B2: order and concurrency. */
export const orderContract = ({ start, lanes }: Suite): void => {
  it('B2: messages of one key are handled one after the other and in order, different keys in parallel', async () => {
    const { bus } = await start()
    const running = new Set<string>()
    const order = new Map<string, string[]>()
    let overlaps = 0
    let together = 0
    await lanes(bus, async ({ key, headers }) => {
      if (running.has(key)) overlaps++
      running.add(key)
      together = Math.max(together, running.size)
      order.set(key, [...(order.get(key) ?? []), headers['ce_id'] ?? ''])
      await sleep(Math.random() * 4)
      running.delete(key)
      return ack
    })
    const records = Array.from({ length: 120 }, (_, n) => message(`k${n % 8}`, n))
    for (let from = 0; from < records.length; from += 30) await bus.publish(records.slice(from, from + 30))
    await until(() => [...order.values()].flat().length >= records.length)
    for (const key of keysOf(8))
      expect(order.get(key)).toEqual(records.filter((record) => record.key === key).map(({ headers }) => headers['ce_id']))
    expect([overlaps, together > 1]).toEqual([0, true])
  })

  it('B2: at most concurrencyMax messages are handled at once', async () => {
    const { bus } = await start()
    let running = 0
    let most = 0
    let handled = 0
    const handler = async () => {
      most = Math.max(most, ++running)
      await sleep(2)
      running--
      handled++
      return ack
    }
    await lanes(bus, handler, { concurrencyMax: 3 })
    await bus.publish(keysOf(30).map((key, n) => message(key, n)))
    await until(() => handled === 30)
    expect(most).toBe(3)
  })

  it('delivers records as they were sent, large ones too, with the first attempt', async () => {
    const { bus } = await start()
    const seen: [BusRecord, number][] = []
    await lanes(bus, async (record, { attempt }) => {
      seen.push([record, attempt])
      return ack
    })
    const outgoing = [message('a', 1), message('b', 2, { value: Buffer.alloc(600_000, 7) }), message('', 3)]
    const places = await bus.publish(outgoing)
    await until(() => seen.length === 3)
    for (const [index, record] of outgoing.entries()) {
      const [found, attempt] = seen.find(([{ key }]) => key === record.key) ?? []
      expect([found === undefined ? undefined : sent(found), attempt]).toEqual([sent(record), 1])
      expect(found).toMatchObject(places[index] ?? {})
    }
  })
}

/** B3: what comes again, and what does not. */
export const redeliveryContract = ({ start, lanes }: Suite): void => {
  it('B3: what was not settled comes again after a close, what was settled before it does not', async () => {
    const { bus } = await start()
    const never = gate()
    const first: string[] = []
    const consumer = await lanes(
      bus,
      async ({ key }) => {
        first.push(key)
        if (key === 'stuck') await never.opened
        return ack
      },
      { topics: [OTHER] },
    )
    await bus.publish(['done', 'stuck', 'after'].map((key, n) => message(key, n, { topic: OTHER })))
    await until(() => first.includes('after'))
    await consumer.close({ graceMs: 10 })
    const second: string[] = []
    await lanes(
      bus,
      async ({ key }) => {
        second.push(key)
        return ack
      },
      { topics: [OTHER] },
    )
    await until(() => second.includes('stuck') && second.includes('after'))
    expect(second).toEqual(['stuck', 'after'])
    never.open()
  })

  it('B3: positions survive the bus', async () => {
    const { bus, reopen } = await start()
    let handled = 0
    await lanes(bus, async () => {
      handled++
      return ack
    })
    await bus.publish(keysOf(10).map((key, n) => message(key, n)))
    await until(() => handled === 10)
    const again = await reopen()
    const later: string[] = []
    await lanes(again, async ({ key }) => {
      later.push(key)
      return ack
    })
    await again.publish([message('new', 1)])
    await until(() => later.includes('new'))
    expect(later).toEqual(['new'])
  })
}

/** B7: leaving. */
export const drainContract = ({ start, lanes }: Suite): void => {
  it('B7: close lets what runs finish, starts nothing new, and stores how far it came', async () => {
    const { bus } = await start()
    const started: string[] = []
    const finished: string[] = []
    const consumer = await lanes(
      bus,
      async ({ key }) => {
        started.push(key)
        await sleep(30)
        finished.push(key)
        return ack
      },
      { topics: [OTHER], concurrencyMax: 1 },
    )
    await bus.publish(keysOf(5).map((key, n) => message(key, n, { topic: OTHER })))
    await until(() => started.length === 1)
    await consumer.close({ graceMs: 2_000 })
    expect(finished).toEqual(started)
    const rest: string[] = []
    await lanes(
      bus,
      async ({ key }) => {
        rest.push(key)
        return ack
      },
      { topics: [OTHER] },
    )
    await until(() => started.length + rest.length >= 5)
    expect([...started, ...rest]).toEqual(keysOf(5))
  })

  it('B7: close aborts what is still running after the grace time', async () => {
    const { bus } = await start()
    const running = gate()
    const aborted = gate()
    const consumer = await lanes(bus, async (_, { signal }) => {
      signal.addEventListener('abort', aborted.open)
      running.open()
      await aborted.opened
      return ack
    })
    await bus.publish([message('k', 1)])
    await running.opened
    await consumer.close({ graceMs: 10 })
    await aborted.opened
    expect(consumer.stats().settled).toBe(0)
  })
}

/** Members and groups. */
export const groupsContract = ({ start, lanes }: Suite): void => {
  it('two members of a group share its partitions; when one leaves, the other takes over', async () => {
    const { bus } = await start()
    const seen: [string, string][] = []
    const member = async (name: string) =>
      lanes(bus, async ({ key }) => {
        seen.push([name, key])
        return ack
      })
    const first = await member('first')
    await member('second')
    const total = 60
    await bus.publish(keysOf(total).map((key, n) => message(key, n, { partition: n % 3 })))
    await until(() => new Set(seen.map(([, key]) => key)).size === total)
    await first.close({ graceMs: 1_000 })
    await bus.publish(keysOf(6).map((key, n) => message(`late-${key}`, n, { partition: n % 3 })))
    await until(() => new Set(seen.map(([, key]) => key)).size === total + 6)
    expect(new Set(seen.filter(([, key]) => key.startsWith('late-')).map(([name]) => name))).toEqual(new Set(['second']))
  })

  it('groups do not share: each gets every message', async () => {
    const { bus } = await start()
    const seen = new Map<string, number>()
    for (const group of ['one', 'two'])
      await lanes(
        bus,
        async () => {
          seen.set(group, (seen.get(group) ?? 0) + 1)
          return ack
        },
        { group },
      )
    await bus.publish(keysOf(9).map((key, n) => message(key, n)))
    await until(() => seen.get('one') === 9 && seen.get('two') === 9)
    expect(Object.fromEntries(seen)).toEqual({ one: 9, two: 9 })
  })

  it('a group that is new begins with the oldest message; stats tell what is under way', async () => {
    const { bus } = await start()
    await bus.publish(keysOf(3).map((key, n) => message(key, n)))
    const hold = gate()
    const seen: string[] = []
    const consumer = await lanes(bus, async ({ key, topic }) => {
      seen.push(`${topic}:${key}`)
      await hold.opened
      return ack
    })
    await until(() => seen.length === 3)
    expect(seen.toSorted((left, right) => left.localeCompare(right))).toEqual(keysOf(3).map((key) => `${WORK}:${key}`))
    expect(consumer.stats()).toMatchObject({ inFlight: 3, watermarkGap: 3, settled: 0 })
    hold.open()
    await until(() => consumer.stats().settled === 3)
    expect(consumer.stats()).toMatchObject({ inFlight: 0, watermarkGap: 0, oldestMs: 0 })
  })
}
