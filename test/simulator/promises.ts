// The promises of DESIGN §5, checked after every event. A broken one throws, with its number.
//   R1  an id never stands for two contents, and no engine event of a run is left out or comes before its predecessor
//   R2  an attempt counts once     R3  after its lease was lost it counts no more     R4  what is open has a time to wake
//   R5  nothing is asked for after a limit     R6  one result a run     R7  people decide what they were asked
//   R8  a record is refused only when it belongs to no run     R9  what is stored was published before     R10 states stay small
import type { FaultData } from '@baton/contracts/fault'
import type { EngineInput, Output, PartitionSnapshot } from '@baton/engine'
import type { MessageOf } from '@baton/contracts'
import type { FlowSet } from './flow-set.ts'
import { broken, RunLedger, type ChildUse, type Limits } from './run-ledger.ts'

/** Outputs of one record (L11), and characters of a state. */
const OUTPUTS_MAX = 256
const STATE_CHARS_MAX = 400_000

const lowered = (
  plan: Limits,
  { steps = plan.steps, costMicroUsd, tokens, calls }: MessageOf<'run.requested'>['limits'] & object = {},
): Limits => ({
  steps: Math.min(plan.steps, steps),
  costMicroUsd: Math.min(plan.costMicroUsd ?? Infinity, costMicroUsd ?? Infinity),
  tokens: Math.min(plan.tokens ?? Infinity, tokens ?? Infinity),
  calls: Math.min(plan.calls ?? Infinity, calls ?? Infinity),
})

/** How often what was seen: results by status and fault, and everything that went otherwise than planned. */
export type Tally = Map<string, number>

export class Promises {
  readonly tally: Tally = new Map()
  readonly #texts = new Map<string, string>()
  readonly #runs = new Map<string, RunLedger>()
  /** What runs that steps started have used, by the attempt they answer. */
  readonly #children = new Map<string, ChildUse>()
  readonly #flows: FlowSet
  #repeated = 0
  #open = 0
  records = 0

  constructor(flows: FlowSet) {
    this.#flows = flows
  }

  get published(): number {
    return this.#texts.size
  }
  get repeated(): number {
    return this.#repeated
  }

  /** A client asks for a run. */
  requested({ runId, planHash, limits, engineVersion }: MessageOf<'run.requested'>): void {
    const plan = this.#flows.program(planHash)?.plan
    if (plan === undefined || this.#runs.has(runId)) return
    this.#runs.set(
      runId,
      new RunLedger(runId, { plan, limits: lowered(plan.limits, limits), engineVersion, childUse: (id) => this.#children.get(id) }),
    )
    this.#open += 1
  }

  /** Number of runs without a result so far. */
  get open(): number {
    return this.#open
  }

  /** An output has reached its topic. Returns whether it is there for the first time. */
  publish(output: Output): boolean {
    const text = JSON.stringify(output)
    const known = this.#texts.get(output.id)
    if (known !== undefined) {
      if (known !== text) broken('R1', `${output.id} stands for ${known} and for ${text}`)
      this.#repeated += 1
      return false
    }
    this.#texts.set(output.id, text)
    if (output.to === 'log') this.#appended(output.message)
    const runId = output.id.slice(0, output.id.lastIndexOf('/'))
    const ledger = this.#runs.get(runId) ?? broken('R8', `${output.id} belongs to no run that was asked for`)
    ledger.take(output)
    this.#count(output)
    return true
  }

  /** A run that a step starts, or its end. */
  #appended({ name, data }: Extract<Output, { to: 'log' }>['message']): void {
    if (name === 'run.requested') this.requested(data)
    if ((name === 'step.completed' || name === 'step.failed') && data.child !== undefined) this.#children.set(data.attemptId, data.child)
  }

  /** An owner has applied a record. */
  applied(record: EngineInput, outputs: readonly Output[], refused: FaultData | undefined): void {
    this.records += 1
    if (outputs.length > OUTPUTS_MAX) broken('L11', `${outputs.length} outputs of one record`)
    if (refused === undefined) return
    const { runId } = record.message.data
    if (this.#runs.has(runId)) broken('R8', `${record.message.name} of ${runId} was refused: ${refused.message}`)
    this.#add(`refused ${refused.code}`)
  }

  /** A snapshot is in the database; `outputs` is what its records caused. */
  stored({ rows }: PartitionSnapshot, outputs: readonly Output[]): void {
    for (const { id } of outputs) if (!this.#texts.has(id)) broken('R9', `a state was stored before its output ${id} was published`)
    for (const { runId, status, wakeAtMs, body } of rows) {
      if (status !== 'ended' && (wakeAtMs === null || !Number.isFinite(wakeAtMs))) broken('R4', `${runId} is open and nothing will wake it`)
      if (body.length > STATE_CHARS_MAX) broken('R10', `the state of ${runId} has ${body.length} characters`)
    }
  }

  /** At the end: the whole log decided in one go gives what was published, no more and no less. */
  replayed(outputs: readonly Output[]): void {
    const ids = new Set<string>()
    for (const output of outputs) {
      if (this.#texts.get(output.id) !== JSON.stringify(output))
        broken('R9', `${output.id} should be ${JSON.stringify(output)}, and is ${this.#texts.get(output.id)}`)
      ids.add(output.id)
    }
    if (ids.size !== this.#texts.size) broken('R9', `${this.#texts.size} events were published, the log gives ${ids.size}`)
  }

  /** A run was held against the reference. */
  compared(how: string): void {
    this.#add(`reference ${how}`)
  }

  #count(output: Output): void {
    if (output.to === 'result') {
      this.#open -= 1
      this.#add(`result ${output.result.fault?.code ?? output.result.status}`)
    } else if (output.to === 'log') this.#countAppended(output.message)
    else if (output.to === 'journal') this.#countJournal(output.message)
    else if (output.to === 'withdrawal') this.#add('withdrawn')
  }

  #countAppended({ name, data }: Extract<Output, { to: 'log' }>['message']): void {
    if (name === 'run.continue') this.#add('continue')
    else if (name === 'run.cancel') this.#add('child cancelled')
    else if (name === 'run.requested') this.#add(data.parent === undefined ? 'again' : 'child')
    else if (name === 'step.completed' || name === 'step.failed') {
      this.#open -= 1
      this.#add(name === 'step.completed' ? 'child completed' : 'child failed')
    } else this.#add(`child told ${name}`)
  }

  #countJournal({ name, data }: Extract<Output, { to: 'journal' }>['message']): void {
    if (name === 'journal.answer.ignored') this.#add(`ignored ${data.reason}`)
    else if (name === 'journal.step.failed') this.#add(`failed ${data.fault.code}`)
    else if (name === 'journal.step.decided') this.#add(`decided ${data.kind}`)
    else if (name === 'journal.step.opened' || name === 'journal.step.dispatched') this.#add(`kind ${data.kind}`)
    else if (name === 'journal.step.completed' && (data.kind === 'set' || data.kind === 'emit')) this.#add(`kind ${data.kind}`)
    else if (name === 'journal.run.controlled') this.#add(`controlled ${data.action}`)
    else if (name === 'journal.event.received') this.#add(data.path === undefined ? 'event kept' : 'event taken')
  }

  #add(what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1)
  }
}
