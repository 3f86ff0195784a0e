// Tools over HTTP against a server in this process: what is sent, what is made of answers, and where calls may go (C2, H3).
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type Json } from '@baton/contracts'
import { readSection } from '../config/section.ts'
import { ToolFailure, runTool } from '../tool-run.ts'
import type { Tool, ToolContext } from '../tool.ts'
import { readHttp, readNetwork } from './http.config.ts'
import { guardedAgent } from './guarded-agent.adapter.ts'
import { httpTool } from './http-tool.ts'

type Seen = { readonly method: string; readonly url: string; readonly headers: IncomingMessage['headers']; readonly body: string }
let server: Server
let base = ''
let seen: Seen[] = []
let respond: (request: Seen, response: ServerResponse) => void

const json = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (piece: Buffer) => (body += piece.toString()))
    request.on('end', () => {
      const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body }
      seen.push(one)
      respond(one, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  process.env['HTTP_TOOL_SECRET'] = 'hush'
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
beforeEach(() => {
  seen = []
  respond = (_request, response) => json(response, 200, { ok: true })
})

const toolOf = (
  yaml: string,
  { allow = ['127.0.0.1'], resolve }: { allow?: readonly string[]; resolve?: Parameters<typeof guardedAgent>[1] } = {},
): Tool => {
  const [operation] = readHttp(readSection(yaml, 'tools.yaml'))
  if (operation === undefined) throw new Error('no tool')
  const network = readNetwork(readSection(`allow: ${JSON.stringify(allow)}`, 'tools.yaml'))
  return httpTool(operation, guardedAgent(network, resolve))
}

const CONTEXT = {
  tenant: 'default',
  effectKey: 'run_1/pay/0',
  runId: 'run_1',
  flow: 'a/b',
  path: 'pay',
  nowMs: () => 0,
} as unknown as ToolContext
const call = async (tool: Tool, args: Json, timeoutMs = 2_000): Promise<Json> => {
  const parsed = tool.input.safeParse(args)
  if (!parsed.success) throw new Error(parsed.error.issues[0]?.message)
  return (await runTool(tool, { args: parsed.data as Json, timeoutMs, context: CONTEXT, signal: () => new AbortController().signal }))
    .output
}
const failure = async (promise: Promise<unknown>): Promise<{ code: string; certain: boolean; detail: object; message: string }> => {
  try {
    await promise
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error
    const { fault, certain } = error
    return { code: fault.code, certain, detail: fault.detail, message: fault.message }
  }
  throw new Error('it did not fail')
}

const GET = (): string => `
crm/customer:
  url: ${base}/customers/{id}
  input: { type: object, properties: { id: { type: string }, fields: { type: array }, lang: { type: string } }, required: [id] }
  headerArguments: { Accept-Language: lang }
  headers: { X-Fixed: yes-it-is }
  auth: { bearer: { env: HTTP_TOOL_SECRET } }
`
const POST = (more = ''): string => `
bank/pay:
  method: POST
  url: ${base}/payments
  input: { type: object, properties: { to: { type: string }, amount: { type: number } }, required: [to, amount], additionalProperties: false }
  effect: irreversible
  ${more}
`

describe('a tool over HTTP (C2)', () => {
  it('Q1: puts arguments where they belong, encoded, with credentials by reference', async () => {
    expect(await call(toolOf(GET()), { id: 'a/../b?x#y', fields: ['n', 'm&o'], lang: 'de' })).toEqual({ ok: true })
    expect(seen[0]).toMatchObject({
      method: 'GET',
      url: '/customers/a%2F..%2Fb%3Fx%23y?fields=n&fields=m%26o',
      headers: { authorization: 'Bearer hush', 'accept-language': 'de', 'x-fixed': 'yes-it-is' },
    })
    expect(await failure(call(toolOf(GET()), { id: '..' }))).toMatchObject({ code: 'tool.arguments_invalid', certain: true })
  })

  it('Q2: an argument cannot bring a header of its own', async () => {
    expect(await failure(call(toolOf(GET()), { id: 'a', lang: 'de\r\nX-Evil: 1' }))).toMatchObject({ code: 'tool.arguments_invalid' })
    expect(seen).toEqual([])
  })

  it('T1: sends the key of an effect, the same one for each try, and nothing of ours in it', async () => {
    const tool = toolOf(POST())
    await call(tool, { to: 'bob', amount: 5 })
    await call(tool, { to: 'bob', amount: 5 })
    expect(seen.map(({ body }) => JSON.parse(body) as Json)).toEqual([
      { to: 'bob', amount: 5 },
      { to: 'bob', amount: 5 },
    ])
    expect(new Set(seen.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
    expect(seen[0]?.headers['idempotency-key']).toMatch(/^[0-9a-f]{48}$/)
    expect(tool).toMatchObject({ effect: 'irreversible', idempotent: false })
    expect(toolOf(POST('idempotent: true'))).toMatchObject({ idempotent: true })
  })

  it('T2, U4: asks what became of an effect where the server can tell', async () => {
    const tool = toolOf(POST(`reconcile: ${base}/payments/by-key/{key}`))
    respond = (_request, response) => json(response, 404, {})
    expect(await tool.reconcile?.('run_1/pay/0', { ...CONTEXT, signal: new AbortController().signal })).toBeUndefined()
    respond = (_request, response) => json(response, 200, { paid: true })
    expect(await tool.reconcile?.('run_1/pay/0', { ...CONTEXT, signal: new AbortController().signal })).toEqual({ paid: true })
    expect(seen[1]?.url).toMatch(/^\/payments\/by-key\/[0-9a-f]{48}$/)
  })

  it('W1: tells what is certain from what is not', async () => {
    const tool = toolOf(POST())
    const ARGS = { to: 'bob', amount: 5 }
    const statuses: readonly (readonly [number, string, boolean])[] = [
      [400, 'tool.arguments_invalid', true],
      [401, 'tool.denied', true],
      [404, 'tool.arguments_invalid', true],
      [429, 'tool.rate_limited', true],
      [500, 'tool.failed', false],
      [503, 'tool.failed', false],
    ]
    for (const [status, code, certain] of statuses) {
      respond = (_request, response) => json(response, status, { error: 'no' }, { 'retry-after': '7' })
      expect(await failure(call(tool, ARGS))).toMatchObject({ code, certain, detail: { status, retryAfterMs: 7_000 } })
    }
    respond = (_request, response) => void response.destroy()
    expect(await failure(call(tool, ARGS))).toMatchObject({ code: 'tool.failed', certain: false })
    respond = () => undefined
    expect(await failure(call(tool, ARGS, 100))).toMatchObject({ code: 'tool.timed_out', certain: false })
    const gone = toolOf(POST().replace(base, 'http://127.0.0.1:1'))
    expect(await failure(call(gone, ARGS))).toMatchObject({ code: 'tool.unreachable', certain: true })
  })

  it('C1, W2: answers that are too long, encoded, of another type or not what they say are refused', async () => {
    const tool = toolOf(GET().replace('headers:', 'bytesMax: 1000\n  headers:'))
    respond = (_request, response) => void response.writeHead(200, { 'content-type': 'text/plain' }).end('x'.repeat(2_000))
    expect(await failure(call(tool, { id: 'a' }))).toMatchObject({
      code: 'tool.result_invalid',
      message: 'crm/customer answered more than 1000 bytes',
    })
    respond = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' })
      const flood = setInterval(() => response.write('x'.repeat(400)), 1)
      response.on('close', () => clearInterval(flood))
    }
    expect(await failure(call(tool, { id: 'a' }))).toMatchObject({ code: 'tool.result_invalid' })
    respond = (_request, response) =>
      void response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end('x')
    expect(await failure(call(tool, { id: 'a' }))).toMatchObject({ code: 'tool.result_invalid' })
    respond = (_request, response) => void response.writeHead(200, { 'content-type': 'application/octet-stream' }).end('x')
    expect(await failure(call(tool, { id: 'a' }))).toMatchObject({ code: 'tool.result_invalid' })
    respond = (_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":')
    expect(await failure(call(tool, { id: 'a' }))).toMatchObject({ code: 'tool.result_invalid' })
    respond = (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Hi</p>')
    expect(await call(tool, { id: 'a' })).toBe('<p>Hi</p>')
    respond = (_request, response) => void response.writeHead(204).end()
    expect(await call(tool, { id: 'a' })).toBeNull()
  })
})

describe('where calls may go (H3)', () => {
  it('N1: nowhere inside, unless it is allowed', async () => {
    expect(await failure(call(toolOf(GET(), { allow: [] }), { id: 'a' }))).toMatchObject({ code: 'address.refused', certain: true })
    const local = GET().replace('127.0.0.1', 'localhost')
    expect(await failure(call(toolOf(local, { allow: [] }), { id: 'a' }))).toMatchObject({ code: 'address.refused' })
    const mapped = GET().replace('127.0.0.1', '[::ffff:127.0.0.1]')
    expect(await failure(call(toolOf(mapped, { allow: [] }), { id: 'a' }))).toMatchObject({ code: 'address.refused' })
    expect(seen).toEqual([])
  })

  it('G1: the address that was checked is the one that is called, whatever the name says a moment later', async () => {
    let asked = 0
    const rebinding = {
      resolve: (_host: string, done: (error: Error | null, found: { address: string; family: number }[]) => void) => {
        asked += 1
        done(null, [{ address: asked === 1 ? '203.0.114.1' : '127.0.0.1', family: 4 }])
      },
    }
    const named = GET().replace('127.0.0.1', 'rebind.example')
    const first = failure(call(toolOf(named, { allow: [], resolve: rebinding }), { id: 'a' }, 300))
    expect(['tool.timed_out', 'tool.unreachable']).toContain((await first).code)
    expect(asked).toBe(1)
    expect(await failure(call(toolOf(named, { allow: [], resolve: rebinding }), { id: 'a' }))).toMatchObject({ code: 'address.refused' })
    expect(seen).toEqual([])
  })

  it('G1: one address inside among several is enough to call none', async () => {
    const mixed = {
      resolve: (_host: string, done: (error: Error | null, found: { address: string; family: number }[]) => void) =>
        done(null, [
          { address: '8.8.8.8', family: 4 },
          { address: '10.0.0.1', family: 4 },
        ]),
    }
    const named = GET().replace('127.0.0.1', 'mixed.example')
    expect(await failure(call(toolOf(named, { allow: [], resolve: mixed }), { id: 'a' }))).toMatchObject({ code: 'address.refused' })
  })

  it('G2, C2: redirects are checked, counted, and do not carry credentials to others', async () => {
    respond = (_request, response) => void response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end()
    expect(await failure(call(toolOf(GET()), { id: 'a' }))).toMatchObject({ code: 'address.refused' })
    respond = (_request, response) => void response.writeHead(302, { location: 'file:///etc/passwd' }).end()
    expect(await failure(call(toolOf(GET()), { id: 'a' }))).toMatchObject({ code: 'tool.result_invalid' })
    respond = (_request, response) => void response.writeHead(302, { location: '/again' }).end()
    expect(await failure(call(toolOf(GET()), { id: 'a' }))).toMatchObject({ code: 'tool.result_invalid' })
    seen = []
    const other = base.replace('127.0.0.1', 'localhost')
    respond = (request, response) =>
      request.url.startsWith('/there')
        ? json(response, 200, { there: true })
        : void response.writeHead(302, { location: `${other}/there` }).end()
    expect(await call(toolOf(GET(), { allow: ['127.0.0.1', 'localhost'] }), { id: 'a' })).toEqual({ there: true })
    expect(seen.map(({ headers }) => headers['authorization'])).toEqual(['Bearer hush', undefined])
    respond = (_request, response) => void response.writeHead(307, { location: `${base}/x` }).end()
    expect(await failure(call(toolOf(POST()), { to: 'a', amount: 1 }))).toMatchObject({ code: 'tool.failed', certain: true })
  })
})

describe('the configuration of tools over HTTP', () => {
  it('tells every mistake with its line', () => {
    const read = (yaml: string) => () => readHttp(readSection(yaml, 'tools.yaml'))
    expect(read('a/b:\n  url: ftp://x/y\n')).toThrow(/^tools\.yaml:2: a\/b\.url: must be an http/)
    expect(read('a/b:\n  url: https://{host}/y\n')).toThrow(/tools\.yaml:2: .*host is fixed/)
    expect(read('a/b:\n  url: https://x/{id}\n')).toThrow(/tools\.yaml:2: .*id is used/)
    expect(read('A B:\n  url: https://x/\n')).toThrow(/tools\.yaml:1: A B: a tool is named/)
    expect(read('a/b:\n  url: https://x/\n  input: { type: nonsense }\n')).toThrow(/tools\.yaml:3: a\/b\.input: the schema/)
    expect(read('a/b:\n  url: https://x/\n  auth: { bearer: hush }\n')).toThrow(/tools\.yaml:3: /)
    expect(read('a/b:\n  url: https://x/\n  input: { properties: { h: {} } }\n  headerArguments: { Host: h }\n')).toThrow(
      /tools\.yaml:4: .*cannot set Host/,
    )
    expect(() => readNetwork(readSection('allow: ["http://x"]', 'tools.yaml'))).toThrow(/tools\.yaml:1: allow\.0: must be a host/)
  })
})
