// The promises of DESIGN §5, checked after every event. A broken one throws, with its number.
//   R1  an id never stands for two contents, and no engine event of a run is left out or comes before its predecessor
//   R2  an attempt counts once     R3  after its lease was lost it counts no more     R4  what is open has a time to wake
//   R5  nothing is asked for after a limit     R6  one result a run     R7  people decide what they were asked
//   R8  a record is refused only when it belongs to no run     R9  what is stored was published before     R10 states stay small
import type { FaultData } from '@baton/contracts/fault'
import type { EngineInput, Output, PartitionSnapshot } from '@baton/engine'
import { PROGRAMS } from './flows.ts'

/** Outputs of one record (L11), and characters of a state that waits for work. */
const OUTPUTS_MAX = 256
const STATE_CHARS_MAX = 40_000
/** The grace of the flow's error handler, in steps. */
const GRACE_STEPS = 20

export class BrokenPromise extends Error {}
const broken = (promise: string, what: string): never => {
  throw new BrokenPromise(`${promise}: ${what}`)
}

type RunLedger = {
  seq: number
  steps: number
  costMicroUsd: number
  failing: boolean
  readonly answered: Set<string>
  readonly lost: Set<string>
  readonly asked: Map<string, string>
  result: string | null
}

export type Promises = {
  /** Every output that reaches its topic. Returns whether it is there for the first time. */
  readonly published: (output: Output) => boolean
  readonly applied: (record: EngineInput, outputs: readonly Output[], refused: FaultData | undefined) => void
  readonly stored: (snapshot: PartitionSnapshot, outputs: readonly Output[]) => void
  readonly requested: (runId: string, planHash: string) => void
  /** Runs without a result so far. */
  readonly open: () => readonly string[]
  /** At the end: what the whole log gives when it is decided in one go is what was published. */
  readonly replayed: (outputs: readonly Output[]) => void
  readonly counts: () => { readonly published: number; readonly repeated: number; readonly refused: number; readonly results: number }
}

export const createPromises = (): Promises => {
  const texts = new Map<string, string>()
  const runs = new Map<string, RunLedger>()
  const plans = new Map<string, string>()
  const counts = { published: 0, repeated: 0, refused: 0, results: 0 }

  const ledgerOf = (runId: string): RunLedger => {
    const known = runs.get(runId)
    if (known !== undefined) return known
    const ledger: RunLedger = {
      seq: 0,
      steps: 0,
      costMicroUsd: 0,
      failing: false,
      answered: new Set(),
      lost: new Set(),
      asked: new Map(),
      result: null,
    }
    runs.set(runId, ledger)
    return ledger
  }
  const limitsOf = (runId: string) => PROGRAMS.get(plans.get(runId) ?? '')?.plan.limits ?? broken('R8', `${runId} was never requested`)

  const published = (output: Output): boolean => {
    const text = JSON.stringify(output)
    const known = texts.get(output.id)
    if (known !== undefined) {
      if (known !== text) broken('R1', `${output.id} stands for ${known} and for ${text}`)
      counts.repeated += 1
      return false
    }
    texts.set(output.id, text)
    counts.published += 1
    const cut = output.id.lastIndexOf('/')
    const runId = output.id.slice(0, cut)
    const ledger = ledgerOf(runId)
    const seq = Number(output.id.slice(cut + 1))
    if (seq !== ledger.seq) broken('R1', `${output.id} came where ${runId}/${ledger.seq} was due`)
    ledger.seq += 1
    check(runId, ledger, output)
    return true
  }

  const check = (runId: string, ledger: RunLedger, output: Output): void => {
    if (output.to === 'command' || output.to === 'task') checkCommand(runId, ledger, output)
    else if (output.to === 'journal') checkJournal(runId, ledger, output)
    else if (output.to === 'result') {
      if (ledger.result !== null) broken('R6', `${runId} has the results ${ledger.result} and ${output.id}`)
      ledger.result = output.id
      counts.results += 1
      const { steps } = output.result.metrics
      if (steps > limitsOf(runId).steps + GRACE_STEPS) broken('R5', `${runId} took ${steps} steps`)
      if (output.result.fault?.code === 'handler.failed') broken('R1', `an error inside the engine: ${output.result.fault.message}`)
    }
  }

  const checkCommand = (runId: string, ledger: RunLedger, { command }: Extract<Output, { to: 'command' | 'task' }>): void => {
    const { attemptId, kind, deadlineMs, leaseUntilMs } = command
    if (ledger.result !== null) broken('R6', `${attemptId} was asked for after the end`)
    if (ledger.asked.has(attemptId)) broken('R2', `${attemptId} was asked for twice`)
    ledger.asked.set(attemptId, kind)
    if (!Number.isFinite(deadlineMs) || leaseUntilMs > deadlineMs)
      broken('R4', `${attemptId} is leased until ${leaseUntilMs}, beyond its deadline ${deadlineMs}`)
    const { costMicroUsd } = limitsOf(runId)
    if (costMicroUsd !== undefined && kind === 'model' && ledger.costMicroUsd >= costMicroUsd)
      broken('R5', `${attemptId} was asked for with ${ledger.costMicroUsd} spent`)
  }

  const checkJournal = (runId: string, ledger: RunLedger, { message }: Extract<Output, { to: 'journal' }>): void => {
    const { name, data } = message
    if (name === 'journal.step.dispatched' && data.leaseUntilMs <= data.atMs)
      broken('R5', `${data.attemptId} was asked for when its time was over`)
    if (name === 'journal.answer.ignored') ledger.costMicroUsd += data.costMicroUsd
    if (name === 'journal.run.ended' && data.costMicroUsd !== ledger.costMicroUsd)
      broken('R3', `${runId} cost ${data.costMicroUsd}, its journal says ${ledger.costMicroUsd}`)
    if ((name !== 'journal.step.completed' && name !== 'journal.step.failed') || data.attemptId === undefined) return
    const { attemptId } = data
    ledger.costMicroUsd += data.meter?.costMicroUsd ?? 0
    if (ledger.lost.has(attemptId)) broken('R3', `${attemptId} counted after its lease was lost`)
    if (ledger.answered.has(attemptId)) broken('R2', `${attemptId} counted twice`)
    ledger.answered.add(attemptId)
    if (name === 'journal.step.failed') {
      if (data.fault.code === 'step.lease_lost') ledger.lost.add(attemptId)
    } else if (data.by.startsWith('human:') !== (ledger.asked.get(attemptId) === 'human'))
      broken('R7', `${attemptId} was answered by ${data.by}`)
  }

  return {
    published,
    applied: (record, outputs, refused) => {
      if (outputs.length > OUTPUTS_MAX) broken('L11', `${outputs.length} outputs of one record`)
      if (refused === undefined) return
      counts.refused += 1
      if (plans.has(record.message.data.runId))
        broken('R8', `${record.message.name} of ${record.message.data.runId} was refused: ${refused.message}`)
    },
    stored: ({ rows }, outputs) => {
      for (const { id } of outputs) if (!texts.has(id)) broken('R9', `a state was stored before its output ${id} was published`)
      for (const { runId, status, wakeAtMs, body } of rows) {
        if (status !== 'ended' && wakeAtMs === null) broken('R4', `${runId} is open and nothing will wake it`)
        if (body.length > STATE_CHARS_MAX) broken('R10', `the state of ${runId} has ${body.length} characters`)
      }
    },
    requested: (runId, planHash) => {
      plans.set(runId, planHash)
    },
    open: () => [...plans.keys()].filter((runId) => runs.get(runId)?.result == null),
    replayed: (outputs) => {
      const ids = new Set<string>()
      for (const output of outputs) {
        if (texts.get(output.id) !== JSON.stringify(output))
          broken('R9', `${output.id} should be ${JSON.stringify(output)}, and is ${texts.get(output.id)}`)
        ids.add(output.id)
      }
      if (ids.size !== texts.size) broken('R9', `${texts.size} events were published, the log gives ${ids.size}`)
    },
    counts: () => counts,
  }
}
