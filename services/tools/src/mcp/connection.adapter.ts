// One connection to a server, of either era.
//   N1. A connection of the old era that may ask people has one call at a time: a question there does not say which call it belongs to.
//   N2. Nothing of a server is answered on its behalf: no sampling, no roots, and a question only by what a person said.
//   N3. Secrets are read for a connection, live in it, and are in none of its messages.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  Client,
  ClientCredentialsProvider,
  ProtocolError,
  StreamableHTTPClientTransport,
  type AuthProvider,
  type OAuthClientProvider,
  type PriorDiscovery,
  type Transport,
} from '@modelcontextprotocol/client'
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts'
import { boundedFetch } from './bounded-fetch.adapter.ts'
import { questionOf, type Question, type Reply } from './elicitation.policy.ts'
import type { McpAuth, McpHttp, McpServer, McpStdio } from './mcp-config.ts'
import { readSecret, readValues } from './secret-ref.ts'
import { StdioTransport } from './stdio-transport.adapter.ts'

type Era = 'legacy' | 'modern'
/** Answers a question of a server of the old era; undefined gives the call up. */
type Elicitor = (question: Question) => Reply | undefined

export type Connection = {
  readonly client: Client
  readonly era: Era
  /** Whether people may be asked. */
  readonly asks: boolean
  /** One call at a time (N1). */
  readonly alone: boolean
  readonly secrets: readonly string[]
  readonly pid: number | undefined
  readonly isOpen: () => boolean
  /** Why it is closed. */
  readonly why: () => string
  /** For the one call of a connection that has one at a time. */
  elicitor: Elicitor | undefined
  /** Throws when the server does not even answer this. */
  readonly ping: (timeoutMs: number) => Promise<void>
  /** Ends it as if the server had. */
  readonly end: (why: string) => Promise<void>
  readonly close: () => Promise<void>
}

export type Opening = {
  readonly server: McpServer
  readonly auth: McpAuth | undefined
  /** What is known of the era. */
  readonly prior: PriorDiscovery | undefined
  readonly closed: (connection: Connection, why: string) => void
  readonly listChanged: () => void
}

const CLIENT = { name: 'baton', version: '0.1.0' } as const
const TASKS = 'io.modelcontextprotocol/tasks'
/** Where a task that stands in for a result is found in that result. */
export const TASK_META = 'baton/task'
const NEW_ERA = '2026-07-28'
const ASKED_LATER = -32_000
const FORGET_MS = 500

type Wire = {
  readonly transport: Transport
  readonly secrets: readonly string[]
  readonly why: () => string | undefined
  /** The server sent what is refused; the connection has to end. */
  refused?: () => void
}

const overStdio = async (server: McpServer, { command, args, env, cwd }: McpStdio): Promise<Wire> => {
  const { values, secrets } = await readValues(env)
  const { messageBytesMax, messagesPerSecondMax } = server
  const transport = new StdioTransport({ command, args, env: values, cwd, messageBytesMax, messagesPerSecondMax })
  return { transport, secrets, why: () => transport.ended }
}

const providerOf = async (auth: McpAuth): Promise<{ provider: AuthProvider | OAuthClientProvider; secret: string }> => {
  if ('bearer' in auth) {
    const secret = await readSecret(auth.bearer)
    return { secret, provider: { token: () => Promise.resolve(secret) } }
  }
  const secret = await readSecret(auth.clientSecret)
  const { clientId, issuer, scope } = auth
  const scoped = scope === undefined ? {} : { scope }
  return { secret, provider: new ClientCredentialsProvider({ clientId, clientSecret: secret, expectedIssuer: issuer, ...scoped }) }
}

const overHttp = async (server: McpServer, { url, headers }: McpHttp, auth: McpAuth | undefined): Promise<Wire> => {
  const { values, secrets } = await readValues(headers)
  const credentials = auth === undefined ? undefined : await providerOf(auth)
  const { messageBytesMax, messagesPerSecondMax } = server
  let why: string | undefined
  const refused = (reason: string): void => {
    why = reason
    wire.refused?.()
  }
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: values },
    onInsufficientScope: 'throw',
    fetch: boundedFetch({ messageBytesMax, messagesPerSecondMax, refused }),
    ...(credentials === undefined ? {} : { authProvider: credentials.provider }),
  })
  const wire: Wire = { transport, secrets: credentials === undefined ? secrets : [...secrets, credentials.secret], why: () => why }
  return wire
}

/** The client takes a task for a result of an unknown kind; here it becomes a result that holds it. */
const unwrapTask = (message: unknown): void => {
  if (!isJsonObject(message as Json)) return
  const result = (message as JsonObject)['result']
  if (!isJsonObject(result) || result['resultType'] !== 'task') return
  const { resultType: _type, _meta, ...task } = result
  Object.assign(result, { resultType: 'complete', content: [], _meta: { ...(isJsonObject(_meta) ? _meta : {}), [TASK_META]: task } })
}

/** Whether people may be asked: on a connection of the old era only where the configuration says so. */
const asksPeople = ({ elicitation, protocol }: McpServer, prior: PriorDiscovery | undefined): boolean =>
  elicitation ?? (protocol === 'modern' || prior?.kind === 'modern')

const negotiationOf = ({ protocol, reach }: McpServer): 'legacy' | 'auto' | { pin: string } => {
  const wanted = protocol ?? ('http' in reach ? 'auto' : 'legacy')
  return wanted === 'modern' ? { pin: NEW_ERA } : wanted
}

const clientOf = (server: McpServer, asks: boolean): Client =>
  new Client(CLIENT, {
    capabilities: { ...(asks ? { elicitation: { form: {}, url: {} } } : {}), extensions: { [TASKS]: {} } },
    inputRequired: { autoFulfill: false },
    versionNegotiation: { mode: negotiationOf(server) },
    listMaxPages: 64,
  })

/** The connection of the pool: `elicitor` is set by the call that has it. */
class OpenConnection implements Connection {
  readonly client: Client
  readonly asks: boolean
  readonly secrets: readonly string[]
  elicitor: Elicitor | undefined
  readonly #wire: Wire
  #why: string | undefined
  #ending: string | undefined

  constructor(server: McpServer, wire: Wire, { prior, closed, listChanged }: Opening) {
    this.#wire = wire
    this.secrets = wire.secrets
    this.asks = asksPeople(server, prior)
    this.client = clientOf(server, this.asks)
    wire.transport.onmessage = unwrapTask
    wire.refused = (): void => void this.client.close().catch(() => undefined)
    this.client.onerror = () => undefined // A request that fails says so itself, and the end is told by `onclose`.
    this.client.onclose = (): void => {
      if (this.#why !== undefined) return
      this.#why = this.#ending ?? wire.why() ?? 'the connection was closed'
      closed(this, this.#why)
    }
    this.client.setNotificationHandler('notifications/tools/list_changed', listChanged)
    if (this.asks) this.client.setRequestHandler('elicitation/create', (request) => this.#answer(request.params as unknown as Json))
  }

  get era(): Era {
    return this.client.getProtocolEra() ?? 'legacy'
  }
  get alone(): boolean {
    return this.asks && this.era === 'legacy' // N1
  }
  get pid(): number | undefined {
    const { transport } = this.#wire
    return transport instanceof StdioTransport ? (transport.pid ?? undefined) : undefined
  }
  isOpen(): boolean {
    return this.#why === undefined
  }
  why(): string {
    return this.#why ?? ''
  }

  async ping(timeout: number): Promise<void> {
    const answer = this.era === 'modern' ? this.client.discover({ timeout }) : this.client.ping({ timeout })
    await answer.catch((error: unknown) => {
      if (!(error instanceof ProtocolError)) throw error // a refusal is an answer too
    })
  }

  async end(why: string): Promise<void> {
    this.#ending = why
    await this.client.close().catch(() => undefined)
    await this.#wire.transport.close().catch(() => undefined)
  }

  async close(): Promise<void> {
    this.#why ??= this.#wire.why() ?? 'closed'
    await this.#forget()
    await this.client.close().catch(() => undefined)
    await this.#wire.transport.close().catch(() => undefined)
  }

  /** Tells a server that keeps sessions that this one is over; one that does not hear it forgets it by itself. */
  async #forget(): Promise<void> {
    const { transport } = this.#wire
    if (!(transport instanceof StreamableHTTPClientTransport) || transport.sessionId === undefined) return
    await Promise.race([transport.terminateSession().catch(() => undefined), sleep(FORGET_MS, undefined, { ref: false })])
  }

  #answer(params: Json): { action: 'accept' | 'decline'; content?: Record<string, string | number | boolean | string[]> } {
    const question = questionOf(params)
    const reply = question === undefined ? undefined : this.elicitor?.(question)
    if (reply === undefined) throw new ProtocolError(ASKED_LATER, 'A person is asked; the call will be made again with the answer.') // N2
    const { action, content } = reply
    // Checked by the client against the schema of the answer.
    return content === undefined ? { action } : { action, content: content as Record<string, string | number | boolean | string[]> }
  }
}

/** Opens a connection. Throws what the client throws. */
export const openConnection = async (opening: Opening): Promise<Connection> => {
  const { server, prior } = opening
  const { reach } = server
  const wire = 'stdio' in reach ? await overStdio(server, reach.stdio) : await overHttp(server, reach.http, opening.auth)
  const connection = new OpenConnection(server, wire, opening)
  try {
    const options = { timeout: server.connectTimeoutMs, ...(prior === undefined ? {} : { prior }) }
    await connection.client.connect(wire.transport, options)
    const changes = connection.client.getServerCapabilities()?.tools?.listChanged === true
    // Hearing of changes is a convenience: lists are asked for again in any case.
    if (changes && connection.era === 'modern') void connection.client.listen({ toolsListChanged: true }).catch(() => undefined)
    return connection
  } catch (error) {
    const why = wire.why()
    await connection.close()
    throw why === undefined ? error : new Error(`${server.name} ${why}`, { cause: error })
  }
}

/** What to remember of the era of a server, so that nobody has to ask it again. */
export const verdictOf = ({ client, era }: Connection): PriorDiscovery => {
  const discover = client.getDiscoverResult()
  return era === 'modern' && discover !== undefined ? { kind: 'modern', discover } : { kind: 'legacy' }
}
