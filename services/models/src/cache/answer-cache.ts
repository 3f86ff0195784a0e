// Answers to the very same question, given again without asking (B10).
//   A1. The same means: the same models with the same sampling, prompt, input, schema, tools and media, or what the step says makes two
//       calls the same; asked by the same tenant, and within the scope of the step by the same run, session or user.
//   A2. Only answers that counted are kept: no failure, nothing a cascade had to escalate, nothing that a gate sent back. A gate that
//       sends an answer back takes it out of the cache.
//   A3. Without the database there is no answer here, and the model is asked.
import { canonicalJson, isJsonObject, type Json } from '@baton/contracts/json'
import { sha256, type StepCommand } from '@baton/contracts'
import type { CacheScope } from '@baton/flow/plan'
import { cacheScopeOf } from '@baton/service'
import type { ModelCacheStore } from '@baton/store'
import type { Metrics } from '@baton/telemetry'
import type { Model, Question } from '../model.ts'

export type CacheSpec = { readonly ttlMs: number; readonly scope: CacheScope }
/** An answer as it is kept. */
export type CachedAnswer = {
  readonly output: Json
  readonly by: string
  readonly model: string
  readonly provider: string
  readonly confidence?: number
  readonly rawConfidence?: number
  readonly costMicroUsd: number
}
export type CacheKey = { readonly tenant: string; readonly key: string }
export type AnswerCache = {
  readonly find: (key: CacheKey) => Promise<CachedAnswer | undefined>
  readonly save: (key: CacheKey, answer: CachedAnswer, ttlMs: number) => Promise<void>
  readonly forget: (key: CacheKey) => Promise<void>
  /** Of this process since it was started. */
  readonly savings: () => { readonly hits: number; readonly misses: number; readonly savedMicroUsd: number }
}

/** What makes a question the same (A1). `prompt` is the template, for steps that say themselves what makes calls the same. */
export const cacheKeyOf = (
  command: StepCommand,
  spec: CacheSpec,
  asked: { readonly question: Omit<Question, 'signal'>; readonly models: readonly Model[]; readonly prompt: unknown },
): CacheKey => {
  const { question, models, prompt } = asked
  const { occasion: _occasion, feedback: _feedback, ...same } = question
  const what =
    command.cacheKey === undefined
      ? same
      : { flow: command.flow, node: command.nodeId, key: command.cacheKey, prompt, schema: question.schema ?? null }
  const who = models.map(({ name, about }) => [name, about?.server ?? null, about?.model ?? null, about?.sampling ?? null])
  return { tenant: command.tenant, key: sha256(canonicalJson({ scope: [spec.scope, cacheScopeOf(spec.scope, command)], who, what })) }
}

const HERE_MAX = 2_000
const CHARS_MAX = 256 * 1024
const SWEEP_EVERY = 500
const SWEEP_MAX = 1_000

const readAnswer = (body: Json): CachedAnswer | undefined =>
  // Written by `save` below.
  isJsonObject(body) && body['output'] !== undefined && typeof body['by'] === 'string' ? (body as unknown as CachedAnswer) : undefined

/** A cache over the database, with the newest answers in this process. */
export const createAnswerCache = ({
  store,
  metrics,
  clockMs,
}: {
  store: ModelCacheStore
  metrics: Metrics
  clockMs: () => number
}): AnswerCache => {
  const here = new Map<string, { readonly answer: CachedAnswer; readonly untilMs: number }>()
  let saved = 0
  const savings = { hits: 0, misses: 0, savedMicroUsd: 0 }
  const idOf = ({ tenant, key }: CacheKey): string => `${tenant} ${key}`
  const keep = (key: CacheKey, answer: CachedAnswer, ttlMs: number): void => {
    here.delete(idOf(key))
    here.set(idOf(key), { answer, untilMs: clockMs() + ttlMs })
    const [oldest] = here.keys()
    if (here.size > HERE_MAX && oldest !== undefined) here.delete(oldest)
  }
  const look = async (key: CacheKey): Promise<CachedAnswer | undefined> => {
    const known = here.get(idOf(key))
    if (known !== undefined && clockMs() < known.untilMs) return known.answer
    const found = await store.find(key).catch(() => undefined) // A3
    const answer = found === undefined ? undefined : readAnswer(found.body)
    if (found !== undefined && answer !== undefined) keep(key, answer, found.leftMs)
    return answer
  }
  return {
    find: async (key) => {
      const answer = await look(key)
      metrics.count('baton_model_cache_total', { outcome: answer === undefined ? 'miss' : 'hit' })
      savings[answer === undefined ? 'misses' : 'hits'] += 1
      savings.savedMicroUsd += answer?.costMicroUsd ?? 0
      if (answer !== undefined) metrics.count('baton_model_cache_saved_micro_usd_total', {}, answer.costMicroUsd)
      return answer
    },
    save: async (key, answer, ttlMs) => {
      const body: Json = { ...answer }
      if (JSON.stringify(body).length > CHARS_MAX) return
      keep(key, answer, ttlMs)
      await store.save({ ...key, body, ttlMs }).catch(() => undefined) // A3
      saved += 1
      if (saved % SWEEP_EVERY === 0) void store.sweep({ limit: SWEEP_MAX }).catch(() => undefined)
    },
    savings: () => ({ ...savings }),
    forget: async (key) => {
      here.delete(idOf(key))
      await store.forget(key).catch(() => undefined)
    },
  }
}
