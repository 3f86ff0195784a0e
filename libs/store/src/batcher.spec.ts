import { describe, expect, it } from '@jest/globals'
import { Fault } from '@baton/contracts/fault'
import { batcher } from './batcher.ts'

const double = async (items: readonly number[]): Promise<readonly number[]> => {
  if (items.includes(13)) throw new Error('thirteen')
  return items.map((item) => item * 2)
}

describe('batcher', () => {
  it('collects the calls of one turn and gives each its result', async () => {
    const seen: number[] = []
    const call = batcher<number, number>({
      run: (items) => {
        seen.push(items.length)
        return double(items)
      },
    })
    expect(await Promise.all([1, 2, 3].map(call))).toEqual([2, 4, 6])
    expect(seen).toEqual([3])
  })

  it('collects for as long as it is told, or until a batch is full', async () => {
    const seen: number[] = []
    const call = batcher<number, number>({
      waitMs: 20,
      batchMax: 4,
      run: (items) => {
        seen.push(items.length)
        return double(items)
      },
    })
    const first = call(1)
    await new Promise((resolve) => setTimeout(resolve, 1))
    await Promise.all([first, call(2)])
    await Promise.all([1, 2, 3, 4, 5].map(call))
    expect(seen).toEqual([2, 4, 1])
  })

  it('Q1: a bad item fails alone', async () => {
    const call = batcher<number, number>({ run: double })
    const outcomes = await Promise.allSettled([1, 2, 13, 4, 5].map(call))
    expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'failed'))).toEqual([2, 4, 'failed', 8, 10])
  })

  it('Q1: a fault of the database is not tried again item by item', async () => {
    let calls = 0
    const call = batcher<number, number>({
      run: () => {
        calls += 1
        return Promise.reject(new Fault('store.unavailable', 'down'))
      },
    })
    const outcomes = await Promise.allSettled([1, 2, 3].map(call))
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
    expect(calls).toBe(1)
  })

  it('Q2: while batches are under way the rest waits together, in order and within the limit', async () => {
    const batches: (readonly number[])[] = []
    let running = 0
    let most = 0
    const call = batcher<number, number>({
      batchMax: 3,
      inFlightMax: 2,
      run: async (items) => {
        batches.push(items)
        running += 1
        most = Math.max(most, running)
        await new Promise((resolve) => setTimeout(resolve, 5))
        running -= 1
        return double(items)
      },
    })
    await Promise.all(Array.from({ length: 10 }, (_, n) => call(n)))
    expect(batches).toEqual([[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]])
    expect(most).toBe(2)
  })
})
