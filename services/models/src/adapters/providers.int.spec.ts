// The two protocols over HTTP: our own replay of providers, and aimock as a second opinion on what their servers send.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LLMock } from '@copilotkit/aimock'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import type { Json } from '@baton/contracts/json'
import { compileFlow } from '@baton/flow'
import { costMicroUsd, type Tokens } from '@baton/policy/routing'
import { type Rig, startRig } from '@baton/testing/rig'
import type { Model, Question } from '../model.ts'
import { fillPrompt } from '../prompts/fill.policy.ts'
import { anthropicModel } from './anthropic.adapter.ts'
import { readMedia } from './media.policy.ts'
import { openAiModel } from './openai.adapter.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const cost = (tokens: Tokens): number => costMicroUsd({ input: 1, output: 2 }, tokens)
const question = (change: Partial<Question> = {}): Question => ({
  prompt: 'Hi',
  input: null,
  signal: AbortSignal.timeout(10_000),
  ...change,
})
const openai = (baseUrl: string, model = 'm'): Model =>
  openAiModel(
    'gpt',
    { model, baseUrl, apiKey: 'k', cost, outputTokensMax: 100, responseFormat: 'schema', temperature: 0, seed: 7 },
    () => 0,
  )
const anthropic = (baseUrl: string, model = 'm'): Model =>
  anthropicModel('claude', { model, baseUrl, apiKey: 'k', cost, outputTokensMax: 100, temperature: 0 }, () => 0)

const protocols = ['openai', 'anthropic'] as const
type Protocol = (typeof protocols)[number]
const TOOL = { name: 'billing/refund', schema: { type: 'object', properties: { ticket: { type: 'string' } } } }

describe.each(protocols)('%s over the replay of providers (B1)', (protocol) => {
  let rig: Rig
  let echo: Rig
  beforeAll(async () => {
    echo = await startRig({ recordings: [], echo: true })
    rig = await startRig({
      recordings: [
        { model: 'm', id: '1', asked: 'Hi', text: 'Hello there, how can I help you today?', inputTokens: 1_000, outputTokens: 100 },
        {
          model: 'm',
          id: '2',
          asked: 'Refund T-1',
          text: '',
          calls: [{ id: 'c1', tool: 'billing_refund', arguments: '{"ticket":"T-1"}' }],
        },
      ],
    })
  })
  afterEach(() => rig.setFaults([]))
  afterAll(() => Promise.all([rig.close(), echo.close()]))
  const model = (): Model => (protocol === 'openai' ? openai(rig.openAiUrl) : anthropic(rig.anthropicUrl))

  it('O7: answers, is billed by its usage, and says what answered (B13, B19)', async () => {
    expect(await model().invoke(question())).toMatchObject({
      text: 'Hello there, how can I help you today?',
      usage: { inputTokens: 1_000, outputTokens: 100, costMicroUsd: 1_200 },
      servedBy: expect.stringContaining('m'),
    })
  })

  it('O6: streamed, gives the same answer, bill and pieces (B11)', async () => {
    const pieces: string[] = []
    const answer = await model().invoke(question({ onPiece: ({ text }) => pieces.push(text) }))
    expect(answer).toMatchObject({
      text: 'Hello there, how can I help you today?',
      usage: { inputTokens: 1_000, outputTokens: 100, costMicroUsd: 1_200 },
    })
    expect(pieces.join('')).toBe('Hello there, how can I help you today?')
    expect(pieces.length).toBeGreaterThan(1)
  })

  it.each([undefined, (): void => undefined])('asks for tools by their own names, whole or streamed', async (onPiece) => {
    const answer = await model().invoke(question({ prompt: 'Refund T-1', tools: [TOOL], ...(onPiece === undefined ? {} : { onPiece }) }))
    expect(answer.calls).toEqual([{ id: expect.any(String), tool: 'billing/refund', arguments: '{"ticket":"T-1"}' }])
  })

  it('O6: a stream that breaks off is no answer', async () => {
    rig.setFaults([{ fault: { kind: 'cut' } }])
    const pieces: string[] = []
    await expect(model().invoke(question({ onPiece: ({ text }) => pieces.push(text) }))).rejects.toMatchObject({
      code: expect.stringMatching(/model\.(stalled|unavailable)/),
    })
  })

  it.each([
    [{ kind: 'status', status: 429, retryAfterMs: 2_000 }, 'model.rate_limited'],
    [{ kind: 'status', status: 529, code: 'overloaded_error' }, 'model.overloaded'],
    [{ kind: 'status', status: 503 }, 'model.unavailable'],
    [{ kind: 'status', status: 401 }, 'model.unauthorized'],
    [{ kind: 'malformed' }, 'model.unavailable'],
    [{ kind: 'reset' }, 'model.unavailable'],
  ] as const)('O1: tells %j apart, after one call (B5)', async (fault, code) => {
    rig.reset()
    rig.setFaults([{ fault }])
    await expect(model().invoke(question())).rejects.toMatchObject({ code })
  })

  it('S14: extracts, summarises and translates, each step on the answer of the one before', async () => {
    const file = 'flows/s14-chain/flow.yaml'
    const compiled = compileFlow({ entry: 'flow.yaml', files: new Map([['flow.yaml', readFileSync(join(root, file), 'utf8')]]) })
    if (!compiled.ok) throw new Error('the flow has mistakes')
    const values: { [name: string]: Json } = { input: { text: 'Ada Lovelace wrote the first algorithm.' } }
    const asked: Model = protocol === 'openai' ? openai(echo.openAiUrl) : anthropic(echo.anthropicUrl)
    for (const node of Object.values(compiled.plan.nodes)) {
      const prompt = node.kind === 'model' ? fillPrompt(compiled.plan.prompts[node.prompt]?.parts ?? [], values) : ''
      const answer = await asked.invoke(question({ prompt }))
      values[node.name ?? ''] = 'text' in answer ? answer.text : answer.value
    }
    expect(Object.keys(values)).toEqual(['input', 'facts', 'summary', 'translation'])
    expect(values['translation']).toBe(
      'Translate this into German. Summarise these facts in three sentences. Extract the facts from Ada Lovelace wrote the first algorithm.',
    )
  })

  it('is given up when its signal says so, streamed as well', async () => {
    rig.setFaults([{ fault: { kind: 'hang' } }])
    const hung = new AbortController()
    const asked = model().invoke(question({ signal: hung.signal, onPiece: () => undefined }))
    setTimeout(() => hung.abort(), 50)
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe.each(protocols)('%s over aimock', (protocol: Protocol) => {
  let mock: LLMock
  beforeAll(async () => {
    mock = new LLMock({ port: 0 })
    mock.onMessage('hello', { content: 'Hi from aimock' })
    mock.onMessage('refund', { toolCalls: [{ name: 'billing_refund', arguments: '{"ticket":"T-2"}' }] })
    mock.onMessage('look', { content: 'A cat' })
    await mock.start()
  })
  afterAll(() => mock.stop())
  const model = (): Model => (protocol === 'openai' ? openai(`${mock.url}/v1`, 'gpt-4o') : anthropic(`${mock.url}/v1`, 'claude-sonnet-4-5'))

  it.each([undefined, (): void => undefined])('answers, whole or streamed', async (onPiece) => {
    const answer = await model().invoke(question({ prompt: 'hello', system: 'Be brief', ...(onPiece === undefined ? {} : { onPiece }) }))
    expect(answer).toMatchObject({ text: 'Hi from aimock', usage: { costMicroUsd: expect.any(Number) } })
    expect(answer.usage.costMicroUsd).toBeGreaterThan(0) // Also where the server counts nothing.
  })

  it.each([undefined, (): void => undefined])('calls a tool, whole or streamed', async (onPiece) => {
    const answer = await model().invoke(question({ prompt: 'refund please', tools: [TOOL], ...(onPiece === undefined ? {} : { onPiece }) }))
    expect(answer.calls).toMatchObject([{ tool: 'billing/refund', arguments: expect.stringContaining('T-2') }])
  })

  it('tells a refusal from a rate limit', async () => {
    mock.nextRequestError(429, { message: 'slow down' })
    await expect(model().invoke(question({ prompt: 'hello' }))).rejects.toMatchObject({ code: 'model.rate_limited' })
    mock.nextRequestError(400, { message: 'prompt is too long: 210000 tokens > 200000 maximum' })
    await expect(model().invoke(question({ prompt: 'hello' }))).rejects.toMatchObject({ code: 'model.context_too_long' })
  })
})

describe.each(protocols)('%s and pictures (C11)', (protocol) => {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      bodies.push(Buffer.concat(chunks).toString())
      response.writeHead(422).end('{}')
    })
  })
  let url = ''
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` // Listening on TCP.
  })
  afterAll(() => void server.close())

  it('sends them beside the words, as bytes or as an address', async () => {
    const model = protocol === 'openai' ? openai(url) : anthropic(url)
    const media = readMedia(['data:image/png;base64,iVBORw0KGgo=', 'https://example.com/cat.jpg', null])
    await expect(model.invoke(question({ prompt: 'look', media }))).rejects.toMatchObject({ code: 'model.request_invalid' })
    expect(bodies).toHaveLength(1) // An address is the provider's to fetch.
    expect(bodies[0]).toContain('look')
    expect(bodies[0]).toContain('iVBORw0KGgo=')
    expect(bodies[0]).toContain('https://example.com/cat.jpg')
  })

  it('Z2: refuses what it cannot read, by its place', () => {
    expect(() => readMedia(['data:image/png;base64,AAAA', 'cat.png'])).toThrow(
      expect.objectContaining({ code: 'input.invalid', message: expect.stringContaining('media[1]') }),
    )
  })
})
