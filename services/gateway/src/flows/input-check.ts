import { Fault, type Json } from '@baton/contracts'
import type { Plan } from '@baton/flow'
import { schemaCheck, SchemaRefused } from '@baton/policy/schema'

/** Throws `input.invalid` naming the first field that does not fit and why; fills in the defaults of the schema where fields are absent. */
export type InputCheck = (input: Json) => void

/** The input schema of a plan, compiled once; without `defaults` nothing is filled in. A schema that is no schema is the flow's mistake: `flow.invalid`. */
export const compileInputCheck = (
  { flow, input: schema }: Pick<Plan, 'flow' | 'input'>,
  { defaults = true }: { defaults?: boolean } = {},
): InputCheck => {
  if (schema === true) return () => undefined
  const compile = (): ReturnType<typeof schemaCheck> => {
    try {
      return schemaCheck(schema, { defaults })
    } catch (error) {
      if (!(error instanceof SchemaRefused)) throw error
      throw new Fault('flow.invalid', `the input schema of ${flow} is no JSON Schema: ${error.message}`, { field: 'input' })
    }
  }
  const problemsOf = compile()
  return (input) => {
    const [problem] = problemsOf(input)
    if (problem === undefined) return
    const field = problem.field === '' ? 'input' : `input.${problem.field}`
    throw new Fault('input.invalid', `${field} ${problem.reason}`, { field })
  }
}
