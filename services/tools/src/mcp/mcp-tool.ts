// A tool of a server as a tool of Baton.
//   W1. An output is checked against the schema that was accepted; an error result is a failure, and says nothing about the effect unless
//       the configuration says that it does.
//   W2. Bytes are kept apart, by reference; text and data are the output.
//   W3. What a server that is not trusted answers is content from outside.
import type { Tool as ToolDefinition } from '@modelcontextprotocol/client'
import { Fault, isJsonObject, type Json, type JsonObject } from '@baton/contracts'
import { ANY_SHAPE, jsonShape, type Shape } from '../shape.ts'
import { ToolFailure } from '../tool-run.ts'
import { AsksPerson, type Tool, type ToolContext } from '../tool.ts'
import type { Connection } from './connection.adapter.ts'
import { fingerprintOf, type Definition } from './fingerprint.policy.ts'
import { effectOf, type McpServer, type McpToolRule } from './mcp-config.ts'
import { failureOf, toldReason } from './mcp-fault.policy.ts'
import { callServer, whileExtended } from './mcp-call.ts'
import { bytesOf, checkStructured, readResult, textOfBlocks, type CallResult } from './result.policy.ts'
import type { ServerPool } from './server-pool.ts'

const MEDIA_BYTES_MAX = 16 * 1024 * 1024
/** What models read of a tool; a description is written by strangers too. */
const ABOUT_CHARS_MAX = 4_000
/** Calls that may take longer than this extend their lease. */
const LONG_MS = 20_000

/** A schema of a server as a shape. Throws `tool.result_invalid` for one that cannot be used. */
const shapeOf = (schema: Json, tool: string, what: string): Shape => {
  try {
    return jsonShape(schema as JsonObject, `${tool} (${what})`)
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'invalid'
    throw new Fault('tool.result_invalid', toldReason(reason), { tool }, { cause: error })
  }
}

/** Content that is not text, with its bytes in the payload store (W2). */
const piece = async (block: JsonObject, { stores, tenant }: ToolContext, tool: string): Promise<JsonObject> => {
  const bytes = bytesOf(block)
  if (bytes === undefined) return block
  const content = Buffer.from(bytes.base64, 'base64')
  if (content.length > MEDIA_BYTES_MAX)
    throw new Fault('step.output_too_large', `${tool} answered with more than ${MEDIA_BYTES_MAX} bytes`, { tool })
  const ref = await stores.payloads.put({ tenant, content, mediaType: bytes.mediaType.slice(0, 200) })
  return { ...bytes.rest, mediaType: bytes.mediaType.slice(0, 200), ref: ref as unknown as JsonObject } // plain data
}

/** The text of a result and what is not text. */
export const unstructured = async (blocks: readonly JsonObject[], context: ToolContext, tool: string): Promise<JsonObject> => {
  const others = await Promise.all(blocks.filter(({ type }) => type !== 'text').map((block) => piece(block, context, tool)))
  return { text: textOfBlocks(blocks), ...(others.length === 0 ? {} : { content: others }) }
}

const failed = (server: McpServer, tool: string, { blocks }: CallResult): ToolFailure => {
  const name = `${server.name}/${tool}`
  const fault = new Fault('tool.failed', `${name}: ${toldReason(textOfBlocks(blocks)) || 'reported an error'}`, { tool: name })
  return new ToolFailure(fault, server.tools[tool]?.failsClean === true) // W1
}

const isTask = ({ execution }: ToolDefinition): boolean => execution?.taskSupport === 'required'

/** What a tool needs of its server. */
export type Link = {
  readonly pool: ServerPool
  /** Throws when the server has another tool of this name now. */
  readonly check: (tool: string, fingerprint: string) => void
}

/** What there is to say of a connection that a call went over. */
export const endOf = (connection: Connection | undefined): { readonly secrets: readonly string[]; readonly why?: string } =>
  connection === undefined ? { secrets: [] } : { secrets: connection.secrets, ...(connection.isOpen() ? {} : { why: connection.why() }) }

type Tried = { readonly result: JsonObject; readonly lost?: never } | { readonly lost: ToolFailure }
type Shapes = { readonly input: () => Shape; readonly output: () => Shape | undefined }

const runOf = (server: McpServer, definition: ToolDefinition, { pool, check }: Link, shapes: Shapes): Tool['run'] => {
  const fingerprint = fingerprintOf(definition as unknown as Definition)
  const tool = `${server.name}/${definition.name}`
  const timeoutMs = server.tools[definition.name]?.timeout ?? server.timeoutMs
  /** One call; the failure says whether its connection was of no use any more. */
  const tried = async (args: Json, context: ToolContext): Promise<Tried> => {
    const call = { server, definition, args: isJsonObject(args) ? args : {}, context, timeoutMs }
    let used: Connection | undefined
    const work = (): Promise<JsonObject> =>
      pool.use((connection) => {
        used = connection
        check(definition.name, fingerprint)
        return callServer(call, connection)
      }, context.signal)
    try {
      return { result: await (timeoutMs > LONG_MS && context.extend !== undefined ? whileExtended(context, work) : work()) }
    } catch (error) {
      if (error instanceof AsksPerson) throw error
      const failure = failureOf(error, { tool, server: server.name, ...endOf(used) })
      if (failure.certain && used?.isOpen() === false) return { lost: failure }
      throw failure
    }
  }
  return async (args, context) => {
    let given = await tried(args, context)
    // A connection that had ended unnoticed: nothing was done over it, and another one is opened.
    if (given.lost !== undefined) given = await tried(args, context)
    if (given.lost !== undefined) throw given.lost
    const result = readResult(tool, given.result)
    pool.succeeded()
    if (result.isError) throw failed(server, definition.name, result)
    return checkStructured(tool, result, shapes.output()) ?? (await unstructured(result.blocks, context, tool))
  }
}

const partsOf = (server: McpServer, definition: ToolDefinition): Omit<Tool, 'input' | 'output' | 'run'> => {
  const { name, annotations = {} } = definition
  const rule: McpToolRule = server.tools[name] ?? {}
  const { idempotent = false, timeout: timeoutMs = server.timeoutMs } = rule
  return {
    name: `${server.name}/${name}`,
    about: (definition.description ?? definition.title ?? '').slice(0, ABOUT_CHARS_MAX),
    effect: effectOf(server, name, annotations),
    idempotent,
    timeoutMs: isTask(definition) ? Math.max(timeoutMs, server.totalMs) : timeoutMs + LATE_MS,
    traced: true,
    outside: !server.trusted, // W3
    private: rule.private === true,
    outbound: rule.outbound === true,
  }
}

/** The client's own timer comes first, and tells the server. */
const LATE_MS = 250

/** Throws `tool.result_invalid` for a schema that cannot be used. */
export const createTool = (server: McpServer, definition: ToolDefinition, link: Link): Tool => {
  const { name, inputSchema, outputSchema } = definition
  const tool = `${server.name}/${name}`
  const input = shapeOf(inputSchema as Json, tool, 'input')
  const declared = outputSchema === undefined ? undefined : shapeOf(outputSchema as Json, tool, 'output')
  const output = declared === undefined ? ANY_SHAPE : { ...ANY_SHAPE, json: outputSchema as JsonObject }
  return {
    ...partsOf(server, definition),
    input,
    output,
    run: runOf(server, definition, link, { input: () => input, output: () => declared }),
  }
}

/** A tool whose schemas are read when it is used. */
export const lateTool = (server: McpServer, definition: ToolDefinition, link: Link): Tool => {
  let made: Tool | undefined
  const real = (): Tool => (made ??= createTool(server, definition, link))
  const { inputSchema, outputSchema } = definition
  return {
    ...partsOf(server, definition),
    input: { json: inputSchema as JsonObject, safeParse: (value) => real().input.safeParse(value) },
    output: { ...ANY_SHAPE, json: (outputSchema ?? true) as JsonObject | true },
    run: (args, context) => real().run(args, context),
  }
}
