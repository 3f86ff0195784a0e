import { Fault } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import { createCompiler } from './expression.ts'
import { boundNamesOf, conditionsOf, valuesOf } from './node-expressions.ts'
import { LATER_FIELDS, type LaterNode, type Outcome, type Plan, type PlanNode, type ValueExpr } from './plan.ts'
import type { Program, Scope } from './program.ts'
import { loadTrigger } from './trigger-program.ts'
import { evaluateValue } from './value-expr.ts'

const NAMED_MAX = 5

/** Throws `flow.unsupported` when the plan holds something this version checks and shows, but does not run yet: names it all. */
export const refuseLater = ({ flow, later = {} }: Pick<Plan, 'flow' | 'later'>): void => {
  const nodes = Object.values(later)
  if (nodes.length === 0) return
  const named = nodes.slice(0, NAMED_MAX).map((node) => (node.id.startsWith('$') ? node.kind : `${node.id} (${wordsOf(node)})`))
  const more = nodes.length > NAMED_MAX ? ` and ${nodes.length - NAMED_MAX} more` : ''
  throw new Fault('flow.unsupported', `${flow} is right, but this version does not run ${named.join(', ')}${more} yet`, {
    flow,
    later: nodes.length,
  })
}

/** A step is named with the fields that do not run. */
const wordsOf = ({ kind, step }: LaterNode): string => [kind, ...LATER_FIELDS.filter((field) => Object.hasOwn(step, field))].join(', ')

/**
 * A plan made ready to run: every expression is compiled here, once.
 * Throws `flow.invalid` when the plan holds an expression that cannot be compiled, `flow.unsupported` when it holds words that do
 * not run yet.
 */
export const loadProgram = (plan: Plan): Program => {
  refuseLater(plan)
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

const namesOf = ({ nodes }: Plan): readonly string[] => [
  ...Object.values(nodes).flatMap(({ name }) => (name === null ? [] : [name])),
  ...boundNamesOf(Object.values(nodes)),
]

/** Every expression of a plan, in no order that means anything. */
const expressionsOf = (plan: Plan): ReadonlySet<string> => {
  const found = new Set<string>()
  const addValue = (value: ValueExpr): void => {
    if ('cel' in value) found.add(value.cel)
    else if ('list' in value) value.list.forEach(addValue)
    else if ('object' in value) Object.values(value.object).forEach(addValue)
  }
  for (const node of Object.values(plan.nodes)) {
    valuesOf(node).forEach(addValue)
    for (const cel of conditionsOf(node)) found.add(cel)
    for (const { when } of node.gate ?? []) if (when !== undefined) found.add(when)
  }
  if (plan.output !== undefined) addValue(plan.output)
  return found
}

/** The rules of a node: its gate, and its cases when it is a switch. */
export const rulesOf = (node: PlanNode): readonly { readonly when?: string; readonly label: string; readonly outcome: Outcome }[] => [
  ...(node.gate ?? []),
  ...(node.kind === 'switch' ? node.rules : []),
]
