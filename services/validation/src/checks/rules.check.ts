// Business rules over a payload, in CEL: what a schema cannot say.
//   Q1. Each rule is a condition over `it`, the input; all must hold. A rule that cannot be said of this input (a field is missing) does not.
//   Q2. Rules are compiled once for the options of a plan.
import { z } from 'zod'
import { Fault, toFault, type Json, type JsonObject } from '@baton/contracts'
import { loadCondition, type Condition } from '@baton/flow'
import type { Check, CheckResult } from './check.ts'
import { parseOptions } from './parse.ts'

const Options = z.strictObject({
  /** Rules by name. */
  hold: z.record(z.string().min(1).max(100), z.string().min(1).max(2_000)).refine((rules) => {
    const { length } = Object.keys(rules)
    return length >= 1 && length <= 100
  }, '1 to 100 rules'),
})

type Rule = { readonly name: string; readonly condition: Condition }
const compiled = new WeakMap<JsonObject, readonly Rule[]>()

const compile = (name: string, cel: string): Rule => {
  try {
    return { name, condition: loadCondition(cel, { names: ['it'], field: `hold.${name}` }) }
  } catch (error) {
    throw new Fault('flow.invalid', `check rules: option ${toFault(error).message}`, { check: 'rules', field: `hold.${name}` })
  }
}

const rulesOf = (options: JsonObject): readonly Rule[] => {
  const known = compiled.get(options)
  if (known !== undefined) return known
  const rules = Object.entries(parseOptions('rules', Options, options).hold).map(([name, cel]) => compile(name, cel))
  compiled.set(options, rules) // Q2
  return rules
}

const holds = ({ condition }: Rule, it: Json): boolean => {
  try {
    return condition.test({ it })
  } catch (error) {
    if (toFault(error).code === 'expression.failed') return false // Q1
    throw error
  }
}

export const rules: Check = {
  name: 'rules',
  evaluate: (input, options): CheckResult => {
    const all = rulesOf(options)
    const broken = all.filter((rule) => !holds(rule, input)).map(({ name }) => name)
    return {
      pass: broken.length === 0,
      score: 1 - broken.length / all.length,
      reason: broken.length === 0 ? 'every rule holds' : `broken: ${broken.join(', ')}`,
      more: { broken },
    }
  },
}
