// The ticket and customer store of the support example as an MCP server, for both eras of the protocol and both transports:
//   node server.mjs [--data FILE]               over stdio
//   node server.mjs [--data FILE] --http PORT   over Streamable HTTP at /mcp, on this machine only; a bearer token in SUPPORT_TOKEN is asked for
// A call that has an effect carries its key in `_meta["baton/effectKey"]`: done again with the same key, it is done once.
import { randomUUID, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import { toNodeHandler } from '@modelcontextprotocol/node'
import {
  acceptedContent,
  createMcpHandler,
  createRequestStateCodec,
  inputRequired,
  inputResponse,
  McpServer,
} from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'
import { openStore } from './store.mjs'

const { values } = parseArgs({ options: { data: { type: 'string', default: ':memory:' }, http: { type: 'string' } } })
const store = openStore(values.data)
/** Refunds above this want a reason from a person. */
const REFUND_MAX = 50
const WEEK_S = 7 * 24 * 3_600
const codec = createRequestStateCodec({ key: store.key, ttlSeconds: WEEK_S })

const Ticket = z.object({ ticket: z.string(), subject: z.string(), queue: z.string(), priority: z.string(), status: z.string() })
const READ = { readOnlyHint: true, openWorldHint: false }
const WRITE = { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false }

const done = (output) => ({ content: [{ type: 'text', text: JSON.stringify(output) }], structuredContent: output })
const refused = (text) => ({ content: [{ type: 'text', text }], isError: true })
const keyOf = (ctx) => String(ctx.mcpReq._meta?.['baton/effectKey'] ?? randomUUID())

const tickets = (server) => {
  server.registerTool(
    'create_ticket',
    {
      description: 'Opens a support ticket and gives its number.',
      inputSchema: z.strictObject({
        text: z.string().min(1).max(20_000),
        subject: z.string().max(500).optional(),
        customer: z.string().max(256).optional(),
        queue: z.string().min(1).max(100).optional(),
        priority: z.enum(['emergency', 'high', 'normal', 'low']).optional(),
      }),
      outputSchema: Ticket,
      annotations: WRITE,
    },
    (args, ctx) => done(store.createTicket(keyOf(ctx), args)),
  )
  server.registerTool(
    'find_tickets',
    {
      description: 'Finds tickets by customer or status, newest first.',
      inputSchema: z.strictObject({
        customer: z.string().max(256).optional(),
        status: z.string().max(40).optional(),
        limit: z.number().int().min(1).max(50).optional(),
      }),
      outputSchema: z.object({ count: z.number(), tickets: z.array(Ticket) }),
      annotations: READ,
    },
    (args) => {
      const found = store.findTickets(args)
      return done({ count: found.length, tickets: found })
    },
  )
}

const customers = (server) => {
  server.registerTool(
    'customer',
    {
      description: 'Gives a customer by number: name, plan and open tickets. One that nobody knows has no name, and the plan unknown.',
      inputSchema: z.strictObject({ id: z.string().min(1).max(256) }),
      outputSchema: z.object({ name: z.string(), plan: z.string(), openTickets: z.array(z.string()) }),
      annotations: READ,
    },
    // An answer and no error: errors are tried again, and trying again makes nobody known.
    ({ id }) => done(store.customer(id) ?? { name: '', plan: 'unknown', openTickets: [] }),
  )
  server.registerTool(
    'call_back',
    {
      description: 'Puts a customer on the list of those who are called back.',
      inputSchema: z.strictObject({
        customer: z.string().min(1).max(256),
        text: z.string().max(20_000),
        reply: z.string().max(20_000).optional(),
      }),
      outputSchema: z.object({ callBack: z.string() }),
      annotations: WRITE,
    },
    (args, ctx) => done(store.callBack(keyOf(ctx), args)),
  )
  server.registerResource('customers', 'crm://customers', { mimeType: 'application/json', description: 'All customers.' }, (uri) => ({
    contents: [{ uri: uri.href, mimeType: 'application/json', text: JSON.stringify(store.customers()) }],
  }))
}

const Reason = z.object({ reason: z.string().min(3).max(500).describe('Why the customer gets this money back') })

const refunds = (server) => {
  server.registerTool(
    'refund',
    {
      description: `Pays money back. Above ${REFUND_MAX} a person has to say why.`,
      inputSchema: z.strictObject({ customer: z.string().min(1).max(256), amount: z.number().positive().max(10_000) }),
      outputSchema: z.object({ refund: z.string(), amount: z.number(), reason: z.string() }),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    },
    async (args, ctx) => {
      if (args.amount <= REFUND_MAX) return done(store.refund(keyOf(ctx), { ...args, reason: 'small amount' }))
      const { inputResponses } = ctx.mcpReq
      const response = inputResponse(inputResponses, 'why')
      if (response.kind === 'elicit' && response.action !== 'accept') return refused('nobody approved the refund')
      const said = acceptedContent(inputResponses, 'why', Reason)
      const asked = ctx.mcpReq.requestState()
      if (said !== undefined && asked?.customer === args.customer && asked.amount === args.amount)
        return done(store.refund(keyOf(ctx), { ...args, reason: said.reason }))
      return inputRequired({
        inputRequests: {
          why: inputRequired.elicit({ message: `Why does ${args.customer} get ${args.amount} back?`, requestedSchema: Reason }),
        },
        requestState: await codec.mint(args, ctx),
      })
    },
  )
}

const prompts = (server) => {
  server.registerPrompt(
    'answer-customer',
    { description: 'How to answer a customer.', argsSchema: z.object({ name: z.string() }) },
    ({ name }) => ({
      messages: [{ role: 'user', content: { type: 'text', text: `Answer ${name} kindly, in three sentences, and promise nothing.` } }],
    }),
  )
}

const factory = () => {
  const server = new McpServer(
    { name: 'baton-support', version: '1.0.0' },
    {
      requestState: { verify: (state, ctx) => codec.verify(state, ctx) },
      cacheHints: { 'tools/list': { ttlMs: 60_000, cacheScope: 'public' } },
    },
  )
  for (const add of [tickets, customers, refunds, prompts]) add(server)
  return server
}

const allowed = (request) => {
  const token = process.env.SUPPORT_TOKEN
  if (token === undefined || token === '') return true
  const [given, wanted] = [request.headers.authorization ?? '', `Bearer ${token}`].map((text) =>
    Buffer.from(text.padEnd(512).slice(0, 512)),
  )
  return timingSafeEqual(given, wanted)
}

const serveHttp = (port) => {
  const handler = toNodeHandler(createMcpHandler(factory))
  const server = createServer((request, response) => {
    const status = new URL(request.url, 'http://localhost').pathname !== '/mcp' ? 404 : allowed(request) ? 200 : 401
    if (status === 200) return void handler(request, response)
    response.writeHead(status).end()
  })
  server.listen(port, '127.0.0.1', () => process.stderr.write(`listening on http://127.0.0.1:${server.address().port}/mcp\n`))
}

if (values.http === undefined) serveStdio(factory)
else serveHttp(Number(values.http))
