// A function as a tool. What a tool promises is what decides whether a crash can repeat its effect:
//   U1. `read` has no effect and may be done any number of times.
//   U2. A `Fault` thrown by `run` says that the effect did not happen. Anything else thrown, and a timeout, says nothing about it.
//   U3. An `idempotent` tool has its effect once for one `effectKey`, however often it is run with it.
//   U4. `reconcile` tells what became of `effectKey`: the output when it was done, else undefined.
import type { z } from 'zod'
import type { Json } from '@baton/contracts'
import type { Database, Stores } from '@baton/store'
import type { Logger } from '@baton/telemetry'

/** What a tool is given beside its arguments. */
export type ToolContext = {
  readonly tenant: string
  /** Stable over redeliveries, attempts and reruns of the same step: the key to do an effect once by. */
  readonly effectKey: string
  readonly runId: string
  readonly flow: string
  readonly path: string
  readonly db: Database
  readonly stores: Stores
  readonly nowMs: () => number
  /** Aborted when the time of the call is over or the service drains. */
  readonly signal: AbortSignal
  readonly logger: Logger
}

/** A tool as it is kept: arguments and output are JSON, checked at its door. */
export type Tool = {
  /** `namespace/name`, as flows name it. */
  readonly name: string
  readonly about: string
  readonly effect: 'read' | 'write' | 'irreversible'
  readonly idempotent: boolean
  readonly input: z.ZodType
  readonly output: z.ZodType
  /** Time of one call where the flow sets none, in milliseconds. */
  readonly timeoutMs: number
  /** Whether arguments and output are kept, redacted, for traces. */
  readonly traced: boolean
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
  readonly run: (args: z.output<I>, context: ToolContext) => Promise<z.input<O>> | z.input<O>
  readonly reconcile?: (effectKey: string, context: ToolContext) => Promise<z.input<O> | undefined>
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
