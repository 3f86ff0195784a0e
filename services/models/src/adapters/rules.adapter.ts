// Keywords and patterns with scores as a model: the cheapest router there is, and the same every day.
//   K1. Patterns run on RE2: no text can make them run away.
//   K2. Scores of rules with the same value add up as independent hints (1 - product of misses), so they stay below 1.
//   K3. Where nothing matches, the answer is `else` with confidence 0, or its own.
import { Fault } from '@baton/contracts/fault'
import { canonicalJson, isJsonObject, type Json, type JsonObject } from '@baton/contracts/json'
import { RE2JS } from 're2js'
import { z } from 'zod'
import { FREE, type Model } from '../model.ts'
import { textOf } from './input-text.ts'

const Value = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
const Rule = z
  .strictObject({
    /** Whole words or phrases, in any case. */
    keywords: z.array(z.string().min(1)).optional(),
    /** RE2 syntax. */
    pattern: z.string().min(1).optional(),
    score: z.number().gt(0).max(1).default(0.8),
    value: Value,
  })
  .refine(({ keywords, pattern }) => keywords !== undefined || pattern !== undefined, 'needs keywords or a pattern')

export const RulesFile = z.strictObject({
  /** Field of the step's input that is read. */
  field: z.string().default('text'),
  rules: z.array(Rule).min(1).max(1_000),
  else: Value.default({}),
})
export type RulesFile = z.infer<typeof RulesFile>

type Compiled = { readonly key: string; readonly value: JsonObject; readonly score: number; readonly patterns: readonly RE2JS[] }

const compilePattern = (name: string, pattern: string): RE2JS => {
  try {
    return RE2JS.compile(pattern)
  } catch (error) {
    throw new Fault(
      'config.invalid',
      `The model ${name} has a pattern that RE2 does not take: ${pattern}.`,
      { model: name },
      { cause: error },
    )
  }
}

const compile = (name: string, rule: RulesFile['rules'][number]): Compiled => {
  const keywords = (rule.keywords ?? []).map((word) => `(?i)\\b${RE2JS.quote(word)}\\b`)
  const patterns = [...keywords, ...(rule.pattern === undefined ? [] : [rule.pattern])]
  return {
    key: canonicalJson(rule.value),
    value: rule.value,
    score: rule.score,
    patterns: patterns.map((pattern) => compilePattern(name, pattern)),
  }
}

const rounded = (value: number): number => Math.round(value * 10_000) / 10_000

const decide = (text: string, rules: readonly Compiled[], otherwise: JsonObject): JsonObject => {
  const misses = new Map<string, { value: JsonObject; missed: number }>()
  for (const { key, value, score, patterns } of rules) {
    if (!patterns.some((pattern) => pattern.matcher(text).find())) continue
    misses.set(key, { value, missed: (misses.get(key)?.missed ?? 1) * (1 - score) }) // K2
  }
  const best = [...misses.values()].toSorted((left, right) => left.missed - right.missed)[0]
  return best === undefined ? { confidence: 0, ...otherwise } : { ...best.value, confidence: rounded(1 - best.missed) } // K3
}

/** A model that answers by rules: the fields of the best value, and a confidence. */
export const rulesModel = (name: string, file: RulesFile): Model => {
  const rules = file.rules.map((rule) => compile(name, rule)) // K1
  return {
    name,
    provider: 'rules',
    local: true,
    invoke: ({ input, prompt }) => {
      const value: Json = decide(textOf(isJsonObject(input) ? (input[file.field] ?? input) : input, prompt), rules, file.else)
      const { confidence } = value
      return Promise.resolve({ value, usage: FREE, ...(typeof confidence === 'number' ? { confidence } : {}) })
    },
  }
}
