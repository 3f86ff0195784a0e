// A process that owns one partition, cut into the effects between which it may die: apply, produce, acknowledge, snapshot, store.
import { PartitionRuns, type EngineInput, type LogMessage, type Output, type PartitionSnapshot } from '@baton/engine'
import type { Program } from '@baton/flow/program'
import type { Broker } from './broker.ts'
import type { Promises } from './promises.ts'
import type { Store } from './store.ts'

export type World = {
  readonly broker: Broker
  readonly store: Store
  readonly programs: (planHash: string) => Program | undefined
  readonly promises: Promises
  readonly nowMs: () => number
  /** How many records or outputs the next effect takes. */
  readonly batch: () => number
  /** Whether a wake-up gets lost on its way to the log. */
  readonly isLost: () => boolean
  /** A mistake to be found: stores before its outputs are acknowledged. */
  readonly hasty: boolean
}

type Sending = { readonly ticket: number; readonly output?: Output; readonly timer?: LogMessage }
type Writing = { readonly snapshot: PartitionSnapshot; readonly outputs: readonly Output[]; stored: boolean }
type Effect = { readonly name: string; readonly can: () => boolean; readonly run: () => void }

export class Owner {
  readonly partition: number
  readonly #world: World
  readonly #epoch: number
  readonly #runs: PartitionRuns
  readonly #sending: Sending[] = []
  readonly #unacked: number[] = []
  #batch: readonly EngineInput[] = []
  /** What was caused since the last snapshot. */
  #caused: Output[] = []
  #writing: Writing | null = null
  #alive = true
  readonly #effects: readonly Effect[]

  /** Takes the partition over from whoever had it. */
  constructor(partition: number, world: World) {
    const { epoch, next } = world.store.takeOver(partition)
    this.partition = partition
    this.#world = world
    this.#epoch = epoch
    this.#runs = new PartitionRuns({
      partition,
      next,
      ownedSinceMs: world.nowMs(),
      programs: world.programs,
      residentMax: 3,
      forgottenMax: 2,
    })
    this.#runs.armed(world.store.timers(partition))
    const writing = (): Writing | null => this.#writing
    this.#effects = [
      { name: 'read', can: () => this.#batch.length === 0 && world.broker.next(partition) > this.#runs.next, run: () => this.#read() },
      { name: 'apply', can: () => this.#batch.length > 0, run: () => this.#apply() },
      { name: 'produce', can: () => this.#sending.length > 0, run: () => this.#produce() },
      { name: 'acknowledge', can: () => this.#unacked.length > 0, run: () => this.#runs.acked(this.#unacked.shift() ?? 0) },
      { name: 'snapshot', can: () => writing() === null && this.#runs.stats().uncommitted > 0, run: () => this.#snapshot() },
      { name: 'commit', can: () => this.#mayCommit(writing()), run: () => this.#commit() },
      { name: 'settle', can: () => writing()?.stored === true, run: () => this.#settle() },
      { name: 'wake', can: () => (this.#runs.nextWakeAtMs() ?? Infinity) <= world.nowMs(), run: () => this.#wake() },
    ]
  }

  /** False once it has noticed that somebody else owns the partition. */
  get alive(): boolean {
    return this.#alive
  }

  /** What it could do next. */
  effects(): readonly Effect[] {
    return this.#alive ? this.#effects.filter(({ can }) => can()) : []
  }

  nextWakeAtMs(): number | null {
    return this.#runs.nextWakeAtMs()
  }

  /** Loads what a batch needs. Other effects may come before it is applied. */
  #read(): void {
    const { broker, store, batch } = this.#world
    const records = broker.read(this.partition, this.#runs.next, batch())
    for (let missing = this.#runs.missing(records); missing !== null; missing = this.#runs.missing(records)) {
      this.#runs.loaded({ runIds: missing.runIds, rows: store.load(missing.runIds) })
      this.#runs.withoutPlan(missing.planHashes)
    }
    this.#batch = records
  }

  #apply(): void {
    for (const record of this.#batch) {
      const { outputs, refused, ticket } = this.#runs.apply(record)
      this.#world.promises.applied(record, outputs, refused)
      this.#caused.push(...outputs)
      for (const output of outputs) this.#sending.push({ ticket, output })
      // A dead letter is published too; nobody reads it here.
      if (refused !== undefined) this.#sending.push({ ticket })
    }
    this.#batch = []
  }

  #produce(): void {
    for (let left = this.#world.batch(); left > 0; left -= 1) {
      const first = this.#sending.shift()
      if (first === undefined) return
      if (first.output !== undefined) this.#world.broker.publish(first.output, this.partition)
      if (first.timer !== undefined) this.#world.broker.append(first.timer, this.partition)
      if (first.ticket > 0 && this.#sending[0]?.ticket !== first.ticket) this.#unacked.push(first.ticket)
    }
  }

  #snapshot(): void {
    const snapshot = this.#runs.snapshot()
    if (snapshot === null) return
    this.#writing = { snapshot, outputs: this.#caused, stored: false }
    this.#caused = []
  }

  #mayCommit(writing: Writing | null): boolean {
    return writing !== null && !writing.stored && (this.#world.hasty || this.#runs.mayCommit(writing.snapshot))
  }

  #commit(): void {
    const writing = this.#writing
    if (writing === null) return
    if (this.#world.store.commit(writing.snapshot, this.#epoch)) {
      this.#world.promises.stored(writing.snapshot, writing.outputs)
      writing.stored = true
    } else this.#alive = false
  }

  #settle(): void {
    if (this.#writing !== null) this.#runs.committed(this.#writing.snapshot)
    this.#writing = null
  }

  #wake(): void {
    for (const data of this.#runs.wakeups(this.#world.nowMs())) {
      if (!this.#world.isLost()) this.#sending.push({ ticket: 0, timer: { name: 'timer.matured', data } })
    }
  }
}
