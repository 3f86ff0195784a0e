// Schemas: a file `schemas/NAME@N.json`, a JSON Schema written in place, or a short form.
//   intent: refund | technical      words with bars are an enum
//   confidence: 0..1                two numbers are a range
//   tags: string[]                  a list
//   note: string?                   may be missing
import { isJsonObject, type Json, type JsonObject, type JsonSchema } from '@baton/contracts/json'
import { didYouMean } from '../diagnostic.ts'
import { literalOf, type MapSyntax, type ScalarSyntax, type Syntax } from '../source/syntax.ts'
import { isFileName, readText, type ReadContext } from './context.ts'
import { readSize, withShares } from './literals.ts'
import { checkTypes, readRawSchema } from './raw-schema.ts'

const MEDIA = ['image', 'audio', 'file']

/** Content that travels by reference: what a model gets to see or hear is fetched where it is used. */
const mediaType = (format: string): JsonObject => ({
  type: 'object',
  format,
  required: ['ref'],
  properties: { ref: { type: 'string' }, mediaType: { type: 'string' }, bytes: { type: 'integer', minimum: 0 } },
})

const TYPES: Readonly<Record<string, JsonObject>> = {
  string: { type: 'string' },
  text: { type: 'string' },
  number: { type: 'number' },
  integer: { type: 'integer' },
  int: { type: 'integer' },
  boolean: { type: 'boolean' },
  bool: { type: 'boolean' },
  object: { type: 'object' },
  list: { type: 'array' },
  array: { type: 'array' },
  null: { type: 'null' },
  date: { type: 'string', format: 'date' },
  datetime: { type: 'string', format: 'date-time' },
  any: {},
  image: mediaType('image'),
  audio: mediaType('audio'),
  file: mediaType('file'),
}
const isMedia = (schema: JsonSchema | undefined): schema is JsonObject =>
  typeof schema === 'object' && schema['type'] === 'object' && MEDIA.some((format) => format === schema['format'])

/** Whether a word is a type already and cannot name another. */
export const isTypeName = (word: string): boolean => Object.hasOwn(TYPES, word)

const TYPED_KEYS = [
  'type',
  'default',
  'min',
  'max',
  'enum',
  'const',
  'items',
  'optional',
  'about',
  'description',
  'title',
  'examples',
  'format',
  'pattern',
]
const RENAMED: Readonly<Record<string, string>> = { min: 'minimum', max: 'maximum', about: 'description' }
const KEYWORDS = [
  ...TYPED_KEYS,
  'properties',
  'required',
  'additionalProperties',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'anyOf',
  'oneOf',
  'allOf',
  'not',
  'prefixItems',
  'minProperties',
  'maxProperties',
]
const RAW_MARKS = ['$schema', '$ref', '$defs', 'properties', 'patternProperties', 'anyOf', 'oneOf', 'allOf']

/** The JSON Schema a node stands for, or undefined with a report. */
export const readSchema = (node: Syntax, what: string, context: ReadContext): JsonSchema | undefined => {
  if (node.kind === 'map') {
    if (node.entries.some(({ key }) => RAW_MARKS.includes(key))) return readRawSchema(node, context)
    return isObjectForm(node) ? objectSchema(node, context) : typedSchema(node, context)
  }
  if (node.kind === 'scalar' && node.value === true) return true
  const text = readText(node, what, context)
  if (text === undefined || node.kind !== 'scalar') return undefined
  return isFileName(text) ? schemaFile(text, node, context) : shortType(text, node, context)
}

const schemaFile = (name: string, node: ScalarSyntax, context: ReadContext): JsonSchema | undefined => {
  const source = context.find(['json', 'yaml', 'yml'].map((extension) => `schemas/${name}.${extension}`))
  if (source === undefined) {
    context.report.add(node, 'schema.unknown', `there is no file schemas/${name}.json or .yaml${didYouMean(name, context.list('schemas'))}`)
    return undefined
  }
  const tree = context.parse(source, context.report)
  if (tree === undefined) return undefined
  return readSchema(tree, `schemas/${name}`, { ...context, schemas: new Map(), find: () => undefined })
}

/** Fields by name, or a schema? A map is a schema when it could be read as one. */
const isObjectForm = (node: MapSyntax): boolean => {
  const keys = node.entries.map(({ key }) => key)
  const type = node.entries.find(({ key }) => key === 'type')?.value
  const typed = type?.kind === 'list' || (type?.kind === 'scalar' && typeof type.value === 'string')
  if (typed || keys.includes('enum') || keys.includes('const')) return !keys.every((key) => KEYWORDS.includes(key))
  return true
}

const objectSchema = (node: MapSyntax, context: ReadContext): JsonSchema => {
  const properties: Record<string, Json> = {}
  const required: string[] = []
  for (const { key, value } of node.entries) {
    const { schema, optional } = fieldSchema(key, value, context)
    if (schema === undefined) continue
    properties[key] = schema
    if (!optional && !hasDefault(schema)) required.push(key)
  }
  return { type: 'object', properties, required }
}

const hasDefault = (schema: JsonSchema): boolean => typeof schema !== 'boolean' && Object.hasOwn(schema, 'default')

const fieldSchema = (
  key: string,
  value: Syntax,
  context: ReadContext,
): { readonly schema: JsonSchema | undefined; readonly optional: boolean } => {
  if (value.kind === 'scalar' && typeof value.value === 'string' && value.value.endsWith('?')) {
    return { schema: shortType(value.value.slice(0, -1).trim(), value, context), optional: true }
  }
  const optional =
    value.kind === 'map' &&
    value.entries.some((entry) => entry.key === 'optional' && entry.value.kind === 'scalar' && entry.value.value === true)
  return { schema: readSchema(value, `the type of "${key}"`, context), optional }
}

const typedSchema = (node: MapSyntax, context: ReadContext): JsonSchema => {
  const schema: Record<string, Json> = {}
  for (const { key, value } of node.entries) Object.assign(schema, keyword(key, value, context))
  return isMedia(schema) ? withLargest(schema, node, context) : schema
}

/** `{ type: image, max: 10MB }`: the largest image that is taken. */
const withLargest = ({ maximum, ...schema }: JsonObject, node: MapSyntax, context: ReadContext): JsonSchema => {
  const max = node.entries.find(({ key }) => key === 'max')?.value
  const bytes = max === undefined ? undefined : readSize(max, 'max', context)
  const { properties } = schema
  if (maximum === undefined || bytes === undefined || !isJsonObject(properties)) return schema
  return { ...schema, properties: { ...properties, bytes: { type: 'integer', minimum: 0, maximum: bytes } } }
}

/** One keyword of a schema; those of the short form become those of JSON Schema. */
const keyword = (key: string, value: Syntax, context: ReadContext): JsonObject => {
  switch (key) {
    case 'optional':
      return {}
    case 'type':
      return typeKeyword(value, context)
    case 'items':
      return { items: readSchema(value, 'items', context) ?? true }
    case 'min':
    case 'max':
      return { [RENAMED[key] ?? key]: withShares(literalOf(value)) }
    default:
      return { [RENAMED[key] ?? key]: literalOf(value) }
  }
}

const typeKeyword = (value: Syntax, context: ReadContext): JsonObject => {
  if (value.kind === 'scalar' && typeof value.value === 'string') {
    const type = shortType(value.value, value, context)
    return typeof type === 'object' ? type : {}
  }
  checkTypes(value, context)
  return { type: literalOf(value) }
}

const shortType = (text: string, node: ScalarSyntax, context: ReadContext): JsonSchema | undefined => {
  const range = /^(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)$/.exec(text)
  if (range !== null) return { type: 'number', minimum: Number(range[1]), maximum: Number(range[2]) }
  if (text.endsWith('[]')) {
    const items = shortType(text.slice(0, -2).trim(), node, context)
    return items === undefined ? undefined : { type: 'array', items }
  }
  if (text.includes('|'))
    return unionType(
      text.split('|').map((word) => word.trim()),
      node,
      context,
    )
  const type = Object.hasOwn(TYPES, text) ? TYPES[text] : undefined
  if (type !== undefined) return type
  const declared = context.schemas.get(text)
  if (declared !== undefined) return readDeclaredSchema(text, declared, context)
  const fix = /^[\w-]+$/.test(text) ? `for the one value write { const: ${text} }` : undefined
  context.report.add(
    node,
    'schema.invalid',
    `"${text}" is not a type; types are ${Object.keys(TYPES).slice(0, 9).join(', ')}, ranges 0..1 and words with bars a | b${didYouMean(text, [...Object.keys(TYPES), ...context.schemas.keys()])}`,
    fix,
  )
  return undefined
}

/** A schema of the flow's `schemas`. One that leads back to itself would have no end. */
export const readDeclaredSchema = (name: string, node: Syntax, context: ReadContext): JsonSchema | undefined => {
  const others = new Map([...context.schemas].filter(([key]) => key !== name))
  return readSchema(node, `schema "${name}"`, { ...context, schemas: others })
}

const unionType = (words: readonly string[], node: ScalarSyntax, context: ReadContext): JsonSchema | undefined => {
  if (words.includes('')) {
    context.report.add(node, 'schema.invalid', 'a word is missing beside "|"')
    return undefined
  }
  // Words that could be either are an enum, as in kind: image | audio; beside null one of them is the type.
  const [named, ...rest] = words.filter((word) => word !== 'null')
  const isType = (word: string): boolean => context.schemas.has(word) || (MEDIA.includes(word) && rest.length === 0 && words.length > 1)
  if (named !== undefined && [named, ...rest].every(isType)) return { anyOf: words.map((word) => shortType(word, node, context) ?? true) }
  const types = words.map((word) => (Object.hasOwn(TYPES, word) && !MEDIA.includes(word) ? TYPES[word]?.['type'] : undefined))
  if (types.every((type) => typeof type === 'string')) return { type: types }
  return { enum: words.map((word) => (word === 'null' ? null : word.replace(/^(["'])(.*)\1$/, '$2'))) }
}
