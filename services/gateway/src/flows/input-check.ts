import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import { Fault, type Json } from '@baton/contracts'
import type { Plan } from '@baton/flow'

/** Throws `input.invalid` naming the first field that does not fit and why; fills in the defaults of the schema where fields are absent. */
export type InputCheck = (input: Json) => void

const fieldOf = (error: ErrorObject): string => {
  const parent = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const { missingProperty, additionalProperty } = error.params
  const own: unknown = missingProperty ?? additionalProperty
  return ['input', ...parent, ...(typeof own === 'string' ? [own] : [])].join('.')
}

const reasonOf = (error: ErrorObject): string => {
  if (error.keyword === 'required') return 'is required'
  if (error.keyword === 'additionalProperties') return 'is not a field of this input'
  if (error.keyword === 'enum' && Array.isArray(error.params['allowedValues']))
    return `must be one of ${error.params['allowedValues'].map(String).join(', ')}`
  return error.message ?? 'is invalid'
}

/** The input schema of a plan, compiled once; without `defaults` nothing is filled in. A schema that is no schema is the flow's mistake: `flow.invalid`. */
export const compileInputCheck = (
  { flow, input: schema }: Pick<Plan, 'flow' | 'input'>,
  { defaults = true }: { defaults?: boolean } = {},
): InputCheck => {
  if (schema === true) return () => undefined
  const ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: false, useDefaults: defaults })
  const compile = (): ReturnType<typeof ajv.compile> => {
    try {
      return ajv.compile(schema)
    } catch (error) {
      throw new Fault(
        'flow.invalid',
        `the input schema of ${flow} is no JSON Schema: ${error instanceof Error ? error.message : String(error)}`,
        { field: 'input' },
      )
    }
  }
  const validate = compile()
  return (input) => {
    if (validate(input)) return
    const error = validate.errors?.[0]
    const field = error === undefined ? 'input' : fieldOf(error)
    throw new Fault('input.invalid', `${field} ${error === undefined ? 'is invalid' : reasonOf(error)}`, { field })
  }
}
