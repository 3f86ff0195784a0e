// The `mcp:` section of config/tools.yaml: which servers there are, how they are reached, and what their tools may do.
//   M1. Secrets are named, never written: `{ env: NAME }` or `{ file: PATH }`, read when a connection is opened.
//   M2. What a tool may do is said here. Annotations of a server can make a tool more careful; only those of a server that is trusted
//       can make it less so.
//   M3. Everything that a server can spend has a limit, with its unit in its name.
import { z } from 'zod'
import { Fault } from '@baton/contracts'
import { Duration } from '../config/duration.ts'
import type { ConfigSection } from '../config/section.ts'
import type { Tool } from '../tool.ts'

const NAME = /^[a-z0-9][a-z0-9_-]{0,39}$/
const TENANT = /^[a-z0-9][a-z0-9._-]{0,62}$/

export const SecretRef = z.union([
  z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'not the name of a variable') }),
  z.strictObject({ file: z.string().min(1) }),
])
/** Where a secret is (M1). */
export type SecretRef = z.infer<typeof SecretRef>

const Auth = z.union([
  z.strictObject({ bearer: SecretRef }),
  /** OAuth client credentials. The issuer is pinned: nobody else is ever shown the secret. */
  z.strictObject({
    clientId: z.string().min(1).max(500),
    clientSecret: SecretRef,
    issuer: z.url(),
    scope: z.string().max(1_000).optional(),
  }),
])
export type McpAuth = z.infer<typeof Auth>

const ToolRule = z.strictObject({
  effect: z.enum(['read', 'write', 'irreversible']).optional(),
  /** The server has the effect once for one `baton/effectKey` in `_meta`. */
  idempotent: z.boolean().optional(),
  /** An error result of this tool says that nothing happened. */
  failsClean: z.boolean().optional(),
  private: z.boolean().optional(),
  outbound: z.boolean().optional(),
  timeout: Duration.optional(),
})
export type McpToolRule = z.infer<typeof ToolRule>

const common = {
  /** `legacy`: 2025 and before. `modern`: 2026-07-28 and after. `auto`: asks the server. Default: auto over HTTP, legacy over stdio. */
  protocol: z.enum(['legacy', 'modern', 'auto']).optional(),
  /** `first-use`: tools are accepted as they are first seen. `pinned`: each has to be accepted by somebody before its first call. */
  trust: z.enum(['first-use', 'pinned']).default('first-use'),
  /** What its tools answer may be believed. Default false: answers taint the run. */
  trusted: z.boolean().default(false),
  /** May ask a person in the middle of a call. Default: servers of the new era may. One of the old era then has one call at a time on a connection. */
  elicitation: z.boolean().optional(),
  allow: z.array(z.string().min(1).max(200)).max(1_000).optional(),
  deny: z.array(z.string().min(1).max(200)).max(1_000).default([]),
  /** Effect of tools that have no rule of their own. Default: write. */
  effect: z.enum(['read', 'write', 'irreversible']).optional(),
  tools: z.record(z.string(), ToolRule).default({}),
  connections: z.number().int().min(1).max(32).default(1),
  connectTimeout: Duration.prefault('20s'),
  /** Of one request. */
  timeout: Duration.prefault('30s'),
  /** Of a call that the server turns into a task. */
  total: Duration.prefault('10m'),
  /** A connection that nobody used for so long is closed. */
  idle: Duration.prefault('5m'),
  /** Age from which the list of tools is asked for again. */
  refresh: Duration.prefault('5m'),
  inFlightMax: z.number().int().min(1).max(10_000).default(64),
  messageBytesMax: z.number().int().min(1_024).max(67_108_864).default(4_194_304),
  messagesPerSecondMax: z.number().int().min(1).max(1_000_000).default(2_000),
  toolsMax: z.number().int().min(1).max(10_000).default(500),
}

const Stdio = z.strictObject({
  command: z.string().min(1),
  args: z.array(z.string()).max(200).default([]),
  env: z.record(z.string(), z.union([z.string(), SecretRef])).default({}),
  cwd: z.string().optional(),
  ...common,
})
const Http = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  headers: z.record(z.string(), z.union([z.string(), SecretRef])).default({}),
  auth: Auth.optional(),
  /** Other credentials for single tenants. */
  tenants: z.record(z.string().regex(TENANT), z.strictObject({ auth: Auth })).default({}),
  ...common,
})

type Written = Omit<z.infer<typeof Stdio>, 'command' | 'args' | 'env' | 'cwd'>
type Times = 'connectTimeout' | 'timeout' | 'total' | 'idle' | 'refresh'
type Common = Omit<Written, Times> & { readonly [time in Times as `${time}Ms`]: number }
export type McpStdio = {
  readonly command: string
  readonly args: readonly string[]
  readonly env: { readonly [name: string]: string | SecretRef }
  readonly cwd: string | undefined
}
export type McpHttp = {
  readonly url: string
  readonly headers: { readonly [name: string]: string | SecretRef }
  readonly auth: McpAuth | undefined
  readonly tenants: { readonly [tenant: string]: { readonly auth: McpAuth } }
}
/** A server as it is configured. */
export type McpServer = Common & { readonly name: string; readonly reach: { readonly stdio: McpStdio } | { readonly http: McpHttp } }

/** `${NAME}` and `${NAME:-otherwise}` in a text. */
const expanded = (text: string, env: NodeJS.ProcessEnv): string =>
  text.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g, (_all, name: string, otherwise: string | undefined) => {
    const value = env[name] ?? otherwise
    if (value === undefined) throw new Fault('config.invalid', `the variable ${name} is not set`, { variable: name })
    return value
  })

const commonOf = ({ connectTimeout, timeout, total, idle, refresh, ...rest }: Written): Common => ({
  ...rest,
  connectTimeoutMs: connectTimeout,
  timeoutMs: timeout,
  totalMs: total,
  idleMs: idle,
  refreshMs: refresh,
})

const serverOf = (name: string, section: ConfigSection, env: NodeJS.ProcessEnv): McpServer => {
  if (!NAME.test(name)) throw section.refuse('a server is named by small letters, digits, - and _')
  const text = (value: string): string => expanded(value, env)
  const { value } = section
  if (typeof value === 'object' && value !== null && 'url' in value) {
    const { url, headers, auth, tenants, ...rest } = section.parse(Http)
    return { name, ...commonOf(rest), reach: { http: { url: text(url), headers, auth, tenants } } }
  }
  const { command, args, env: variables, cwd, ...rest } = section.parse(Stdio)
  const where = cwd === undefined ? undefined : text(cwd)
  return { name, ...commonOf(rest), reach: { stdio: { command: text(command), args: args.map(text), env: variables, cwd: where } } }
}

/** The servers of the section. Throws `config.invalid` naming file and line. */
export const readMcpServers = (section: ConfigSection, env: NodeJS.ProcessEnv = process.env): readonly McpServer[] => {
  if (section.value === undefined || section.value === null) return []
  const { servers } = section.parse(z.strictObject({ servers: z.record(z.string(), z.unknown()).default({}) }))
  return Object.keys(servers).map((name) => serverOf(name, section.part('servers', name), env))
}

/** Whether flows may use the tool at all. */
export const isAllowed = ({ allow, deny }: McpServer, tool: string): boolean =>
  !deny.includes(tool) && (allow === undefined || allow.includes(tool))

/** What a server says about a tool. */
export type Hints = { readonly readOnlyHint?: boolean | undefined; readonly destructiveHint?: boolean | undefined }

/** What a call of the tool does to the world (M2). */
export const effectOf = (server: McpServer, tool: string, hints: Hints): Tool['effect'] => {
  const said = server.tools[tool]?.effect ?? server.effect
  if (said !== undefined) return said
  if (hints.readOnlyHint === true && server.trusted) return 'read'
  return hints.destructiveHint === true ? 'irreversible' : 'write'
}
