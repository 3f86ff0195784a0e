// Models behind Anthropic's messages interface.
//   A1. The part of a prompt that does not change (role, tools) is marked for the provider's cache where it is long enough to be kept.
import type { Tokens } from '@baton/policy/routing'
import { leanFetch } from '../attempts/lean-fetch.adapter.ts'
import type { Model, Question } from '../model.ts'
import { chatModel } from './chat.adapter.ts'
import { type CallOptions, type ChatModel, formatOf, jsonSchema7, namesIn, promptOf, samplingOf, toolsOf } from './chat-messages.policy.ts'

export type AnthropicOptions = {
  readonly model: string
  /** Absent: the provider's own address. */
  readonly baseUrl?: string
  readonly apiKey: string
  /** What tokens cost, in micro-dollars. */
  readonly cost: (tokens: Tokens) => number
  readonly temperature?: number
  readonly outputTokensMax: number
}

/** Shorter prefixes are not kept by the provider (1,024 tokens and more, by model). */
const CACHED_CHARS_MIN = 4_096

const cached = (prompt: CallOptions['prompt']): CallOptions['prompt'] =>
  prompt.map((message) =>
    message.role === 'system' && message.content.length >= CACHED_CHARS_MIN
      ? { ...message, providerOptions: { anthropic: { cacheControl: { type: 'ephemeral' } } } } // A1
      : message,
  )

/** It knows no seed. */
const temperatureOf = (question: Question, options: AnthropicOptions): { readonly temperature?: number } => {
  const { temperature } = samplingOf(question, options)
  return temperature === undefined ? {} : { temperature }
}

const callOptions = (question: Question, options: AnthropicOptions): CallOptions => {
  const { schema, format } = formatOf(question, 'schema')
  const names = namesIn(question)
  const told = format !== 'schema' || question.feedback !== undefined
  return {
    prompt: cached(promptOf(question, told ? schema : undefined, names)),
    ...toolsOf(question, names),
    maxOutputTokens: Math.min(options.outputTokensMax, question.outputTokensMax ?? options.outputTokensMax),
    abortSignal: question.signal,
    ...temperatureOf(question, options),
    ...(schema === undefined || format === 'prompt'
      ? {}
      : { responseFormat: { type: 'json', name: 'answer', schema: jsonSchema7(schema) } }),
  }
}

/** A model behind an interface like Anthropic's. */
export const anthropicModel = (name: string, options: AnthropicOptions, nowMs: () => number): Model =>
  chatModel({
    name,
    provider: 'anthropic',
    nowMs,
    cost: options.cost,
    callOptions: (question) => callOptions(question, options),
    open: async (): Promise<ChatModel> => {
      const { createAnthropic } = await import('@ai-sdk/anthropic')
      const { baseUrl, apiKey } = options
      return createAnthropic({ apiKey, fetch: leanFetch, ...(baseUrl === undefined ? {} : { baseURL: baseUrl }) })(options.model)
    },
  })
