// Any server that speaks OpenAI's chat completions, through the AI SDK's provider interface.
//   O1. Nothing is retried here: tries, waits and failover belong to the attempt plan alone.
//   O2. The SDK is loaded at the first call, so that a process without a provider never pays for it.
//   O3. An answer that the provider cut is `output.truncated`, however well it parses.
//   O4. A call without usage is billed by an estimate, never as free; an answer that cannot be used is billed as well.
import type { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { Fault } from '@baton/contracts/fault'
import { isJsonObject, type JsonObject } from '@baton/contracts/json'
import { z } from 'zod'
import type { Answer, Model, Question, Usage } from '../model.ts'
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
  /** How the schema reaches the server: as a JSON Schema, as JSON mode with the schema in the prompt, or in the prompt only. */
  readonly responseFormat: 'schema' | 'json' | 'prompt'
}

type ChatModel = ReturnType<ReturnType<typeof createOpenAICompatible>['chatModel']>
type CallOptions = Parameters<ChatModel['doGenerate']>[0]
type Result = Awaited<ReturnType<ChatModel['doGenerate']>>

const CHARS_PER_TOKEN = 4

const schemaText = (schema: JsonObject): string =>
  `Answer with one JSON value only, without any text around it. It must fit this JSON Schema:\n${JSON.stringify(schema)}`

const promptOf = (question: Question, schema: JsonObject | undefined, told: boolean): CallOptions['prompt'] => {
  const rules = schema === undefined || !told ? [] : [schemaText(schema)]
  const system = [...(question.system === undefined ? [] : [question.system]), ...rules].join('\n\n')
  const feedback =
    question.feedback === undefined ? '' : `\n\nYour last answer could not be used: ${question.feedback}. Answer again and mend that.`
  const user = { role: 'user' as const, content: [{ type: 'text' as const, text: question.prompt + feedback }] }
  return system === '' ? [user] : [{ role: 'system', content: system }, user]
}

const callOptions = (question: Question, options: OpenAiOptions): CallOptions => {
  const schema = isJsonObject(question.schema) && question.schema['type'] !== 'string' ? question.schema : undefined
  // Structured output wants an object at the top; any other shape is asked for in words.
  const format = schema?.['type'] === 'object' ? options.responseFormat : 'prompt'
  return {
    prompt: promptOf(question, schema, format !== 'schema' || question.feedback !== undefined),
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

type Schema = Extract<CallOptions['responseFormat'], { type: 'json' }>['schema'] & object
/** A JSON Schema is opaque data to us and a tree of types to the SDK, which only passes it on. */
const jsonSchema7 = (schema: JsonObject): Schema => schema as Schema

const textOf = (result: Result): string => result.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('')

const usageOf = (result: Result, text: string, { question, price }: { question: Question; price: Price }): Usage => {
  const sentChars = question.prompt.length + (question.system?.length ?? 0)
  const inputTokens = result.usage.inputTokens.total ?? Math.ceil(sentChars / CHARS_PER_TOKEN) // O4
  const outputTokens = result.usage.outputTokens.total ?? Math.ceil(text.length / CHARS_PER_TOKEN)
  return { inputTokens, outputTokens, costMicroUsd: Math.ceil(inputTokens * price.input + outputTokens * price.output) }
}

const readResult = (name: string, result: Result, about: { question: Question; price: Price }): Answer => {
  const text = textOf(result)
  const unusable = unusableOf(name, result, text)
  return { text, usage: usageOf(result, text, about), ...(unusable === undefined ? {} : { unusable }) } // O4
}

/** Why nothing can be made of an answer, if so. */
const unusableOf = (name: string, { finishReason }: Result, text: string): Fault | undefined => {
  const { unified: finish } = finishReason
  if (finish === 'length')
    return new Fault('output.truncated', `${name} reached its limit of output tokens.`, { model: name, reason: 'length' }) // O3
  if (finish === 'content-filter')
    return new Fault('model.refused', `${name} refused on account of its content rules.`, { model: name, reason: 'content_filter' })
  return text.trim() === ''
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
  const generate = async (question: Question): Promise<Result> => {
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
