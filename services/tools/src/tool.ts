// A function as a tool. What a tool promises is what decides whether a crash can repeat its effect:
//   U1. `read` has no effect and may be done any number of times.
//   U2. A `Fault` thrown by `run` says that the effect did not happen. Anything else thrown, and a timeout, says nothing about it.
//   U3. An `idempotent` tool has its effect once for one `effectKey`, however often it is run with it.
//   U4. `reconcile` tells what became of `effectKey`: the output when it was done, else undefined.
//   U5. A tool that needs a person throws `AsksPerson`, which also says that nothing happened yet; it runs again with `context.answered`.
import type { z } from 'zod'
import type { Answered, Ask, Json } from '@baton/contracts'
import type { Database, Stores } from '@baton/store'
import type { Logger } from '@baton/telemetry'
import type { Shape } from './shape.ts'

/** What a tool is given beside its arguments. */
export type ToolContext = {
  readonly tenant: string
  /** Stable over redeliveries, attempts and reruns of the same step: the key to do an effect once by. */
  readonly effectKey: string
  readonly runId: string
  /** The run that started it all; absent where it is this one. */
  readonly rootRunId?: string
  readonly flow: string
  readonly path: string
  readonly session?: string
  /** The user of the request, where it names one. */
  readonly user?: string
  /** What a person said to what this tool asked before (U5). */
  readonly answered?: Answered
  readonly db: Database
  readonly stores: Stores
  readonly nowMs: () => number
  /** Aborted when the time of the call is over or the service drains. */
  readonly signal: AbortSignal
  /** For work that takes longer than its lease: says that it goes on until then. */
  readonly extend?: (untilMs: number) => Promise<void>
  readonly logger: Logger
}

/** A tool as it is kept: arguments and output are JSON, checked at its door. */
export type Tool = {
  /** `namespace/name`, as flows name it. */
  readonly name: string
  readonly about: string
  readonly effect: 'read' | 'write' | 'irreversible'
  readonly idempotent: boolean
  readonly input: Shape
  readonly output: Shape
  /** Time of one call where the flow sets none, in milliseconds. */
  readonly timeoutMs: number
  /** Whether arguments and output are kept, redacted, for traces. */
  readonly traced: boolean
  /** Content that strangers wrote may be in its output: the run is tainted by it. */
  readonly outside?: boolean
  /** Its output holds what is not for everybody. */
  readonly private?: boolean
  /** Sends its arguments out of this installation. */
  readonly outbound?: boolean
  /** Runs in a thread of its own, without our environment, database and connections. Its file is loaded there again. */
  readonly isolated?: boolean
  readonly run: (args: Json, context: ToolContext) => Promise<unknown>
  readonly reconcile?: (effectKey: string, context: ToolContext) => Promise<unknown>
}

export type ToolDefinition<I extends z.ZodType, O extends z.ZodType> = {
  readonly name: string
  readonly about?: string
  readonly effect: Tool['effect']
  /** Default false. */
  readonly idempotent?: boolean
  readonly input: I
  readonly output: O
  readonly timeoutMs: number
  /** Default true; false for what is called so often that a trace of its content is not worth a write. */
  readonly traced?: boolean
  readonly outside?: boolean
  readonly private?: boolean
  readonly outbound?: boolean
  readonly isolated?: boolean
  readonly run: (args: z.output<I>, context: ToolContext) => Promise<z.input<O>> | z.input<O>
  readonly reconcile?: (effectKey: string, context: ToolContext) => Promise<z.input<O> | undefined>
}

/** Thrown by a tool that cannot go on without a person (U5). With `use: 'output'` what the person says is the output of the step. */
export class AsksPerson extends Error {
  override readonly name = 'AsksPerson'
  readonly ask: Ask
  readonly taint: readonly string[]

  constructor(ask: Ask, taint: readonly string[] = []) {
    super(ask.title)
    this.ask = ask
    this.taint = taint
  }
}

/** Makes a tool of a function. */
export const defineTool = <I extends z.ZodType, O extends z.ZodType>(definition: ToolDefinition<I, O>): Tool => {
  const { run, reconcile, ...rest } = definition
  return {
    ...rest,
    about: definition.about ?? '',
    idempotent: definition.idempotent ?? false,
    traced: definition.traced ?? true,
    // The caller parses the arguments with `input` before, so they are its output.
    run: async (args, context) => run(args as z.output<I>, context),
    ...(reconcile === undefined ? {} : { reconcile }),
  }
}
