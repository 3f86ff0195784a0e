// One call of one tool: arguments checked, time bounded, output checked. Whatever goes wrong is a Fault, without the inside of the tool.
import { Fault, toFault, type Json } from '@baton/contracts'
import { redactText } from '@baton/service'
import type { Shape } from './shape.ts'
import { AsksPerson, type Tool, type ToolContext } from './tool.ts'

/** Largest output of a tool, in characters of JSON. */
const TOOL_OUTPUT_CHARS_MAX = 1_048_576
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

type Refused = Extract<ReturnType<Shape['safeParse']>, { readonly success: false }>['error']

const fieldOf = (error: Refused): { field: string; reason: string } => {
  const [issue] = error.issues
  // An unknown key is named by the issue, not by its path.
  const keys = issue?.code === 'unrecognized_keys' ? (issue.keys ?? []) : []
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

const failureOf = (tool: Tool, error: unknown): ToolFailure | AsksPerson => {
  if (error instanceof ToolFailure || error instanceof AsksPerson) return error // U5
  if (error instanceof Fault) return new ToolFailure(error, true) // U2
  const text = error instanceof Error ? error.message : String(error)
  const reason = redactText(text.split('\n', 1)[0] ?? '').slice(0, REASON_CHARS_MAX)
  return new ToolFailure(new Fault('tool.failed', `${tool.name}: ${reason}`, { tool: tool.name }, { cause: error }), false)
}

/** Calls that take longer than this look at the outer signal; making one for each quick call would cost more than the call. */
const WATCH_AFTER_MS = 50

type Bounds = {
  readonly timeoutMs: number
  readonly outer: () => AbortSignal
  readonly call: (signal: () => AbortSignal) => Promise<unknown>
}

/** One call within its time. A tool that never looks at its signal is left behind all the same. */
const bounded = (tool: Tool, { timeoutMs, outer, call }: Bounds): Promise<unknown> =>
  new Promise((resolve, reject) => {
    let own: AbortController | undefined
    let over: ToolFailure | undefined
    let leave: () => void = () => undefined
    const stop = (message: string): void => {
      over = new ToolFailure(new Fault('tool.timed_out', message, { tool: tool.name }), false)
      leave()
      own?.abort(over.fault)
      reject(over)
    }
    const onTimeout = (): void => stop(`${tool.name} did not answer within ${Math.round(timeoutMs)} ms`)
    const onOuter = (): void => stop(`${tool.name} was stopped: its time or the service's is over`)
    const watch = (): void => {
      const signal = outer()
      if (signal.aborted) return onOuter()
      const timer = setTimeout(onTimeout, timeoutMs - WATCH_AFTER_MS)
      signal.addEventListener('abort', onOuter, { once: true })
      leave = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onOuter)
      }
    }
    const first = timeoutMs > WATCH_AFTER_MS ? setTimeout(watch, WATCH_AFTER_MS) : setTimeout(onTimeout, timeoutMs)
    leave = (): void => clearTimeout(first)
    const signal = (): AbortSignal => {
      own ??= new AbortController()
      if (over !== undefined) own.abort(over.fault)
      return own.signal
    }
    const settled = (): void => {
      if (over === undefined) leave()
    }
    call(signal).then(resolve, reject).finally(settled) // after `stop` both are without effect
  })

/** The context of a call; its signal is made when the tool asks for it. */
const contextOf = (call: ToolCall, signal: () => AbortSignal): ToolContext => ({
  ...call.context,
  get signal() {
    return signal()
  },
})

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
  /** Made when it is asked for. */
  readonly signal: () => AbortSignal
}

/** Calls the tool once. Throws a ToolFailure, or AsksPerson. */
export const runTool = async (tool: Tool, call: ToolCall): Promise<ToolAnswer> => {
  try {
    const output = await bounded(tool, {
      timeoutMs: call.timeoutMs,
      outer: call.signal,
      call: async (signal) => tool.run(call.args, contextOf(call, signal)),
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
      call: async (signal) => reconcile(call.context.effectKey, contextOf(call, signal)),
    })
    return output === undefined ? undefined : checked(tool, output)
  } catch (error) {
    throw failureOf(tool, error)
  }
}
