// Runs that ended leave the hot table, behind everything else: in batches, a while after their last change.
//   U1. Which runs ended is known from the checkpoints, so nothing is searched for. What an owner before left behind is looked for once,
//       after a partition was taken, and again where more had to be remembered than fits.
//   U2. Only runs on partitions that are owned are moved; the statement says which, with their epochs (L4).
//   U3. A run that changed meanwhile is noted anew by its checkpoint; a move that failed is tried again.
//   U4. The database has at least as much time without a move as with one, and an idle process is not woken.
import { setTimeout as pause } from 'node:timers/promises'
import { toFault } from '@baton/contracts/fault'
import type { PartitionSnapshot } from '@baton/engine'
import type { EndedRun, RunStore } from '@baton/store'
import type { Telemetry } from '@baton/telemetry'

export type EndedRunsOptions = {
  readonly runs: Pick<RunStore, 'retire' | 'ended'>
  readonly ownerUuid: string
  /** Epoch of a partition that is owned now. */
  readonly epochOf: (partition: number) => number | undefined
  readonly telemetry: Pick<Telemetry, 'logger' | 'metrics'>
  /** Default 30,000. */
  readonly everyMs?: number | undefined
  /** How long a run has to have been unchanged. Default 60,000. */
  readonly endedForMs?: number | undefined
  readonly monotonicMs: () => number
}

type Noted = { readonly atMs: number; readonly partition: number; readonly runs: readonly Pick<EndedRun, 'runId' | 'tenant'>[] }

/** Runs of one statement. */
const BATCH_RUNS = 500
/** Runs remembered; the database is asked for the rest. */
const NOTED_RUNS_MAX = 200_000
/** Runs that one look at the database finds. */
const FOUND_RUNS_MAX = 20_000

export class EndedRuns {
  readonly #options: EndedRunsOptions
  readonly #everyMs: number
  readonly #endedForMs: number
  readonly #unsearched = new Set<number>()
  readonly #closing = new AbortController()
  #noted: Noted[] = []
  #count = 0
  #timer: NodeJS.Timeout | undefined
  #round: Promise<void> | undefined

  constructor(options: EndedRunsOptions) {
    this.#options = options
    this.#everyMs = options.everyMs ?? 30_000
    this.#endedForMs = options.endedForMs ?? 60_000
  }

  /** A partition was taken over: what lies there of the owner before is not known. */
  taken(partition: number): void {
    this.#unsearched.add(partition)
    this.#schedule()
  }

  /** A checkpoint was stored. */
  committed({ partition, rows }: PartitionSnapshot): void {
    const runs = rows.flatMap(({ status, runId, tenant }) => (status === 'ended' ? [{ runId, tenant }] : []))
    if (runs.length > 0) this.#note(partition, runs)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    clearTimeout(this.#timer)
    await this.#round
  }

  #note(partition: number, runs: Noted['runs']): void {
    this.#noted.push({ atMs: this.#options.monotonicMs(), partition, runs })
    this.#count += runs.length
    while (this.#count > NOTED_RUNS_MAX) {
      const oldest = this.#noted.shift()
      if (oldest === undefined) break
      this.#count -= oldest.runs.length
      this.#unsearched.add(oldest.partition) // U1
    }
    this.#schedule()
  }

  /** U4: only while there is something to move. */
  #schedule(): void {
    if (this.#closing.signal.aborted || this.#timer !== undefined || this.#round !== undefined) return
    if (this.#count === 0 && this.#unsearched.size === 0) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#round = this.#move().finally(() => {
        this.#round = undefined
        this.#schedule()
      })
    }, this.#everyMs)
    this.#timer.unref()
  }

  async #move(): Promise<void> {
    const { telemetry } = this.#options
    try {
      await this.#search()
      let moved = 0
      for (let batch = this.#nextBatch(); batch.length > 0; batch = this.#nextBatch()) moved += await this.#retire(batch)
      if (moved > 0) telemetry.logger.debug({ moved, left: this.#count }, 'ended runs left the hot table')
    } catch (error) {
      if (this.#closing.signal.aborted) return
      telemetry.logger.warn({ reason: toFault(error).message }, 'ended runs stay in the hot table, tried again') // U3
    }
  }

  /** U1. */
  async #search(): Promise<void> {
    const { runs, epochOf } = this.#options
    const partitions = [...this.#unsearched].filter((partition) => epochOf(partition) !== undefined)
    this.#unsearched.clear()
    if (partitions.length === 0) return
    const again = (): void => partitions.forEach((partition) => this.#unsearched.add(partition))
    const found = await runs.ended({ partitions, limit: FOUND_RUNS_MAX }).catch((error: unknown) => {
      again()
      throw error
    })
    if (found.length === FOUND_RUNS_MAX) again()
    for (const partition of partitions) {
      const its = found.filter((run) => run.partition === partition)
      if (its.length > 0) this.#note(partition, its)
    }
  }

  /** What was noted long enough ago, of partitions that are still owned (U2). */
  #nextBatch(): readonly Noted[] {
    const { monotonicMs, epochOf } = this.#options
    const batch: Noted[] = []
    const untilMs = monotonicMs() - this.#endedForMs
    for (let size = 0; size < BATCH_RUNS && !this.#closing.signal.aborted;) {
      const [oldest] = this.#noted
      if (oldest === undefined || oldest.atMs > untilMs) break
      const room = oldest.runs.slice(0, BATCH_RUNS - size)
      const rest = oldest.runs.slice(room.length)
      if (rest.length > 0) this.#noted[0] = { ...oldest, runs: rest }
      else this.#noted.shift()
      this.#count -= room.length
      if (epochOf(oldest.partition) === undefined) continue
      batch.push({ ...oldest, runs: room })
      size += room.length
    }
    return batch
  }

  async #retire(batch: readonly Noted[]): Promise<number> {
    const { runs, ownerUuid, epochOf, monotonicMs, telemetry } = this.#options
    const partitions = [...new Set(batch.map(({ partition }) => partition))].flatMap((partition) => {
      const epoch = epochOf(partition)
      return epoch === undefined ? [] : [{ partition, epoch }]
    })
    const beganAtMs = monotonicMs()
    try {
      const moved = await runs.retire({ ownerUuid, partitions, runs: batch.flatMap((noted) => noted.runs), endedForMs: this.#endedForMs })
      telemetry.metrics.count('baton_routing_runs_retired_total', {}, moved)
      await pause(monotonicMs() - beganAtMs, undefined, { signal: this.#closing.signal }) // U4
      return moved
    } catch (error) {
      // U3: what was moved already is no longer there.
      this.#noted = [...batch, ...this.#noted]
      this.#count += batch.reduce((sum, noted) => sum + noted.runs.length, 0)
      throw error
    }
  }
}
