// The type a JSON Schema stands for. What the lattice has no words for is `any`.
import { isJsonObject, type Json, type JsonObject, type JsonSchema } from '@baton/contracts/json'
import { isScalarValue } from './scalar.ts'
import { ANY, BOOLEAN, INTEGER, join, joinAll, listOf, NULL, NUMBER, orNull, STRING, type Type } from './type.ts'

const MAX_DEPTH = 40
const NULLABLE = { why: 'its schema allows null' }
const known = new WeakMap<JsonObject, Type>()

/** The type of what fits a schema. */
export const typeOfSchema = (schema: JsonSchema): Type => read(schema, { root: schema, depth: 0, unfolded: new Map() })

/** `unfolded`: references met, by depth; a schema that refers to itself in many places must not be unfolded in each. */
type Reading = { readonly root: JsonSchema; readonly depth: number; readonly unfolded: Map<string, Type> }

const read = (schema: Json | undefined, { root, depth, unfolded }: Reading): Type => {
  if (!isJsonObject(schema) || depth > MAX_DEPTH) return ANY
  const cached = depth === 0 ? known.get(schema) : undefined
  if (cached !== undefined) return cached
  const type = readObject(schema, { root, depth: depth + 1, unfolded })
  if (depth === 0) known.set(schema, type)
  return type
}

const readObject = (schema: JsonObject, reading: Reading): Type => {
  if (schema['$ref'] !== undefined) return readReference(schema['$ref'], reading)
  if (isScalarValue(schema['const'])) return { kind: 'enum', values: [schema['const']] }
  if (Array.isArray(schema['enum'])) return enumType(schema['enum'])
  const alternatives = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(alternatives)) return nameNull(joinAll(alternatives.map((one) => read(one, reading))))
  if (schema['allOf'] !== undefined || schema['not'] !== undefined) return schema['type'] === 'object' ? openObject(schema, reading) : ANY
  const type = schema['type']
  if (Array.isArray(type)) return nameNull(joinAll(type.map((one) => readType(one, schema, reading))))
  return readType(type ?? (schema['properties'] === undefined ? undefined : 'object'), schema, reading)
}

const readReference = (reference: Json | undefined, reading: Reading): Type => {
  if (typeof reference !== 'string' || !reference.startsWith('#/')) return ANY
  const place = `${reading.depth} ${reference}`
  const found = reading.unfolded.get(place)
  if (found !== undefined) return found
  let target: Json | undefined = reading.root
  for (const key of reference.slice(2).split('/')) target = isJsonObject(target) && Object.hasOwn(target, key) ? target[key] : undefined
  // A schema that holds itself is unfolded a few times, then unknown.
  const type = read(target, { ...reading, depth: reading.depth + MAX_DEPTH / 4 })
  reading.unfolded.set(place, type)
  return type
}

const enumType = (values: readonly Json[]): Type => {
  const scalars = values.filter(isScalarValue)
  if (scalars.length < values.filter((value) => value !== null).length) return ANY
  if (scalars.length === 0) return NULL
  const type: Type = { kind: 'enum', values: scalars }
  return values.includes(null) ? orNull(type, NULLABLE) : type
}

const nameNull = (type: Type): Type => (type.nullable === undefined ? type : { ...type, nullable: NULLABLE })

const readType = (type: Json | undefined, schema: JsonObject, reading: Reading): Type => {
  switch (type) {
    case 'string':
      return STRING
    case 'number':
      return NUMBER
    case 'integer':
      return INTEGER
    case 'boolean':
      return BOOLEAN
    case 'null':
      return NULL
    case 'array':
      return readList(schema, reading)
    case 'object':
      return readFields(schema, reading, isOpen(schema))
    default:
      return ANY
  }
}

const readList = (schema: JsonObject, reading: Reading): Type => {
  const max = schema['maxItems']
  const of = schema['prefixItems'] === undefined ? read(schema['items'], reading) : ANY
  return typeof max === 'number' && max > 0 ? listOf(of, max) : listOf(of)
}

const openObject = (schema: JsonObject, reading: Reading): Type => readFields(schema, reading, true)

const isOpen = (schema: JsonObject): boolean =>
  schema['patternProperties'] !== undefined || (schema['additionalProperties'] !== undefined && schema['additionalProperties'] !== false)

const readFields = (schema: JsonObject, reading: Reading, open: boolean): Type => {
  const properties = schema['properties']
  if (!isJsonObject(properties)) {
    const rest = schema['additionalProperties']
    return { kind: 'map', of: isJsonObject(rest) && !open ? ANY : isJsonObject(rest) ? read(rest, reading) : ANY }
  }
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  const fields = new Map<string, Type>()
  for (const [name, value] of Object.entries(properties)) {
    const type = read(value, reading)
    // A default is filled in where the value is checked.
    const there = required.includes(name) || (isJsonObject(value) && Object.hasOwn(value, 'default'))
    fields.set(name, there ? type : { ...type, absent: true })
  }
  return { kind: 'object', fields, open }
}

/** A literal of a flow as a type. */
export const typeOfLiteral = (value: Json): Type => {
  if (value === null) return NULL
  if (isScalarValue(value)) return { kind: 'enum', values: [value] }
  if (Array.isArray(value)) return value.length === 0 ? listOf(NULL, 0) : listOf(value.map(typeOfLiteral).reduce(join), value.length)
  return { kind: 'object', fields: new Map(Object.entries(value).map(([key, field]) => [key, typeOfLiteral(field)])), open: false }
}
