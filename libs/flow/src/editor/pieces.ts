// Pieces of the schema for editors.
import type { Json, JsonObject } from '@baton/contracts/json'

/** A definition by name, with what it means at this place. */
export const ref = (name: string, description?: string, examples?: readonly Json[]): JsonObject => ({
  $ref: `#/definitions/${name}`,
  ...(description === undefined ? {} : { description }),
  ...(examples === undefined ? {} : { examples }),
})
export const text = (description: string, ...examples: readonly string[]): JsonObject => ({
  type: 'string',
  description,
  ...(examples.length === 0 ? {} : { examples }),
})
export const word = (description: string, ...values: readonly string[]): JsonObject => ({ enum: values, description })
export const yesNo = (description: string): JsonObject => ({ type: 'boolean', description })
export const count = (description: string, maximum: number): JsonObject => ({ type: 'integer', minimum: 1, maximum, description })
export const any = (description: string, ...examples: readonly Json[]): JsonObject => ({
  description,
  ...(examples.length === 0 ? {} : { examples }),
})
export const texts = (description: string, ...examples: readonly Json[]): JsonObject => ({
  anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, minItems: 1 }],
  description,
  ...(examples.length === 0 ? {} : { examples }),
})
export const listOf = (items: JsonObject, description: string): JsonObject => ({ type: 'array', items, minItems: 1, description })
export const mapOf = (values: JsonObject, description: string, ...examples: readonly Json[]): JsonObject => ({
  type: 'object',
  additionalProperties: values,
  description,
  ...(examples.length === 0 ? {} : { examples }),
})
/** A map with these keys and no others. */
export const closed = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...more,
})
export const oneOf = (description: string, ...forms: readonly JsonObject[]): JsonObject => ({ anyOf: forms, description })

const LIMITS: JsonObject = {
  time: ref('duration', 'working time; it stops while a person or an event is waited for'),
  total: ref('duration', 'wall clock, waiting included'),
  steps: count('steps that run, those in loops each time', 100_000),
  cost: ref('money', 'money for models and tools'),
  tokens: ref('amount', 'tokens of models, in and out'),
  calls: ref('amount', 'calls of models and tools'),
  turns: count('turns of one agent', 1_000),
  rounds: count('rounds of planning', 1_000),
  subtasks: count('subtasks in all', 10_000),
  depth: count('flows, agents or subtasks inside each other', 100),
}

/** Caps by their words. */
export const caps = (description: string, ...words: readonly string[]): JsonObject =>
  closed(Object.fromEntries(words.map((key) => [key, LIMITS[key] ?? {}])), { description })
