// A JSON Schema in words: what a value may be, in one cell of a table.
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts/json'

const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``
const REFERENCE = /^#\/definitions\/(\w+)$/

/** Name of the definition a schema refers to. */
export const definitionOf = (schema: JsonObject): string | undefined =>
  typeof schema['$ref'] === 'string' ? REFERENCE.exec(schema['$ref'])?.[1] : undefined

/** Schemas in a keyword that holds a list of them. */
const schemasIn = (schema: JsonObject, keyword: string): readonly JsonObject[] => {
  const value = schema[keyword]
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

/** The alternatives of a schema; the schema itself where it has none, or where they only say which of its fields are needed. */
export const alternativesOf = (schema: JsonObject): readonly JsonObject[] => {
  if (isJsonObject(schema['properties'])) return [schema]
  const alternatives = [...schemasIn(schema, 'anyOf'), ...schemasIn(schema, 'oneOf')]
  return alternatives.length === 0 ? [schema] : alternatives
}

/** The fields of an object schema by name; empty where it has none of its own. */
export const fieldsOf = (schema: JsonObject): readonly (readonly [string, JsonObject])[] => {
  const properties = schema['properties']
  return isJsonObject(properties)
    ? Object.entries(properties).map(([name, value]) => [name, isJsonObject(value) ? value : {}] as const)
    : []
}

/** Fields of which an object needs at least one, where its schema says so. */
export const neededOf = (schema: JsonObject): readonly string[] => {
  const needs = [...schemasIn(schema, 'anyOf'), ...schemasIn(schema, 'oneOf')].map(({ required }) =>
    Array.isArray(required) ? required : [],
  )
  return isJsonObject(schema['properties']) ? needs.flat().filter((name) => typeof name === 'string') : []
}

/** The object in a schema or among its alternatives whose fields can be listed. */
export const objectIn = (schema: JsonObject): JsonObject | undefined => alternativesOf(schema).find((each) => fieldsOf(each).length > 0)

/** A literal as it is written in a flow. */
export const literal = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** What a value may be. */
export const typeWords = (schema: JsonObject): string => {
  const name = definitionOf(schema)
  if (name !== undefined) return `[${name}](#${name.toLowerCase()})`
  const choices = alternativesOf(schema)
  if (choices.length > 1) return [...new Set(choices.map(typeWords))].join(' or ')
  const [only = schema] = choices
  return only === schema ? plainWords(schema) : typeWords(only)
}

const plainWords = (schema: JsonObject): string => {
  const words = schema['enum']
  if (Array.isArray(words)) return [...new Set(words.map((word) => code(literal(word ?? null))))].join(', ')
  if (schema['const'] !== undefined) return code(literal(schema['const']))
  if (schema['type'] === 'array') return isJsonObject(schema['items']) ? `list of ${typeWords(schema['items'])}` : 'list'
  if (schema['type'] === 'object' || isJsonObject(schema['properties'])) return objectWords(schema)
  const types = Array.isArray(schema['type']) ? schema['type'] : [schema['type']]
  const named = types.filter((type) => typeof type === 'string').map((type) => (type === 'string' ? 'text' : type))
  return named.length === 0 ? 'any value' : `${named.join(' or ')}${boundsOf(schema)}`
}

const objectWords = (schema: JsonObject): string => {
  const names = fieldsOf(schema).map(([name]) => name)
  if (names.length > 0) return code(`{ ${names.join(', ')} }`)
  return isJsonObject(schema['additionalProperties']) ? `map of name to ${typeWords(schema['additionalProperties'])}` : 'map'
}

const boundsOf = (schema: JsonObject): string => {
  const { minimum, maximum } = schema
  if (minimum !== undefined && maximum !== undefined) return `, ${literal(minimum)} to ${literal(maximum)}`
  if (minimum !== undefined) return `, at least ${literal(minimum)}`
  return maximum === undefined ? '' : `, at most ${literal(maximum)}`
}
