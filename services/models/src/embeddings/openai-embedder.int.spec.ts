import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { openAiEmbedder, type OpenAiEmbedderOptions } from './openai-embedder.adapter.ts'

type Sent = { readonly path: string; readonly key: string | undefined; readonly body: { readonly model: string; readonly input: string[] } }
type Reply = { readonly status?: number; readonly headers?: Record<string, string>; readonly body: unknown; readonly delayMs?: number }

/** A vector that says which text it is of. */
const vectorOf = (text: string): readonly number[] => [text.length, 1]
const good = (input: readonly string[]): Reply => ({
  body: { object: 'list', data: input.map((text, index) => ({ object: 'embedding', index, embedding: vectorOf(text) })) },
})

const sent: Sent[] = []
let answer: (input: readonly string[]) => Reply = good
let server: Server
let baseUrl = ''

const bodyOf = async (request: IncomingMessage): Promise<Sent['body']> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array)) // An HTTP body is bytes.
  return JSON.parse(Buffer.concat(chunks).toString()) as Sent['body'] // What we sent.
}

beforeAll(async () => {
  server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      sent.push({ path: request.url ?? '', key: request.headers.authorization, body })
      const { status = 200, headers = {}, body: said, delayMs = 0 } = answer(body.input)
      setTimeout(() => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers })
        response.end(typeof said === 'string' ? said : JSON.stringify(said))
      }, delayMs).unref()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` // Listening on TCP.
})
beforeEach(() => {
  sent.length = 0
  answer = good
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const embedder = (change: Partial<OpenAiEmbedderOptions> = {}) =>
  openAiEmbedder('small', { model: 'server-name', baseUrl, apiKey: 'k', dimensions: 2, ...change }, () => 0)
const numbers = (vectors: readonly Float32Array[]): readonly (readonly number[])[] => vectors.map((vector) => [...vector])

describe('embeddings of an OpenAI-compatible server', () => {
  it('asks /embeddings by the name that the server knows, with the key', async () => {
    expect(numbers(await embedder().embed(['a', 'bcd']))).toEqual([vectorOf('a'), vectorOf('bcd')])
    expect(sent).toEqual([
      { path: '/v1/embeddings', key: 'Bearer k', body: { model: 'server-name', input: ['a', 'bcd'], encoding_format: 'float' } },
    ])
  })

  it('M2: vectors are in the order of the texts, whatever order they come in', async () => {
    answer = (input) => ({
      body: { data: input.map((text, index) => ({ index, embedding: vectorOf(text) })).toReversed() },
    })
    expect(numbers(await embedder().embed(['a', 'bb', 'ccc']))).toEqual(['a', 'bb', 'ccc'].map(vectorOf))
  })

  it('many texts go in batches, a long one is cut, and one without a character is sent as a blank', async () => {
    const texts = Array.from({ length: 130 }, (_, at) => 'x'.repeat(at + 1))
    expect(numbers(await embedder().embed(texts))).toEqual(texts.map(vectorOf))
    expect(sent.map(({ body }) => body.input.length)).toEqual([64, 64, 2])
    sent.length = 0
    await embedder().embed(['', 'y'.repeat(100_000)])
    expect(sent[0]?.body.input.map(({ length }) => length)).toEqual([1, 8_000])
  })

  it('O1: is asked once, and its refusals have the codes that those of models have', async () => {
    answer = () => ({ status: 429, headers: { 'retry-after': '3' }, body: { error: { message: 'slow down' } } })
    await expect(embedder().embed(['a'])).rejects.toMatchObject({
      code: 'model.rate_limited',
      detail: { status: 429, retryAfterMs: 3_000 },
    })
    expect(sent).toHaveLength(1)
    answer = () => ({ status: 401, body: { error: { message: 'no' } } })
    await expect(embedder().embed(['a'])).rejects.toMatchObject({ code: 'model.unauthorized' })
    await expect(embedder({ baseUrl: 'http://127.0.0.1:1/v1' }).embed(['a'])).rejects.toMatchObject({ code: 'model.unavailable' })
    for (const body of ['<html>busy</html>', { data: [] }, { data: [{ index: 7, embedding: [1, 2] }] }]) {
      answer = () => ({ body })
      await expect(embedder().embed(['a'])).rejects.toMatchObject({ code: 'model.unavailable' })
    }
  })

  it('O2: vectors of another length than the catalogue says are refused', async () => {
    await expect(embedder({ dimensions: 3 }).embed(['a'])).rejects.toMatchObject({ code: 'config.invalid', detail: { dimensions: 2 } })
  })

  it('is given up when its time is over or its signal says so', async () => {
    answer = (input) => ({ ...good(input), delayMs: 3_000 })
    await expect(embedder({ timeoutMs: 50 }).embed(['a'])).rejects.toMatchObject({ code: 'model.unavailable' })
    const hung = new AbortController()
    const asked = embedder().embed(['a'], { signal: hung.signal })
    setTimeout(() => hung.abort(), 50)
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' })
  })
})
