// What an answer has to fit. The checker of JSON Schemas is loaded at the first schema: a chain of texts never pays for it.
import { Fault } from '@baton/contracts/fault'
import { isJsonObject, type Json, type JsonSchema } from '@baton/contracts/json'

/** What is wrong with a value; undefined when it fits. Absent fields with a default are filled in where `defaults` is set. */
export const problemOf = async (value: Json, schema: JsonSchema, { defaults = false } = {}): Promise<string | undefined> => {
  if (schema === true) return undefined
  const { Ajv2020 } = await import('ajv/dist/2020.js')
  const ajv = new Ajv2020({ strict: false, validateFormats: false, ownProperties: true, useDefaults: defaults })
  if (ajv.validate(schema, value)) return undefined
  const [error] = ajv.errors ?? []
  return `${error?.instancePath === '' ? 'it' : (error?.instancePath ?? 'it')} ${error?.message ?? 'does not fit the schema'}`
}

const wantsText = (schema: JsonSchema | undefined): boolean =>
  schema === undefined || schema === true || (isJsonObject(schema) && schema['type'] === 'string')

/** The text of a model as the output of its step. Throws `output.malformed` or `output.schema_invalid`. */
export const readAnswer = async (text: string, schema: JsonSchema | undefined): Promise<Json> => {
  if (schema === undefined) return text
  const value = wantsText(schema) ? text : parse(text)
  const problem = await problemOf(value, schema)
  if (problem !== undefined) throw new Fault('output.schema_invalid', `The answer does not fit the schema: ${problem}.`, { problem })
  return value
}

/** JSON, alone or in a fence or with words around it. */
const parse = (text: string): Json => {
  const inside = /[{[][\s\S]*[}\]]/.exec(text)?.[0]
  for (const candidate of [text, inside]) {
    if (candidate === undefined) continue
    try {
      return JSON.parse(candidate) as Json // JSON.parse gives JSON.
    } catch {
      // The next candidate may be.
    }
  }
  throw new Fault('output.malformed', 'The answer is not JSON.', { problem: 'it was not JSON' })
}
