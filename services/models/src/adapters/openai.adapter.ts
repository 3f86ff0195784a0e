// Any server that speaks OpenAI's chat completions, through the AI SDK's provider interface.
//   O1. Nothing is retried here: tries, waits and failover belong to the attempt plan alone.
//   O2. The SDK is loaded at the first call, so that a process without a provider never pays for it.
//   O3. An answer that the provider cut is `output.truncated`, however well it parses.
//   O4. A call without usage is billed by an estimate, never as free; an answer that cannot be used is billed as well.
import type { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { Fault } from '@baton/contracts/fault'
import { z } from 'zod'
import type { Answer, Model, Question, Usage, WrittenCall } from '../model.ts'
import {
  type CallOptions,
  type ChatResult,
  formatOf,
  jsonSchema7,
  namesIn,
  promptOf,
  type ResponseFormat,
  toolsOf,
} from './openai-messages.policy.ts'
import { type CallError, providerFault } from './provider-fault.policy.ts'

/** Dollars per million tokens, which are millionths of a dollar per token. */
type Price = { readonly input: number; readonly output: number }
export type OpenAiOptions = {
  readonly model: string
  readonly baseUrl: string
  readonly apiKey?: string
  readonly price: Price
  readonly temperature?: number
  readonly seed?: number
  readonly outputTokensMax: number
  readonly responseFormat: ResponseFormat
}

type ChatModel = ReturnType<ReturnType<typeof createOpenAICompatible>['chatModel']>

const CHARS_PER_TOKEN = 4

const callOptions = (question: Question, options: OpenAiOptions): CallOptions => {
  const { schema, format } = formatOf(question, options.responseFormat)
  const names = namesIn(question)
  const told = format !== 'schema' || question.feedback !== undefined
  return {
    prompt: promptOf(question, told ? schema : undefined, names),
    ...toolsOf(question, names),
    maxOutputTokens: options.outputTokensMax,
    abortSignal: question.signal,
    // Strict mode takes only a part of JSON Schema; the answer is checked here in any case.
    providerOptions: { openaiCompatible: { strictJsonSchema: false } },
    ...(options.temperature === undefined ? {} : { temperature: options.temperature }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(schema === undefined || format === 'prompt'
      ? {}
      : { responseFormat: { type: 'json', name: 'answer', ...(format === 'schema' ? { schema: jsonSchema7(schema) } : {}) } }),
  }
}

const textOf = (result: ChatResult): string => result.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('')

const callsOf = (result: ChatResult, question: Question): readonly WrittenCall[] => {
  const { back } = namesIn(question)
  return result.content.flatMap((part) =>
    part.type === 'tool-call' ? [{ id: part.toolCallId, tool: back(part.toolName), arguments: part.input }] : [],
  )
}

type About = { readonly question: Question; readonly price: Price }

/** Of what was sent and written, for a provider that gives no usage (O4). */
const charsOf = ({ prompt, system = '', conversation = [] }: Question): number =>
  prompt.length + system.length + (conversation.length === 0 ? 0 : JSON.stringify(conversation).length)

const usageOf = (result: ChatResult, written: string, { question, price }: About): Usage => {
  const inputTokens = result.usage.inputTokens.total ?? Math.ceil(charsOf(question) / CHARS_PER_TOKEN) // O4
  const outputTokens = result.usage.outputTokens.total ?? Math.ceil(written.length / CHARS_PER_TOKEN)
  return { inputTokens, outputTokens, costMicroUsd: Math.ceil(inputTokens * price.input + outputTokens * price.output) }
}

const readResult = (name: string, result: ChatResult, about: About): Answer => {
  const text = textOf(result)
  const calls = callsOf(result, about.question)
  const written = calls.length === 0 ? text : text + JSON.stringify(calls)
  const unusable = unusableOf(name, result, written)
  const usage = usageOf(result, written, about)
  return { text, usage, ...(calls.length === 0 ? {} : { calls }), ...(unusable === undefined ? {} : { unusable }) } // O4
}

/** Why nothing can be made of an answer, if so. */
const unusableOf = (name: string, { finishReason }: ChatResult, written: string): Fault | undefined => {
  const { unified: finish } = finishReason
  if (finish === 'length')
    return new Fault('output.truncated', `${name} reached its limit of output tokens.`, { model: name, reason: 'length' }) // O3
  if (finish === 'content-filter')
    return new Fault('model.refused', `${name} refused on account of its content rules.`, { model: name, reason: 'content_filter' })
  return written.trim() === ''
    ? new Fault('output.malformed', `${name} answered with nothing.`, { model: name, reason: 'empty', problem: 'it was empty' })
    : undefined
}

/** The SDK's errors carry these fields; they are read by name because the SDK may be there twice. */
const CallErrorFields = z.object({
  statusCode: z.number().optional().catch(undefined),
  responseBody: z.string().optional().catch(undefined),
  responseHeaders: z.record(z.string(), z.string()).optional().catch(undefined),
})

const callErrorOf = (error: unknown): CallError => {
  const message = error instanceof Error ? error.message : String(error)
  const { statusCode: status, responseBody: body, responseHeaders: headers = {} } = CallErrorFields.safeParse(error).data ?? {}
  return {
    message,
    headers: Object.fromEntries(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value])),
    ...(status === undefined ? {} : { status }),
    ...(body === undefined ? {} : { body }),
  }
}

/** A model behind an HTTP interface like OpenAI's. Its signal ends a call; whoever aborted knows why. */
export const openAiModel = (name: string, options: OpenAiOptions, nowMs: () => number): Model => {
  let loading: Promise<ChatModel> | undefined
  const load = async (): Promise<ChatModel> => {
    const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible') // O2
    const { baseUrl, apiKey, responseFormat } = options
    const provider = createOpenAICompatible({
      name: 'openaiCompatible',
      baseURL: baseUrl,
      supportsStructuredOutputs: responseFormat === 'schema',
      ...(apiKey === undefined ? {} : { apiKey }),
    })
    return provider.chatModel(options.model)
  }
  const generate = async (question: Question): Promise<ChatResult> => {
    loading ??= load()
    const model = await loading
    try {
      return await model.doGenerate(callOptions(question, options)) // O1: the provider interface makes one request
    } catch (error) {
      if (question.signal.aborted) throw error
      throw providerFault(name, callErrorOf(error), nowMs())
    }
  }
  return {
    name,
    provider: 'openai',
    local: false,
    invoke: async (question) => readResult(name, await generate(question), { question, price: options.price }),
  }
}
