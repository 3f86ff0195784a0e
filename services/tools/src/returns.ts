import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { Fault, type Json } from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'

const ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: false })
const compiled = new WeakMap<object, ValidateFunction>()

const validatorOf = (schema: object): ValidateFunction => {
  const known = compiled.get(schema)
  if (known !== undefined) return known
  const made = ajv.compile(schema)
  compiled.set(schema, made)
  return made
}

const fieldOf = (error: ErrorObject | undefined): string => {
  const missing: unknown = error?.params['missingProperty']
  const path = [...(error?.instancePath.split('/').slice(1) ?? []), ...(typeof missing === 'string' ? [missing] : [])].join('.')
  return path === '' ? '(root)' : path
}

/** Whether the output is what the step says it returns. Throws `output.schema_invalid` naming the field. */
export const checkReturns = ({ returns }: PlanNode, { tool, output }: { tool: string; output: Json }): void => {
  if (returns === undefined || typeof returns === 'boolean') return
  const validate = validatorOf(returns)
  if (validate(output)) return
  const [error] = validate.errors ?? []
  const field = fieldOf(error)
  throw new Fault('output.schema_invalid', `${tool}: ${field}: ${error?.message ?? 'does not fit the schema of the step'}`, { tool, field })
}
