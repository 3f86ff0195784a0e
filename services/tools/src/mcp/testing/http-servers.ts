// Servers over HTTP for suites of the MCP client: one of the new era behind OAuth, and ones that do what they should not.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'

export type TestHttp = {
  readonly url: string
  readonly seen: { readonly path: string; readonly authorization: string }[]
  readonly close: () => Promise<void>
}

const listen = async (
  handle: (request: IncomingMessage, response: ServerResponse, url: string) => void,
): Promise<{ server: Server; url: string }> => {
  let url = ''
  const server = createServer((request, response) => handle(request, response, url))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // it listens on a port
  return { server, url }
}

const closing = (server: Server) => async (): Promise<void> => {
  server.closeAllConnections()
  await new Promise<void>((resolve) => server.close(() => resolve()))
}

const json = (response: ServerResponse, body: object, status = 200, headers: Record<string, string> = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

const whoAmI = (): McpServer => {
  const server = new McpServer({ name: 'who', version: '1.0.0' })
  server.registerTool('whoami', { inputSchema: z.strictObject({}) }, (_args, context) => ({
    content: [{ type: 'text', text: context.http?.req?.headers.get('authorization') ?? 'nobody' }],
  }))
  return server
}

/** A server that gives out tokens for client credentials, and takes calls with a token only. */
export const openOAuthServer = async (secret: string): Promise<TestHttp> => {
  const seen: { path: string; authorization: string }[] = []
  const mcp = toNodeHandler(createMcpHandler(whoAmI))
  const { server, url } = await listen((request, response, base) => {
    const path = request.url ?? ''
    const authorization = request.headers.authorization ?? ''
    seen.push({ path, authorization })
    if (path.startsWith('/.well-known/oauth-protected-resource'))
      return json(response, { resource: `${base}/mcp`, authorization_servers: [base] })
    if (path.startsWith('/.well-known/oauth-authorization-server'))
      return json(response, {
        issuer: base,
        token_endpoint: `${base}/token`,
        authorization_endpoint: `${base}/authorize`,
        response_types_supported: ['code'],
        grant_types_supported: ['client_credentials'],
        token_endpoint_auth_methods_supported: ['client_secret_basic'],
      })
    if (path === '/token') {
      const known = authorization === `Basic ${Buffer.from(`baton:${secret}`).toString('base64')}`
      return known
        ? json(response, { access_token: 'given-token', token_type: 'Bearer', expires_in: 3_600 })
        : json(response, { error: 'invalid_client' }, 401)
    }
    if (authorization !== 'Bearer given-token')
      return json(response, {}, 401, { 'www-authenticate': `Bearer resource_metadata="${base}/.well-known/oauth-protected-resource"` })
    void mcp(request as Parameters<typeof mcp>[0], response) // Node's own request is what the adapter is for
  })
  return { url, seen, close: closing(server) }
}

type Rpc = { readonly id?: number | string; readonly method: string; readonly params?: { readonly name?: string } }

const bodyOf = async (request: IncomingMessage): Promise<Rpc> => {
  let text = ''
  for await (const piece of request) text += String(piece)
  return (text === '' ? { method: 'none' } : JSON.parse(text)) as Rpc // sent by our own client
}

const INITIALIZED = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'odd', version: '1' } }
const megabyte = 'x'.repeat(1024 * 1024)
const oddCalls: { readonly [tool: string]: (response: ServerResponse, id: Rpc['id']) => void } = {
  ok: (response, id) => json(response, { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'fine' }] } }),
  forget: (response, id) => json(response, { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'forgotten' }] } }),
  huge: (response, id) => {
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .write(`{"jsonrpc":"2.0","id":${String(id)},"result":{"content":[{"type":"text","text":"`)
    let sent = 0
    const more = (): void => {
      while (sent < 100 && !response.destroyed) {
        sent += 1
        if (!response.write(megabyte)) return void response.once('drain', more)
      }
      response.end('"}]}}')
    }
    more()
  },
  'huge-event': (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: ')
    const more = (): void => {
      while (!response.destroyed) if (!response.write(megabyte)) return void response.once('drain', more)
    }
    more()
  },
  flood: (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const event = 'data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}\n\n'.repeat(500)
    const more = (): void => {
      while (!response.destroyed) if (!response.write(event)) return void response.once('drain', more)
    }
    more()
  },
  'broken-json': (response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc": '),
  failing: (response) => void response.writeHead(500).end('out of order'),
  busy: (response) => void response.writeHead(429, { 'retry-after': '1' }).end(),
  elsewhere: (response) => void response.writeHead(307, { location: 'http://localhost:9/steal' }).end(),
  hang: () => undefined,
  cut: (response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{', () => response.destroy()),
}

/** A server of the old era that does what it should not, by the name of the tool. */
export const openOddHttp = async (): Promise<TestHttp> => {
  const seen: { path: string; authorization: string }[] = []
  let session = 1
  const { server, url } = await listen((request, response) => {
    seen.push({ path: request.url ?? '', authorization: request.headers.authorization ?? '' })
    const { 'mcp-session-id': given } = request.headers
    if (given !== undefined && given !== `s${session}`) return void response.writeHead(404).end()
    if (request.method !== 'POST') return void response.writeHead(405).end()
    void bodyOf(request).then(({ id, method, params }) => {
      const result = (value: object): void => json(response, { jsonrpc: '2.0', id, result: value })
      if (id === undefined) return void response.writeHead(202).end()
      if (method === 'initialize')
        return json(response, { jsonrpc: '2.0', id, result: INITIALIZED }, 200, { 'mcp-session-id': `s${session}` })
      if (params?.name === 'forget') session += 1
      if (method === 'tools/list')
        return result({ tools: Object.keys(oddCalls).map((name) => ({ name, inputSchema: { type: 'object' } })) })
      if (method === 'tools/call') return oddCalls[params?.name ?? '']?.(response, id)
      return json(response, { jsonrpc: '2.0', id, error: { code: -32_601, message: 'no such method' } })
    })
  })
  return { url, seen, close: closing(server) }
}
