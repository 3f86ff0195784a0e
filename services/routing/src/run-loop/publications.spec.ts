import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Bus } from '@baton/bus/bus'
import { Publications } from './publications.ts'

/** A bus that answers when it is told to, in any order. */
const slowBus = () => {
  const answers: { readonly ok: () => void; readonly fail: (error: Error) => void }[] = []
  const publish: Bus['publish'] = () => new Promise((resolve, reject) => answers.push({ ok: () => resolve([]), fail: reject }))
  return { bus: { publish }, answers }
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('publications', () => {
  it('Q1: whatever the order of the answers, durable is what is durable without a gap', async () => {
    const order = fc.uniqueArray(fc.nat({ max: 9 }), { minLength: 10, maxLength: 10 })
    await fc.assert(
      fc.asyncProperty(order, async (answersInOrder) => {
        const { bus, answers } = slowBus()
        const tickets: number[] = []
        const publications = new Publications({ bus, onDurable: (ticket) => void tickets.push(ticket), onFailed: () => undefined })
        for (let n = 1; n <= 10; n += 1) publications.publish([], { ticket: n * 10, offset: n })
        const answered = new Set<number>()
        for (const index of answersInOrder) {
          answers[index]?.ok()
          answered.add(index + 1)
          await settled()
          let gapless = 0
          while (answered.has(gapless + 1)) gapless += 1
          expect(publications.durable).toBe(gapless)
        }
        expect(tickets.at(-1)).toBe(100)
        expect(tickets).toEqual(tickets.toSorted((left, right) => left - right))
      }),
      { numRuns: 50 },
    )
  })

  it('Q1: nothing behind a failed one becomes durable', async () => {
    const { bus, answers } = slowBus()
    const failed: (number | null)[] = []
    const publications = new Publications({ bus, onDurable: () => undefined, onFailed: (_error, offset) => void failed.push(offset) })
    publications.publish([], { ticket: 1, offset: 7 })
    publications.publish([], { ticket: 2, offset: null })
    answers[1]?.ok()
    answers[0]?.fail(new Error('the broker is away'))
    await settled()
    expect({ failed, durable: publications.durable, sent: publications.sent }).toEqual({ failed: [7], durable: 0, sent: 2 })
  })
})
