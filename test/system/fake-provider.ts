// A server that speaks OpenAI's chat completions and fails in the ways real ones do. It runs on loopback; calls are real HTTP.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A call of a tool as a model writes it; arguments that are text are sent as they are, right or wrong. */
export type ToolCall = { readonly id?: string; readonly name: string; readonly arguments: object | string }

/** One answer of the server. `text` is what the model says, `calls` are tools it wants called; everything else goes wrong. */
export type Reply =
  | {
      readonly text: string
      readonly finish?: 'stop' | 'length'
      readonly tokens?: readonly [input: number, output: number]
      readonly delayMs?: number
      readonly calls?: readonly ToolCall[]
    }
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly message?: string }
  /** Takes the request and never answers. */
  | 'hang'
  /** Closes the connection in the middle of the answer. */
  | 'drop'
  /** A page of some proxy in between, with status 200. */
  | 'html'

/** What a caller sent, as far as suites ask for it. */
export type Call = {
  readonly model: string
  readonly prompt: string
  readonly system: string
  readonly maxTokens: number
  readonly atMs: number
  /** Everything that was said, as it came over the wire. */
  readonly messages: readonly Message[]
  /** The tools that it may call. */
  readonly tools: readonly { readonly name: string; readonly parameters: object }[]
}

/** Answers of each model, in the order of its calls; the last one is repeated. */
export type Script = Readonly<Record<string, readonly Reply[]>>

export type FakeProvider = {
  /** As `OPENAI_BASE_URL` wants it. */
  readonly baseUrl: string
  readonly apiKey: string
  /** Answers calls whose prompt contains `topic`. */
  readonly script: (topic: string, script: Script) => void
  /** Every call about a topic, in the order of arrival. */
  readonly calls: (topic: string) => readonly Call[]
  /** Calls that no script expected. */
  readonly unexpected: () => readonly Call[]
  readonly close: () => Promise<void>
}

const API_KEY = 'sk-loopback-000000'
const TOKENS = [120, 30] as const

type Message = {
  readonly role: string
  readonly content: string | null | readonly { readonly text?: string }[]
  readonly tool_calls?: readonly { readonly id: string; readonly function: { readonly name: string; readonly arguments: string } }[]
  readonly tool_call_id?: string
}
type Tool = { readonly type: 'function'; readonly function: { readonly name: string; readonly parameters: object } }
type Body = {
  readonly model: string
  readonly messages: readonly Message[]
  readonly max_tokens?: number
  readonly tools?: readonly Tool[]
}

const textOf = ({ content }: Message): string =>
  typeof content === 'string' ? content : (content ?? []).map(({ text = '' }) => text).join('')

/** What a real server refuses: a call of a tool that is not answered right after it, or an answer that nobody asked for. */
const mistakeIn = (messages: readonly Message[]): string | undefined => {
  const open = new Set<string>()
  for (const { role, tool_calls: calls = [], tool_call_id: id = '' } of messages) {
    if (role === 'tool' && !open.delete(id)) return `tool_call_id ${id} was not called`
    if (role !== 'tool' && open.size > 0) return 'tool_calls must be followed by tool messages'
    for (const call of calls) open.add(call.id)
  }
  return open.size === 0 ? undefined : 'tool_calls must be followed by tool messages'
}

const SAFE_NAME = /^[A-Za-z0-9_-]{1,64}$/

const callOf = ({ model, messages, max_tokens: maxTokens = 0, tools = [] }: Body): Call => {
  const said = (role: string): string =>
    messages
      .filter((message) => message.role === role)
      .map(textOf)
      .join('\n')
  return {
    model,
    prompt: said('user'),
    system: said('system'),
    maxTokens,
    atMs: performance.now(),
    messages,
    tools: tools.map((tool) => tool.function),
  }
}

const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array)) // An HTTP body is bytes.
  return Buffer.concat(chunks).toString()
}

const send = (response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

const problem = (status: number, message: string): unknown => ({
  error: { message, type: status === 429 ? 'rate_limit_error' : 'server_error', param: null, code: null },
})

type Said = Extract<Reply, { readonly text: string }>

const messageOf = ({ text, calls = [] }: Said): unknown => ({
  role: 'assistant',
  content: text === '' ? null : text,
  ...(calls.length === 0
    ? {}
    : {
        tool_calls: calls.map(({ id, name, arguments: args }, at) => ({
          id: id ?? `call_${at}`,
          type: 'function',
          function: { name, arguments: typeof args === 'string' ? args : JSON.stringify(args) },
        })),
      }),
})

const completion = ({ model }: Call, said: Said): unknown => {
  const { finish = said.calls === undefined ? 'stop' : 'tool_calls', tokens: [input, output] = TOKENS } = said
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model,
    choices: [{ index: 0, message: messageOf(said), finish_reason: finish, logprobs: null }],
    usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
  }
}

const answer = (response: ServerResponse, call: Call, reply: Reply): void => {
  if (reply === 'hang') return
  if (reply === 'drop') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '4096' })
    response.write('{"id":"chatcmpl-1","choices":[')
    setTimeout(() => response.destroy(), 10)
  } else if (reply === 'html') {
    response.writeHead(200, { 'content-type': 'text/html' })
    response.end('<html><body>The server is busy.</body></html>')
  } else if ('status' in reply) send(response, reply.status, problem(reply.status, reply.message ?? 'try again later'), reply.headers)
  else setTimeout(() => send(response, 200, completion(call, reply)), reply.delayMs ?? 0)
}

/** Starts the server on a free port of loopback. */
export const startFakeProvider = async (): Promise<FakeProvider> => {
  const scripts = new Map<string, Script>()
  const calls: { readonly topic: string | undefined; readonly call: Call }[] = []

  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request)
    if (request.method !== 'POST' || request.url !== '/v1/chat/completions') return send(response, 404, problem(404, 'unknown path'))
    if (request.headers.authorization !== `Bearer ${API_KEY}`) return send(response, 401, problem(401, 'wrong API key'))
    const call = callOf(JSON.parse(body) as Body) // What the adapter under test sends.
    const mistake = mistakeIn(call.messages) ?? call.tools.find(({ name }) => !SAFE_NAME.test(name))?.name
    if (mistake !== undefined) return send(response, 400, problem(400, mistake))
    // One topic may be the beginning of another: the longest is meant.
    const [topic, script] =
      [...scripts].filter(([key]) => call.prompt.includes(key)).toSorted(([left], [right]) => right.length - left.length)[0] ?? []
    const before = calls.filter((earlier) => earlier.topic === topic && earlier.call.model === call.model).length
    const replies = script?.[call.model] ?? []
    const reply = replies[Math.min(before, replies.length - 1)]
    calls.push({ topic: reply === undefined ? undefined : topic, call })
    if (reply === undefined) send(response, 500, problem(500, `nothing is scripted for ${call.model}`))
    else answer(response, call, reply)
  }
  const server = createServer((request, response) => {
    take(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // Listening on TCP.

  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    apiKey: API_KEY,
    script: (topic, script) => void scripts.set(topic, script),
    calls: (topic) => calls.filter((made) => made.topic === topic).map(({ call }) => call),
    unexpected: () => calls.filter(({ topic }) => topic === undefined).map(({ call }) => call),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
