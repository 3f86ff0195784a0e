// Servers, a store and calls for suites of the MCP client.
import { fileURLToPath } from 'node:url'
import type { Answered, Json } from '@baton/contracts'
import { openPglite, openStore, migrate, type Database, type Stores } from '@baton/store'
import type { Logger } from '@baton/telemetry'
import { readSection } from '../../config/section.ts'
import { migrations } from '../../migrations/migrations.ts'
import type { Tool, ToolContext } from '../../tool.ts'
import { readMcpServers } from '../mcp-config.ts'
import { openMcp, type McpSource } from '../mcp-source.ts'

/** The script of the server that does what servers should not. */
const MISBEHAVING = fileURLToPath(new URL('misbehaving-server.mjs', import.meta.url))

export type TestMcp = {
  readonly db: Database
  readonly stores: Stores
  readonly logged: string[]
  /** A source of the servers in a section of YAML. */
  readonly open: (yaml: string) => McpSource
  readonly call: (source: McpSource, tool: string, args?: Json, more?: Partial<ToolContext>) => Promise<unknown>
  readonly close: () => Promise<void>
}

/** A server of the misbehaving script, in flow style for YAML. */
export const misbehaving = (options: readonly string[] = [], more = ''): string =>
  `{ command: ${JSON.stringify(process.execPath)}, args: ${JSON.stringify([MISBEHAVING, ...options])}${more === '' ? '' : `, ${more}`} }`

/** What a person said to a question that was thrown. */
export const answerTo = (state: Json | undefined, verdict: Answered['verdict'], output: Json): Answered => ({
  taskId: 'task',
  verdict,
  output,
  by: 'jo',
  fingerprint: '',
  decidedAtMs: 0,
  ...(state === undefined ? {} : { state: JSON.parse(JSON.stringify(state)) as Json }), // as it comes off the bus
})

export const openTestMcp = async (): Promise<TestMcp> => {
  const db = await openPglite()
  const stores = await openStore(db)
  await migrate(db, { scope: 'tools', migrations })
  const logged: string[] = []
  const log = (fields: object, message: string): void => void logged.push(JSON.stringify({ ...fields, message }))
  const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger }
  const sources: McpSource[] = []
  const contextOf = (more: Partial<ToolContext>): ToolContext => ({
    tenant: 'default',
    effectKey: 'run_1/step/0',
    runId: 'run_1',
    flow: 'test/flow',
    path: 'step',
    db,
    stores,
    nowMs: Date.now,
    signal: AbortSignal.timeout(60_000),
    logger,
    ...more,
  })
  return {
    db,
    stores,
    logged,
    open: (yaml) => {
      const source = openMcp({ servers: readMcpServers(readSection(yaml, 'tools.yaml').part('mcp')), db, logger, nowMs: Date.now })
      sources.push(source)
      return source
    },
    call: async (source, name, args = {}, more = {}) => {
      const tool: Tool | undefined = await source.find(name)
      if (tool === undefined) throw new Error(`no tool ${name}`)
      const checked = tool.input.safeParse(args)
      if (!checked.success) throw new Error(`arguments: ${checked.error.issues[0]?.message ?? ''}`)
      return tool.run(args, contextOf(more))
    },
    close: async () => {
      await Promise.all(sources.map((source) => source.close()))
      await db.close()
    },
  }
}
