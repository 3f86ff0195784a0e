import { afterEach, describe, expect, it } from '@jest/globals'
import { memoryBudgets, quietTelemetry } from '../attempts/attempts.fixture.ts'
import { LimitsFile } from '../limits/limits-config.ts'
import { type BudgetBook, createBudgetBook } from './budget-book.ts'

const subject = { tenant: 't', flow: 'a/b' }
const signal = new AbortController().signal
const books: BudgetBook[] = []
const bookOver = (store = memoryBudgets()): BudgetBook => {
  const file = LimitsFile.parse({ budgets: [{ of: 'tenant', per: 'month', usd: 0.01 }] })
  const book = createBudgetBook({
    file,
    store,
    telemetry: quietTelemetry,
    holder: 'h',
    clockMs: () => performance.now(),
    nowMs: Date.now,
  })
  books.push(book)
  return book
}
afterEach(async () => {
  await Promise.all(books.splice(0).map((book) => book.close()))
})

describe('reservations (B9)', () => {
  it('B1: a repeat of an attempt that is under way reserves nothing more', async () => {
    const store = memoryBudgets()
    const book = bookOver(store)
    const first = book.reserve({ id: 'a', subject })
    expect(book.reserve({ id: 'a', subject })).toBe(first)
    await first.cover(5_000, signal)
    await book.reserve({ id: 'a', subject }).cover(5_000, signal)
    expect(store.leased()).toBe(5_000)
  })
  it('what was spent can be forgiven, and is spent anew', async () => {
    const store = memoryBudgets()
    const [before, after] = [bookOver(store), bookOver(store)]
    const first = before.reserve({ id: 'a', subject })
    await first.cover(9_000, signal)
    first.settle(9_000)
    await before.close()
    expect(await after.forgive('tenant:t/month', 'ann')).toBe(9_000)
    await expect(after.reserve({ id: 'b', subject }).cover(9_000, signal)).resolves.toBeUndefined()
    expect(await after.forgive('tenant:t', 'ann')).toBeUndefined()
  })
  it('covers what calls of one dispatch may cost together, and no more', async () => {
    const book = bookOver()
    const reservation = book.reserve({ id: 'a', subject })
    await reservation.cover(6_000, signal)
    await reservation.cover(9_000, signal)
    await expect(reservation.cover(11_000, signal)).rejects.toMatchObject({ code: 'budget.exceeded', detail: { budget: 'tenant:t/month' } })
  })
  it('what was not spent is free again; when all is over nothing is leased', async () => {
    const store = memoryBudgets()
    const book = bookOver(store)
    for (let count = 0; count < 50; count++) {
      const reservation = book.reserve({ id: `a${count}`, subject })
      await reservation.cover(5_000, signal)
      reservation.settle(100)
    }
    await book.close()
    expect(store.leased()).toBe(0)
  })
  it('a soft limit makes frugal', async () => {
    const book = bookOver()
    expect(book.standing(subject)).toEqual({ frugal: false })
    await book.reserve({ id: 'a', subject }).cover(9_000, signal)
    expect(book.standing(subject)).toEqual({ frugal: true })
  })
  it('two processes never spend more than there is', async () => {
    const store = memoryBudgets()
    const [one, two] = [bookOver(store), bookOver(store)]
    let spent = 0
    const spend = async (book: BudgetBook, id: string): Promise<void> => {
      const reservation = book.reserve({ id, subject })
      try {
        await reservation.cover(300, signal)
        spent += 300
        reservation.settle(300)
      } catch {
        reservation.settle(0)
      }
    }
    await Promise.all(Array.from({ length: 60 }, (_, at) => spend(at % 2 === 0 ? one : two, `a${at}`)))
    expect(spent).toBeLessThanOrEqual(10_000)
    expect(spent).toBeGreaterThan(9_000)
  })
})
