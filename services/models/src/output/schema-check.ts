// JSON Schema 2020-12 checks of model answers (D1).
//   V1. A schema is compiled once; compiled checks are kept by content, at most `CACHE_MAX` of them.
//   V2. A schema that is too large, too deep, asynchronous or not valid is refused when it is compiled, as `flow.invalid`.
//   V3. `pattern` runs on RE2: no schema and no answer can make a check run away.
import { Fault } from '@baton/contracts/fault'
import { canonicalJson, isJsonObject, type Json, type JsonSchema } from '@baton/contracts/json'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { RE2JS } from 're2js'

const CACHE_MAX = 500
const SCHEMA_CHARS_MAX = 256 * 1024
const DEPTH_MAX = 64
const PROBLEMS_MAX = 5

/** RE2 behind the two members of RegExp that ajv uses; `code` is needed only for generated files, which are not made here. */
const linearRegExp = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(pattern)
    // ajv keeps one per text of `toString`.
    return { test: (text: string): boolean => compiled.matcher(text).find(), toString: () => pattern }
  },
  { code: 'linearRegExp' },
)

const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: true, ownProperties: true, code: { regExp: linearRegExp } })
formats.default(ajv)

/** How deep a value nests; counting stops at the limit. */
const depthOf = (value: Json, limit: number): number => {
  if (typeof value !== 'object' || value === null || limit === 0) return 0
  return 1 + Math.max(0, ...Object.values(value).map((item: Json) => depthOf(item, limit - 1)))
}

const hasAsync = (value: Json): boolean => {
  if (Array.isArray(value)) return value.some(hasAsync)
  return isJsonObject(value) && (Object.hasOwn(value, '$async') || Object.values(value).some(hasAsync))
}

const refuse = (reason: string): Fault => new Fault('flow.invalid', `The schema of the step cannot be used: ${reason}.`, { reason })

const compile = (schema: JsonSchema, text: string): ValidateFunction => {
  if (text.length > SCHEMA_CHARS_MAX) throw refuse(`larger than ${SCHEMA_CHARS_MAX} characters`) // V2
  if (depthOf(schema, DEPTH_MAX + 1) > DEPTH_MAX) throw refuse(`nested deeper than ${DEPTH_MAX}`)
  if (hasAsync(schema)) throw refuse('$async is not allowed')
  try {
    // A copy without $id: two flows may use one id for different schemas.
    return ajv.compile(isJsonObject(schema) ? Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$id')) : schema)
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : 'it does not compile')
  }
}

const byText = new Map<string, ValidateFunction>()
const byObject = new WeakMap<object, ValidateFunction>()

const checkOf = (schema: JsonSchema): ValidateFunction => {
  const known = typeof schema === 'object' ? byObject.get(schema) : undefined
  if (known !== undefined) return known
  const text = canonicalJson(schema)
  const check = byText.get(text) ?? compile(schema, text)
  if (byText.size >= CACHE_MAX) byText.delete(byText.keys().next().value ?? '') // V1: the oldest goes
  byText.set(text, check)
  if (typeof schema === 'object') byObject.set(schema, check)
  return check
}

/** What is wrong with a value, in sentences a model or a person can act on; empty when it fits. Throws `flow.invalid` for a bad schema. */
export const schemaProblems = (value: Json, schema: JsonSchema): readonly string[] => {
  const check = checkOf(schema)
  if (depthOf(value, DEPTH_MAX + 1) > DEPTH_MAX) return [`it is nested deeper than ${DEPTH_MAX}`]
  if (check(value) === true) return []
  return (check.errors ?? []).slice(0, PROBLEMS_MAX).map(({ instancePath, message, params }) => {
    const allowed: unknown = params['allowedValues']
    const extra: unknown = params['additionalProperty']
    const hint = Array.isArray(allowed) ? `: ${allowed.join(', ')}` : typeof extra === 'string' ? `: ${extra}` : ''
    return `${instancePath === '' ? 'the answer' : instancePath} ${message ?? 'is wrong'}${hint}`
  })
}
