import type { Json, JsonSchema } from '@baton/contracts/json'
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'

const ajv = (useDefaults: boolean): Ajv2020 => new Ajv2020({ strict: false, validateFormats: false, ownProperties: true, useDefaults })
const ajvs = { plain: ajv(false), filling: ajv(true) }

/** What is wrong with a value, in words that go on after its name; undefined when it fits. */
export const problemOf = (value: Json, schema: JsonSchema | undefined, { defaults = false } = {}): string | undefined => {
  if (schema === undefined || schema === true) return undefined
  const checker = defaults ? ajvs.filling : ajvs.plain
  if (checker.validate(schema, value)) return undefined
  const [error] = checker.errors ?? []
  return error === undefined ? 'it does not fit the schema' : inWords(error)
}

const inWords = ({ instancePath, message = 'does not fit the schema', params }: ErrorObject): string => {
  const path = instancePath.slice(1).replaceAll('/', '.')
  const allowed: unknown = params['allowedValues']
  return `${path === '' ? 'it' : path} ${message}${Array.isArray(allowed) ? `: ${allowed.join(', ')}` : ''}`
}
