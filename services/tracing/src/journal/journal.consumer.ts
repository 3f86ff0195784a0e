// Takes the journal and the results off the bus and keeps them.
//   C1. A message is acknowledged after its rows are committed, together with some hundred others.
//   C2. Order does not matter, so the messages of one run wait for each other no more than those of different runs.
//   C3. While the database is away messages wait here; the bus pauses by itself when too many do. Nothing is dead-lettered for that.
//   C4. A message that cannot be read or written goes to the dead letters alone.
import type { Bus, BusRecord, Delivery, LaneConsumer, Settlement } from '@baton/bus/bus'
import { isRetryable, TOPICS, toFault } from '@baton/contracts'
import { retryPolicyOf } from '@baton/service'
import { batcher, type Database } from '@baton/store'
import type { Telemetry } from '@baton/telemetry'
import { readJournal, type TracedEvent } from './journal-event.ts'
import { reportEnds } from './step-report.ts'
import { writeTrace } from './trace.repository.ts'
import { traceRowsOf } from './trace-rows.policy.ts'

// Large and a little late: most steps, and short runs, begin and end within one batch and are one row each (J3).
const BATCH_EVENTS = 1_500
const BATCH_WAIT_MS = 30
const LINGER_MS = 40
/** Messages in hand at once: enough that full batches form, few enough for memory. */
const CONCURRENCY_MAX = 8_000
const PENDING_MAX = 4_000
const AWAY_WAIT_MS = { first: 100, longest: 5_000 } as const

const ACK: Settlement = { outcome: 'ack' }

export type JournalOptions = { readonly bus: Bus; readonly db: Database; readonly telemetry: Telemetry }

/** Starts to consume. `close` finishes what is in hand. */
export const consumeJournal = async ({ bus, db, telemetry }: JournalOptions): Promise<Pick<LaneConsumer, 'close' | 'stats'>> => {
  let closing = false
  const write = async (events: readonly TracedEvent[]): Promise<readonly void[]> => {
    const rows = traceRowsOf(events)
    for (let waitMs: number = AWAY_WAIT_MS.first; ; waitMs = Math.min(waitMs * 2, AWAY_WAIT_MS.longest)) {
      try {
        await writeTrace(db, rows)
        break
      } catch (error) {
        if (toFault(error).code !== 'store.unavailable' || closing) throw error
        telemetry.logger.warn({ service: 'tracing', events: events.length, waitMs }, 'the database is away; traces wait')
        await new Promise((resolve) => setTimeout(resolve, waitMs)) // C3
      }
    }
    reportEnds(telemetry, rows)
    return events.map(() => undefined)
  }
  const keep = batcher<TracedEvent, void>({ run: write, batchMax: BATCH_EVENTS, waitMs: BATCH_WAIT_MS })
  const lanes = await bus.lanes({
    group: 'tracing',
    topics: [TOPICS.journal, TOPICS.results],
    handler: (record, delivery) => handle(record, delivery, keep),
    retry: retryPolicyOf('tracing'),
    ordered: false, // C2
    concurrencyMax: CONCURRENCY_MAX,
    pendingMax: PENDING_MAX,
    tenantPendingMax: Infinity, // All wait for the same batches; putting some of them off would help nobody.
    lingerMs: LINGER_MS,
  })
  return {
    stats: () => lanes.stats(),
    close: async (options) => {
      closing = true
      await lanes.close(options)
    },
  }
}

const handle = async (record: BusRecord, { signal }: Delivery, keep: (event: TracedEvent) => Promise<void>): Promise<Settlement> => {
  try {
    const event = readJournal(record)
    if (event !== undefined && !signal.aborted) await keep(event)
    return ACK // C1
  } catch (error) {
    const fault = toFault(error).data
    return { outcome: isRetryable(fault.code) ? 'retry' : 'reject', fault } // C4
  }
}
