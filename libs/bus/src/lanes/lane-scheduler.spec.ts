import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { LaneScheduler } from './lane-scheduler.ts'

type Task = { readonly key: string; readonly n: number }
const task = (key: string, n: number): Task => ({ key, n })

const startAll = (scheduler: LaneScheduler<Task>): Task[] => {
  const started: Task[] = []
  for (let next = scheduler.next(); next !== undefined; next = scheduler.next()) started.push(next)
  return started
}

describe('lane scheduler', () => {
  it('lanes/S1, S3: whatever finishes when, each key is in order, one at a time, and slots are never exceeded', () => {
    const keys = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 60 })
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 5 }), fc.infiniteStream(fc.nat()), (all, slots, picks) => {
        const scheduler = new LaneScheduler<Task>(slots)
        const running: Task[] = []
        const parked: Task[] = []
        const done: Task[] = []
        all.forEach((key, n) => scheduler.offer(task(key, n)))
        const pick = (from: Task[]): Task | undefined => from.splice((picks.next().value ?? 0) % Math.max(1, from.length), 1)[0]
        while (done.length < all.length) {
          running.push(...startAll(scheduler))
          expect(running.length).toBeLessThanOrEqual(slots)
          const taken = [...running, ...parked].map(({ key }) => key)
          expect(new Set(taken).size).toBe(taken.length)
          const one = pick(running)
          if (one !== undefined && (picks.next().value ?? 0) % 3 === 0) {
            scheduler.park(one)
            parked.push(one)
          } else if (one !== undefined) {
            scheduler.done(one)
            done.push(one)
          }
          const back = (picks.next().value ?? 0) % 2 === 0 ? pick(parked) : undefined
          if (back !== undefined) scheduler.unpark(back)
        }
        for (const key of new Set(all)) {
          const order = done.filter((one) => one.key === key).map(({ n }) => n)
          expect(order).toEqual(order.toSorted((left, right) => left - right))
        }
        expect(scheduler.running).toBe(0)
      }),
    )
  })

  it('lanes/S2: a parked task holds its key but no slot', () => {
    const scheduler = new LaneScheduler<Task>(1)
    const [first, second, other] = [task('a', 1), task('a', 2), task('b', 3)]
    for (const one of [first, second, other]) scheduler.offer(one)
    expect(startAll(scheduler)).toEqual([first])
    scheduler.park(first)
    expect(startAll(scheduler)).toEqual([other])
    scheduler.done(other)
    expect(startAll(scheduler)).toEqual([])
    scheduler.unpark(first)
    expect(startAll(scheduler)).toEqual([first])
    scheduler.done(first)
    expect(startAll(scheduler)).toEqual([second])
  })

  it('lanes/S4: tasks without a key run beside each other', () => {
    const scheduler = new LaneScheduler<Task>(8)
    for (const n of [1, 2, 3]) scheduler.offer(task('', n))
    expect(startAll(scheduler)).toHaveLength(3)
  })

  it('drops what has not started and lets the key go on', () => {
    const scheduler = new LaneScheduler<Task>(8)
    const tasks = [task('a', 1), task('a', 2), task('a', 3), task('b', 4), task('b', 5)]
    for (const one of tasks) scheduler.offer(one)
    const [first, other] = startAll(scheduler)
    expect([first?.n, other?.n]).toEqual([1, 4])
    if (other !== undefined) scheduler.park(other)
    expect(scheduler.drop(({ n }) => n === 2 || n === 4).map(({ n }) => n)).toEqual([2, 4])
    if (first !== undefined) scheduler.done(first)
    expect(
      startAll(scheduler)
        .map(({ n }) => n)
        .toSorted((left, right) => left - right),
    ).toEqual([3, 5])
  })
})
