// MCP servers as a source of tools: `SERVER/TOOL`.
//   M1. A server is started by the first call of one of its tools, or by who asks for its list; never by the start of the service.
//   M2. A tenant with credentials of its own has connections, lists and acceptances of its own.
import { Fault, toFault } from '@baton/contracts'
import type { Database } from '@baton/store'
import type { Logger } from '@baton/telemetry'
import type { ToolSource } from '../tool-source.ts'
import type { Tool } from '../tool.ts'
import { definitionStore, type DefinitionStore } from './definition.repository.ts'
import type { McpAuth, McpServer } from './mcp-config.ts'
import type { ServerTools } from './server-tools.ts'

const CLOSE_GRACE_MS = 5_000

export type McpOptions = {
  readonly servers: readonly McpServer[]
  readonly db: Database
  readonly logger: Logger
  readonly nowMs: () => number
}

export type ServerView = {
  readonly server: string
  readonly over: 'stdio' | 'http'
  readonly open: number
  readonly inFlight: number
  readonly failures: number
}
export type Refreshed = {
  readonly server: string
  readonly tools: readonly string[]
  readonly fault?: { readonly code: string; readonly message: string }
}

export type McpSource = ToolSource & {
  readonly store: DefinitionStore
  readonly servers: () => readonly ServerView[]
  /** Processes of servers that run now. */
  readonly pids: () => readonly number[]
  /** Asks every server, or one, for its tools now. */
  readonly refresh: (server?: string) => Promise<readonly Refreshed[]>
  readonly close: () => Promise<void>
}

type Entry = { readonly server: McpServer; readonly principals: Map<string, Opened> }
/** The tools of a server, once the client library is loaded. */
type Opened = { readonly tools: Promise<ServerTools>; now?: ServerTools }

const authOf = ({ reach }: McpServer, principal: string): McpAuth | undefined =>
  'http' in reach ? (reach.http.tenants[principal]?.auth ?? reach.http.auth) : undefined

const opened = (principals: Entry['principals']): readonly ServerTools[] =>
  [...principals.values()].flatMap(({ now }) => (now === undefined ? [] : [now]))

/** Whose credentials a tenant's calls use (M2). */
const principalOf = ({ reach }: McpServer, tenant: string): string =>
  'http' in reach && reach.http.tenants[tenant] !== undefined ? tenant : ''

class Source implements McpSource {
  readonly name = 'mcp'
  readonly store: DefinitionStore
  readonly #options: McpOptions
  readonly #entries: ReadonlyMap<string, Entry>
  readonly #perTenant = new WeakMap<Tool, Tool>()
  readonly #asked = new Set<string>()

  constructor(options: McpOptions) {
    this.#options = options
    this.store = definitionStore(options.db)
    this.#entries = new Map(options.servers.map((server) => [server.name, { server, principals: new Map() }]))
  }

  async tools(): Promise<readonly Tool[]> {
    const lists = [...this.#entries.values()].map(async (entry) => {
      try {
        const known = await (await this.#of(entry, '')).known()
        if (known.length === 0) this.#meet(entry)
        return known
      } catch (error) {
        this.#options.logger.warn({ server: entry.server.name, reason: toFault(error).message }, 'the tools of a server are not known')
        return []
      }
    })
    return (await Promise.all(lists)).flat()
  }

  async find(name: string): Promise<Tool | undefined> {
    const at = name.indexOf('/')
    const entry = this.#entries.get(name.slice(0, at))
    if (at < 0 || entry === undefined) return undefined
    const tool = await (await this.#of(entry, '')).find(name.slice(at + 1))
    return tool === undefined ? undefined : this.#forTenants(entry, tool, name.slice(at + 1))
  }

  servers(): readonly ServerView[] {
    return [...this.#entries.values()].map(({ server, principals }) => {
      const health = opened(principals).map(({ pool }) => pool.health())
      const sum = (part: 'open' | 'inFlight' | 'failures'): number => health.reduce((total, one) => total + one[part], 0)
      return {
        server: server.name,
        over: 'http' in server.reach ? 'http' : 'stdio',
        open: sum('open'),
        inFlight: sum('inFlight'),
        failures: sum('failures'),
      }
    })
  }

  pids(): readonly number[] {
    return [...this.#entries.values()].flatMap(({ principals }) => opened(principals).flatMap(({ pool }) => pool.pids()))
  }

  async refresh(server?: string): Promise<readonly Refreshed[]> {
    if (server !== undefined && !this.#entries.has(server))
      throw new Fault('request.not_found', `no MCP server is called ${server}`, { server })
    const entries = [...this.#entries.values()].filter((entry) => server === undefined || entry.server.name === server)
    return Promise.all(entries.map((entry) => this.#refreshed(entry)))
  }

  async close(): Promise<void> {
    const all = [...this.#entries.values()].flatMap(({ principals }) => [...principals.values()])
    await Promise.all(all.map(async ({ tools }) => (await tools).pool.close(CLOSE_GRACE_MS)))
  }

  async #refreshed(entry: Entry): Promise<Refreshed> {
    const { name } = entry.server
    try {
      const tools = await this.#of(entry, '')
      await tools.refresh()
      return { server: name, tools: (await tools.known()).map((tool) => tool.name) }
    } catch (error) {
      const { code, message } = toFault(error)
      return { server: name, tools: [], fault: { code, message } }
    }
  }

  /** A server that nobody met yet is asked once in the background, so that lists know it soon. */
  #meet(entry: Entry): void {
    const { name } = entry.server
    if (this.#asked.has(name)) return
    this.#asked.add(name)
    void this.#refreshed(entry)
  }

  #of(entry: Entry, tenant: string): Promise<ServerTools> {
    const { server, principals } = entry
    const principal = principalOf(server, tenant)
    const known = principals.get(principal)
    if (known !== undefined) return known.tools
    const { logger, nowMs } = this.#options
    const options = { server, principal, auth: authOf(server, principal), store: this.store, logger, nowMs }
    // Half a second of loading that most starts of the service do not need.
    const tools = import('./server-tools.ts').then(({ createServerTools }) => createServerTools(options))
    const made: Opened = { tools }
    tools.then((ready) => (made.now = ready)).catch(() => undefined) // told to whoever waits for it
    principals.set(principal, made)
    return tools
  }

  /** The tool by the connections of who calls (M2). */
  #forTenants(entry: Entry, tool: Tool, name: string): Tool {
    const { reach } = entry.server
    if (!('http' in reach) || Object.keys(reach.http.tenants).length === 0) return tool
    const known = this.#perTenant.get(tool)
    if (known !== undefined) return known
    const made: Tool = {
      ...tool,
      run: async (args, context) => {
        const own = await (await this.#of(entry, context.tenant)).find(name)
        if (own === undefined)
          throw new Fault('tool.unknown', `${entry.server.name} has no tool ${name} for this tenant`, { tool: tool.name })
        return own.run(args, context)
      },
    }
    this.#perTenant.set(tool, made)
    return made
  }
}

/** The tools of these servers. */
export const openMcp = (options: McpOptions): McpSource => new Source(options)
