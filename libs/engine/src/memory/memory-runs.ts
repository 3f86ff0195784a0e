// Runs of one tree in one process: the engine's decisions and somebody who does the work, without log, store or server. What keeps
// a run through a crash is missing here; everything the engine decides is the same.
//   M1. Records are decided one at a time, in the order in which they came about, those of all runs in one line.
//   M2. A run that ends leaves nothing behind: its open work is aborted; with the last one the timer is gone.
//   M3. An answer counts only while its work was wanted: what was withdrawn or aborted says nothing any more.
import { toFault } from '@baton/contracts/fault'
import type { MessageOf, RunResult, StepCommand } from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'
import type { Program } from '@baton/flow/program'
import { dueTimers, nextWakeAtMs, planHashOf } from '../codec.ts'
import type { Decision, EngineInput, LogMessage, Output } from '../decision.ts'
import { refuseRun } from '../run/begin.ts'
import { decide } from '../run/run.decider.ts'
import type { RunState } from '../state.ts'
import { answerOf, failureOf, type Done } from './answer.ts'

type OutputTo<To extends Output['to']> = Extract<Output, { to: To }>

/** What the runs need of the world around them. */
export type MemoryPorts = {
  readonly nowMs: () => number
  /** Resolves after a time, or when the signal is aborted; never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  /** Longest sleep; timers of other lengths are not kept by every runtime. Default one hour. */
  readonly sleepMaxMs?: number
  /** Told of everything that goes on, so that a clock knows when nothing does. Default: just does it. */
  readonly during?: <T>(work: () => Promise<T>) => Promise<T>
  /** Does the work of a step. Throws a Fault when it cannot. The signal says that nobody wants it any more. */
  readonly work: (command: StepCommand, node: PlanNode, signal: AbortSignal) => Promise<Done>
  /** Programs of the flows that steps start, by plan hash. */
  readonly programs?: (planHash: string) => Program | undefined
  readonly onJournal?: (output: OutputTo<'journal'>['message']) => void
  /** An event that a flow sends into the world. */
  readonly onEmit?: (event: OutputTo<'topic'>) => void
}

const SLEEP_MAX_MS = 3_600_000

type Open = { readonly runId: string; readonly controller: AbortController }
type Waiter = { readonly resolve: (result: RunResult) => void; readonly reject: (error: unknown) => void }

/** Runs of one flow and of the flows that it starts. They go on until they have ended or are closed. */
export class MemoryRuns {
  readonly #program: Program
  readonly #ports: MemoryPorts
  readonly #queue: LogMessage[] = []
  readonly #states = new Map<string, RunState>()
  readonly #roots = new Map<string, string>()
  readonly #results = new Map<string, RunResult>()
  readonly #waiters = new Map<string, Waiter>()
  readonly #work = new Map<string, Open>()
  readonly #closing = new AbortController()
  #wake = (): void => undefined
  #offset = 0

  constructor({ program, ports }: { readonly program: Program; readonly ports: MemoryPorts }) {
    this.#program = program
    this.#ports = ports
    void this.#during(() => this.#loop()).catch((error: unknown) => {
      for (const { reject } of this.#waiters.values()) reject(error)
    })
  }

  /** Starts a run. Gives its result once every run of its tree has ended. */
  start(request: MessageOf<'run.requested'>): Promise<RunResult> {
    return new Promise((resolve, reject) => {
      this.#waiters.set(request.runId, { resolve, reject })
      this.send({ name: 'run.requested', data: request })
    })
  }

  /** Appends what somebody outside says: an event, cancel, pause, resume, patch, retry. */
  send(message: LogMessage): void {
    this.#queue.push(message)
    this.#wake()
  }

  state(runId: string): RunState | undefined {
    return this.#states.get(runId)
  }

  /** Ends everything, whatever is open. */
  close(): void {
    this.#closing.abort()
    this.#abortWork(() => true)
    this.#wake()
  }

  #during<T>(work: () => Promise<T>): Promise<T> {
    const { during } = this.#ports
    return during === undefined ? work() : during(work)
  }

  #programOf(planHash: string): Program | undefined {
    return planHash === this.#program.plan.hash ? this.#program : this.#ports.programs?.(planHash)
  }

  async #loop(): Promise<void> {
    for (;;) {
      const message = await this.#nextMessage()
      if (message === undefined) return
      this.#offset += 1
      this.#apply({ message, atMs: this.#ports.nowMs(), partition: 0, offset: this.#offset }) // M1
      if (this.#queue.length === 0) this.#settle()
    }
  }

  /** What arrives next, or the timer of a run; undefined when all is closed. */
  async #nextMessage(): Promise<LogMessage | undefined> {
    const { sleep, sleepMaxMs = SLEEP_MAX_MS, nowMs } = this.#ports
    while (!this.#closing.signal.aborted) {
      const message = this.#queue.shift() ?? this.#dueTimer()
      if (message !== undefined) return message
      const asleep = new AbortController()
      this.#wake = () => asleep.abort()
      await sleep(Math.min(sleepMaxMs, Math.max(1, this.#wakeAtMs() - nowMs())), asleep.signal)
    }
    return undefined
  }

  /** When the first of the runs has to be woken. */
  #wakeAtMs(): number {
    let first = Infinity
    for (const state of this.#states.values()) first = Math.min(first, nextWakeAtMs(state) ?? Infinity)
    return first
  }

  #dueTimer(): LogMessage | undefined {
    for (const [runId, state] of this.#states) {
      const [due] = dueTimers(state, this.#ports.nowMs())
      if (due !== undefined) return { name: 'timer.matured', data: { ...due, runId } }
    }
    return undefined
  }

  #apply(input: EngineInput): void {
    const { name, data } = input.message
    const { state, outputs } = this.#decide(input)
    if (name === 'run.requested' && !this.#roots.has(data.runId)) this.#roots.set(data.runId, data.rootRunId ?? data.runId)
    if (state === undefined) return
    this.#states.set(data.runId, state)
    for (const output of outputs) this.#carryOut(output)
    if (state.status === 'ended') this.#abortWork(({ runId }) => runId === data.runId) // M2
  }

  #decide(input: EngineInput): Decision {
    const { name, data } = input.message
    const state = this.#states.get(data.runId)
    const requested = name === 'run.requested' ? data.planHash : this.#program.plan.hash
    const planHash = state === undefined ? requested : planHashOf(state)
    const program = this.#programOf(planHash)
    if (program !== undefined) return decide(state, input, program)
    if (name !== 'run.requested') return { state, outputs: [] }
    return refuseRun(data, input, { code: 'flow.unknown', message: `there is no plan ${planHash.slice(0, 12)} here` })
  }

  #carryOut(output: Output): void {
    switch (output.to) {
      case 'command':
      case 'task':
        void this.#during(() => this.#doWork(output.command))
        break
      case 'journal':
        this.#ports.onJournal?.(output.message)
        break
      case 'log':
        this.send(output.message)
        break
      case 'topic':
        this.#ports.onEmit?.(output)
        break
      case 'withdrawal':
        this.#abortWork((_open, attemptId) => attemptId === output.review.attemptId) // M3
        break
      case 'result':
        this.#results.set(output.result.runId, output.result)
    }
  }

  async #doWork(command: StepCommand): Promise<void> {
    const { runId, attemptId, nodeId } = command
    const controller = new AbortController()
    this.#work.set(attemptId, { runId, controller })
    let answer: LogMessage
    try {
      const node = this.#programOf(command.planHash)?.plan.nodes[nodeId]
      if (node === undefined) throw new Error(`the plan has no node ${nodeId}`)
      answer = answerOf(command, await this.#ports.work(command, node, controller.signal), this.#ports.nowMs())
    } catch (error) {
      answer = failureOf(command, toFault(error))
    }
    this.#work.delete(attemptId)
    if (!controller.signal.aborted) this.send(answer) // M3
  }

  #abortWork(isMeant: (open: Open, attemptId: string) => boolean): void {
    for (const [attemptId, open] of this.#work) {
      if (!isMeant(open, attemptId)) continue
      this.#work.delete(attemptId)
      open.controller.abort()
    }
  }

  /** Gives the results of trees that have ended. */
  #settle(): void {
    for (const [runId, { resolve }] of this.#waiters) {
      const result = this.#results.get(runId)
      if (result === undefined || this.#isTreeOpen(this.#roots.get(runId))) continue
      this.#waiters.delete(runId)
      resolve(result)
    }
  }

  #isTreeOpen(root: string | undefined): boolean {
    return [...this.#states].some(([runId, { status }]) => status === 'open' && this.#roots.get(runId) === root)
  }
}
