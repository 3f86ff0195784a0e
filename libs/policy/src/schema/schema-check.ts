// JSON Schema 2020-12 of others: of flows, tools and models. One way to read it, wherever data changes hands (D1).
//   X1. Equal schemas are compiled once; at most `CACHE_MAX` are kept, the oldest goes.
//   X2. A schema that is too large, too deep, asynchronous, refers to another document or is none is refused when it is compiled.
//   X3. Patterns run in linear time, and formats are looked at: no schema and no value makes a check run away or wave text through.
//   X4. A value that is nested deeper than the limit does not fit; a check never throws for a value.
import { canonicalJson, isJsonObject, type Json, type JsonObject, type JsonSchema } from '@baton/contracts/json'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { RE2JS } from 're2js'

/** What is wrong with a value: where, as names with dots between them, and why. Never the value itself. */
export type SchemaProblem = { readonly field: string; readonly reason: string }

/** Everything that is wrong, at most `PROBLEMS_MAX`; nothing where the value fits. */
export type SchemaCheck = (value: Json) => readonly SchemaProblem[]

/** Why a schema cannot be used. The caller makes the fault: whose mistake it is depends on where the schema came from. */
export class SchemaRefused extends Error {
  override readonly name = 'SchemaRefused'
}

export const SCHEMA_LIMITS = { cacheMax: 500, chars: 256 * 1024, depth: 64, problems: 5 } as const

/** RE2 behind the two members of RegExp that ajv uses; `code` is needed only for generated files, which are not made here. */
const linearRegExp = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(pattern)
    // ajv keeps one per text of `toString`.
    return { test: (text: string): boolean => compiled.matcher(text).find(), toString: () => pattern }
  },
  { code: 'linearRegExp' },
)

const createAjv = (useDefaults: boolean): Ajv2020 => {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: false,
    logger: false,
    ownProperties: true,
    validateFormats: true,
    useDefaults,
    code: { regExp: linearRegExp },
  })
  formats.default(ajv)
  return ajv
}

const isDeep = (value: Json, left: number): boolean => {
  if (typeof value !== 'object' || value === null) return false
  return left === 0 || Object.values(value).some((item: Json) => isDeep(item, left - 1))
}

/** `$async` as a keyword or anywhere it could become one. */
const isAsync = (value: Json): boolean => {
  if (Array.isArray(value)) return value.some(isAsync)
  return isJsonObject(value) && (Object.hasOwn(value, '$async') || Object.values(value).some(isAsync))
}

/** A copy without `$id`: two flows may use one id for different schemas. */
const anonymous = (schema: JsonObject): JsonObject => Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$id'))

const compile = (schema: JsonSchema, text: string, defaults: boolean): ValidateFunction => {
  if (text.length > SCHEMA_LIMITS.chars) throw new SchemaRefused(`it is larger than ${SCHEMA_LIMITS.chars} characters`)
  if (isDeep(schema, SCHEMA_LIMITS.depth)) throw new SchemaRefused(`it is nested deeper than ${SCHEMA_LIMITS.depth}`)
  if (isAsync(schema)) throw new SchemaRefused('$async is not allowed')
  try {
    return createAjv(defaults).compile(isJsonObject(schema) ? anonymous(schema) : schema)
  } catch (error) {
    throw new SchemaRefused(error instanceof Error ? error.message : 'it does not compile')
  }
}

const fieldOf = ({ instancePath, params }: ErrorObject): string => {
  const parent = instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const own: unknown = params['missingProperty'] ?? params['additionalProperty']
  return [...parent, ...(typeof own === 'string' ? [own] : [])].join('.')
}

const reasonOf = ({ keyword, params, message }: ErrorObject): string => {
  if (keyword === 'required') return 'is required'
  if (keyword === 'additionalProperties') return 'is not a field that is known here'
  const allowed: unknown = params['allowedValues']
  if (keyword === 'enum' && Array.isArray(allowed)) return `must be one of ${allowed.map(String).join(', ')}`
  return message ?? 'is invalid'
}

const checkOf =
  (validate: ValidateFunction): SchemaCheck =>
  (value) => {
    if (isDeep(value, SCHEMA_LIMITS.depth)) return [{ field: '', reason: `is nested deeper than ${SCHEMA_LIMITS.depth}` }] // X4
    if (validate(value) === true) return []
    return (validate.errors ?? []).slice(0, SCHEMA_LIMITS.problems).map((error) => ({ field: fieldOf(error), reason: reasonOf(error) }))
  }

const kept = new Map<string, SchemaCheck>()
const byObject = { plain: new WeakMap<object, SchemaCheck>(), filling: new WeakMap<object, SchemaCheck>() }

/** The check of a schema. With `defaults` it fills in what the schema says of fields that are absent. Throws `SchemaRefused` (X2). */
export const schemaCheck = (schema: JsonSchema, { defaults = false }: { readonly defaults?: boolean } = {}): SchemaCheck => {
  const objects = defaults ? byObject.filling : byObject.plain
  const known = typeof schema === 'object' ? objects.get(schema) : undefined
  if (known !== undefined) return known
  const text = canonicalJson(schema)
  const key = `${defaults ? 'filling' : 'plain'} ${text}`
  const check = kept.get(key) ?? checkOf(compile(schema, text, defaults))
  if (!kept.has(key) && kept.size >= SCHEMA_LIMITS.cacheMax) kept.delete(kept.keys().next().value ?? '') // X1
  kept.set(key, check)
  if (typeof schema === 'object') objects.set(schema, check)
  return check
}
