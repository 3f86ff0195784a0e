// Nodes whose work is asked of somebody.
import type { StepCommand } from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'

/** Nodes whose work a service or a person does. */
export type WorkNode = Extract<PlanNode, { kind: StepCommand['kind'] }>

const WORK: ReadonlySet<string> = new Set(['model', 'tool', 'retrieve', 'check', 'human', 'task'] satisfies readonly WorkNode['kind'][])
export const isWork = (node: PlanNode): node is WorkNode => WORK.has(node.kind)
