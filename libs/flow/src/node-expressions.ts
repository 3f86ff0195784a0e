// Where expressions stand in a node: one list for whoever has to see them all.
import type { PlanNode, ValueExpr } from './plan.ts'

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
  return own === undefined ? [node.with] : [node.with, own]
}

/** Variables that a plan binds beside its steps: the items of maps, their number, and what arrived. */
export const boundNamesOf = (nodes: Iterable<PlanNode>): readonly string[] => {
  const names = new Set<string>()
  for (const node of nodes) {
    if (node.kind === 'map') names.add(node.as).add('index')
    if (node.kind === 'loop') names.add('index')
    if (node.kind === 'event') names.add('event')
  }
  return [...names]
}
