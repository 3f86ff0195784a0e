import { Fault } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import { createCompiler } from './expression.ts'
import { boundNamesOf, expressionsOf } from './node-expressions.ts'
import type { Outcome, Plan, PlanNode, ValueExpr } from './plan.ts'
import type { Program, Scope } from './program.ts'
import { loadTrigger } from './trigger-program.ts'
import { evaluateValue } from './value-expr.ts'

/**
 * A plan made ready to run: every expression is compiled here, once.
 * Throws `flow.invalid` when the plan holds an expression that cannot be compiled, `flow.unsupported` for a plan of a later version.
 */
export const loadProgram = (plan: Plan): Program => {
  refuseNewer(plan)
  const compile = createCompiler(namesOf(plan))
  const compiled = new Map<string, (scope: Scope) => Json>()
  const add = (cel: string): ((scope: Scope) => Json) => {
    const known = compiled.get(cel)
    if (known !== undefined) return known
    try {
      const evaluate = compile(cel)
      compiled.set(cel, evaluate)
      return evaluate
    } catch (error) {
      throw new Fault(
        'flow.invalid',
        `${cel}: ${error instanceof Error ? error.message : String(error)}`,
        { expression: cel.slice(0, 500) },
        { cause: error },
      )
    }
  }
  for (const cel of expressionsOf(plan)) add(cel)
  for (const trigger of plan.triggers ?? []) loadTrigger(trigger) // what starts the flow compiles as well
  const value = (expr: ValueExpr, scope: Scope): Json => evaluateValue(expr, (cel) => (compiled.get(cel) ?? add(cel))(scope))
  return {
    plan,
    value,
    test(condition, scope) {
      const result = (compiled.get(condition) ?? add(condition))(scope)
      if (typeof result === 'boolean') return result
      throw new Fault('expression.failed', `${condition}: a condition must be true or false, not ${JSON.stringify(result).slice(0, 100)}`, {
        expression: condition.slice(0, 500),
        cause: 'not a boolean',
      })
    },
  }
}

/** The format this version runs. */
const FORMAT: number = 1

const refuseNewer = ({ formatVersion, flow, version }: Plan): void => {
  if (formatVersion <= FORMAT) return
  throw new Fault(
    'flow.unsupported',
    `${flow}@${version} was published by a later version of Baton: plans of format ${formatVersion} do not run here`,
    {
      flow,
      formatVersion,
    },
  )
}

const namesOf = (plan: Plan): readonly string[] => [
  ...Object.values(plan.nodes).flatMap(({ name }) => (name === null ? [] : [name])),
  ...boundNamesOf(plan),
]

/** The rules of a node: its gate, and its cases when it is a switch. */
export const rulesOf = (node: PlanNode): readonly { readonly when?: string; readonly label: string; readonly outcome: Outcome }[] => [
  ...(node.gate ?? []),
  ...(node.kind === 'switch' ? node.rules : []),
]
