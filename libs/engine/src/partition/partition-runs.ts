// The run loop of one partition without its I/O: which runs are in memory, which changed, what to write, when to wake. Pure and
// synchronous; the routing service and the simulator put bus, store and clock around it.
//
//   const runs = new PartitionRuns({ partition, next, ownedSinceMs, programs })    after the lease: position and due times from the store
//   runs.armed(await store.timers(partition))
//   for each batch of the log, in order:
//     for (let m = runs.missing(batch); m !== null; m = runs.missing(batch))       rows first, then the plans those rows name
//       runs.loaded({ runIds: m.runIds, rows: await store.load(m.runIds) }), load programs of m.planHashes (runs.withoutPlan(hashes) if gone)
//     for (const record of batch) publish(runs.apply(record).outputs), then runs.acked(ticket) once they are durable
//   every 50–100 ms: snapshot = runs.snapshot(); wait until runs.mayCommit(snapshot); store it; runs.committed(snapshot) or runs.abandoned(snapshot)
//   at runs.nextWakeAtMs(): append runs.wakeups(nowMs) to the partition as `timer.matured`
//
//   P1. Records are applied in the order of their offsets, each once; what lies before `next` is passed over (L5).
//   P2. A snapshot is taken at once, of exactly the records before its `next`, and may be committed only when the outputs of all of
//       them are acknowledged (L3).
//   P3. A run changed since its snapshot stays to be written; one that only waits, or has ended, leaves memory once it is written (L11).
//   P4. A run is never begun twice: a request that may be a repeat is looked up first (L2, L6).
//   P5. Every open run has its due time here, in memory or not; a wake-up that is not read back is given again (R4).
//   P6. What `missing` found to be there stays until its records are applied, whatever is committed in between.
//   P7. A throw of `apply` is a bug in the engine. The memory is of no use after it: drop the partition and take it over again (L10).
import type { FaultData } from '@baton/contracts/fault'
import type { MessageOf } from '@baton/contracts'
import type { Program } from '@baton/flow/program'
import { decodeState, encodeState, FORMAT_VERSION, nextWakeAtMs, planHashOf, requestedAtOf, runStatus, WAKE } from '../codec.ts'
import type { Decision, EngineInput, Output } from '../decision.ts'
import { refuseRun } from '../run/begin.ts'
import { decide, unowned } from '../run/run.decider.ts'
import type { RunState } from '../state.ts'
import { DueTimes } from './due-times.ts'
import { ForgottenRuns } from './forgotten-runs.ts'

/** A run as a checkpoint writes it; the same fields as the row of the store. */
export type RunRow = {
  readonly runId: string
  readonly tenant: string
  readonly partition: number
  readonly status: 'running' | 'waiting' | 'ended'
  readonly wakeAtMs: number | null
  readonly seq: number
  readonly appliedOffset: number
  readonly formatVersion: number
  readonly engineVersion: number
  readonly body: string
}

/** What one checkpoint writes: rows and position belong together, in one transaction. */
export type PartitionSnapshot = {
  readonly partition: number
  readonly next: number
  readonly rows: readonly RunRow[]
  /** Outputs up to this ticket must be acknowledged before it is committed. */
  readonly ticket: number
}

/** What a record caused. `refused` goes to the dead letters of routing, with the record. */
export type Applied = { readonly outputs: readonly Output[]; readonly refused?: FaultData; readonly ticket: number }

export type PartitionOptions = {
  readonly partition: number
  /** Position to continue from, as the last checkpoint has it. */
  readonly next: number
  /** When the partition was taken over; only with `next` 0 nothing can have been before. */
  readonly ownedSinceMs: number
  /** Programs that are loaded, by plan hash. */
  readonly programs: (planHash: string) => Program | undefined
  /** Ids remembered of runs that left memory. Default 100,000. */
  readonly forgottenMax?: number
  /** Runs kept in memory beside those that changed. Default 50,000. */
  readonly residentMax?: number
}

/** A wake-up that was not read back is given again after this time. */
export const WAKE_AGAIN_MS = 1_000
/** Most wake-ups given at once. */
const WAKEUPS_MAX = 1_000
/** Ids known to be nowhere; the oldest is forgotten and would be looked up again. */
const ABSENT_MAX = 50_000

type Resident = { state: RunState; appliedOffset: number; revision: number; savedRevision: number }

export class PartitionRuns {
  readonly #options: PartitionOptions
  readonly #runs = new Map<string, Resident>()
  readonly #dueTimes = new DueTimes()
  readonly #forgotten: ForgottenRuns
  readonly #absent = new Set<string>()
  readonly #planless = new Set<string>()
  #dirty = new Set<string>()
  /** Runs of the records last asked about, and those of them that are new. P6. */
  #pinned = new Set<string>()
  #starting = new Map<string, string>()
  #snapshot: { readonly of: PartitionSnapshot; readonly revisions: ReadonlyMap<string, number> } | null = null
  #next: number
  #committedNext: number
  #ticket = 0
  #acked = 0
  #broken = false

  constructor(options: PartitionOptions) {
    this.#options = options
    this.#next = options.next
    this.#committedNext = options.next
    this.#forgotten = new ForgottenRuns({ max: options.forgottenMax ?? 100_000, sinceMs: options.next === 0 ? null : options.ownedSinceMs })
  }

  /** Offset of the record to be applied next. */
  get next(): number {
    return this.#next
  }

  /** Figures for metrics and back-pressure. */
  stats(): {
    readonly resident: number
    readonly dirty: number
    readonly waiting: number
    readonly uncommitted: number
    readonly unacked: number
  } {
    return {
      resident: this.#runs.size,
      dirty: this.#dirty.size,
      waiting: this.#dueTimes.size,
      uncommitted: this.#next - this.#committedNext,
      unacked: this.#ticket - this.#acked,
    }
  }

  /** What must be loaded before these records can be applied; null when nothing is. Ask again after loading: rows name plans. */
  missing(records: readonly EngineInput[]): { readonly runIds: readonly string[]; readonly planHashes: readonly string[] } | null {
    const runIds = new Set<string>()
    const planHashes = new Set<string>()
    this.#pinned = new Set()
    this.#starting = new Map()
    for (const record of records) {
      if (record.offset < this.#next) continue
      const { runId } = record.message.data
      this.#pinned.add(runId)
      const planHash = this.#planOf(record)
      if (planHash === undefined) {
        if (!this.#absent.has(runId)) runIds.add(runId)
      } else if (!this.#planless.has(planHash) && this.#options.programs(planHash) === undefined) planHashes.add(planHash)
    }
    return runIds.size === 0 && planHashes.size === 0 ? null : { runIds: [...runIds], planHashes: [...planHashes] }
  }

  /** Plan that a record will be decided with; undefined when its run is not known yet, or does not exist. */
  #planOf({ message }: EngineInput): string | undefined {
    const { runId } = message.data
    const resident = this.#runs.get(runId)
    if (resident !== undefined) return planHashOf(resident.state)
    const known = this.#starting.get(runId)
    if (known !== undefined || message.name !== 'run.requested' || !this.#isNew(message.data)) return known
    this.#starting.set(runId, message.data.planHash)
    return message.data.planHash
  }

  /** P4: looked up and not found, or too young to have been forgotten. */
  #isNew(data: MessageOf<'run.requested'>): boolean {
    return this.#starting.has(data.runId) || this.#absent.has(data.runId) || this.#forgotten.excludes(data)
  }

  /** Rows of the run ids that were asked for; an id without a row is a run that does not exist. Throws `engine.unsupported`. */
  loaded({ runIds, rows }: { readonly runIds: readonly string[]; readonly rows: readonly RunRow[] }): void {
    for (const row of rows) {
      if (this.#runs.has(row.runId)) continue
      this.#runs.set(row.runId, { state: decodeState(row.body), appliedOffset: row.appliedOffset, revision: 0, savedRevision: 0 })
    }
    for (const runId of runIds) if (!this.#runs.has(runId)) this.#absent.add(runId)
    for (const runId of this.#absent) {
      if (this.#absent.size <= ABSENT_MAX) break
      this.#absent.delete(runId)
    }
  }

  /** Plans that are nowhere: their runs fail with `flow.unknown` instead of holding up the partition. */
  withoutPlan(planHashes: readonly string[]): void {
    for (const hash of planHashes) this.#planless.add(hash)
  }

  /** Due times of open runs that are not in memory, after a takeover. */
  armed(timers: readonly { readonly runId: string; readonly wakeAtMs: number }[]): void {
    for (const { runId, wakeAtMs } of timers) if (!this.#runs.has(runId)) this.#dueTimes.set(runId, wakeAtMs)
  }

  /** Applies one record. P1, P7. */
  apply(record: EngineInput): Applied {
    return this.#passing(record, () => this.#decide(record))
  }

  /**
   * Passes over a record without deciding it: it cannot be read (`offset` alone), or it crashed its owner (L10). The record goes to the
   * dead letters, under the ticket. A request that is passed over fails its run, so that it has a result (R6).
   */
  skip(record: Pick<EngineInput, 'offset'> | EngineInput, fault?: FaultData): Applied {
    const refused = fault === undefined ? {} : { refused: fault }
    const applied = this.#passing(record, () => {
      if (!('message' in record) || fault === undefined) return NOTHING
      const { message, atMs, offset } = record
      if (message.name !== 'run.requested' || this.#runs.has(message.data.runId)) return NOTHING
      return this.#keep(message.data.runId, undefined, refuseRun(message.data, { atMs }, fault), offset)
    })
    if (applied.outputs.length === 0) this.#ticket += 1
    return { ...applied, ...refused, ticket: this.#ticket }
  }

  #passing(record: Pick<EngineInput, 'offset'>, work: () => Pick<Applied, 'outputs' | 'refused'>): Applied {
    if (this.#broken) throw new Error('the partition is to be dropped: a record could not be applied')
    if (record.offset < this.#next) return { ...NOTHING, ticket: this.#ticket } // P1
    this.#broken = true // P7: stays so when the work throws.
    const applied = work()
    this.#broken = false
    this.#next = record.offset + 1
    if (applied.outputs.length > 0 || applied.refused !== undefined) this.#ticket += 1
    return { ...applied, ticket: this.#ticket }
  }

  #decide(record: EngineInput): Pick<Applied, 'outputs' | 'refused'> {
    const { message, offset } = record
    const { runId } = message.data
    const resident = this.#runs.get(runId)
    if (resident === undefined) {
      if (message.name === 'run.requested') return this.#isNew(message.data) ? this.#begin(record, message.data) : notLoaded(runId)
      return this.#absent.has(runId) ? unowned(message) : notLoaded(runId)
    }
    if (offset <= resident.appliedOffset) return NOTHING
    const planHash = planHashOf(resident.state)
    const program = this.#options.programs(planHash)
    if (program !== undefined) return this.#keep(runId, resident, decide(resident.state, record, program), offset)
    return this.#planless.has(planHash) ? { outputs: [], refused: withoutPlan(planHash) } : notLoaded(runId)
  }

  #begin(record: EngineInput, data: MessageOf<'run.requested'>): Pick<Applied, 'outputs' | 'refused'> {
    const program = this.#options.programs(data.planHash)
    if (program !== undefined) return this.#keep(data.runId, undefined, decide(undefined, record, program), record.offset)
    if (!this.#planless.has(data.planHash)) return notLoaded(data.runId)
    return this.#keep(data.runId, undefined, refuseRun(data, record, withoutPlan(data.planHash)), record.offset)
  }

  #keep(
    runId: string,
    resident: Resident | undefined,
    { state, outputs, refused }: Decision,
    offset: number,
  ): Pick<Applied, 'outputs' | 'refused'> {
    if (state !== undefined) {
      const kept = resident ?? { state, appliedOffset: offset, revision: 0, savedRevision: -1 }
      kept.state = state
      kept.appliedOffset = offset
      kept.revision += 1
      if (resident === undefined) {
        this.#runs.set(runId, kept)
        this.#absent.delete(runId)
      }
      this.#dirty.add(runId)
      this.#dueTimes.set(runId, nextWakeAtMs(state))
    }
    return refused === undefined ? { outputs } : { outputs, refused }
  }

  /** What changed since the last one, as text, and the position it belongs to; null when nothing did or one is still being written. P2. */
  snapshot(): PartitionSnapshot | null {
    if (this.#snapshot !== null || (this.#dirty.size === 0 && this.#next === this.#committedNext)) return null
    const revisions = new Map<string, number>()
    const rows: RunRow[] = []
    for (const runId of this.#dirty) {
      const resident = this.#runs.get(runId)
      if (resident === undefined) continue
      revisions.set(runId, resident.revision)
      rows.push(rowOf(resident, this.#options.partition))
    }
    const of = { partition: this.#options.partition, next: this.#next, rows, ticket: this.#ticket }
    this.#snapshot = { of, revisions }
    this.#dirty = new Set()
    return of
  }

  /** Everything published up to this ticket is durable. */
  acked(ticket: number): void {
    this.#acked = Math.max(this.#acked, ticket)
  }

  /** P2. */
  mayCommit(snapshot: PartitionSnapshot): boolean {
    return this.#acked >= snapshot.ticket
  }

  /** The snapshot is stored: what only waits or has ended leaves memory. P3. */
  committed(snapshot: PartitionSnapshot): void {
    const taken = this.#snapshot
    if (taken === null || taken.of !== snapshot) return
    this.#snapshot = null
    this.#committedNext = snapshot.next
    for (const [runId, revision] of taken.revisions) {
      const resident = this.#runs.get(runId)
      if (resident === undefined) continue
      resident.savedRevision = revision
      if (resident.revision === revision && !this.#pinned.has(runId) && runStatus(resident.state) !== 'running')
        this.#forget(runId, resident)
    }
    this.#shrink()
  }

  /** The snapshot could not be stored, and the partition is still ours: its runs are to be written again. */
  abandoned(snapshot: PartitionSnapshot): void {
    const taken = this.#snapshot
    if (taken === null || taken.of !== snapshot) return
    this.#snapshot = null
    for (const runId of taken.revisions.keys()) this.#dirty.add(runId)
  }

  /** Written runs beyond the limit leave memory, the longest there first. */
  #shrink(): void {
    let excess = this.#runs.size - (this.#options.residentMax ?? 50_000)
    if (excess <= 0) return
    for (const [runId, resident] of this.#runs) {
      if (resident.revision !== resident.savedRevision || this.#pinned.has(runId)) continue
      this.#forget(runId, resident)
      excess -= 1
      if (excess <= 0) return
    }
  }

  #forget(runId: string, { state }: Resident): void {
    this.#runs.delete(runId)
    this.#forgotten.add(runId, requestedAtOf(state))
  }

  /** When `wakeups` has something to give; null while nothing waits. */
  nextWakeAtMs(): number | null {
    return this.#dueTimes.earliest()
  }

  /** What is to be appended to the partition now. P5. */
  wakeups(nowMs: number): readonly MessageOf<'timer.matured'>[] {
    return this.#dueTimes.take(nowMs, WAKEUPS_MAX, WAKE_AGAIN_MS).map(({ runId, dueAtMs }) => ({ runId, timerId: WAKE, dueAtMs }))
  }
}

const NOTHING: { readonly outputs: readonly Output[] } = { outputs: [] }

const withoutPlan = (planHash: string): FaultData => ({
  code: 'flow.unknown',
  message: `plan ${planHash} is not stored`,
  detail: { planHash },
})

const notLoaded = (runId: string): never => {
  throw new Error(`apply before missing() is null: ${runId}`)
}

const rowOf = ({ state, appliedOffset }: Resident, partition: number): RunRow => ({
  runId: state.runId,
  tenant: state.tenant,
  partition,
  status: runStatus(state),
  wakeAtMs: nextWakeAtMs(state),
  seq: state.seq,
  appliedOffset,
  formatVersion: FORMAT_VERSION,
  engineVersion: state.engineVersion,
  body: encodeState(state),
})
