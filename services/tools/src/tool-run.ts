// One call of one tool: arguments checked, time bounded, output checked. Whatever goes wrong is a Fault, without the inside of the tool.
import type { z } from 'zod'
import { Fault, toFault, type FaultCode, type Json } from '@baton/contracts'
import { redactText } from '@baton/service'
import type { Tool, ToolContext } from './tool.ts'

/** Largest output of a tool, in characters of JSON. */
export const TOOL_OUTPUT_CHARS_MAX = 1_048_576
const REASON_CHARS_MAX = 300

/** How a call failed, and whether it is sure that it had no effect (U2). */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure'
  readonly fault: Fault
  readonly certain: boolean

  constructor(fault: Fault, certain: boolean) {
    super(fault.message)
    this.fault = fault
    this.certain = certain
  }
}

const fieldOf = (error: z.ZodError): { field: string; reason: string } => {
  const [issue] = error.issues
  // An unknown key is named by the issue, not by its path.
  const keys = issue?.code === 'unrecognized_keys' ? issue.keys : []
  const path = [...(issue?.path ?? []), ...keys.slice(0, 1)].map(String).join('.')
  return { field: path === '' ? '(root)' : path, reason: issue?.message ?? 'invalid' }
}

/** The arguments as the tool's schema makes them. Throws `tool.arguments_invalid` naming the field. No arguments at all are an empty object. */
export const checkArguments = (tool: Tool, input: Json): Json => {
  const parsed = tool.input.safeParse(input ?? {})
  if (parsed.success) return parsed.data as Json // schemas of tools describe JSON
  const { field, reason } = fieldOf(parsed.error)
  throw new Fault('tool.arguments_invalid', `${tool.name}: ${field}: ${reason}`, { tool: tool.name, field })
}

/** The output as the tool's schema makes it. `tool.failed` when it does not fit, `step.output_too_large` when it is beyond the limit. */
const checkOutput = (tool: Tool, output: unknown): ToolAnswer => {
  const parsed = tool.output.safeParse(output)
  if (!parsed.success) {
    const { field, reason } = fieldOf(parsed.error)
    throw new Fault('tool.failed', `${tool.name} answered what its schema does not allow: ${field}: ${reason}`, { tool: tool.name, field })
  }
  const text = jsonText(tool, parsed.data)
  if (text.length > TOOL_OUTPUT_CHARS_MAX) {
    throw new Fault('step.output_too_large', `${tool.name} answered more than ${TOOL_OUTPUT_CHARS_MAX} characters`, {
      tool: tool.name,
      chars: text.length,
    })
  }
  return { output: parsed.data as Json, chars: text.length } // it could be written as JSON
}

const jsonText = (tool: Tool, value: unknown): string => {
  try {
    return JSON.stringify(value) ?? 'null'
  } catch {
    throw new Fault('tool.failed', `${tool.name} answered what is not JSON`, { tool: tool.name })
  }
}

const failureOf = (tool: Tool, error: unknown): ToolFailure => {
  if (error instanceof ToolFailure) return error
  if (error instanceof Fault) return new ToolFailure(error, true) // U2
  const text = error instanceof Error ? error.message : String(error)
  const reason = redactText(text.split('\n', 1)[0] ?? '').slice(0, REASON_CHARS_MAX)
  return new ToolFailure(new Fault('tool.failed', `${tool.name}: ${reason}`, { tool: tool.name }, { cause: error }), false)
}

/** Signal and race around one call, made so that a tool which never looks at its signal is left behind all the same. */
const bounded = async (
  tool: Tool,
  { timeoutMs, outer, call }: { timeoutMs: number; outer: AbortSignal; call: (signal: AbortSignal) => Promise<unknown> },
): Promise<unknown> => {
  const own = new AbortController()
  const stop = (code: FaultCode, message: string): void => own.abort(new Fault(code, message, { tool: tool.name }))
  const timer = setTimeout(() => stop('tool.timed_out', `${tool.name} did not answer within ${timeoutMs} ms`), timeoutMs)
  const onOuter = (): void => stop('tool.timed_out', `${tool.name} was stopped: its time or the service's is over`)
  if (outer.aborted) onOuter()
  else outer.addEventListener('abort', onOuter, { once: true })
  try {
    const aborted = new Promise<never>((_resolve, reject) => {
      const fail = (): void => reject(new ToolFailure(own.signal.reason as Fault, false)) // `stop` is the only one to abort it
      if (own.signal.aborted) fail()
      else own.signal.addEventListener('abort', fail, { once: true })
    })
    if (own.signal.aborted) return await aborted
    const working = call(own.signal)
    working.catch(() => undefined) // after a timeout nobody waits for it any more
    return await Promise.race([working, aborted])
  } finally {
    clearTimeout(timer)
    outer.removeEventListener('abort', onOuter)
  }
}

/** By now the effect may have happened: an output that is refused says nothing about it. */
const checked = (tool: Tool, output: unknown): ToolAnswer => {
  try {
    return checkOutput(tool, output)
  } catch (error) {
    throw new ToolFailure(toFault(error), false)
  }
}

/** What a tool gave, and the length of its JSON. */
export type ToolAnswer = { readonly output: Json; readonly chars: number }

export type ToolCall = {
  readonly args: Json
  readonly timeoutMs: number
  readonly context: Omit<ToolContext, 'signal'>
  readonly signal: AbortSignal
}

/** Calls the tool once. Throws a ToolFailure. */
export const runTool = async (tool: Tool, call: ToolCall): Promise<ToolAnswer> => {
  try {
    const output = await bounded(tool, {
      timeoutMs: call.timeoutMs,
      outer: call.signal,
      call: async (signal) => tool.run(call.args, { ...call.context, signal }),
    })
    return checked(tool, output)
  } catch (error) {
    throw failureOf(tool, error)
  }
}

/** Asks the tool what became of an effect: its output when it was done, undefined when it was not (U4). Throws a ToolFailure. */
export const reconcileTool = async (tool: Tool, call: ToolCall): Promise<ToolAnswer | undefined> => {
  const { reconcile } = tool
  if (reconcile === undefined) return undefined
  try {
    const output = await bounded(tool, {
      timeoutMs: call.timeoutMs,
      outer: call.signal,
      call: async (signal) => reconcile(call.context.effectKey, { ...call.context, signal }),
    })
    return output === undefined ? undefined : checked(tool, output)
  } catch (error) {
    throw failureOf(tool, error)
  }
}
