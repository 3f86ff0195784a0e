import { decodeEvent, TOPICS, type RunResult } from '@baton/contracts'
import type { Bus } from '@baton/bus/bus'

export type ResultListener = {
  /** Resolves with the result of a run, whether it came before or comes later; undefined after `timeoutMs`. */
  of(runId: string, timeoutMs: number): Promise<RunResult | undefined>
  close(): Promise<void>
}

const RESULT_NAMES: readonly string[] = ['run.completed', 'run.failed', 'run.cancelled', 'run.rejected']

/** Follows the result topic from its present end, as any product would; repeats are dropped by run id. */
export const listenForResults = async ({
  bus,
  onResult,
}: {
  bus: Bus
  onResult?: (result: RunResult, atMs: number) => void
}): Promise<ResultListener> => {
  const results = new Map<string, RunResult>()
  const waiting = new Map<string, (result: RunResult) => void>()
  const take = (result: RunResult, atMs: number): void => {
    if (results.has(result.runId)) return
    results.set(result.runId, result)
    onResult?.(result, atMs)
    waiting.get(result.runId)?.(result)
    waiting.delete(result.runId)
  }
  const { partitions } = await bus.describe(TOPICS.results)
  const reader = await bus.log({
    topic: TOPICS.results,
    onBatch: (_partition, records) => {
      for (const record of records) {
        const event = decodeEvent(record)
        // The four result messages share one schema.
        if (RESULT_NAMES.includes(event.name)) take(event.data as RunResult, record.timestampMs)
      }
    },
    onFault: () => undefined,
  })
  await Promise.all(partitions.map(({ partition, next }) => reader.seek(partition, next)))

  return {
    of: (runId, timeoutMs) => {
      const known = results.get(runId)
      if (known !== undefined) return Promise.resolve(known)
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          waiting.delete(runId)
          resolve(undefined)
        }, timeoutMs)
        waiting.set(runId, (result) => {
          clearTimeout(timer)
          resolve(result)
        })
      })
    },
    close: () => reader.close(),
  }
}
