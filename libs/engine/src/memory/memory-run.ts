// One run in one process: the engine's decisions and somebody who does the work, without log, store or server. What keeps a run
// through a crash is missing here; everything the engine decides is the same.
//   M1. Records are decided one at a time, in the order in which they came about.
//   M2. A run that ends leaves nothing behind: open work is aborted, and its timer is gone.
import type { Json } from '@baton/contracts/json'
import { toFault } from '@baton/contracts/fault'
import type { MessageOf, RunResult, StepCommand } from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'
import type { Program } from '@baton/flow/program'
import { dueTimers, nextWakeAtMs } from '../codec.ts'
import type { Decision, LogMessage, Output } from '../decision.ts'
import { decide } from '../run/run.decider.ts'
import type { RunState } from '../state.ts'

export { ENGINE_VERSION } from '../codec.ts'

/** What came of a step's work, and who did it. */
export type Done = { readonly output: Json; readonly by: string; readonly costMicroUsd?: number }

/** What the run needs of the world around it. */
export type MemoryPorts = {
  readonly nowMs: () => number
  /** Resolves after a time, or when the signal is aborted; never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  /** Does the work of a step. Throws a Fault when it cannot. */
  readonly work: (command: StepCommand, node: PlanNode, signal: AbortSignal) => Promise<Done>
  readonly onJournal?: (output: Extract<Output, { to: 'journal' }>['message']) => void
}

/** Longest sleep; timers of other lengths are not kept by every runtime. */
const SLEEP_MS_MAX = 3_600_000

type World = {
  readonly program: Program
  readonly ports: MemoryPorts
  readonly queue: LogMessage[]
  readonly open: Map<string, AbortController>
  /** Called when there is something in the queue. */
  wake: () => void
}

/** Runs a flow to its end. The signal cancels the run; what it comes to is always a result. */
export const runInMemory = async (
  request: MessageOf<'run.requested'>,
  { program, ports, signal }: { program: Program; ports: MemoryPorts; signal?: AbortSignal },
): Promise<RunResult> => {
  const world: World = { program, ports, queue: [{ name: 'run.requested', data: request }], open: new Map(), wake: () => undefined }
  const cancel = (): void =>
    put(world, { name: 'run.cancel', data: { runId: request.runId, by: 'caller', reason: 'aborted by the caller' } })
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    return await untilResult(world, request.runId)
  } finally {
    signal?.removeEventListener('abort', cancel)
    for (const controller of world.open.values()) controller.abort() // M2
  }
}

const put = (world: World, message: LogMessage): void => {
  world.queue.push(message)
  world.wake()
}

const untilResult = async (world: World, runId: string): Promise<RunResult> => {
  const { program, ports, queue } = world
  let state: RunState | undefined
  for (let offset = 0; ; offset++) {
    const message = queue.shift() ?? (await nextMessage(world, state, runId))
    const decision: Decision = decide(state, { message, atMs: ports.nowMs(), partition: 0, offset }, program) // M1
    state = decision.state
    const result = carryOut(world, decision.outputs)
    if (result !== undefined) return result
  }
}

/** Starts the work that was asked for. The result, once there is one. */
const carryOut = (world: World, outputs: readonly Output[]): RunResult | undefined => {
  for (const output of outputs) {
    switch (output.to) {
      case 'command':
      case 'task':
        void doWork(world, output.command)
        break
      case 'journal':
        world.ports.onJournal?.(output.message)
        break
      case 'log':
        put(world, output.message)
        break
      case 'result':
        return output.result
    }
  }
  return undefined
}

/** What arrives next, or the timer of the run. */
const nextMessage = async (world: World, state: RunState | undefined, runId: string): Promise<LogMessage> => {
  const { ports, queue } = world
  for (;;) {
    const message = queue.shift()
    if (message !== undefined) return message
    const [due] = state === undefined ? [] : dueTimers(state, ports.nowMs())
    if (due !== undefined) return { name: 'timer.matured', data: { ...due, runId } }
    const asleep = new AbortController()
    world.wake = () => asleep.abort()
    const wakeAtMs = state === undefined ? null : nextWakeAtMs(state)
    await ports.sleep(Math.min(SLEEP_MS_MAX, Math.max(1, (wakeAtMs ?? Infinity) - ports.nowMs())), asleep.signal)
  }
}

const doWork = async (world: World, command: StepCommand): Promise<void> => {
  const { program, ports, open } = world
  const { runId, attemptId } = command
  const controller = new AbortController()
  open.set(attemptId, controller)
  try {
    const node = program.plan.nodes[command.nodeId]
    if (node === undefined) throw new Error(`the plan has no node ${command.nodeId}`)
    const { output, by, costMicroUsd = 0 } = await ports.work(command, node, controller.signal)
    put(world, answerOf(command, node, { output, by, costMicroUsd }, ports.nowMs()))
  } catch (error) {
    const { code, message, detail } = toFault(error)
    put(world, { name: 'step.failed', data: { runId, attemptId, fault: { code, message, detail: { ...detail } } } })
  } finally {
    open.delete(attemptId)
  }
}

const answerOf = (command: StepCommand, node: PlanNode, done: Required<Done>, nowMs: number): LogMessage => {
  const { runId, attemptId } = command
  const { output, by, costMicroUsd } = done
  if (node.kind === 'human') {
    const decided = { runId, attemptId, taskId: attemptId, verdict: 'respond' as const, output, by, fingerprint: '', decidedAtMs: nowMs }
    return { name: 'review.decided', data: decided }
  }
  const meter = { startedAtMs: nowMs, latencyMs: 0, tries: 1, inputChars: 0, outputChars: 0, costMicroUsd }
  return { name: 'step.completed', data: { runId, attemptId, output, by, ...(costMicroUsd > 0 ? { meter } : {}) } }
}
