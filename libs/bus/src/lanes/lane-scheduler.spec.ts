import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { LaneScheduler, type LaneTask, type SchedulerOptions } from './lane-scheduler.ts'
import { limitsOf, type PriorityClass } from './priority.policy.ts'

type Task = LaneTask & { readonly n: number }
const task = (key: string, n: number, more: Partial<Task> = {}): Task => ({
  key,
  n,
  tenant: 'default',
  priority: 1,
  takenAtMs: 0,
  bornMs: n,
  returning: false,
  ...more,
})
const scheduler = (concurrencyMax: number, more: Partial<SchedulerOptions> = {}) => new LaneScheduler<Task>({ concurrencyMax, ...more })

const startAll = (from: LaneScheduler<Task>): Task[] => {
  const started: Task[] = []
  for (let next = from.next(0); next !== undefined; next = from.next(0)) started.push(next)
  return started
}
/** One at a time, to the end. */
const serve = (from: LaneScheduler<Task>, count: number, nowMs = 0): Task[] => {
  const served: Task[] = []
  while (served.length < count) {
    const next = from.next(nowMs)
    if (next === undefined) break
    served.push(next)
    from.done(next)
  }
  return served
}
const countOf = (tasks: readonly Task[], matches: (one: Task) => boolean): number => tasks.filter(matches).length

const checkBounds = (
  running: readonly Task[],
  parked: readonly Task[],
  { classLimits, perTenant }: { classLimits: readonly number[]; perTenant: number },
): void => {
  for (const [one, limit] of classLimits.entries()) expect(countOf(running, ({ priority }) => priority >= one)).toBeLessThanOrEqual(limit)
  for (const name of ['x', 'y', 'z']) expect(countOf(running, ({ tenant }) => tenant === name)).toBeLessThanOrEqual(perTenant)
  const taken = [...running, ...parked].map(({ key }) => key)
  expect(new Set(taken).size).toBe(taken.length)
}
/** Each key in the order offered. */
const checkOrder = (done: readonly Task[]): void => {
  for (const key of new Set(done.map((one) => one.key))) {
    const order = done.filter((one) => one.key === key).map(({ n }) => n)
    expect(order).toEqual(order.toSorted((left, right) => left - right))
  }
}

describe('lane scheduler', () => {
  it('lanes/S1, S3: whatever finishes when, each key is in order, one at a time, and no bound is ever exceeded', () => {
    const offered = fc.array(
      fc.record({
        key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
        tenant: fc.constantFrom('x', 'y', 'z'),
        priority: fc.constantFrom<PriorityClass[]>(0, 1, 2),
      }),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(
        offered,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 4 }),
        fc.infiniteStream(fc.nat()),
        (all, slots, perTenant, picks) => {
          const classLimits = limitsOf(slots, ['a.high', 'a', 'a.bulk'])
          const lanes = scheduler(slots, { tenantRunningMax: perTenant, classLimits, tenantWeight: (tenant) => (tenant === 'x' ? 3 : 0.5) })
          const running: Task[] = []
          const parked: Task[] = []
          const done: Task[] = []
          all.forEach(({ key, ...more }, n) => lanes.offer(task(key, n, more)))
          const pick = (from: Task[]): Task | undefined => from.splice((picks.next().value ?? 0) % Math.max(1, from.length), 1)[0]
          while (done.length < all.length) {
            running.push(...startAll(lanes))
            checkBounds(running, parked, { classLimits, perTenant })
            if (running.length === 0 && parked.length === 0) throw new Error('nothing can start, but not all is done')
            const one = pick(running)
            if (one !== undefined && (picks.next().value ?? 0) % 3 === 0) {
              lanes.park(one)
              parked.push(one)
            } else if (one !== undefined) {
              lanes.done(one)
              done.push(one)
            }
            const back = one === undefined || (picks.next().value ?? 0) % 2 === 0 ? pick(parked) : undefined
            if (back !== undefined) lanes.unpark(back)
          }
          checkOrder(done)
          expect([lanes.running, lanes.busyKeys]).toEqual([0, 0])
        },
      ),
    )
  })

  it('lanes/S2: a parked task holds its key but no slot', () => {
    const lanes = scheduler(1)
    const [first, second, other] = [task('a', 1), task('a', 2), task('b', 3)]
    for (const one of [first, second, other]) lanes.offer(one)
    expect(startAll(lanes)).toEqual([first])
    lanes.park(first)
    expect(startAll(lanes)).toEqual([other])
    lanes.done(other)
    expect(startAll(lanes)).toEqual([])
    lanes.unpark(first)
    expect(startAll(lanes)).toEqual([first])
    lanes.done(first)
    expect(startAll(lanes)).toEqual([second])
  })

  it('lanes/S4: tasks without a key run beside each other', () => {
    const lanes = scheduler(8)
    for (const n of [1, 2, 3]) lanes.offer(task('', n))
    expect(startAll(lanes)).toHaveLength(3)
  })

  it('lanes/S5: while all have work, the turns of tenants differ from their weights by one round at most, however much one has waiting', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 2, maxLength: 5 })
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 60 }), (all, turns) => {
        const lanes = scheduler(1, { tenantWeight: (tenant) => all[Number(tenant)] ?? 1 })
        all.forEach((_, tenant) => {
          for (let n = 0; n < 100 * (tenant + 6); n++) lanes.offer(task('', n, { tenant: String(tenant) }))
        })
        const served = serve(lanes, turns)
        const sum = all.reduce((total, weight) => total + weight, 0)
        all.forEach((weight, tenant) => {
          const got = countOf(served, (one) => one.tenant === String(tenant))
          expect(Math.abs(got - (turns * weight) / sum)).toBeLessThanOrEqual(Math.max(...all))
        })
      }),
    )
  })

  it('lanes/S5: who comes late with little waits for one turn of each other tenant, not for what they have waiting', () => {
    const lanes = scheduler(1)
    for (let n = 0; n < 1_000; n++) lanes.offer(task('', n, { tenant: 'flood' }))
    serve(lanes, 10)
    lanes.offer(task('', 0, { tenant: 'quiet' }))
    expect(serve(lanes, 3).map(({ tenant }) => tenant)).toContain('quiet')
  })

  it('lanes/S6: classes share by weight, and bulk is never left out', () => {
    const lanes = scheduler(1)
    for (const priority of [0, 1, 2] as const) for (let n = 0; n < 2_000; n++) lanes.offer(task('', n, { priority, takenAtMs: 0 }))
    const served = serve(lanes, 210)
    expect([0, 1, 2].map((priority) => countOf(served, (one) => one.priority === priority))).toEqual([160, 40, 10])
  })

  it('lanes/S6: a class whose head has waited long counts as the one above', () => {
    const lanes = scheduler(1, { agingMs: 1_000 })
    for (let n = 0; n < 2_000; n++) {
      lanes.offer(task('', n, { priority: 0 }))
      lanes.offer(task('', n, { priority: 2 }))
    }
    const bulk = (nowMs: number): number => countOf(serve(lanes, 200, nowMs), ({ priority }) => priority === 2)
    const [young, old] = [bulk(0), bulk(5_000)]
    expect(old).toBeGreaterThan(3 * young)
  })

  it('lanes/S6: an urgent task finds a slot although slow ones of the classes below take all they may', () => {
    const topics = ['a.high', 'a', 'a.bulk']
    const lanes = scheduler(16, { classLimits: limitsOf(16, topics) })
    for (let n = 0; n < 100; n++) {
      lanes.offer(task('', n, { priority: 2 }))
      lanes.offer(task('', n, { priority: 1 }))
    }
    expect(startAll(lanes)).toHaveLength(14)
    lanes.offer(task('', 0, { priority: 0 }))
    expect(startAll(lanes).map(({ priority }) => priority)).toEqual([0])
    expect(limitsOf(16, ['a', 'b'])).toEqual([16, 16, 12])
  })

  it('those that come back from a wait go by age, before younger ones', () => {
    const lanes = scheduler(1)
    for (const n of [10, 20]) lanes.offer(task('', n))
    for (const n of [15, 5, 12, 30]) lanes.offer(task('', n, { returning: true }))
    expect(serve(lanes, 9).map(({ n }) => n)).toEqual([5, 10, 12, 15, 20, 30])
  })

  it('drops what has not started and lets the key go on', () => {
    const lanes = scheduler(8)
    const tasks = [task('a', 1), task('a', 2), task('a', 3), task('b', 4), task('b', 5)]
    for (const one of tasks) lanes.offer(one)
    const [first, other] = startAll(lanes)
    expect([first?.n, other?.n]).toEqual([1, 4])
    if (other !== undefined) lanes.park(other)
    expect(lanes.drop(({ n }) => n === 2 || n === 4).map(({ n }) => n)).toEqual([2, 4])
    if (first !== undefined) lanes.done(first)
    expect(
      startAll(lanes)
        .map(({ n }) => n)
        .toSorted((left, right) => left - right),
    ).toEqual([3, 5])
  })
})
