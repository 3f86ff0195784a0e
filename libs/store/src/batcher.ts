// Calls of one turn of the event loop, or of some milliseconds, become one statement.
//   Q1. Every call gets its own result, or the error of its own item: a batch that fails is halved until the bad item stands alone.
//   Q2. At most `inFlightMax` batches run at a time; what comes meanwhile waits together and makes the next ones larger.
import { Fault } from '@baton/contracts/fault'

export type BatcherOptions<Item, Result> = {
  /** One result per item, in order. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>
  /** Default 500. */
  readonly batchMax?: number
  /** Default 2. */
  readonly inFlightMax?: number
  /** How long the first call waits for others unless `batchMax` is reached. Default 0: the rest of this turn. */
  readonly waitMs?: number
}

type Call<Item, Result> = { readonly item: Item; readonly resolve: (result: Result) => void; readonly reject: (error: unknown) => void }

/** A function that collects calls and runs them together. */
export const batcher = <Item, Result>(options: BatcherOptions<Item, Result>): ((item: Item) => Promise<Result>) => {
  const { run, batchMax = 500, inFlightMax = 2, waitMs = 0 } = options
  const queue: Call<Item, Result>[] = []
  let inFlight = 0
  let turn: NodeJS.Immediate | undefined
  let timer: NodeJS.Timeout | undefined

  const flush = (): void => {
    clearImmediate(turn)
    clearTimeout(timer)
    turn = timer = undefined
    const batch = queue.splice(0, batchMax)
    if (batch.length === 0) return
    inFlight += 1
    void settle(batch, run).finally(() => {
      inFlight -= 1
      schedule()
    })
    schedule()
  }
  const schedule = (): void => {
    if (queue.length === 0 || inFlight >= inFlightMax) return // Q2
    if (waitMs === 0 || queue.length >= batchMax) turn ??= setImmediate(flush)
    else timer ??= setTimeout(flush, waitMs)
  }

  return (item) =>
    new Promise((resolve, reject) => {
      queue.push({ item, resolve, reject })
      schedule()
    })
}

const settle = async <Item, Result>(batch: readonly Call<Item, Result>[], run: BatcherOptions<Item, Result>['run']): Promise<void> => {
  try {
    const results = await run(batch.map(({ item }) => item))
    if (results.length !== batch.length) throw new Error(`a batch of ${batch.length} gave ${results.length} results`)
    // The lengths are equal, so every index holds a result.
    batch.forEach(({ resolve }, index) => resolve(results[index] as Result))
  } catch (error) {
    // A fault is about the database, not about an item: dividing would only repeat it.
    if (batch.length === 1 || error instanceof Fault) {
      for (const { reject } of batch) reject(error)
      return
    }
    const middle = batch.length >> 1
    await settle(batch.slice(0, middle), run) // Q1
    await settle(batch.slice(middle), run)
  }
}
