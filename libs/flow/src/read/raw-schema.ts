// JSON Schema as it is, draft 2020-12: taken over word for word, with the mistakes that would make it mean nothing reported.
import { isJsonObject, type JsonSchema } from '@baton/contracts/json'
import { didYouMean } from '../diagnostic.ts'
import { describe, literalOf, type Syntax } from '../source/syntax.ts'
import type { ReadContext } from './context.ts'

const JSON_TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']
const SCHEMAS = ['items', 'additionalProperties', 'not', 'if', 'then', 'else', 'contains', 'propertyNames']
const SCHEMA_LISTS = ['anyOf', 'oneOf', 'allOf', 'prefixItems']
const SCHEMA_MAPS = ['properties', 'patternProperties', '$defs', 'dependentSchemas']

/** The schema a node holds, checked down to its leaves. */
export const readRawSchema = (node: Syntax, context: ReadContext): JsonSchema => {
  checkSchema(node, context)
  const schema = literalOf(node)
  return isJsonObject(schema) || typeof schema === 'boolean' ? schema : true
}

const checkSchema = (node: Syntax, context: ReadContext): void => {
  if (node.kind === 'scalar' && typeof node.value === 'boolean') return
  if (node.kind !== 'map') {
    context.report.add(node, 'schema.invalid', `a JSON Schema is a map, true or false, not ${describe(node)}`, 'type: string')
    return
  }
  for (const { key, value } of node.entries) {
    if (key === 'type') checkTypes(value, context)
    else if (SCHEMAS.includes(key)) checkSchema(value, context)
    else if (SCHEMA_LISTS.includes(key)) checkEach(value, { key, expected: 'list', context })
    else if (SCHEMA_MAPS.includes(key)) checkEach(value, { key, expected: 'map', context })
    else if (key === 'required') checkNames(value, context)
  }
}

const checkEach = (node: Syntax, { key, expected, context }: { key: string; expected: 'list' | 'map'; context: ReadContext }): void => {
  if (node.kind !== expected) context.report.add(node, 'schema.invalid', `"${key}" must be a ${expected} of schemas, not ${describe(node)}`)
  else for (const schema of node.kind === 'list' ? node.items : node.entries.map(({ value }) => value)) checkSchema(schema, context)
}

const checkNames = (node: Syntax, { report }: ReadContext): void => {
  const named = node.kind === 'list' && node.items.every((item) => item.kind === 'scalar' && typeof item.value === 'string')
  if (!named) report.add(node, 'schema.invalid', '"required" must be a list of names')
}

/** Reports what is no type of JSON. */
export const checkTypes = (node: Syntax, { report }: ReadContext): void => {
  for (const item of node.kind === 'list' ? node.items : [node]) {
    const type = item.kind === 'scalar' ? item.value : undefined
    if (typeof type === 'string' && JSON_TYPES.includes(type)) continue
    report.add(
      item,
      'schema.invalid',
      `${describe(item)} is not a JSON type; types are ${JSON_TYPES.join(', ')}${didYouMean(String(type), JSON_TYPES)}`,
    )
  }
}
