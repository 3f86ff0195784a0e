// A dry run says what would be done: the answer has the form of a real one, is marked, and nothing outside has changed.
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts'

const DEPTH_MAX = 6

const ofType = (type: Json | undefined): Json => {
  switch (Array.isArray(type) ? type[0] : type) {
    case 'string':
      return ''
    case 'number':
    case 'integer':
      return 0
    case 'boolean':
      return false
    case 'array':
      return []
    default:
      return null
  }
}

const bounded = (schema: JsonObject, value: Json): Json => {
  const { minimum, exclusiveMinimum, minLength } = schema
  if (typeof value === 'number' && typeof minimum === 'number') return minimum
  if (typeof value === 'number' && typeof exclusiveMinimum === 'number') return exclusiveMinimum + 1
  return typeof value === 'string' && typeof minLength === 'number' ? 'x'.repeat(Math.min(minLength, 1_000)) : value
}

/** A small value of the form that a schema describes: enough for later steps to read, plain to see as no real answer. */
const sampleOf = (schema: Json | undefined, depth = 0): Json => {
  if (!isJsonObject(schema) || depth > DEPTH_MAX) return null
  const { const: only, enum: values, default: preset, anyOf, oneOf, properties } = schema
  if (only !== undefined) return only
  if (Array.isArray(values)) return (values as readonly Json[])[0] ?? null
  if (preset !== undefined) return preset
  const choices: unknown = anyOf ?? oneOf
  if (Array.isArray(choices)) return sampleOf(choices[0] as Json, depth + 1)
  if (isJsonObject(properties))
    return Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, sampleOf(field, depth + 1)]))
  return schema['type'] === 'object' ? {} : bounded(schema, ofType(schema['type']))
}

/** What a call of a dry run answers: a sample, with what would have been called. */
export const dryRunOutput = (tool: string, args: Json, schema: Json): Json => {
  const sample = sampleOf(schema)
  return { ...(isJsonObject(sample) ? sample : {}), dryRun: { tool, arguments: args } }
}
