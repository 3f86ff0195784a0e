// The answer of a model in a turn of an agent: calls of tools, or the output of the agent.
//   A1. An answer with calls is no output, whatever stands beside; one without is read as the answer of a model step.
//   A2. Only tools that were offered are called, with a JSON object as arguments; one repair, as of any text of a model.
//   A3. Ids of calls are told apart within a turn; where the model gave none, or one twice, it gets one.
//   A4. Arguments of a tool whose effect cannot be taken back are never mended: what had to be guessed is not done.
import type { AgentCall } from '@baton/contracts'
import { Fault, toFault } from '@baton/contracts/fault'
import { isJsonObject, type Json, type JsonObject, type JsonSchema } from '@baton/contracts/json'
import type { Answer, WrittenCall } from '../model.ts'
import { parseOutput } from '../output/repair.policy.ts'
import { readOutput, type Output } from '../output/structured-output.ts'

/** Calls in one answer. */
export const CALLS_MAX = 64
/** Characters of the arguments of all calls of one answer. */
const ARGUMENTS_CHARS_MAX = 262_144
const ID_CHARS_MAX = 200

/** `calls` is empty where the output is the agent's answer; else the output is null. `text` is what was said beside. */
export type TurnOutput = Output & { readonly calls: readonly AgentCall[]; readonly text: string }

export type Offered = {
  readonly schema: JsonSchema | undefined
  readonly tools: readonly string[]
  readonly turn: number
  /** Tools whose arguments are taken as they were written, or not at all (A4). */
  readonly exact?: readonly string[]
}

const parse = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json // JSON.parse gives JSON.
  } catch {
    return undefined
  }
}

const argumentsOf = (
  { tool, arguments: text }: WrittenCall,
  exact: readonly string[],
): { readonly value: JsonObject; readonly repaired: boolean } => {
  const problem = `the arguments of the call of ${tool} are no JSON object`
  if (text.trim() === '') return { value: {}, repaired: false }
  const strict = parse(text)
  if (isJsonObject(strict)) return { value: strict, repaired: false }
  if (exact.includes(tool)) throw new Fault('output.malformed', 'The arguments of a call that cannot be undone are not JSON.', { problem }) // A4
  try {
    const { value, repaired } = parseOutput(text)
    if (isJsonObject(value)) return { value, repaired }
  } catch (error) {
    const { code, detail } = toFault(error)
    if (code === 'output.truncated') throw error
    throw new Fault('output.malformed', `The arguments of a call are not JSON and could not be repaired.`, { ...detail, problem })
  }
  throw new Fault('output.malformed', 'The arguments of a call are no JSON object.', { problem })
}

const checkTool = (tool: string, offered: readonly string[]): void => {
  if (offered.includes(tool)) return
  const problem =
    offered.length === 0
      ? 'no tool can be called any more: give the answer itself'
      : `there is no tool ${tool.slice(0, ID_CHARS_MAX)}; there are ${offered.join(', ')}`
  throw new Fault('output.schema_invalid', 'The answer calls a tool that was not offered.', { problem }) // A2
}

type Called = { readonly tool: string; readonly arguments: JsonObject }

const withIds = (calls: readonly Called[], given: readonly (string | undefined)[], turn: number): readonly AgentCall[] => {
  const used = new Set<string>()
  return calls.map(({ tool, arguments: args }, at) => {
    const own = given[at] ?? ''
    const plain = own !== '' && own.length <= ID_CHARS_MAX && !used.has(own)
    let id = plain ? own : `call_${turn}_${at}`
    while (used.has(id)) id = `${id}_` // A3
    used.add(id)
    return { id, tool, arguments: args }
  })
}

const readCalls = (written: readonly WrittenCall[], { tools, turn, exact = [] }: Offered): Pick<TurnOutput, 'calls' | 'repaired'> => {
  const chars = written.reduce((sum, { arguments: text }) => sum + text.length, 0)
  if (written.length > CALLS_MAX || chars > ARGUMENTS_CHARS_MAX)
    throw new Fault('output.schema_invalid', 'The answer asks for too much at once.', {
      problem: `at most ${CALLS_MAX} calls with ${ARGUMENTS_CHARS_MAX} characters of arguments in all`,
    })
  const read = written.map((call) => {
    checkTool(call.tool, tools)
    return { tool: call.tool, ...argumentsOf(call, exact) }
  })
  const calls = read.map(({ tool, value }) => ({ tool, arguments: value }))
  const ids = written.map(({ id }) => id)
  return { calls: withIds(calls, ids, turn), repaired: read.some(({ repaired }) => repaired) }
}

const textIn = (answer: Answer): string => ('text' in answer ? answer.text : '')

/** Reads it. Throws `output.malformed`, `output.truncated` or `output.schema_invalid`; `detail.problem` is for the model. */
export const readTurn = (answer: Answer, offered: Offered): TurnOutput => {
  const { unusable, calls: written = [] } = answer
  if (unusable !== undefined) throw unusable
  if (written.length > 0) return { value: null, text: textIn(answer), ...readCalls(written, offered) } // A1
  const output = readOutput(answer, offered.schema)
  const { value } = output
  return { ...output, calls: [], text: typeof value === 'string' ? value : JSON.stringify(value) }
}
