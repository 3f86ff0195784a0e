// JSON Schema as TypeScript. What TypeScript has no words for (ranges, patterns) becomes a comment.
import { isJsonObject, type Json, type JsonObject, type JsonSchema } from '@baton/contracts/json'

/** Which side of a call a type is for: a caller may leave out what has a default, a reader always finds it. */
export type Side = 'sent' | 'read'

const MAX_DEPTH = 30

/** The TypeScript type of what fits a schema. */
export const schemaText = (schema: JsonSchema, side: Side, indent = ''): string => text(schema, { root: schema, side, indent, depth: 0 })

type Writing = { readonly root: JsonSchema; readonly side: Side; readonly indent: string; readonly depth: number }

const text = (schema: Json | undefined, writing: Writing): string => {
  if (!isJsonObject(schema) || writing.depth > MAX_DEPTH) return 'unknown'
  const below = { ...writing, depth: writing.depth + 1 }
  if (typeof schema['$ref'] === 'string') return text(referred(schema['$ref'], writing.root), below)
  if ('const' in schema) return literal(schema['const'])
  if (Array.isArray(schema['enum'])) return union(schema['enum'].map(literal))
  const any = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(any)) return union(any.map((one) => text(one, below)))
  const all = schema['allOf']
  if (Array.isArray(all)) return all.map((one) => `(${text(one, below)})`).join(' & ')
  const type = schema['type'] ?? (isJsonObject(schema['properties']) ? 'object' : undefined)
  return Array.isArray(type) ? union(type.map((one) => typeText(one, schema, below))) : typeText(type, schema, below)
}

const referred = (reference: string, root: JsonSchema): Json | undefined => {
  if (!reference.startsWith('#/')) return undefined
  let target: Json | undefined = root
  for (const key of reference.slice(2).split('/')) target = isJsonObject(target) && Object.hasOwn(target, key) ? target[key] : undefined
  return target
}

const typeText = (type: Json | undefined, schema: JsonObject, writing: Writing): string => {
  switch (type) {
    case 'string':
    case 'boolean':
    case 'null':
      return type
    case 'number':
    case 'integer':
      return 'number'
    case 'array':
      return `readonly ${element(text(schema['items'], writing))}[]`
    case 'object':
      return objectText(schema, writing)
    default:
      return 'unknown'
  }
}

const objectText = (schema: JsonObject, writing: Writing): string => {
  const properties = isJsonObject(schema['properties']) ? Object.entries(schema['properties']) : []
  const rest = isJsonObject(schema['additionalProperties']) ? text(schema['additionalProperties'], writing) : 'unknown'
  if (properties.length === 0) return `{ readonly [key: string]: ${rest} }`
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : [])
  const inner = { ...writing, indent: `${writing.indent}  ` }
  const lines = properties.map(([name, field]) => {
    const filled = writing.side === 'read' && isJsonObject(field) && 'default' in field
    const mark = required.has(name) && !(writing.side === 'sent' && isJsonObject(field) && 'default' in field) ? '' : filled ? '' : '?'
    return `${commentOf(field, inner.indent)}${inner.indent}readonly ${propertyName(name)}${mark}: ${text(field, inner)}`
  })
  return `{\n${lines.join('\n')}\n${writing.indent}}`
}

/** A comment above a field: its description, range and default. */
export const commentOf = (field: Json, indent: string): string => {
  if (!isJsonObject(field)) return ''
  const { description, minimum, maximum, default: value } = field
  const words = [
    typeof description === 'string' ? description : undefined,
    minimum === undefined && maximum === undefined ? undefined : `${numberText(minimum)}..${numberText(maximum)}`,
    value === undefined ? undefined : `default ${JSON.stringify(value)}`,
  ].filter((word) => word !== undefined)
  return words.length === 0 ? '' : `${indent}/** ${words.join('; ').replaceAll('*/', '* /').replaceAll(/\s+/g, ' ')} */\n`
}

const numberText = (value: Json | undefined): string => (typeof value === 'number' ? String(value) : '')

/** A name as it may stand in a type. */
export const propertyName = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name))

/** Types with bars, each once. */
export const union = (types: readonly string[]): string => {
  const once = [...new Set(types)]
  if (once.includes('unknown')) return 'unknown'
  return once.length === 0 ? 'never' : once.join(' | ')
}

/** A type as the element of a list. */
export const element = (type: string): string =>
  / \| | & |^readonly /.test(type) && !type.startsWith('{') ? `(${type})` : type.includes('} | ') ? `(${type})` : type

/** The type of one value. */
export const literal = (value: Json | undefined): string => {
  if (value === undefined) return 'unknown'
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `readonly [${value.map(literal).join(', ')}]`
  return `{ ${Object.entries(value)
    .map(([key, field]) => `readonly ${propertyName(key)}: ${literal(field)}`)
    .join('; ')} }`
}
