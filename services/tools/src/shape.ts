// What checks arguments and outputs: a zod schema as it is, or a JSON Schema of a server or a document of others.
//   H1. A schema that does not compile is refused when it is read (`config.invalid`), never in the middle of a call.
//   H2. Schemas of others are data: no `$async`, no references to other documents, and patterns that take linear time.
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { Fault, isJsonObject, type Json, type JsonSchema } from '@baton/contracts'
import { RE2JS } from 're2js'
import { z } from 'zod'

type ShapeIssue = {
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly code?: string
  readonly keys?: readonly string[]
}

/** The part of a zod schema that tools need; `json` where the JSON Schema is known. */
export type Shape = {
  readonly safeParse: (
    value: unknown,
  ) =>
    | { readonly success: true; readonly data: unknown }
    | { readonly success: false; readonly error: { readonly issues: readonly ShapeIssue[] } }
  readonly json?: JsonSchema
}

const SCHEMA_CHARS_MAX = 262_144
const ANYTHING: ValidateFunction = Object.assign(() => true, { schema: true, schemaEnv: undefined }) as unknown as ValidateFunction // never asked for more than its verdict

/** RE2 behind the two members of RegExp that ajv uses; `code` is needed only for generated files, which are not made here. */
const linearRegExp = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(pattern)
    // ajv keeps one per text of `toString`.
    return { test: (text: string): boolean => compiled.matcher(text).find(), toString: () => pattern }
  },
  { code: 'linearRegExp' },
)

const issueOf = (error: ErrorObject | undefined): ShapeIssue => {
  const missing: unknown = error?.params['missingProperty']
  const extra: unknown = error?.params['additionalProperty']
  const own = [missing, extra].filter((name) => typeof name === 'string')
  const path = [...(error?.instancePath.split('/').slice(1) ?? []).map(unescapeKey), ...own]
  return { path, message: error?.message ?? 'does not fit' }
}

const unescapeKey = (key: string): string => key.replaceAll('~1', '/').replaceAll('~0', '~')

const compile = (schema: JsonSchema, name: string): ValidateFunction => {
  if (schema === true) return ANYTHING
  const refuse = (reason: string): Fault => new Fault('config.invalid', `the schema of ${name} ${reason}`, { tool: name })
  if (JSON.stringify(schema).length > SCHEMA_CHARS_MAX) throw refuse(`is larger than ${SCHEMA_CHARS_MAX} characters`)
  if (isJsonObject(schema) && schema['$async'] !== undefined) throw refuse('is asynchronous') // H2
  try {
    // One instance each: schemas of others may use the same `$id` for different things.
    return new Ajv2020({
      strict: false,
      allErrors: false,
      validateFormats: false,
      useDefaults: true,
      code: { regExp: linearRegExp },
    }).compile(withoutDialect(schema))
  } catch (error) {
    throw refuse(`cannot be used: ${error instanceof Error ? error.message.slice(0, 200) : 'invalid'}`) // H1
  }
}

/** Draft 7 documents differ in little that tools use, and name a dialect that this validator has not loaded. */
const withoutDialect = (schema: JsonSchema): object => {
  if (!isJsonObject(schema)) return { not: {} } // `false`: nothing fits
  const { $schema: _dialect, ...rest } = schema
  return rest
}

/** A shape of a JSON Schema. Throws `config.invalid` for one that cannot be used (H1). */
export const jsonShape = (schema: JsonSchema, name: string): Shape => {
  const validate = compile(schema, name)
  return {
    json: schema,
    safeParse: (value) => {
      const data = structuredClone(value) // defaults are filled in
      return validate(data) ? { success: true, data } : { success: false, error: { issues: [issueOf(validate.errors?.[0])] } }
    },
  }
}

/** The JSON Schema of a shape, for those who are told what to send. */
export const schemaOfShape = (shape: Shape): Json => {
  if (shape.json !== undefined) return shape.json
  try {
    return z.toJSONSchema(shape as z.ZodType, { unrepresentable: 'any', io: 'input' }) as Json // what has no `json` is a zod schema, or fails here
  } catch {
    return true // a schema of another zod: anything, as far as a reader is concerned
  }
}

/** Anything that is JSON. */
export const ANY_SHAPE: Shape = { json: true, safeParse: (data) => ({ success: true, data }) }
