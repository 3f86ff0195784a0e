// What would break a reader or a writer of a message that was built for an earlier schema.
//   G1. Within a major version fields and enum values are only added: nothing required appears or goes, nothing changes its type or bounds.
import { isJsonObject, type Json, type JsonObject } from '../json.ts'

/** Keywords whose change breaks one side or the other. */
const FIXED = [
  'type',
  'const',
  'pattern',
  'format',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
]

/** The breaking differences between two schemas, in words; empty when a message of either fits readers of the other. */
export const breakingChanges = (before: Json, after: Json, path = ''): readonly string[] => {
  if (!isJsonObject(before) || !isJsonObject(after))
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [`${path || '(root)'}: changed`]
  const at = path || '(root)'
  return [
    ...FIXED.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key])).map(
      (key) => `${at}: ${key} was ${shown(before[key])} and is ${shown(after[key])}`,
    ),
    ...enumChanges(before, after, at),
    ...requiredChanges(before, after, at),
    ...fieldChanges(before, after, path),
    ...unionChanges(before, after, path),
  ]
}

const shown = (value: Json | undefined): string => (value === undefined ? 'absent' : JSON.stringify(value))
const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : [])

const enumChanges = (before: JsonObject, after: JsonObject, at: string): readonly string[] => {
  if (before['enum'] === undefined && after['enum'] === undefined) return []
  if (before['enum'] === undefined) return [`${at}: became an enum`]
  const kept = listOf(after['enum'])
  return after['enum'] === undefined
    ? []
    : listOf(before['enum'])
        .filter((value) => !kept.includes(value))
        .map((value) => `${at}: the value ${shown(value)} is gone`)
}

const requiredChanges = (before: JsonObject, after: JsonObject, at: string): readonly string[] => {
  const was = listOf(before['required'])
  const is = listOf(after['required'])
  return [
    ...is.filter((field) => !was.includes(field)).map((field) => `${at}: ${shown(field)} became required`),
    ...was.filter((field) => !is.includes(field)).map((field) => `${at}: ${shown(field)} is no longer required`),
  ]
}

const fieldChanges = (before: JsonObject, after: JsonObject, path: string): readonly string[] => {
  const was = isJsonObject(before['properties']) ? before['properties'] : {}
  const is = isJsonObject(after['properties']) ? after['properties'] : {}
  return Object.entries(was).flatMap(([name, schema]) => {
    const now = is[name]
    const at = path === '' ? name : `${path}.${name}`
    return now === undefined ? [`${at}: is gone`] : breakingChanges(schema, now, at)
  })
}

const unionChanges = (before: JsonObject, after: JsonObject, path: string): readonly string[] =>
  ['items', 'additionalProperties', 'propertyNames']
    .filter((key) => before[key] !== undefined || after[key] !== undefined)
    .flatMap((key) => breakingChanges(before[key] ?? {}, after[key] ?? {}, `${path}[${key}]`))
    .concat(
      ['anyOf', 'oneOf', 'allOf']
        .filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
        .map((key) => `${path || '(root)'}: ${key} changed`),
    )
