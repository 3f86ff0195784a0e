// What checks arguments and outputs: a zod schema as it is, or a JSON Schema of a server or a document of others.
//   H1. A schema that does not compile is refused when it is read (`config.invalid`), never in the middle of a call.
//   H2. Schemas of others are data: no `$async`, no references to other documents, and patterns that take linear time (X2, X3 of the one owner
//       of schemas, @baton/policy/schema).
import { Fault, isJsonObject, type Json, type JsonSchema } from '@baton/contracts'
import { schemaCheck, SchemaRefused, type SchemaCheck } from '@baton/policy/schema'
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

const compile = (schema: JsonSchema, name: string): SchemaCheck => {
  try {
    return schemaCheck(withoutDialect(schema), { defaults: true })
  } catch (error) {
    if (!(error instanceof SchemaRefused)) throw error
    throw new Fault('config.invalid', `the schema of ${name} cannot be used: ${error.message.slice(0, 200)}`, { tool: name }) // H1
  }
}

/** Draft 7 documents differ in little that tools use, and name a dialect that this validator has not loaded. */
const withoutDialect = (schema: JsonSchema): JsonSchema => {
  if (!isJsonObject(schema)) return schema
  const { $schema: _dialect, ...rest } = schema
  return rest
}

/** A shape of a JSON Schema. Throws `config.invalid` for one that cannot be used (H1). */
export const jsonShape = (schema: JsonSchema, name: string): Shape => {
  const problemsOf = compile(schema, name)
  return {
    json: schema,
    safeParse: (value) => {
      const data = structuredClone(value) as Json // defaults are filled in; what comes here was read from JSON
      const issues = problemsOf(data).map(({ field, reason }): ShapeIssue => ({ path: field === '' ? [] : [field], message: reason }))
      return issues.length === 0 ? { success: true, data } : { success: false, error: { issues } }
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
