import { compileFlow, type CompileResult } from '../compile.ts'
import type { Plan } from '../plan.ts'
import type { FlowDefaults } from '../read/context.ts'
import type { FlowTree } from '../tree.ts'
import { outlinePlan } from './from-plan.ts'
import { treeOfPlan } from './plan-tree.ts'
import type { Outline } from './outline.ts'

/** A flow as tools need it: nothing beside what its plan says, so that a file and its published plan look alike (O1). */
export type OpenedFlow = { readonly plan: Plan; readonly outline: Outline; readonly tree: FlowTree }

/** Compiles a flow for the tools; what is wrong with it is in the result. */
export const openFlow = (options: {
  files: ReadonlyMap<string, string>
  entry: string
  defaults?: FlowDefaults
}): { readonly ok: true; readonly flow: OpenedFlow } | Extract<CompileResult, { readonly ok: false }> => {
  const result = compileFlow(options)
  return result.ok ? { ok: true, flow: openPlan(result.plan) } : result
}

/** A flow of which only the plan is left, as it is published. */
export const openPlan = (plan: Plan): OpenedFlow => ({ plan, outline: outlinePlan(plan), tree: treeOfPlan(plan) })
