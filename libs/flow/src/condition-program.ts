// A condition that stands alone: a query that somebody asks, over values of which only the names are known before.
import { Fault } from '@baton/contracts/fault'
import { isJsonObject, type Json } from '@baton/contracts/json'
import { didYouMean } from './diagnostic.ts'
import { createAnalyser, createCompiler } from './expression.ts'

export type Condition = {
  /** Throws `expression.failed` where it cannot be said, as when a field is not there. */
  test(values: { readonly [name: string]: Json }): boolean
}

const CHARS_MAX = 2_000

/** Compiles a condition over these names and no others. Throws `request.malformed` with what is wrong; `field` is where it was written. */
export const loadCondition = (cel: string, { names, field }: { names: readonly string[]; field: string }): Condition => {
  const refuse = (reason: string): Fault => new Fault('request.malformed', `${field}: ${reason}`, { field, expression: cel.slice(0, 500) })
  if (cel.length > CHARS_MAX) throw refuse(`an expression has at most ${CHARS_MAX} characters`)
  const analysis = createAnalyser(names)(cel)
  if (!analysis.ok) throw refuse(`${analysis.message} (at ${analysis.index + 1})`)
  const unknown = analysis.paths.find(({ root }) => !names.includes(root))
  if (unknown !== undefined)
    throw refuse(`there is no "${unknown.root}"${didYouMean(unknown.root, names) || `; there are ${names.join(', ')}`}`)
  const evaluate = createCompiler(names)(cel)
  return {
    test: (values) => {
      const { fault = null, run = null, params = {}, it = null } = values
      const holds = evaluate({ input: null, params: isJsonObject(params) ? params : {}, run, fault, it, steps: values })
      if (typeof holds === 'boolean') return holds
      const cause = `a condition must be true or false, not ${JSON.stringify(holds).slice(0, 100)}`
      throw new Fault('expression.failed', `${cel}: ${cause}`, { expression: cel.slice(0, 500), cause })
    },
  }
}
