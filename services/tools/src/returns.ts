import { Fault, type Json, type JsonSchema } from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'
import { schemaCheck, SchemaRefused, type SchemaCheck } from '@baton/policy/schema'

const checkOf = (schema: JsonSchema): SchemaCheck => {
  try {
    return schemaCheck(schema)
  } catch (error) {
    if (error instanceof SchemaRefused)
      throw new Fault('flow.invalid', `the schema of what the step returns cannot be used: ${error.message}`, {}, { cause: error })
    throw error
  }
}

/** Whether the output is what the step says it returns. Throws `output.schema_invalid` naming the field. */
export const checkReturns = ({ returns }: PlanNode, { tool, output }: { tool: string; output: Json }): void => {
  if (returns === undefined || typeof returns === 'boolean') return
  const [problem] = checkOf(returns)(output)
  if (problem === undefined) return
  const { field, reason } = problem
  throw new Fault('output.schema_invalid', `${tool}: ${field}: ${reason}`, { tool, field })
}
