// OpenAPI documents as tools (C2): a document of the kind that services publish, read whole, and bad ones.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Json } from '@baton/contracts'
import { readSection } from '../config/section.ts'
import { guardedAgent } from '../http/guarded-agent.adapter.ts'
import { httpTool } from '../http/http-tool.ts'
import { readNetwork } from '../http/http.config.ts'
import { runTool } from '../tool-run.ts'
import type { Tool, ToolContext } from '../tool.ts'
import { readOpenApiSection } from './openapi.config.ts'
import { readOpenApi } from './openapi-read.policy.ts'

const SHOP = (server: string): string => `
openapi: 3.0.3
info: { title: Shop, version: '1' }
servers: [{ url: '${server}/{stage}', variables: { stage: { default: v2 } } }]
security: [{ key: [] }]
components:
  securitySchemes:
    key: { type: apiKey, in: header, name: X-Key }
  parameters:
    Trace: { name: X-Trace, in: header, schema: { type: string } }
  schemas:
    Item:
      type: object
      required: [sku]
      properties:
        sku: { type: string }
        note: { type: string, nullable: true }
        price: { type: number, minimum: 0, exclusiveMinimum: true }
        parts: { type: array, items: { $ref: '#/components/schemas/Item' } }
    Order:
      type: object
      required: [items]
      properties:
        items: { type: array, items: { $ref: '#/components/schemas/Item' } }
        coupon: { type: string }
paths:
  /items/{sku}:
    parameters: [{ name: sku, in: path, required: true, schema: { type: string } }]
    get:
      operationId: getItem
      summary: One item
      parameters: [{ $ref: '#/components/parameters/Trace' }, { name: tags, in: query, explode: false, schema: { type: array, items: { type: string } } }]
      responses: { '200': { content: { application/json: { schema: { $ref: '#/components/schemas/Item' } } } } }
    delete: { operationId: removeItem, responses: { '204': { description: gone } } }
  /orders:
    post:
      operationId: createOrder
      requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
      responses: { '201': { content: { application/json: { schema: { type: object } } } } }
  /photos:
    post: { operationId: addPhoto, requestBody: { content: { multipart/form-data: { schema: { type: object } } } }, responses: {} }
  /odd:
    get: { operationId: odd, responses: {}, parameters: [{ name: q, in: query, schema: { type: string, pattern: '(?=a)b' } }] }
  /far:
    get: { operationId: far, responses: {}, parameters: [{ $ref: 'https://evil.example/p.json' }] }
`

let server: Server
let dir = ''
let base = ''
const seen: { url: string; method: string; headers: Readonly<Record<string, unknown>>; body: string }[] = []
let answer: Json = { sku: 's' }

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (piece: Buffer) => (body += piece.toString()))
    request.on('end', () => {
      seen.push({ url: request.url ?? '', method: request.method ?? '', headers: request.headers, body })
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  dir = await mkdtemp(join(tmpdir(), 'baton-openapi-'))
  await writeFile(join(dir, 'shop.yaml'), SHOP(base))
  process.env['OPENAPI_SECRET'] = 'hush'
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(dir, { recursive: true })
})

const imported = async (more = ''): Promise<ReadonlyMap<string, Tool>> => {
  const yaml = `shop:\n  file: shop.yaml\n  auth: { key: { header: { name: X-Key, value: { env: OPENAPI_SECRET } } } }\n${more}`
  const { operations } = await readOpenApiSection(readSection(yaml, 'tools.yaml'), dir)
  const agent = guardedAgent(readNetwork(readSection('allow: [127.0.0.1]', 'tools.yaml')))
  return new Map(operations.map((operation) => [operation.name, httpTool(operation, agent)]))
}
const context = { tenant: 'default', effectKey: 'k', nowMs: () => 0 } as unknown as ToolContext
const call = async (tool: Tool | undefined, args: Json): Promise<Json> => {
  if (tool === undefined) throw new Error('no tool')
  return (await runTool(tool, { args, timeoutMs: 2_000, context, signal: () => new AbortController().signal })).output
}
const field = (tool: Tool | undefined, args: Json): string => {
  const read = tool?.input.safeParse(args)
  return read === undefined || read.success ? '' : (read.error.issues[0]?.path ?? []).map(String).join('.')
}

describe('an OpenAPI document', () => {
  it('I1: becomes typed tools with schemas that stand alone', async () => {
    const tools = await imported()
    expect([...tools.keys()]).toEqual(['shop/get_item', 'shop/remove_item', 'shop/create_order'])
    expect([...tools.values()].map(({ effect, idempotent }) => [effect, idempotent])).toEqual([
      ['read', true],
      ['write', true],
      ['write', false],
    ])
    const order = tools.get('shop/create_order')
    expect(field(order, {})).toBe('items')
    expect(field(order, { items: [{ price: 1 }] })).toBe('items.0.sku')
    expect(field(order, { items: [{ sku: 'a', price: 0 }] })).toBe('items.0.price')
    expect(field(order, { items: [{ sku: 'a', note: null, parts: [{ sku: 'b' }] }] })).toBe('')
    expect(field(order, { items: [], colour: 'red' })).toBe('colour')
  })

  it('sends parameters, body and credentials where the document says', async () => {
    const tools = await imported()
    seen.length = 0
    answer = { sku: 'a b', note: null }
    expect(await call(tools.get('shop/get_item'), { sku: 'a b', tags: ['x', 'y'], 'X-Trace': 't1' })).toEqual({ sku: 'a b', note: null })
    await call(tools.get('shop/create_order'), { items: [{ sku: 'a' }], coupon: 'c' })
    expect(seen).toMatchObject([
      { method: 'GET', url: '/v2/items/a%20b?tags=x%2Cy', headers: { 'x-trace': 't1', 'x-key': 'hush' } },
      { method: 'POST', url: '/v2/orders', body: '{"items":[{"sku":"a"}],"coupon":"c"}' },
    ])
  })

  it('an answer that does not fit is refused where nothing was done, and taken where something was', async () => {
    const tools = await imported()
    answer = { sku: 7 }
    await expect(call(tools.get('shop/get_item'), { sku: 'a' })).rejects.toMatchObject({ fault: { code: 'tool.failed' } })
    expect(await call(tools.get('shop/create_order'), { items: [] })).toEqual({ sku: 7 })
    expect(await call((await imported('  strict: false')).get('shop/get_item'), { sku: 'a' })).toEqual({ sku: 7 })
  })

  it('only what is named, in the class that is said', async () => {
    const tools = await imported(
      '  only: [create_*, remove_item]\n  except: remove_item\n  effects: { create_order: irreversible }\n  idempotent: create_*\n',
    )
    expect([...tools].map(([name, { effect, idempotent }]) => [name, effect, idempotent])).toEqual([
      ['shop/create_order', 'irreversible', true],
    ])
  })

  it('I2: what cannot be called is left out and said', async () => {
    const { left } = await readOpenApiSection(readSection('shop: { file: shop.yaml }', 'tools.yaml'), dir)
    expect(left).toEqual([
      { id: 'shop/odd', reason: expect.stringContaining('the schema of shop/odd cannot be used') },
      { id: 'shop: POST /photos', reason: 'takes a body of multipart/form-data' },
      { id: 'shop: GET /far', reason: 'refers to another document (https://evil.example/p.json)' },
    ])
  })

  it('a document that is none, or not there, is told with its line', async () => {
    await writeFile(join(dir, 'two.yaml'), 'swagger: "2.0"\n')
    await writeFile(join(dir, 'bare.json'), JSON.stringify({ openapi: '3.1.0', paths: {} }))
    const read = (yaml: string) => readOpenApiSection(readSection(yaml, 'tools.yaml'), dir)
    await expect(read('a:\n  file: two.yaml\n')).rejects.toThrow(/^tools\.yaml:2: a\.file: this is not an OpenAPI/)
    await expect(read('a:\n  file: none.yaml\n')).rejects.toThrow(/^tools\.yaml:2: a\.file: /)
    await expect(read('a:\n  file: bare.json\n')).rejects.toThrow(/names no server/)
    expect(() => readOpenApi('x')).toThrow(expect.objectContaining({ code: 'config.invalid' }))
  })
})
