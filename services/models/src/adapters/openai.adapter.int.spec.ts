import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { costMicroUsd } from '@baton/policy/routing'
import type { Question } from '../model.ts'
import { openAiModel, type OpenAiOptions } from './openai.adapter.ts'

type Reply = { readonly status?: number; readonly headers?: Record<string, string>; readonly body: unknown; readonly delayMs?: number }
type Sent = { readonly path: string; readonly key: string | undefined; readonly body: Record<string, unknown> }

const sent: Sent[] = []
let reply: Reply = { body: {} }
let server: Server
let baseUrl = ''

const bodyOf = async (request: IncomingMessage): Promise<Record<string, unknown>> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array)) // An HTTP body is bytes.
  return JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown> // What we sent.
}

beforeAll(async () => {
  server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      sent.push({ path: request.url ?? '', key: request.headers.authorization, body })
      const { status = 200, headers = {}, body: answer, delayMs = 0 } = reply
      setTimeout(() => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers })
        response.end(typeof answer === 'string' ? answer : JSON.stringify(answer))
      }, delayMs).unref()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` // Listening on TCP.
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const completion = (
  content: string,
  finish = 'stop',
  usage: object | null = { prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 },
): Reply => ({
  body: {
    id: 'c1',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: finish }],
    ...(usage === null ? {} : { usage }),
  },
})
const options = (change: Partial<OpenAiOptions> = {}): OpenAiOptions => ({
  model: 'm',
  baseUrl,
  apiKey: 'k',
  cost: (tokens) => costMicroUsd({ input: 0.15, output: 0.6 }, tokens),
  outputTokensMax: 500,
  responseFormat: 'schema',
  temperature: 0,
  ...change,
})
const question = (change: Partial<Question> = {}): Question => ({
  prompt: 'Hi',
  system: 'Be brief',
  input: null,
  signal: AbortSignal.timeout(5_000),
  ...change,
})
const ask = (answer: Reply, about: Partial<Question> = {}, change: Partial<OpenAiOptions> = {}) => {
  reply = answer
  sent.length = 0
  return openAiModel('gpt', options(change), () => 0).invoke(question(about))
}
const schema = { type: 'object', properties: { a: { type: 'string' } } }

describe('an OpenAI-compatible server (B1)', () => {
  it('what the question pins goes before what is pinned for the model (B19)', async () => {
    await ask(completion('Hello'), { sampling: { temperature: 0.5 } }, { temperature: 0, seed: 1 })
    expect(sent).toMatchObject([{ body: { temperature: 0.5, seed: 1 } }])
  })

  it('is asked with prompt, system and limits, and billed by its usage (B13)', async () => {
    expect(await ask(completion('Hello'))).toEqual({
      text: 'Hello',
      servedBy: 'm',
      usage: { inputTokens: 1_000, outputTokens: 100, costMicroUsd: 210 },
    })
    expect(sent).toMatchObject([
      {
        path: '/v1/chat/completions',
        key: 'Bearer k',
        body: {
          model: 'm',
          max_tokens: 500,
          temperature: 0,
          messages: [
            { role: 'system', content: 'Be brief' },
            { role: 'user', content: 'Hi' },
          ],
        },
      },
    ])
  })

  it('gets the schema in the way it understands (B15)', async () => {
    await ask(completion('{}'), { schema })
    expect(sent[0]?.body).toMatchObject({ response_format: { type: 'json_schema', json_schema: { schema, strict: false } } })
    await ask(completion('{}'), { schema }, { responseFormat: 'json' })
    expect(sent[0]?.body).toMatchObject({
      response_format: { type: 'json_object' },
      messages: [{ content: expect.stringContaining('"properties"') }, {}],
    })
    await ask(completion('[]'), { schema: { type: 'array' } })
    expect(sent[0]?.body).not.toHaveProperty('response_format')
    expect(sent[0]?.body).toMatchObject({ messages: [{ content: expect.stringContaining('{"type":"array"}') }, {}] })
  })

  it('is told what was wrong with its last answer', async () => {
    await ask(completion('{}'), { schema, feedback: '/a must be string' })
    expect(sent[0]?.body).toMatchObject({ messages: [{}, { content: expect.stringContaining('/a must be string') }] })
  })

  it('O1: is asked once, whatever it answers (B5, B6)', async () => {
    const error = { error: { message: 'no', type: 'x' } }
    await expect(ask({ status: 429, headers: { 'retry-after': '3' }, body: error })).rejects.toMatchObject({
      code: 'model.rate_limited',
      detail: { status: 429, retryAfterMs: 3_000 },
    })
    expect(sent).toHaveLength(1)
    await expect(ask({ status: 503, body: error })).rejects.toMatchObject({ code: 'model.unavailable' })
    expect(sent).toHaveLength(1)
    await expect(ask({ status: 401, body: error })).rejects.toMatchObject({ code: 'model.unauthorized' })
    await expect(ask({ status: 400, body: { error: { message: 'maximum context length is 10 tokens' } } })).rejects.toMatchObject({
      code: 'model.context_too_long',
    })
    await expect(ask({ body: '<html>busy</html>' })).rejects.toMatchObject({ code: 'model.unavailable' })
    expect(await ask(completion(''))).toMatchObject({ unusable: { code: 'output.malformed' } })
    await expect(ask(completion('x'), {}, { baseUrl: 'http://127.0.0.1:1/v1' })).rejects.toMatchObject({ code: 'model.unavailable' })
  })

  it('O2: costs nothing before the first call', () => {
    expect(openAiModel('gpt', options({ baseUrl: 'http://127.0.0.1:1' }), () => 0)).toMatchObject({ name: 'gpt', local: false })
  })

  it('O3: an answer that was cut is truncated, however well it parses', async () => {
    expect((await ask(completion('{"a":"b"}', 'length'), { schema })).unusable).toMatchObject({
      code: 'output.truncated',
      detail: { reason: 'length' },
    })
    expect(await ask(completion('no', 'content_filter'))).toMatchObject({ unusable: { code: 'model.content_refused' } })
  })

  it('O4: a call without usage is billed by an estimate', async () => {
    const answer = await ask(
      completion('x'.repeat(400), 'stop', null),
      {},
      { cost: (tokens) => costMicroUsd({ input: 100, output: 100 }, tokens) },
    )
    expect(answer.usage).toEqual({ inputTokens: 3, outputTokens: 50, costMicroUsd: 5_300 })
  })

  it('O4: an answer that cannot be used is billed as well (B13)', async () => {
    expect(await ask(completion('{"a":', 'length'))).toMatchObject({ usage: { costMicroUsd: 210 }, unusable: { code: 'output.truncated' } })
  })

  it('is given up when its signal says so', async () => {
    const hung = new AbortController()
    const asked = ask({ ...completion('late'), delayMs: 2_000 }, { signal: hung.signal })
    setTimeout(() => hung.abort(), 50)
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' })
  })
})
