// The tools of one server for one principal: listed, compared with what was accepted, made into tools of Baton.
//   G1. A list is asked for on a connection that is new, after the server said that it changed, and when it is older than `refreshMs`.
//   G2. A tool whose definition is not what was accepted cannot be called: `tool.changed`, until somebody accepts it.
//   G3. The same definition is the same tool: what others keep by it stays.
//   G4. A schema that cannot be used costs its own tool and nothing else.
import type { Tool as ToolDefinition } from '@modelcontextprotocol/client'
import { Fault, type JsonObject } from '@baton/contracts'
import type { Logger } from '@baton/telemetry'
import type { Tool } from '../tool.ts'
import type { Connection } from './connection.adapter.ts'
import type { DefinitionStore, KnownTool } from './definition.repository.ts'
import { definitionOf, type Definition } from './fingerprint.policy.ts'
import { isAllowed, type McpAuth, type McpServer } from './mcp-config.ts'
import { toldReason } from './mcp-fault.policy.ts'
import { createTool, lateTool, type Link } from './mcp-tool.ts'
import { contentTools } from './server-content.ts'
import { createServerPool, type ServerPool } from './server-pool.ts'

export type ServerToolsOptions = {
  readonly server: McpServer
  /** Whose credentials are used; lists may differ by it. */
  readonly principal: string
  readonly auth: McpAuth | undefined
  readonly store: DefinitionStore
  readonly logger: Logger
  readonly nowMs: () => number
}

export type ServerTools = {
  readonly pool: ServerPool
  /** Throws `tool.changed`, `tool.unreachable`, `tool.result_invalid`; undefined where the server has no such tool. */
  readonly find: (tool: string) => Promise<Tool | undefined>
  /** What is known, without asking the server. */
  readonly known: () => Promise<readonly Tool[]>
  /** Asks the server now. Throws `tool.unreachable`. */
  readonly refresh: () => Promise<readonly KnownTool[]>
}

const ACCEPTED_BY_POLICY = 'policy: first use'

class Tools implements ServerTools {
  readonly pool: ServerPool
  readonly #options: ServerToolsOptions
  readonly #link: Link
  readonly #made = new Map<string, { readonly fingerprint: string; readonly tool: Tool }>()
  #rows = new Map<string, KnownTool>()
  #present: ReadonlySet<string> | undefined
  #extra: ReadonlyMap<string, Tool> = new Map()
  #freshUntilMs = 0
  #listing: Promise<void> | undefined
  #asked = 0

  constructor(options: ServerToolsOptions) {
    this.#options = options
    const { server, auth, logger, nowMs } = options
    const listChanged = (): void => void (this.#freshUntilMs = 0)
    this.pool = createServerPool({ server, auth, logger, nowMs, listChanged, opened: (connection) => this.#ask(connection) })
    this.#link = { pool: this.pool, check: (tool, fingerprint) => this.#check(tool, fingerprint) }
  }

  async find(tool: string): Promise<Tool | undefined> {
    if (this.#freshUntilMs <= this.#options.nowMs()) await this.#list()
    const extra = this.#extra.get(tool)
    if (extra !== undefined) return extra
    if (this.#present?.has(tool) !== true) return undefined
    const row = await this.#acceptedRow(tool)
    return row === undefined ? undefined : this.#toolOf(row)
  }

  async known(): Promise<readonly Tool[]> {
    const { server, principal, store } = this.#options
    const rows =
      this.#present === undefined
        ? (await store.find({ server: server.name })).filter((row) => row.principal === principal)
        : [...this.#rows.values()]
    const there = rows.filter(
      ({ tool, accepted, seen }) => accepted === seen && isAllowed(server, tool) && this.#present?.has(tool) !== false,
    )
    return [...there.map(({ seenDefinition, seen }) => this.#late(seenDefinition, seen)), ...this.#extra.values()]
  }

  async refresh(): Promise<readonly KnownTool[]> {
    await this.#list()
    return [...this.#rows.values()].filter(({ tool }) => this.#present?.has(tool) === true)
  }

  /** One list at a time, for whoever waits for it (G1). */
  async #list(): Promise<void> {
    this.#listing ??= this.#askAgain().finally(() => {
      this.#listing = undefined
    })
    await this.#listing
  }

  async #askAgain(): Promise<void> {
    const before = this.#asked
    // A connection that is opened for this has asked already.
    await this.pool.use((connection) => (this.#asked === before ? this.#ask(connection) : Promise.resolve()))
  }

  async #ask(connection: Connection): Promise<void> {
    const { server, principal, store, nowMs } = this.#options
    this.#freshUntilMs = nowMs() + server.refreshMs // a change that is told while the list is on its way counts
    const { definitions, ttlMs } = await this.#definitions(connection)
    const accepted = server.trust === 'first-use' ? ACCEPTED_BY_POLICY : undefined
    const rows = await store.see({ server: server.name, principal, definitions, atMs: nowMs() }, accepted)
    const extra = contentTools(server, this.pool, connection)
    this.#rows = new Map(rows.map((row) => [row.tool, row]))
    this.#present = new Set(definitions.map(({ name }) => name))
    this.#extra = new Map(extra.map((tool) => [tool.name.slice(server.name.length + 1), tool]))
    if (this.#freshUntilMs > 0 && ttlMs !== undefined) this.#freshUntilMs = nowMs() + Math.min(server.refreshMs, ttlMs)
    this.#asked += 1
    this.#report()
  }

  /** Throws when a tool is not any more what somebody is about to call (G2). */
  #check(tool: string, fingerprint: string): void {
    const { server } = this.#options
    const row = this.#rows.get(tool)
    const name = `${server.name}/${tool}`
    if (row === undefined || this.#present?.has(tool) !== true)
      throw new Fault('tool.unknown', `${server.name} has no tool ${tool} any more`, { tool: name })
    if (row.seen !== fingerprint) throw changed(name, row)
  }

  async #definitions(connection: Connection): Promise<{ definitions: readonly Definition[]; ttlMs: number | undefined }> {
    const { server } = this.#options
    const { client } = connection
    if (client.getServerCapabilities()?.tools === undefined) return { definitions: [], ttlMs: undefined }
    const list = await client.listTools(undefined, { timeout: server.timeoutMs, cacheMode: 'refresh' })
    if (list.tools.length > server.toolsMax)
      throw new Fault('tool.result_invalid', `the server ${server.name} lists more than ${server.toolsMax} tools`, { server: server.name })
    const ttl: unknown = list['ttlMs']
    const definitions = list.tools
      .filter(({ name }) => isAllowed(server, name))
      .map((tool) => definitionOf(tool as unknown as JsonObject & { name: string }))
    return { definitions, ttlMs: typeof ttl === 'number' && ttl > 0 ? ttl : undefined }
  }

  /** The tool as it was accepted; throws `tool.changed` (G2). */
  async #acceptedRow(tool: string): Promise<KnownTool | undefined> {
    const { server, principal, store } = this.#options
    const row = this.#rows.get(tool)
    if (row === undefined || row.accepted === row.seen) return row
    // Somebody may have accepted it meanwhile, in another process too.
    const [now] = (await store.find({ server: server.name, tool })).filter((known) => known.principal === principal)
    if (now?.accepted !== row.seen) throw changed(`${server.name}/${tool}`, row)
    const accepted = { ...row, accepted: now.accepted, acceptedBy: now.acceptedBy }
    this.#rows.set(tool, accepted)
    return accepted
  }

  #toolOf({ seen, seenDefinition }: KnownTool): Tool {
    return this.#cached(seenDefinition, `${seen}/now`, createTool)
  }

  /** For lists: the schema is not compiled before somebody uses it. */
  #late(definition: Definition, fingerprint: string): Tool {
    return this.#cached(definition, fingerprint, lateTool)
  }

  #cached(definition: Definition, fingerprint: string, make: typeof createTool): Tool {
    const key = `${make.name}/${definition.name}`
    const made = this.#made.get(key)
    if (made?.fingerprint === fingerprint) return made.tool // G3
    const { server } = this.#options
    const tool = make(server, definition as unknown as ToolDefinition, this.#link) // G4
    this.#made.set(key, { fingerprint, tool })
    return tool
  }

  #report(): void {
    const { server, logger } = this.#options
    for (const [tool, row] of this.#rows)
      if (row.accepted !== row.seen && this.#present?.has(tool) === true)
        logger.warn(
          { server: server.name, tool: toldReason(tool), known: row.accepted !== null },
          'a tool is off until somebody accepts it',
        )
  }
}

const changed = (tool: string, { accepted }: KnownTool): Fault =>
  new Fault(
    'tool.changed',
    accepted === null
      ? `${tool} was never accepted: look at it with \`baton tools diff\``
      : `${tool} is not what was accepted: look at it with \`baton tools diff\``,
    { tool },
  )

/** The tools of a server. */
export const createServerTools = (options: ServerToolsOptions): ServerTools => new Tools(options)
