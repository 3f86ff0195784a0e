// `tool.call`: the tools of a node, in the order of its list, tried as its retry says (C3, C4, C12).
//   X1. Arguments are checked before anything is called.
//   X2. A tool without effect is simply called; its answer need not be remembered.
//   X4. A call that an agent asked for goes to that tool alone, by the same rules (A7). When it failed and certainly had no effect, the
//       agent hears of it at once; when that is not certain, it is found out first, as for any step.
import { Fault, type Json, type Meter, type StepCommand } from '@baton/contracts'
import type { Platform, WorkContext, WorkHandler, WorkResult } from '@baton/service'
import { checkAgentTool } from './agent-tools.policy.ts'
import { callOf, DispatchFailure, triesOf, triesOfCall, walk, type Dispatch, type Done } from './dispatch.ts'
import { closeFailed, keepEffect, oneAtATime, openEffect, type KeptEffect } from './effect-ledger.ts'
import { checkReturns } from './returns.ts'
import { checkArguments, reconcileTool, ToolFailure } from './tool-run.ts'
import type { ToolRegistry } from './tool-registry.ts'
import type { Tool } from './tool.ts'

/** An open entry of an earlier delivery: what its tools say became of it (C3). */
const recover = async (dispatch: Dispatch): Promise<KeptEffect | undefined> => {
  const effectful = dispatch.tools.filter(({ effect }) => effect !== 'read')
  for (const tool of effectful) {
    const answer = await reconcileTool(tool, callOf(dispatch, tool, tool.timeoutMs))
    if (answer !== undefined) return { tool: tool.name, output: answer.output }
  }
  const silent = effectful.filter(({ reconcile }) => reconcile === undefined)
  const [only] = silent
  if (only === undefined || (only.idempotent && dispatch.tools.length === 1)) return undefined
  throw new Fault('effect.uncertain', `${only.name} may have done this before and cannot tell`, { tool: only.name })
}

/** What went wrong, for the kit. */
export const faultOf = (error: unknown): unknown => (error instanceof DispatchFailure || error instanceof ToolFailure ? error.fault : error)

const withLedger = async (dispatch: Dispatch, input: Json): Promise<Done> => {
  const { effects } = dispatch.context.stores
  const { tenant, effectKey } = dispatch.context
  const opened = await openEffect(effects, { tenant, key: effectKey, tools: dispatch.tools.map(({ name }) => name), args: input })
  if (opened.state === 'done') return { kept: opened.kept, tries: 1, failedOver: [] } // C2
  const { entry } = opened
  const recovered = opened.fresh ? undefined : await recover(dispatch)
  const keep = async (done: Done): Promise<Done> => {
    await keepEffect(effects, { tenant, entry, kept: done.kept })
    return done
  }
  if (recovered !== undefined) return keep({ kept: recovered, tries: 1, failedOver: [] })
  try {
    return await keep(await walk(dispatch))
  } catch (error) {
    if (error instanceof DispatchFailure && error.certain) await closeFailed(effects, { tenant, entry }) // C5
    throw error
  }
}

const toolsOf = async ({ call }: StepCommand, { plan, node }: WorkContext, registry: ToolRegistry): Promise<readonly Tool[]> => {
  if (call !== undefined) {
    checkAgentTool(plan, node, call)
    return [await registry.find(call.tool)] // X4
  }
  if (node.kind !== 'tool') throw new Fault('flow.invalid', `node ${node.id} calls no tool`, { node: node.id })
  return Promise.all(node.tools.map((name) => registry.find(name)))
}

const dispatchOf = async (
  command: StepCommand,
  work: WorkContext,
  { platform, registry }: { platform: Platform; registry: ToolRegistry },
): Promise<Dispatch> => {
  const tools = await toolsOf(command, work, registry)
  const [only] = tools
  return {
    tools,
    args: new Map(tools.map((tool) => [tool.name, checkArguments(tool, work.input)])), // X1
    context: {
      tenant: command.tenant,
      effectKey: command.effectKey,
      runId: command.runId,
      flow: command.flow,
      path: command.path,
      db: platform.db,
      stores: platform.stores,
      nowMs: work.nowMs,
      logger: platform.telemetry.logger,
    },
    signal: () => work.signal,
    ...(command.call === undefined || only === undefined ? triesOf(work.node, tools) : triesOfCall(only)), // X4
  }
}

/** The handler of `tool.call`. */
export const toolCall = ({ platform, registry }: { platform: Platform; registry: ToolRegistry }): WorkHandler => {
  const alone = oneAtATime()
  return async (command, work): Promise<WorkResult> => {
    const startedAtMs = work.nowMs()
    const started = performance.now()
    const dispatch = await dispatchOf(command, work, { platform, registry })
    const took = () => ({
      startedAtMs,
      latencyMs: performance.now() - started,
      inputChars: JSON.stringify(work.input).length,
      costMicroUsd: 0,
    })
    try {
      const effectful = dispatch.tools.some(({ effect }) => effect !== 'read')
      const { kept, tries, failedOver } = effectful
        ? await alone(`${command.tenant}/${command.effectKey}`, () => withLedger(dispatch, work.input))
        : await walk(dispatch) // X2
      // What the step returns is the answer of its agent, not what a tool gave it.
      if (command.call === undefined) checkReturns(work.node, kept)
      const meter: Meter = {
        ...took(),
        tries,
        tool: kept.tool,
        outputChars: JSON.stringify(kept.output).length,
        ...(failedOver.length === 0 ? {} : { failedOver: [...failedOver] }),
      }
      const content = dispatch.tools.every(({ traced }) => traced !== false)
        ? { content: { arguments: work.input, output: kept.output } }
        : {}
      return { status: 'answered', output: kept.output, by: `tool:${kept.tool}`, meter, ...content }
    } catch (error) {
      // A call that was cut short by the end of this process has said nothing about the tool.
      if (command.call === undefined || !(error instanceof DispatchFailure) || !error.certain || work.signal.aborted) throw faultOf(error)
      const meter: Meter = { ...took(), tries: 1, tool: command.call.tool, outputChars: 0 }
      return { status: 'failed', fault: error.fault, meter, final: true } // X4
    }
  }
}
