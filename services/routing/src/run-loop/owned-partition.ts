// One partition of the run log in the hands of its owner: the pure run loop of the engine with bus and store around it.
//   W1. Records are applied in the order of the log, each once; a record that cannot be read goes to the dead letters and is passed.
//   W2. A snapshot is committed only when every output of what it holds is durable (L3).
//   W3. When an output cannot be published the partition is given up: memory is ahead of the topics, and the log still has the cause.
//   W4. Nothing is applied or published without a confirmed lease, also when it was lost while something was loaded; one that is only
//       late is asked for again first (L4).
//   W5. A record that cannot be applied, or whose outputs no bus will ever take, crashes its partition and nothing else; the next owner
//       is told (L10, killers.policy.ts). When it is passed over, it is kept, its run is told, and the partition goes on.
//   W6. An output for a topic of other teams that does not exist goes to the dead letters, from where it can be redriven.
import type { Bus, BusRecord, OutgoingRecord } from '@baton/bus/bus'
import { DEFAULT_TENANT, Fault, toFault, TOPICS, type FaultCode, type FaultData } from '@baton/contracts'
import { PartitionRuns, type Applied, type EngineInput, type PartitionSnapshot } from '@baton/engine'
import type { PartitionLease, RunStore } from '@baton/store'
import { afterCrash, ALONE_AFTER_CRASHES, cautionOf, wayOf, type Caution } from './killers.policy.ts'
import { createPlaces, type Places } from './foreign-answers-place.ts'
import { quarantineRecord, readLogRecord } from './log-records.ts'
import type { MissingTopics } from './missing-topics.ts'
import { encodeOutput } from './outputs.ts'
import type { ProgramCache } from './program-cache.ts'
import { Publications } from './publications.ts'
import { timerRecord } from './timers.ts'

/** Outputs published and not acknowledged before no more records are taken (back-pressure). */
const UNACKED_MAX = 5_000
/** What a bus says of a record that it will not take the next time either. */
const NEVER_TAKEN: readonly FaultCode[] = ['request.too_large', 'message.undecodable']

export type Suspicion = { readonly offset: number | null; readonly crashCount: number }

export type PartitionDeps = {
  readonly bus: Bus
  readonly runs: RunStore
  readonly programs: ProgramCache
  readonly missingTopics: MissingTopics
  readonly nowMs: () => number
  /** W4. */
  readonly mayDecide: () => boolean
  /** Resolves when the lease was asked for again. */
  readonly confirm: () => Promise<void>
  /** Writes into the lease what the next owner has to know. Rejects when the lease is not ours. */
  readonly suspect: (suspicion: Suspicion) => Promise<void>
  /** Somebody waits for the next checkpoint. */
  readonly hurry: () => void
  /** The partition is of no use any more, and has stopped. Called once, with the reason. */
  readonly onBroken: (reason: unknown) => void
  readonly onPassedOver: (record: BusRecord, fault: FaultData) => void
}

const isInput = (input: EngineInput | FaultData): input is EngineInput => 'offset' in input

export class OwnedPartition {
  readonly lease: PartitionLease
  /** Resolves when the due times of its runs are known; nothing is applied before (L7). */
  readonly armed: Promise<void>
  readonly #deps: PartitionDeps
  readonly #runs: PartitionRuns
  readonly #publications: Publications
  readonly #places: Places
  readonly #waiting = new Set<() => void>()
  #caution: Caution | null
  #snapshotSent = 0
  #stopped = false

  /** `logEnd`: the next offset of the partition when it was taken over. */
  constructor(lease: PartitionLease, deps: PartitionDeps, logEnd: number) {
    this.lease = lease
    this.#deps = deps
    this.#caution = cautionOf(lease, logEnd)
    const { partition, next } = lease
    this.#places = createPlaces({ partition, partitions: deps.bus.partitions(TOPICS.events) })
    this.#runs = new PartitionRuns({ partition, next, ownedSinceMs: deps.nowMs(), programs: (hash) => deps.programs.get(hash) })
    this.armed = deps.runs.timers(partition).then((timers) => this.#runs.armed(timers))
    this.#publications = new Publications({
      bus: deps.bus,
      onDurable: (ticket) => {
        this.#runs.acked(ticket)
        this.#changed()
      },
      onFailed: (error, offset) => {
        const fault = toFault(error)
        deps.missingTopics.learn(fault) // W6: when the outputs are made again.
        if (NEVER_TAKEN.includes(fault.code)) void this.#crashed(fault, { offset, certain: true }) // W5
        else this.#break(fault) // W3
      },
    })
  }

  /** Loads what the records need, applies them, publishes what they cause without waiting for it. */
  async take(records: readonly BusRecord[]): Promise<void> {
    let rest = records
    await this.armed
    while (!this.#stopped) {
      await this.#settleCaution()
      const [first] = rest
      if (first === undefined || this.#stopped) break
      const { way, until } = wayOf(this.#caution, first.offset)
      const end = rest.findIndex(({ offset }) => offset >= until)
      const group = end === -1 ? rest : rest.slice(0, end)
      rest = rest.slice(group.length)
      if (way === 'freely') await this.#apply(group, null)
      else await this.#applyAlone(first, way)
    }
    if (this.#runs.stats().unacked > UNACKED_MAX) await this.#until(() => this.#runs.stats().unacked < UNACKED_MAX / 2)
  }

  snapshot(): PartitionSnapshot | null {
    const snapshot = this.#stopped ? null : this.#runs.snapshot()
    if (snapshot !== null) this.#snapshotSent = this.#publications.sent
    return snapshot
  }

  /** Resolves when the snapshot may be committed (W2), or the partition was stopped. */
  durable(snapshot: PartitionSnapshot): Promise<void> {
    return this.#until(() => this.#publications.durable >= this.#snapshotSent && this.#runs.mayCommit(snapshot))
  }

  committed(snapshot: PartitionSnapshot): void {
    this.#runs.committed(snapshot)
    this.#changed()
  }

  abandoned(snapshot: PartitionSnapshot): void {
    this.#runs.abandoned(snapshot)
  }

  nextWakeAtMs(): number | null {
    return this.#runs.nextWakeAtMs()
  }

  /** Appends due timers to the partition. */
  wake(): void {
    const { bus, nowMs, mayDecide } = this.#deps
    if (this.#stopped || !mayDecide()) return
    const atMs = nowMs()
    const due = this.#runs.wakeups(atMs)
    if (due.length === 0) return
    const place = { partition: this.lease.partition, tenant: DEFAULT_TENANT, time: new Date(atMs).toISOString() }
    // A wake-up that gets lost is given again (engine, P5): its failure needs no handling.
    bus.publish(due.map((timer) => timerRecord(timer, place))).catch(() => undefined)
  }

  stats(): ReturnType<PartitionRuns['stats']> {
    return this.#runs.stats()
  }

  /** Nothing is applied or published any more. */
  stop(): void {
    this.#stopped = true
    this.#changed()
  }

  async #load(inputs: readonly EngineInput[]): Promise<void> {
    const { programs, runs } = this.#deps
    for (let missing = this.#runs.missing(inputs); missing !== null && !this.#stopped; missing = this.#runs.missing(inputs)) {
      const { runIds, planHashes } = missing
      const gone = await programs.load(planHashes)
      const rows = runIds.length === 0 ? [] : await runs.load(runIds)
      this.#runs.withoutPlan(gone)
      if (runIds.length > 0) this.#runs.loaded({ runIds, rows: this.#places.own(rows) })
    }
  }

  async #apply(records: readonly BusRecord[], alone: number | null): Promise<void> {
    const inputs = records.map(readLogRecord)
    try {
      await this.#load(inputs.filter(isInput))
    } catch (error) {
      if (error instanceof Fault) throw error
      return this.#crashed(error, { offset: alone, certain: false }) // W5: a row that nobody can read.
    }
    if (this.#stopped || (!this.#deps.mayDecide() && !(await this.#confirmed()))) return // W4
    this.#decide(records, inputs)
  }

  /** In one turn of the event loop: state and position move together. */
  #decide(records: readonly BusRecord[], inputs: readonly (EngineInput | FaultData)[]): void {
    const outgoing: OutgoingRecord[] = []
    let ticket = 0
    for (const [index, record] of records.entries()) {
      const input = inputs[index]
      if (input === undefined) continue
      try {
        const applied = isInput(input) ? this.#runs.apply(input) : { ...this.#runs.skip({ offset: record.offset }), refused: input } // W1
        ticket = applied.ticket
        outgoing.push(...this.#encode(record, applied))
      } catch (error) {
        void this.#crashed(error, { offset: record.offset, certain: false }) // W5
        return
      }
    }
    this.#publish(outgoing, ticket, records.length === 1 ? (records[0]?.offset ?? null) : null)
  }

  /** W5: what was done before is stored, and the lease names the record before it is touched. */
  async #applyAlone(record: BusRecord, way: 'alone' | 'passed over'): Promise<void> {
    const { offset } = record
    await this.#allCommitted()
    if (this.#stopped) return
    if (way === 'passed over') return this.#passOver(record)
    if (offset !== this.lease.suspectOffset) await this.#deps.suspect({ offset, crashCount: ALONE_AFTER_CRASHES })
    await this.#apply([record], offset)
  }

  async #passOver(record: BusRecord): Promise<void> {
    const { crashCount, partition } = this.lease
    const { offset } = record
    const crashes = crashCount - ALONE_AFTER_CRASHES
    const fault: FaultData = {
      code: 'run.quarantined',
      message: `the record at ${offset} crashed its owner ${crashes} times`,
      detail: { partition, offset, crashes },
    }
    const input = readLogRecord(record)
    const known =
      isInput(input) &&
      (await this.#load([input]).then(
        () => true,
        () => false,
      ))
    if (this.#stopped || !(await this.#confirmed())) return // W4
    const applied = known ? this.#runs.skip(input, fault) : this.#runs.skip({ offset })
    const outgoing = this.#encode(record, { ...applied, refused: fault })
    if (isInput(input) && input.message.name !== 'run.quarantine')
      outgoing.push(quarantineRecord(record, { runId: input.message.data.runId, crashes }))
    this.#publish(outgoing, applied.ticket, offset)
    this.#deps.onPassedOver(record, fault)
  }

  #encode(record: BusRecord, { outputs, refused }: Pick<Applied, 'outputs' | 'refused'>): OutgoingRecord[] {
    const { partition } = this.lease
    const place = { tenant: record.headers['ce_tenant'] ?? DEFAULT_TENANT, partition, time: new Date(record.timestampMs).toISOString() }
    const encoded = outputs
      .flatMap((output) => encodeOutput(output, place))
      .map((output) => this.#deps.missingTopics.redirect(output, record)) // W6
    if (refused === undefined) return encoded
    const input = readLogRecord(record)
    return [...encoded, this.#places.refused(record, refused, isInput(input) ? input.message.data.runId : undefined)]
  }

  #publish(records: readonly OutgoingRecord[], ticket: number, offset: number | null): void {
    if (records.length > 0) this.#publications.publish(records, { ticket, offset })
  }

  /** W4. */
  async #confirmed(): Promise<boolean> {
    const { mayDecide, confirm } = this.#deps
    if (!mayDecide()) await confirm()
    if (this.#stopped) return false
    if (mayDecide()) return true
    this.#break(new Fault('lease.lost', 'the lease was not confirmed in time'))
    return false
  }

  /** Where care ends, everything up to there is stored first. */
  async #settleCaution(): Promise<void> {
    if (this.#caution === null || this.#runs.next < this.#caution.aloneUntil) return
    await this.#allCommitted()
    if (this.#stopped) return
    this.#caution = null
    if (this.lease.crashCount >= ALONE_AFTER_CRASHES) await this.#deps.suspect({ offset: null, crashCount: 0 })
  }

  async #allCommitted(): Promise<void> {
    while (!this.#stopped) {
      const { uncommitted } = this.#runs.stats()
      if (uncommitted === 0) return
      this.#deps.hurry()
      await this.#until(() => this.#runs.stats().uncommitted < uncommitted)
    }
  }

  /** W5. */
  async #crashed(error: unknown, where: { readonly offset: number | null; readonly certain: boolean }): Promise<void> {
    if (this.#stopped) return
    this.stop()
    await this.#deps.suspect(afterCrash(this.lease, where)).catch(() => undefined) // Then the next owner finds out by itself.
    this.#deps.onBroken(error)
  }

  #break(reason: unknown): void {
    if (this.#stopped) return
    this.stop()
    this.#deps.onBroken(reason)
  }

  #changed(): void {
    for (const check of this.#waiting) check()
  }

  /** Resolves when it holds, or the partition was stopped. */
  #until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!this.#stopped && !holds()) return
        this.#waiting.delete(check)
        resolve()
      }
      this.#waiting.add(check)
      check()
    })
  }
}
