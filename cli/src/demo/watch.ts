import { decodeEvent, TOPICS, type RunResult } from '@baton/contracts'
import type { Bus } from '@baton/bus'
import { listenForResults } from '../platform/results.ts'

/** What the demo sees of the runs, from topics anyone may read. */
export type Watch = {
  readonly results: ReadonlyMap<string, RunResult>
  /** Priority of the first review of a run. */
  readonly reviews: ReadonlyMap<string, string>
  /** Wall time of the last result or hand-over. */
  lastAtMs(): number
  close(): Promise<void>
}

export const watchRuns = async (bus: Bus): Promise<Watch> => {
  const results = new Map<string, RunResult>()
  const reviews = new Map<string, string>()
  let lastAtMs = Date.now()
  const listener = await listenForResults({
    bus,
    onResult: (result) => {
      results.set(result.runId, result)
      lastAtMs = Date.now()
    },
  })
  const { partitions } = await bus.describe(TOPICS.journal)
  const journal = await bus.log({
    topic: TOPICS.journal,
    onBatch: (_partition, records) => {
      for (const record of records) {
        if (record.headers['ce_type'] !== 'baton.review.requested.v1') continue
        const event = decodeEvent(record)
        if (event.name !== 'review.requested' || reviews.has(event.data.runId)) continue
        reviews.set(event.data.runId, event.data.priority)
        lastAtMs = Date.now()
      }
    },
    onFault: () => undefined,
  })
  await Promise.all(partitions.map(({ partition, next }) => journal.seek(partition, next)))
  return {
    results,
    reviews,
    lastAtMs: () => lastAtMs,
    close: async () => {
      await listener.close()
      await journal.close()
    },
  }
}
