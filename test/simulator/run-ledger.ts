// What one run has published so far, and what it may therefore not publish any more.
import type { Output } from '@baton/engine'
import type { Plan } from '@baton/flow/plan'

export class BrokenPromise extends Error {}
/** Throws with the number of the promise. */
export const broken = (promise: string, what: string): never => {
  throw new BrokenPromise(`${promise}: ${what}`)
}

/** The grace of the flow's error handler, in steps. */
const GRACE_STEPS = 20

type Journal = Extract<Output, { to: 'journal' }>['message']
type Finished = Extract<Journal, { name: 'journal.step.completed' | 'journal.step.failed' }>

export class RunLedger {
  readonly #runId: string
  readonly #limits: Plan['limits']
  readonly #answered = new Set<string>()
  readonly #billed = new Set<string>()
  readonly #lost = new Set<string>()
  /** Kind of step, by attempt. */
  readonly #asked = new Map<string, string>()
  #seq = 0
  #costMicroUsd = 0
  #result: string | null = null

  constructor(runId: string, limits: Plan['limits']) {
    this.#runId = runId
    this.#limits = limits
  }

  /** Takes an event that is published for the first time. */
  take(output: Output): void {
    const due = `${this.#runId}/${this.#seq}`
    if (output.id !== due) broken('R1', `${output.id} came where ${due} was due`)
    this.#seq += 1
    if (output.to === 'command' || output.to === 'task') this.#command(output.command)
    else if (output.to === 'journal') this.#journal(output.message)
    else if (output.to === 'result') this.#end(output)
  }

  #command({ attemptId, kind, deadlineMs, leaseUntilMs }: Extract<Output, { to: 'command' }>['command']): void {
    if (this.#result !== null) broken('R6', `${attemptId} was asked for after the end`)
    if (this.#asked.has(attemptId)) broken('R2', `${attemptId} was asked for twice`)
    this.#asked.set(attemptId, kind)
    if (!Number.isFinite(deadlineMs) || leaseUntilMs > deadlineMs)
      broken('R4', `${attemptId} is leased until ${leaseUntilMs}, beyond its deadline ${deadlineMs}`)
    const { costMicroUsd } = this.#limits
    if (costMicroUsd !== undefined && kind === 'model' && this.#costMicroUsd >= costMicroUsd)
      broken('R5', `${attemptId} was asked for with ${this.#costMicroUsd} spent`)
  }

  #journal(message: Journal): void {
    const { name, data } = message
    if (name === 'journal.step.dispatched' && data.leaseUntilMs <= data.atMs)
      broken('R5', `${data.attemptId} was asked for when its time was over`)
    if (name === 'journal.answer.ignored') this.#bill(data.attemptId, data.costMicroUsd)
    if (name === 'journal.run.ended' && data.costMicroUsd !== this.#costMicroUsd) {
      broken('R3', `${this.#runId} cost ${data.costMicroUsd}, its journal says ${this.#costMicroUsd}`)
    }
    if (name === 'journal.step.completed' || name === 'journal.step.failed') this.#finished(message)
  }

  #finished({ name, data }: Finished): void {
    const { attemptId } = data
    if (attemptId === undefined) return // Done in-process: nothing was asked for.
    this.#bill(attemptId, data.meter?.costMicroUsd ?? 0)
    if (this.#lost.has(attemptId)) broken('R3', `${attemptId} counted after its lease was lost`)
    if (this.#answered.has(attemptId)) broken('R2', `${attemptId} counted twice`)
    this.#answered.add(attemptId)
    if (name === 'journal.step.failed') {
      if (data.fault.code === 'step.lease_lost') this.#lost.add(attemptId)
      return
    }
    // Who answers says for which attempt.
    if (!data.by.endsWith(` for ${attemptId}`)) broken('R2', `${attemptId} was answered by ${data.by}`)
    if (data.by.startsWith('human:') !== (this.#asked.get(attemptId) === 'human')) broken('R7', `${attemptId} was answered by ${data.by}`)
  }

  #bill(attemptId: string, costMicroUsd: number): void {
    if (costMicroUsd === 0) return
    if (this.#billed.has(attemptId)) broken('R2', `${attemptId} was billed twice`)
    this.#billed.add(attemptId)
    this.#costMicroUsd += costMicroUsd
  }

  #end({ id, result }: Extract<Output, { to: 'result' }>): void {
    if (this.#result !== null) broken('R6', `${this.#runId} has the results ${this.#result} and ${id}`)
    this.#result = id
    if (result.metrics.steps > this.#limits.steps + GRACE_STEPS) broken('R5', `${this.#runId} took ${result.metrics.steps} steps`)
    if (result.fault?.code === 'handler.failed') broken('R1', `an error inside the engine: ${result.fault.message}`)
  }
}
