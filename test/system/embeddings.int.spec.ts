// C7: search by meaning goes through the models service: an index is filled and asked with vectors of a server of the catalogue.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { openSystem, type System } from './system.ts'

/** What the server takes to mean the same. */
const MEANINGS = [
  ['automobile', 'car', 'vehicle'],
  ['money', 'refund', 'reimbursement'],
  ['dog', 'hound', 'puppy'],
]
const vectorOf = (text: string): readonly number[] =>
  MEANINGS.map(
    (words) =>
      text
        .toLowerCase()
        .split(/\W+/)
        .filter((word) => words.includes(word)).length * 3,
  )

const FLOW = `flow: demo/find@1.0.0
limits: { time: 20s }
input: { text: string }
steps:
  - docs: { retrieve: things, with: { query: =input.text, top: 1, mode: vector }, timeout: 10s }
output: { id: "=docs.items[0].id" }
`
const DOCUMENTS = [
  { id: 'pets', title: 'Pets', text: 'A puppy sleeps all day.' },
  { id: 'wheels', title: 'Wheels', text: 'The automobile is parked outside.' },
]

type Asked = { readonly model: string; readonly input: readonly string[] }
type Hits = { readonly items: readonly { readonly id: string }[]; readonly code?: string }

const asked: Asked[] = []
let server: Server
let system: System

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Asked // What we sent.
      asked.push(body)
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ data: body.input.map((text, index) => ({ index, embedding: vectorOf(text) })) }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // Listening on TCP.
  const models = `
models: {}
servers: { house: { url: 'http://127.0.0.1:${port}/v1' } }
embeddings: { meanings: { provider: openai, server: house, model: meanings-1, dimensions: ${MEANINGS.length} } }
`
  system = await openSystem({ flows: { 'find/flow.yaml': FLOW }, models })
}, 60_000)
afterAll(async () => {
  await system.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const add = (index: string, embed: string) =>
  system.http<Hits & { added?: number }>('POST', `/v1/indexes/${index}/documents`, { documents: DOCUMENTS, embed })
const search = (index: string, query: string, mode: string) =>
  system.http<Hits>('POST', `/v1/indexes/${index}/search`, { query, top: 1, mode })

describe('embeddings through the models service (C7)', () => {
  it('an index is filled and searched with the vectors of the catalogue, and keeps the name', async () => {
    expect(await add('things', 'meanings')).toMatchObject({ status: 200, body: { added: 2 } })
    expect(asked).toMatchObject([{ model: 'meanings-1', input: { length: 2 } }])
    expect((await search('things', 'vehicle', 'vector')).body.items).toMatchObject([{ id: 'wheels' }])
    expect(asked).toMatchObject([{}, { model: 'meanings-1', input: ['vehicle'] }])
    expect((await system.http('GET', '/v1/indexes')).body).toMatchObject({ items: [{ name: 'things', embedder: 'meanings' }] })
  })

  it('a retrieve step goes the same way', async () => {
    const { result } = await system.request({ id: 'r1', flow: 'demo/find', input: { text: 'my hound' } })
    expect(result).toMatchObject({ status: 'completed', output: { id: 'pets' } })
    expect(asked.at(-1)).toMatchObject({ input: ['my hound'] })
  })

  it('I6: a model that is not installed is told with its reason, and words need none', async () => {
    for (const name of ['minilm', 'nobody-has-it'])
      expect(await add('other', name)).toMatchObject({ status: 422, body: { code: 'index.embedder_missing' } })
    const before = asked.length
    expect((await search('things', 'automobile', 'text')).body.items).toMatchObject([{ id: 'wheels' }])
    expect(asked).toHaveLength(before)
  })
})
