// What the whole installation keeps no longer. Any routing process may do it; one at a time does.
//   R1. A table is swept in batches, with at least as much time between two as the one before took.
//   R2. Runs go first, then the requests that began them, so that a request is known as long as its run is (L6).
//   R3. Payloads are removed only after all of those in use were marked in the same sweep.
//   R4. What fails is told and tried again at the next look; whatever was removed until then is removed.
import { setTimeout as pause } from 'node:timers/promises'
import { Fault, toFault } from '@baton/contracts'
import type { RetentionStore, SweptTable } from '@baton/store'
import type { Telemetry } from '@baton/telemetry'

export type RetentionOptions = {
  readonly retention: RetentionStore
  readonly ownerUuid: string
  /** Days after their end that runs are kept, with what begins and answers them. Default 30. */
  readonly runsKeepDays?: number | undefined
  /** Days that traces are kept, which refer to payloads. Default 30. */
  readonly tracesKeepDays?: number | undefined
  readonly telemetry: Pick<Telemetry, 'logger' | 'metrics'>
}

/** Topics keep records for 7 days; what they refer to is kept a day longer. */
const TOPICS_KEEP_DAYS = 8
const LOOK_EVERY_MS = 3_600_000
/** A process that has just started has other things to do. */
const FIRST_LOOK_MS = 15_000
/** A sweep of all tables is made so often, whoever makes it. */
const SWEEP_EVERY_MS = 6 * 3_600_000
const LEASE_MS = 600_000
const BATCH_ROWS = 1_000
/** Payloads are large. */
const BATCH_PAYLOADS = 200
const WORK = 'retention'

/** One sweep if it is time for one; returns what was removed by table, undefined when it was not our turn. */
export const sweepOnce = async (
  options: RetentionOptions & { readonly everyMs?: number; readonly signal?: AbortSignal },
): Promise<Readonly<Record<string, number>> | undefined> => {
  const { retention, ownerUuid, telemetry, everyMs = SWEEP_EVERY_MS } = options
  await retention.prepare()
  const claim = (): Promise<boolean> => retention.claim({ name: WORK, ownerUuid, leaseMs: LEASE_MS, everyMs })
  if (!(await claim())) return undefined
  const removed: Record<string, number> = {}
  const told = (table: string, count: number): void => {
    removed[table] = count
    telemetry.metrics.count('baton_retention_removed_total', { table }, count)
    if (count > 0) telemetry.logger.info({ table, removed: count }, 'removed what was kept long enough')
  }
  const inBatches = batches({ claim, signal: options.signal })
  const days = keepDaysOf(options)
  told('ended_runs', (await retention.dropEndedRuns({ keepDays: days.ended_runs_default })).length)
  const sweep = async (table: SweptTable, limit: number): Promise<void> => {
    let count = 0
    await inBatches(async () => {
      const rows = await retention.sweep({ table, keepDays: days[table], limit })
      count += rows
      return rows >= limit
    }).finally(() => told(table, count))
  }
  for (const table of ['ended_runs_default', 'starts', 'answers', 'effects'] as const) await sweep(table, BATCH_ROWS) // R2
  if (await retention.oldPayloads({ keepDays: days.payloads })) {
    let after: string | null = null
    await inBatches(async () => {
      after = await retention.markPayloads({ after, limit: BATCH_ROWS })
      return after !== null
    }) // R3
    await sweep('payloads', BATCH_PAYLOADS)
  }
  await retention.finish({ name: WORK, ownerUuid })
  return removed
}

const keepDaysOf = ({ runsKeepDays = 30, tracesKeepDays = 30 }: RetentionOptions): Readonly<Record<SweptTable, number>> => ({
  ended_runs_default: runsKeepDays,
  // Ended runs go by the day: a request a day later finds its run gone.
  starts: runsKeepDays + 1,
  answers: runsKeepDays,
  // A run that repeats an ended one may itself be repeated at the end of its time.
  effects: 2 * runsKeepDays,
  payloads: Math.max(runsKeepDays, tracesKeepDays) + TOPICS_KEEP_DAYS,
})

/** R1. `step` says whether there is more. */
const batches =
  ({ claim, signal }: { readonly claim: () => Promise<boolean>; readonly signal: AbortSignal | undefined }) =>
  async (step: () => Promise<boolean>): Promise<void> => {
    let claimedAtMs = performance.now()
    for (;;) {
      const beganAtMs = performance.now()
      if (!(await step())) return
      await pause(performance.now() - beganAtMs, undefined, signal === undefined ? {} : { signal })
      if (performance.now() - claimedAtMs < LEASE_MS / 4) continue
      if (!(await claim())) throw new Fault('lease.lost', 'another process sweeps now')
      claimedAtMs = performance.now()
    }
  }

/** Looks every hour until it is stopped, the first time soon. */
export const keepRetention = (options: RetentionOptions): { stop: () => Promise<void> } => {
  const { telemetry } = options
  const stopping = new AbortController()
  let running: Promise<void> | undefined
  const look = (): void => {
    running ??= sweepOnce({ ...options, signal: stopping.signal })
      .then(() => undefined)
      .catch((error: unknown) => {
        if (stopping.signal.aborted) return
        const { code, message } = toFault(error)
        telemetry.logger.warn({ code, reason: message }, 'what is old could not be removed; tried again in an hour') // R4
      })
      .finally(() => {
        running = undefined
      })
  }
  const timer = setInterval(look, LOOK_EVERY_MS)
  const first = setTimeout(look, FIRST_LOOK_MS)
  timer.unref()
  first.unref()
  return {
    stop: async () => {
      clearInterval(timer)
      clearTimeout(first)
      stopping.abort()
      await running
    },
  }
}
