// The tries of one dispatch of tools.
//   X3. No tool follows another one whose effect may have happened; a person is asked before an effect could be had twice.
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault, type Answered, type Json } from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'
import { firstMove, nextMove, shareOfTry, type Candidate, type Move, type TrySpec } from '@baton/policy'
import type { KeptEffect } from './effect-ledger.ts'
import { reconcileTool, runTool, ToolFailure, type ToolCall } from './tool-run.ts'
import { answeredFor } from './permissions/approval.policy.ts'
import { AsksPerson, type Tool, type ToolContext } from './tool.ts'

/** Longest wait between two tries that is done here; longer ones are for the retry topics. */
const WAIT_MAX_MS = 2_000
const CALL_TRIES = { attempts: 2, backoff: 'fixed', delayMs: 250, maxDelayMs: 250, jitter: false } as const
const ONE_TRY = { attempts: 1, backoff: 'fixed', delayMs: 0, maxDelayMs: 0, jitter: false } as const

/** What a node says about tries, with the times of its tools where it says nothing. */
export const triesOf = (node: PlanNode, tools: readonly Tool[]): Pick<Dispatch, 'spec' | 'timed'> => ({
  spec: {
    ...(node.retry ?? ONE_TRY),
    timeoutMs: node.timeoutMs ?? Math.max(...tools.map(({ timeoutMs }) => timeoutMs)),
    waitMaxMs: WAIT_MAX_MS,
  },
  timed: node.timeoutMs !== undefined,
})

/** Of a call that an agent asked for: the step's timeout and tries are for all its turns, and the agent soon wants to know. */
export const triesOfCall = (tool: Tool): Pick<Dispatch, 'spec' | 'timed'> => ({
  spec: { ...CALL_TRIES, timeoutMs: tool.timeoutMs, waitMaxMs: WAIT_MAX_MS },
  timed: false,
})

/** One dispatch: everything that its tries share. */
export type Dispatch = {
  readonly tools: readonly Tool[]
  readonly args: ReadonlyMap<string, Json>
  readonly context: Omit<ToolContext, 'signal'>
  /** Counts a call with its limits. Throws the Fault of the limit that is reached. */
  readonly count?: (tool: Tool) => Promise<void>
  /** What a person said to one of them. */
  readonly answered?: Answered
  readonly signal: () => AbortSignal
  readonly spec: TrySpec
  /** Whether the flow limits the time of a try; else each call has the time of its tool. */
  readonly timed: boolean
}

/** How a dispatch ended well. */
export type Done = { readonly kept: KeptEffect; readonly tries: number; readonly failedOver: readonly string[] }

/** How it did not: `certain` when no tool of it can have had its effect. */
export class DispatchFailure extends Error {
  override readonly name = 'DispatchFailure'
  readonly fault: Fault
  readonly certain: boolean

  constructor(fault: Fault, certain: boolean) {
    super(fault.message)
    this.fault = fault
    this.certain = certain
  }
}

/** A tool of it wants a person first (U5). */
export class AskedByTool extends Error {
  override readonly name = 'AskedByTool'
  readonly tool: Tool
  readonly asks: AsksPerson

  constructor(tool: Tool, asks: AsksPerson) {
    super(asks.message)
    this.tool = tool
    this.asks = asks
  }
}

export const callOf = (dispatch: Dispatch, tool: Tool, timeoutMs: number): ToolCall => {
  const answered = answeredFor(tool.name, dispatch.answered)
  return {
    args: dispatch.args.get(tool.name) ?? {},
    timeoutMs,
    context: answered === undefined ? dispatch.context : { ...dispatch.context, answered },
    signal: dispatch.signal,
  }
}

/** A call that ran out of time may still be under way: what its tool says now can be wrong a moment later. */
const isLate = (failure: ToolFailure): boolean => failure.fault.code === 'tool.timed_out'

/** Whether the effect has certainly not happened, once the tool was asked and did not know of it. */
const isCertain = (tool: Tool, failure: ToolFailure): boolean =>
  tool.effect === 'read' || failure.certain || (tool.reconcile !== undefined && !isLate(failure))

/** After a failure: the output when the effect happened all the same. Throws when going on could have the effect twice (X3). */
const settleDoubt = async (dispatch: Dispatch, tool: Tool, failure: ToolFailure): Promise<Json | undefined> => {
  if (failure.certain || tool.effect === 'read') return undefined
  const answer = await reconcileTool(tool, callOf(dispatch, tool, tool.timeoutMs))
  if (answer !== undefined) return answer.output
  if (isCertain(tool, failure) || (tool.idempotent && dispatch.tools.length === 1)) return undefined
  throw new DispatchFailure(failure.fault, false)
}

const candidatesOf = (tools: readonly Tool[]): readonly Candidate[] => tools.map(({ name }) => ({ name, reaskable: false, weight: 1 }))

const retryAfterOf = (fault: Fault): { retryAfterMs?: number } => {
  const { retryAfterMs } = fault.detail
  return typeof retryAfterMs === 'number' ? { retryAfterMs } : {}
}

const counted = async ({ count }: Dispatch, tool: Tool): Promise<void> => {
  try {
    await count?.(tool)
  } catch (error) {
    throw error instanceof Fault ? new ToolFailure(error, true) : error
  }
}

/** One call: its output, or how it failed. Throws a DispatchFailure when nothing may follow. */
const askTool = async (
  dispatch: Dispatch,
  tool: Tool,
  timeoutMs: number,
): Promise<{ readonly output: Json } | { readonly failure: ToolFailure }> => {
  try {
    await counted(dispatch, tool)
    return await runTool(tool, callOf(dispatch, tool, timeoutMs))
  } catch (error) {
    if (error instanceof AsksPerson) throw new AskedByTool(tool, error)
    if (!(error instanceof ToolFailure)) throw error
    const output = await settleDoubt(dispatch, tool, error)
    return output === undefined ? { failure: error } : { output }
  }
}

/** Waits between two tries; false when the time of the dispatch is over. */
const rest = async (waitMs: number, signal: () => AbortSignal): Promise<boolean> => {
  if (waitMs === 0) return true
  await sleep(waitMs, undefined, { signal: signal() }).catch(() => undefined)
  return !signal().aborted
}

const NOBODY = new Fault('tool.failed', 'no tool answered')

/** Walks tries and tools until one answers. Throws a DispatchFailure. */
export const walk = async (dispatch: Dispatch): Promise<Done> => {
  const { tools, spec, signal } = dispatch
  const candidates = candidatesOf(tools)
  const faults: Fault[] = []
  const failedOver: string[] = []
  let certain = true
  let move: Move = firstMove()
  let tryEndsAtMs = performance.now() + spec.timeoutMs
  for (;;) {
    if (move.do === 'stop') throw new DispatchFailure(faults[move.failure] ?? NOBODY, certain)
    if (!(await rest(move.waitMs, signal))) throw new DispatchFailure(faults.at(-1) ?? NOBODY, certain)
    if (move.newTry) tryEndsAtMs = performance.now() + spec.timeoutMs
    const tool = tools[move.candidate]
    if (tool === undefined) throw new DispatchFailure(NOBODY, certain)
    const { progress } = move
    const timeoutMs = dispatch.timed ? shareOfTry(candidates, progress, tryEndsAtMs - performance.now()) : tool.timeoutMs
    const answer = await askTool(dispatch, tool, timeoutMs)
    if ('output' in answer) return { kept: { tool: tool.name, output: answer.output }, tries: progress.tryNumber, failedOver }
    const { failure } = answer
    certain &&= isCertain(tool, failure)
    faults.push(failure.fault)
    failedOver.push(`${tool.name}: ${failure.fault.code}`)
    move = nextMove(progress, { code: failure.fault.code, ...retryAfterOf(failure.fault) }, { spec, candidates, random: Math.random() })
  }
}
