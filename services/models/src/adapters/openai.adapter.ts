// Any server that speaks OpenAI's chat completions: OpenAI, Ollama, vLLM, llama.cpp, and most others.
import type { Tokens } from '@baton/policy/routing'
import { leanFetch } from '../attempts/lean-fetch.adapter.ts'
import type { Model, Question } from '../model.ts'
import { chatModel } from './chat.adapter.ts'
import {
  type CallOptions,
  formatOf,
  jsonSchema7,
  namesIn,
  promptOf,
  type ResponseFormat,
  samplingOf,
  toolsOf,
} from './chat-messages.policy.ts'

export type OpenAiOptions = {
  readonly model: string
  readonly baseUrl: string
  readonly apiKey?: string
  /** What tokens cost, in micro-dollars. */
  readonly cost: (tokens: Tokens) => number
  readonly temperature?: number
  readonly seed?: number
  readonly outputTokensMax: number
  readonly responseFormat: ResponseFormat
}

const callOptions = (question: Question, options: OpenAiOptions): CallOptions => {
  const { schema, format } = formatOf(question, options.responseFormat)
  const names = namesIn(question)
  const told = format !== 'schema' || question.feedback !== undefined
  return {
    prompt: promptOf(question, told ? schema : undefined, names),
    ...toolsOf(question, names),
    maxOutputTokens: Math.min(options.outputTokensMax, question.outputTokensMax ?? options.outputTokensMax),
    abortSignal: question.signal,
    // Strict mode takes only a part of JSON Schema; the answer is checked here in any case.
    providerOptions: { openaiCompatible: { strictJsonSchema: false } },
    ...samplingOf(question, options),
    ...(schema === undefined || format === 'prompt'
      ? {}
      : { responseFormat: { type: 'json', name: 'answer', ...(format === 'schema' ? { schema: jsonSchema7(schema) } : {}) } }),
  }
}

/** A model behind an HTTP interface like OpenAI's. */
export const openAiModel = (name: string, options: OpenAiOptions, nowMs: () => number): Model =>
  chatModel({
    name,
    provider: 'openai',
    nowMs,
    cost: options.cost,
    callOptions: (question) => callOptions(question, options),
    open: async () => {
      const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible')
      const { baseUrl, apiKey, responseFormat } = options
      const provider = createOpenAICompatible({
        name: 'openaiCompatible',
        baseURL: baseUrl,
        includeUsage: true,
        fetch: leanFetch,
        supportsStructuredOutputs: responseFormat === 'schema',
        ...(apiKey === undefined ? {} : { apiKey }),
      })
      return provider.chatModel(options.model)
    },
  })
