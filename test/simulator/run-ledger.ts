// What one run has published so far, and what it may therefore not publish any more.
import type { MessageOf, RunResult } from '@baton/contracts'
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
export type ChildUse = NonNullable<MessageOf<'step.completed'>['child']>

export type Limits = Pick<Plan['limits'], 'steps' | 'costMicroUsd' | 'tokens' | 'calls'>
type Options = {
  readonly plan: Plan
  readonly limits: Limits
  readonly engineVersion: number
  readonly childUse: (attemptId: string) => ChildUse | undefined
}

export class RunLedger {
  readonly #runId: string
  readonly #options: Options
  readonly #answered = new Set<string>()
  readonly #billed = new Set<string>()
  readonly #lost = new Set<string>()
  /** Kind of step, by attempt. */
  readonly #asked = new Map<string, string>()
  /** What is asked of people and neither answered nor withdrawn. */
  readonly #people = new Set<string>()
  /** Input of each effect key. */
  readonly #effects = new Map<string, string>()
  #seq = 0
  #spent = { costMicroUsd: 0, tokens: 0, calls: 0, childSteps: 0 }
  #graces = 0
  #paused = false
  #patched = false
  /** Outputs of steps that can be taken back, and how many were. */
  #undoable = 0
  #undone = 0
  #result: string | null = null

  constructor(runId: string, options: Options) {
    this.#runId = runId
    this.#options = options
  }

  /** Takes an event that is published for the first time. */
  take(output: Output): void {
    const due = `${this.#runId}/${this.#seq}`
    if (output.id !== due) broken('R1', `${output.id} came where ${due} was due`)
    this.#seq += 1
    if (output.to === 'command' || output.to === 'task') this.#command(output.command)
    else if (output.to === 'journal') this.#journal(output.message)
    else if (output.to === 'result') this.#end(output.id, output.result)
    else if (output.to === 'withdrawal') this.#people.delete(output.review.attemptId)
    else if (output.to === 'log') this.#appended(output)
  }

  #appended({ id, message: { name, data } }: Extract<Output, { to: 'log' }>): void {
    if (name === 'step.completed' || name === 'step.failed') this.#end(id)
    else if (name === 'run.requested' && data.parent !== undefined && this.#paused)
      broken('Q1', `${this.#runId} started a run while it was paused`)
  }

  #command({ attemptId, kind, deadlineMs, leaseUntilMs, effectKey, input, turn }: Extract<Output, { to: 'command' }>['command']): void {
    if (this.#result !== null) broken('R6', `${attemptId} was asked for after the end`)
    if (this.#paused) broken('Q1', `${attemptId} was asked for while the run was paused`)
    if (this.#asked.has(attemptId)) broken('R2', `${attemptId} was asked for twice`)
    this.#asked.set(attemptId, kind)
    if (kind === 'human') this.#people.add(attemptId)
    if (!Number.isFinite(deadlineMs) || leaseUntilMs > deadlineMs)
      broken('R4', `${attemptId} is leased until ${leaseUntilMs}, beyond its deadline ${deadlineMs}`)
    const text = JSON.stringify([input, turn?.results])
    if (!this.#patched && (this.#effects.get(effectKey) ?? text) !== text)
      broken('L8', `${effectKey} stands for ${this.#effects.get(effectKey)} and ${text}`)
    this.#effects.set(effectKey, text)
    this.#withinLimits(attemptId, kind)
  }

  /** R5: what is asked for is allowed at that moment. */
  #withinLimits(attemptId: string, kind: string): void {
    const { costMicroUsd, tokens, calls } = this.#options.limits
    const { engineVersion } = this.#options
    const spent = this.#spent
    if (kind === 'model' && spent.costMicroUsd >= (costMicroUsd ?? Infinity))
      broken('R5', `${attemptId} was asked for with ${spent.costMicroUsd} spent`)
    if (engineVersion === 1) return
    if (kind === 'model' && spent.tokens >= (tokens ?? Infinity))
      broken('R5', `${attemptId} was asked for with ${spent.tokens} tokens spent`)
    if (kind !== 'model' && kind !== 'tool') return
    if (spent.calls >= (calls ?? Infinity)) broken('R5', `${attemptId} was asked for after ${spent.calls} calls`)
    spent.calls += 1
  }

  #journal(message: Journal): void {
    const { name, data } = message
    if (name === 'journal.step.dispatched' && data.leaseUntilMs <= data.atMs)
      broken('R5', `${data.attemptId} was asked for when its time was over`)
    if (name === 'journal.answer.ignored') this.#bill(data.attemptId, data.costMicroUsd)
    if (name === 'journal.run.ended' && data.costMicroUsd !== this.#spent.costMicroUsd) {
      broken('R3', `${this.#runId} cost ${data.costMicroUsd}, its journal says ${this.#spent.costMicroUsd}`)
    }
    if (name === 'journal.run.controlled') this.#controlled(data.action)
    if (name === 'journal.step.waiting' && data.reason === 'asks') this.#asks(data)
    if (name === 'journal.step.opened' && data.kind === 'undo') {
      this.#undone += 1
      this.#paused = false // An end is not held up by a pause.
    }
    if (name === 'journal.step.decided' && data.kind === 'handler' && (data.path === 'onError' || data.path === 'onLimit'))
      this.#graces += 1
    if (name === 'journal.step.completed' || name === 'journal.step.failed') this.#finished(message)
  }

  /** An attempt that ended in a question to a person. */
  #asks({ attemptId, meter }: Extract<Journal, { name: 'journal.step.waiting' }>['data']): void {
    this.#bill(attemptId, meter?.costMicroUsd ?? 0)
    this.#spent.tokens += (meter?.inputTokens ?? 0) + (meter?.outputTokens ?? 0)
    if (this.#answered.has(attemptId)) broken('R2', `${attemptId} counted twice`)
    this.#answered.add(attemptId)
  }

  #controlled(action: string): void {
    if (action === 'paused') this.#paused = true
    if (action === 'resumed') this.#paused = false
    if (action === 'patched') this.#patched = true
  }

  #finished(message: Finished): void {
    const { name, data } = message
    const { attemptId } = data
    this.#made(message)
    if (attemptId === undefined) return // Done in-process: nothing was asked for.
    const { meter } = data
    this.#people.delete(attemptId)
    this.#bill(attemptId, meter?.costMicroUsd ?? 0)
    this.#spent.tokens += (meter?.inputTokens ?? 0) + (meter?.outputTokens ?? 0)
    if (data.kind === 'flow') this.#takeChild(attemptId)
    if (this.#lost.has(attemptId)) broken('R3', `${attemptId} counted after its lease was lost`)
    if (this.#answered.has(attemptId)) broken('R2', `${attemptId} counted twice`)
    this.#answered.add(attemptId)
    if (name === 'journal.step.failed') {
      if (data.fault.code === 'step.lease_lost') this.#lost.add(attemptId)
      return
    }
    // Who answers a run of the first engine says for which attempt; answers to the second are compared with the reference.
    if (this.#options.engineVersion === 1 && !data.by.endsWith(` for ${attemptId}`)) broken('R2', `${attemptId} was answered by ${data.by}`)
    if (data.by.startsWith('human:') !== (this.#asked.get(attemptId) === 'human')) broken('R7', `${attemptId} was answered by ${data.by}`)
  }

  /** An output of a step that can be taken back. */
  #made({ name, data: { nodeId, path, kind } }: Finished): void {
    const node = this.#options.plan.nodes[nodeId]
    if (name === 'journal.step.completed' && node?.undo !== undefined && node.kind === kind && !path.startsWith('undo/'))
      this.#undoable += 1
  }

  #takeChild(attemptId: string): void {
    const use = this.#options.childUse(attemptId)
    if (use === undefined) return
    this.#spent.costMicroUsd += use.costMicroUsd
    this.#spent.tokens += use.tokens
    this.#spent.calls += use.calls
    this.#spent.childSteps += use.steps
  }

  #bill(attemptId: string, costMicroUsd: number): void {
    if (costMicroUsd === 0) return
    if (this.#billed.has(attemptId)) broken('R2', `${attemptId} was billed twice`)
    this.#billed.add(attemptId)
    this.#spent.costMicroUsd += costMicroUsd
  }

  #end(id: string, result?: RunResult): void {
    if (this.#result !== null) broken('R6', `${this.#runId} has the results ${this.#result} and ${id}`)
    this.#result = id
    if (result === undefined) return
    const most = this.#options.limits.steps + GRACE_STEPS * (this.#graces + this.#undone + 1)
    if (result.metrics.steps - this.#spent.childSteps > most) broken('R5', `${this.#runId} took ${result.metrics.steps} steps`)
    if (result.fault?.code === 'handler.failed') broken('R1', `an error inside the engine: ${result.fault.message}`)
    this.#effectsOf(result)
  }

  /** U1: what was made is kept, or taken back, each once. */
  #effectsOf({ status, fault }: RunResult): void {
    if (status === 'completed' && this.#undone > 0) broken('U1', `${this.#runId} completed, and took ${this.#undone} effects back`)
    const stopped = fault?.code === 'run.quarantined' || fault?.code === 'run.cancelled'
    if (status !== 'completed' && !stopped && this.#undone < this.#undoable)
      broken('U1', `${this.#runId} made ${this.#undoable} effects and took ${this.#undone} back`)
  }
}
