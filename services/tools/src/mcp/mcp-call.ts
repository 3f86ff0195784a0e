// One call of a tool of a server: asked, waited for, checked.
//   A1. A call has a time, a task has a total; the signal ends both, and the server is told.
//   A2. Progress is never asked for: notes can be lost, so nothing may hang on them.
//   A3. A question ends the call, which is made again with the answer (Q1); a person is asked, and nobody waits here.
//   A4. While a call takes long, its lease is extended step by step.
//   A5. The key of the effect goes along, for servers that have an effect once for it.
import type { Tool as ToolDefinition } from '@modelcontextprotocol/client'
import { Fault, isJsonObject, type Json, type JsonObject } from '@baton/contracts'
import { z } from 'zod'
import { jsonShape } from '../shape.ts'
import { ToolFailure } from '../tool-run.ts'
import { AsksPerson, type ToolContext } from '../tool.ts'
import { TASK_META, type Connection } from './connection.adapter.ts'
import {
  askOf,
  fingerprintOfQuestion,
  parkedOf,
  questionOf,
  replyOf,
  responsesOf,
  STATE_CHARS_MAX,
  unanswered,
  withReply,
  type Parked,
  type Question,
  type Reply,
} from './elicitation.policy.ts'
import type { McpServer } from './mcp-config.ts'
import { followTask, readTask } from './mcp-task.ts'
import { parameterHeaders } from './parameter-headers.policy.ts'

/** Rounds of one call that need no person. */
const ROUNDS_MAX = 8
const EXTEND_EVERY_MS = 15_000
const EXTEND_BY_MS = 60_000
const EFFECT_KEY_META = 'baton/effectKey'
const ANY_RESULT = z.looseObject({})

export type McpCall = {
  readonly server: McpServer
  readonly definition: ToolDefinition
  readonly args: JsonObject
  readonly context: ToolContext
  readonly timeoutMs: number
}

type Round = { readonly params: JsonObject; readonly parked: Parked }

/** Extends the lease of the step while the work goes on (A4). */
export const whileExtended = async <T>(
  { extend, nowMs }: Pick<ToolContext, 'extend' | 'nowMs'>,
  work: () => Promise<T>,
  everyMs: number = EXTEND_EVERY_MS,
): Promise<T> => {
  if (extend === undefined) return work()
  const timer = setInterval(() => void extend(nowMs() + EXTEND_BY_MS).catch(() => undefined), everyMs)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}

const park = (call: McpCall, question: Question, parked: Parked, reason?: string): AsksPerson =>
  new AsksPerson(askOf(question, parked, { args: call.args, ...(reason === undefined ? {} : { reason }) }))

/** Why what a person wrote does not fit what the server wants; undefined where it does. */
const misfit = ({ schema }: Question, { action, content }: Reply): string | undefined => {
  if (schema === undefined || action !== 'accept') return undefined
  const checked = jsonShape(schema, 'the question').safeParse(content ?? {})
  if (checked.success) return undefined
  const [issue] = checked.error.issues
  return `The answer did not fit: ${issue?.path.map(String).join('.') ?? ''} ${issue?.message ?? ''}`.trim()
}

/** What was parked, with what the person said; asks again where that does not fit (Q2). */
const resumed = (call: McpCall): Parked => {
  const { answered } = call.context
  const { server, definition } = call
  const parked = parkedOf(answered, { server: server.name, tool: definition.name })
  if (parked?.question === undefined || answered === undefined) return { server: server.name, tool: definition.name, replies: {} }
  const { question, ...rest } = parked
  const reply = replyOf(answered)
  const reason = misfit(question, reply)
  if (reason !== undefined) throw park(call, question, rest, reason)
  const now = withReply(rest, question, reply)
  const open = now.requests === undefined ? undefined : unanswered(now.requests, now)
  if (open !== undefined) throw park(call, open, now)
  return now
}

/** The questions of an `input_required` result or task, by the server's keys. Throws for what nobody here answers. */
const questionsOf = (tool: string, requests: Json | undefined): { [key: string]: Question } => {
  const questions: { [key: string]: Question } = {}
  for (const [key, request] of Object.entries(isJsonObject(requests) ? requests : {})) {
    const method = isJsonObject(request) ? request['method'] : undefined
    const question = isJsonObject(request) && method === 'elicitation/create' ? questionOf(request['params']) : undefined
    if (question === undefined) {
      const wanted = typeof method === 'string' ? method.slice(0, 60) : 'nothing that can be read'
      throw new ToolFailure(new Fault('tool.result_invalid', `${tool} asks for ${wanted}, which is not answered here`, { tool }), true)
    }
    questions[key] = question
  }
  return questions
}

const wantsTask = ({ definition }: McpCall, { client, era }: Connection): boolean =>
  era === 'legacy' &&
  definition.execution?.taskSupport === 'required' &&
  isJsonObject(client.getServerCapabilities()?.['tasks'] as Json | undefined)

/** Of a task, or of one request. */
const send = async (call: McpCall, connection: Connection, params: JsonObject, signal: AbortSignal): Promise<JsonObject> => {
  const { client, era } = connection
  const { name, inputSchema } = call.definition
  const headers = era === 'modern' ? parameterHeaders(inputSchema as Json, call.args) : {}
  const task = wantsTask(call, connection) ? { task: { ttl: call.server.totalMs } } : {}
  const _meta = { [EFFECT_KEY_META]: call.context.effectKey } // A5
  return (await client.request(
    { method: 'tools/call', params: { name, arguments: call.args, _meta, ...params, ...task } },
    ANY_RESULT,
    { signal, timeout: call.timeoutMs, allowInputRequired: true, ...(Object.keys(headers).length === 0 ? {} : { headers }) }, // A1
  )) as JsonObject // a result is JSON
}

const taskOf = (result: JsonObject): Json | undefined => {
  const meta = result['_meta']
  return result['task'] ?? (isJsonObject(meta) ? meta[TASK_META] : undefined)
}

const stateOf = (tool: string, state: Json | undefined): { requestState?: string } => {
  if (typeof state !== 'string') return {}
  if (state.length > STATE_CHARS_MAX)
    throw new ToolFailure(
      new Fault('tool.result_invalid', `${tool} wants a state of more than ${STATE_CHARS_MAX} characters to be kept`, { tool }),
      true,
    )
  return { requestState: state }
}

/** The next round of a call that needs input: the answers that are there; throws the question that is not (A3). */
const nextRound = (call: McpCall, parked: Parked, result: JsonObject): Round => {
  const requests = questionsOf(call.definition.name, result['inputRequests'])
  const { requestState: _before, ...rest } = parked
  const now: Parked = { ...rest, requests, ...stateOf(call.definition.name, result['requestState']) }
  const open = unanswered(requests, now)
  if (open !== undefined) throw park(call, open, now)
  return roundOf(now)
}

const roundOf = (parked: Parked): Round => {
  const { requests, requestState } = parked
  const inputResponses = requests === undefined ? {} : { inputResponses: responsesOf(requests, parked) as unknown as JsonObject }
  return { parked, params: { ...inputResponses, ...(requestState === undefined ? {} : { requestState }) } }
}

/** Follows a task to its end. A question of a task parks the task, where it outlives its connection. */
const finishTask = async (
  call: McpCall,
  connection: Connection,
  task: Json,
  { parked, signal }: { parked: Parked; signal: AbortSignal },
): Promise<JsonObject> => {
  const tool = call.definition.name
  const started = readTask(tool, task)
  return whileExtended(call.context, () =>
    followTask(connection, started, {
      tool,
      totalMs: call.server.totalMs,
      timeoutMs: call.timeoutMs,
      signal,
      answers: (requests) => {
        const questions = questionsOf(tool, requests)
        const { requestState: _none, ...rest } = parked
        const now: Parked = { ...rest, requests: questions, taskId: started.taskId }
        const open = unanswered(questions, now)
        if (open !== undefined) throw park(call, open, now)
        return responsesOf(questions, now) as unknown as JsonObject
      },
    }),
  )
}

/** A connection of the old era asks while the call is open: it is given up, or answered with what the person said. */
const withElicitor = async <T>(call: McpCall, connection: Connection, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const { signal } = call.context
  if (!connection.alone) return work(signal)
  const parked = resumed(call)
  const given = new AbortController()
  let asks: AsksPerson | undefined
  connection.elicitor = (question) => {
    const reply = parked.replies[fingerprintOfQuestion(question)]
    if (reply !== undefined) return reply
    asks ??= park(call, question, parked)
    setImmediate(() => given.abort(asks)) // after the refusal is on its way
    return undefined
  }
  try {
    const result = await work(AbortSignal.any([signal, given.signal]))
    if (asks !== undefined) throw asks // a server that went on without the answer is not believed
    return result
  } catch (error) {
    throw asks ?? error
  } finally {
    connection.elicitor = undefined
  }
}

/** A task that a person was asked about goes on with the answer. */
const resumeTask = async (
  call: McpCall,
  connection: Connection,
  { parked, params }: Round,
  signal: AbortSignal,
): Promise<JsonObject | undefined> => {
  const { taskId } = parked
  if (taskId === undefined) return undefined
  const { inputResponses = {} } = params
  await connection.client.request({ method: 'tasks/update', params: { taskId, inputResponses } }, ANY_RESULT, {
    signal,
    timeout: call.timeoutMs,
  })
  return finishTask(call, connection, { taskId, status: 'working' }, { parked, signal })
}

/** The result of a call, as the server gave it. Throws `AsksPerson`, or what the client throws. */
export const callServer = (call: McpCall, connection: Connection): Promise<JsonObject> =>
  withElicitor(call, connection, async (signal) => {
    let round = roundOf(resumed(call))
    if (connection.era === 'modern') {
      const ended = await resumeTask(call, connection, round, signal)
      if (ended !== undefined) return ended
    }
    for (let n = 0; n < ROUNDS_MAX; n += 1) {
      const result = await send(call, connection, round.params, signal)
      const task = taskOf(result)
      if (task !== undefined) return finishTask(call, connection, task, { parked: round.parked, signal })
      if (result['resultType'] !== 'input_required') return result
      round = nextRound(call, round.parked, result)
    }
    const tool = call.definition.name
    throw new ToolFailure(new Fault('tool.result_invalid', `${tool} wanted input ${ROUNDS_MAX} times and asked nothing`, { tool }), false)
  })
