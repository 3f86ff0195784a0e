// What a server has beside tools: resources and prompts, as tools that only read.
//   V1. They are there where the server says that it has such things, and where the configuration allows their names.
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts'
import { z } from 'zod'
import { ANY_SHAPE } from '../shape.ts'
import { defineTool, type Tool, type ToolContext } from '../tool.ts'
import type { Connection } from './connection.adapter.ts'
import { isAllowed, type McpServer } from './mcp-config.ts'
import { failureOf } from './mcp-fault.policy.ts'
import { endOf, unstructured } from './mcp-tool.ts'
import type { ServerPool } from './server-pool.ts'

const ITEMS_MAX = 500
type Reading<I extends z.ZodType> = {
  readonly name: string
  readonly about: string
  readonly input: I
  readonly read: (connection: Connection, args: z.output<I>, context: ToolContext) => Promise<Json>
}

const toolOf = <I extends z.ZodType>(server: McpServer, pool: ServerPool, { name, about, input, read }: Reading<I>): Tool => {
  const tool = `${server.name}/${name}`
  const made = defineTool({
    name: tool,
    about,
    effect: 'read',
    idempotent: true,
    input,
    output: z.unknown(),
    timeoutMs: server.timeoutMs,
    outside: !server.trusted,
    run: async (args, context) => {
      let used: Connection | undefined
      try {
        return await pool.use((connection) => {
          used = connection
          return read(connection, args, context)
        }, context.signal)
      } catch (error) {
        throw failureOf(error, { tool, server: server.name, ...endOf(used) })
      }
    },
  })
  return { ...made, output: ANY_SHAPE }
}

const options = (server: McpServer, { signal }: ToolContext): { timeout: number; signal: AbortSignal } => ({
  timeout: server.timeoutMs,
  signal,
})

const resourceTools = (server: McpServer, pool: ServerPool): readonly Tool[] => [
  toolOf(server, pool, {
    name: 'resource.list',
    about: `Lists the resources of ${server.name}.`,
    input: z.strictObject({}),
    read: async ({ client }, _args, context) => {
      const { resources } = await client.listResources(undefined, options(server, context))
      const { resourceTemplates } = await client
        .listResourceTemplates(undefined, options(server, context))
        .catch(() => ({ resourceTemplates: [] }))
      return {
        resources: resources.slice(0, ITEMS_MAX) as unknown as Json,
        templates: resourceTemplates.slice(0, ITEMS_MAX) as unknown as Json,
      }
    },
  }),
  toolOf(server, pool, {
    name: 'resource.read',
    about: `Reads a resource of ${server.name} by its address.`,
    input: z.strictObject({ uri: z.string().min(1).max(2_000) }),
    read: async ({ client }, { uri }, context) => {
      const { contents } = await client.readResource({ uri }, options(server, context))
      const blocks = contents.map((content) =>
        'text' in content
          ? ({ type: 'text', text: content.text } as JsonObject)
          : ({ type: 'resource', resource: { ...content } } as JsonObject),
      )
      return { uri, ...(await unstructured(blocks, context, `${server.name}/resource.read`)) }
    },
  }),
]

const promptTools = (server: McpServer, pool: ServerPool): readonly Tool[] => [
  toolOf(server, pool, {
    name: 'prompt.list',
    about: `Lists the prompts of ${server.name}.`,
    input: z.strictObject({}),
    read: async ({ client }, _args, context) => {
      const { prompts } = await client.listPrompts(undefined, options(server, context))
      return { prompts: prompts.slice(0, ITEMS_MAX) as unknown as Json }
    },
  }),
  toolOf(server, pool, {
    name: 'prompt.get',
    about: `Gives a prompt of ${server.name}, filled in.`,
    input: z.strictObject({ name: z.string().min(1).max(200), arguments: z.record(z.string(), z.string()).default({}) }),
    read: async ({ client }, { name, arguments: given }, context) => {
      const { messages, description } = await client.getPrompt({ name, arguments: given }, options(server, context))
      const said = messages.map(({ role, content }) => ({ role, content: content as unknown as Json }))
      return { messages: said, ...(description === undefined ? {} : { description }) }
    },
  }),
]

/** The tools for what a server has beside tools (V1). */
export const contentTools = (server: McpServer, pool: ServerPool, { client }: Connection): readonly Tool[] => {
  const capabilities = (client.getServerCapabilities() ?? {}) as unknown as Json
  const has = (part: string): boolean => isJsonObject(capabilities) && capabilities[part] !== undefined
  const tools = [...(has('resources') ? resourceTools(server, pool) : []), ...(has('prompts') ? promptTools(server, pool) : [])]
  return tools.filter(({ name }) => isAllowed(server, name.slice(server.name.length + 1)))
}
