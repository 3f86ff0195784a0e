// `tool.call`: the tools of a node, in the order of its list, tried as its retry says (C3, C4, C12).
//   X1. Arguments are checked before anything is called, and those that a person changed are checked again.
//   X2. A tool without effect is simply called; its answer need not be remembered.
//   X4. A call that an agent asked for goes to that tool alone, by the same rules (A7). When it failed and certainly had no effect, the
//       agent hears of it at once; when that is not certain, it is found out first, as for any step.
//   X5. An effect that was had is the answer of every later delivery: nobody is asked twice for it.
//   X6. A dry run calls what only reads, and says of everything else what it would have done.
import { Fault, type Json, type Meter, type StepCommand } from '@baton/contracts'
import type { Platform, WorkContext, WorkHandler, WorkResult } from '@baton/service'
import { checkAgentTool } from './agent-tools.policy.ts'
import { AskedByTool, DispatchFailure, triesOf, triesOfCall, walk, type Dispatch, type Done } from './dispatch.ts'
import { findEffect, oneAtATime } from './effect-ledger.ts'
import { fitResult, READ_RESULT, RESULT_CHARS } from './kept-results.ts'
import { withLedger } from './ledger-run.ts'
import { toolState } from './permissions/approval.policy.ts'
import { dryRunOutput } from './permissions/dry-run.policy.ts'
import { createPermissions, type Permissions, type Permit } from './permissions/permissions.ts'
import { NO_RULES, type ToolRules } from './permissions/rules.config.ts'
import { marksOf } from './permissions/taint.policy.ts'
import { countUse } from './permissions/use-limits.repository.ts'
import { checkReturns } from './returns.ts'
import { schemaOfShape } from './shape.ts'
import { checkArguments, ToolFailure } from './tool-run.ts'
import type { ToolRegistry } from './tool-registry.ts'
import type { Tool } from './tool.ts'

export type ToolCallOptions = {
  readonly platform: Platform
  readonly registry: ToolRegistry
  /** Default: none but those that always hold. */
  readonly rules?: ToolRules
  /** Characters of JSON that an agent is given of one result. */
  readonly resultChars?: number
}

/** What went wrong, for the kit. */
export const faultOf = (error: unknown): unknown => (error instanceof DispatchFailure || error instanceof ToolFailure ? error.fault : error)

const toolsOf = async ({ call }: StepCommand, { plan, node }: WorkContext, registry: ToolRegistry): Promise<readonly Tool[]> => {
  if (call !== undefined) {
    checkAgentTool(plan, node, call)
    return [await registry.find(call.tool)] // X4
  }
  if (node.kind !== 'tool') throw new Fault('flow.invalid', `node ${node.id} calls no tool`, { node: node.id })
  return Promise.all(node.tools.map((name) => registry.find(name)))
}

type Given = { readonly command: StepCommand; readonly work: WorkContext; readonly platform: Platform; readonly tools: readonly Tool[] }

const argumentsOf = (tools: readonly Tool[], input: Json): ReadonlyMap<string, Json> =>
  new Map(tools.map((tool) => [tool.name, checkArguments(tool, input)]))

const dispatchOf = ({ command, work, platform, tools }: Given, input: Json): Dispatch => {
  const [only] = tools
  const { session, user, answered } = command
  return {
    tools,
    args: argumentsOf(tools, input), // X1
    context: {
      tenant: command.tenant,
      effectKey: command.effectKey,
      runId: command.runId,
      rootRunId: command.rootRunId,
      flow: command.flow,
      path: command.path,
      ...(session === undefined ? {} : { session }),
      ...(user?.id === undefined ? {} : { user: user.id }),
      db: platform.db,
      stores: platform.stores,
      nowMs: work.nowMs,
      ...(work.extend === undefined ? {} : { extend: work.extend }),
      logger: platform.telemetry.logger,
    },
    ...(answered === undefined ? {} : { answered }),
    signal: () => work.signal,
    ...(command.call === undefined || only === undefined ? triesOf(work.node, tools) : triesOfCall(only)), // X4
  }
}

const hasEffect = (tools: readonly Tool[]): boolean => tools.some(({ effect }) => effect !== 'read')

/** One command on its way through permission, ledger and tools. */
class Call {
  readonly #given: Given
  readonly #options: ToolCallOptions
  readonly #permissions: Permissions
  readonly #startedAtMs: number
  readonly #started = performance.now()

  constructor(given: Given, options: ToolCallOptions, permissions: Permissions) {
    this.#given = given
    this.#options = options
    this.#permissions = permissions
    this.#startedAtMs = given.work.nowMs()
  }

  async answer(): Promise<WorkResult> {
    const { command, work, tools } = this.#given
    const effectful = hasEffect(tools)
    const permit = await this.#permissions(this.#given) // X1
    if (permit.do === 'ask') {
      const had = effectful ? await this.#had() : undefined
      return had === undefined ? { status: 'asks', ask: permit.ask, meter: this.#meter({ tries: 1 }) } : this.#answered(had, work.input) // X5
    }
    if (effectful && command.mode === 'dry_run') return this.#dryRun(permit.input) // X6
    return this.#run(permit, effectful)
  }

  async #had(): Promise<Done | undefined> {
    const { command, work, platform } = this.#given
    const kept = await findEffect(platform.stores.effects, { tenant: command.tenant, key: command.effectKey, args: work.input })
    return kept === undefined ? undefined : { kept, tries: 1, failedOver: [] }
  }

  async #run({ input, approval }: Permit & { do: 'run' }, effectful: boolean): Promise<WorkResult> {
    const { command, work } = this.#given
    const made = dispatchOf(this.#given, input)
    const dispatch: Dispatch = { ...made, count: (tool) => this.#count(tool, made) }
    try {
      const done = effectful ? await withLedger(dispatch, { input, asked: work.input }) : await walk(dispatch) // X2
      return await this.#answered(done, input)
    } catch (error) {
      if (!(error instanceof AskedByTool)) throw error
      const { tool, asks } = error
      const state = toolState(tool.name, asks.ask.state, approval)
      const taint = [...new Set([...asks.taint, ...marksOf(tool)])]
      return {
        status: 'asks',
        ask: { ...asks.ask, state },
        meter: this.#meter({ tries: 1, tool: tool.name }),
        ...(command.mode === 'dry_run' ? {} : { taint }),
      }
    }
  }

  async #count({ name }: Tool, { args, context }: Dispatch): Promise<void> {
    const { limits } = this.#options.rules ?? NO_RULES
    if (limits.length === 0) return
    const { tenant, effectKey, flow, runId, user, session } = context
    const who = { ...(user === undefined ? {} : { user }), ...(session === undefined ? {} : { session }) }
    const use = { tenant, effectKey, flow, runId, ...who, tool: name, args: args.get(name) ?? {}, nowMs: context.nowMs() }
    await countUse(this.#given.platform.db, limits, use)
  }

  #dryRun(input: Json): WorkResult {
    const [tool] = this.#given.tools
    if (tool === undefined) throw new Fault('tool.unknown', 'the step names no tool')
    const output = dryRunOutput(tool.name, input, schemaOfShape(tool.output))
    return { status: 'answered', output, by: `tool:${tool.name}`, meter: this.#meter({ tries: 1, tool: tool.name }) }
  }

  async #answered({ kept, tries, failedOver }: Done, input: Json): Promise<WorkResult> {
    const { command, work, tools } = this.#given
    // What the step returns is the answer of its agent, not what a tool gave it.
    if (command.call === undefined) checkReturns(work.node, kept)
    const meter = this.#meter({
      tries,
      tool: kept.tool,
      outputChars: JSON.stringify(kept.output).length,
      ...(failedOver.length === 0 ? {} : { failedOver: [...failedOver] }),
    })
    const content = tools.every(({ traced }) => traced !== false) ? { content: { arguments: input, output: kept.output } } : {}
    const taint = tools.filter(({ name }) => name === kept.tool).flatMap(marksOf)
    const output = command.call === undefined ? kept.output : await this.#fitted(kept.tool, kept.output)
    return { status: 'answered', output, by: `tool:${kept.tool}`, meter, ...content, ...(taint.length === 0 ? {} : { taint }) }
  }

  #fitted(tool: string, output: Json): Promise<Json> | Json {
    if (tool === READ_RESULT) return output
    const { command, platform, work } = this.#given
    const { tenant, rootRunId, effectKey } = command
    const charsMax = this.#options.resultChars ?? RESULT_CHARS
    return fitResult(platform.db, { tenant, rootRunId, effectKey, tool, output, charsMax, nowMs: work.nowMs() })
  }

  #meter(more: Partial<Meter> & Pick<Meter, 'tries'>): Meter {
    return {
      startedAtMs: this.#startedAtMs,
      latencyMs: performance.now() - this.#started,
      inputChars: JSON.stringify(this.#given.work.input).length,
      outputChars: 0,
      costMicroUsd: 0,
      ...more,
    }
  }

  /** How a call ended that an agent asked for and that it shall hear of now; undefined where the kit has to see the error (X4). */
  failed(error: unknown): WorkResult | undefined {
    const { command, work } = this.#given
    // A call that was cut short by the end of this process has said nothing about the tool.
    if (command.call === undefined || work.signal.aborted) return undefined
    if (!(error instanceof DispatchFailure) || !error.certain) return undefined
    return { status: 'failed', fault: error.fault, meter: this.#meter({ tries: 1, tool: command.call.tool }), final: true }
  }
}

/** The handler of `tool.call`. */
export const toolCall = (options: ToolCallOptions): WorkHandler => {
  const { platform, registry, rules = NO_RULES } = options
  const permissions = createPermissions(platform, rules)
  const alone = oneAtATime()
  return async (command, work): Promise<WorkResult> => {
    const tools = await toolsOf(command, work, registry)
    const call = new Call({ command, work, platform, tools }, options, permissions)
    try {
      return await (hasEffect(tools) ? alone(`${command.tenant}/${command.effectKey}`, () => call.answer()) : call.answer())
    } catch (error) {
      const told = call.failed(error)
      if (told !== undefined) return told
      throw faultOf(error)
    }
  }
}
