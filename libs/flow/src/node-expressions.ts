// Where expressions stand in a node: one list for whoever has to see them all.
import type { ContextSpec, Plan, PlanNode, ValueExpr } from './plan.ts'

/** Single expressions of a node, without those of its gate. */
export const conditionsOf = (node: PlanNode): readonly string[] => {
  const rules = node.kind === 'switch' ? node.rules.map(({ when }) => when) : []
  return [node.when, ...rules, ...ofKind(node)].filter((cel) => cel !== undefined)
}

const ofKind = (node: PlanNode): readonly (string | undefined)[] => {
  switch (node.kind) {
    case 'switch':
    case 'vote':
      return [node.on]
    case 'map':
      return [node.over]
    case 'loop':
      return [node.until]
    case 'event':
      return [node.match]
    case 'agent':
      return [node.by]
    default:
      return []
  }
}

/** Values of a node that hold expressions. */
export const valuesOf = (node: PlanNode): readonly ValueExpr[] => {
  const own = node.kind === 'set' ? node.value : node.kind === 'event' || node.kind === 'emit' ? node.key : undefined
  const { media = [], cache, context } = node
  return [node.with, own, ...media, cache?.key, ...contextValuesOf(context)].filter((value) => value !== undefined)
}

/** Values that parts of a context show. */
export const contextValuesOf = (context: ContextSpec | undefined): readonly ValueExpr[] =>
  (context?.parts ?? []).flatMap(({ from }) => ('value' in from ? [from.value] : []))

/** Variables that a plan binds beside its steps: the items of maps, their number, what arrived, and what steps share. */
export const boundNamesOf = ({ nodes, buffers }: Pick<Plan, 'nodes' | 'buffers'>): readonly string[] => {
  const names = new Set<string>(buffers === undefined ? [] : ['buffers'])
  for (const node of Object.values(nodes)) {
    if (node.kind === 'map') names.add(node.as).add('index')
    if (node.kind === 'loop') names.add('index')
    if (node.kind === 'event') names.add('event')
  }
  return [...names]
}

/** Every expression of a plan, in no order that means anything. */
export const expressionsOf = (plan: Pick<Plan, 'nodes' | 'agents' | 'output'>): ReadonlySet<string> => {
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
  for (const { context } of Object.values(plan.agents ?? {})) contextValuesOf(context).forEach(addValue)
  if (plan.output !== undefined) addValue(plan.output)
  return found
}
