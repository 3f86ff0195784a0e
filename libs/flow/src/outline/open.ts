import { compileFlow, type CompileResult } from '../compile.ts'
import { createReport } from '../diagnostic.ts'
import type { Plan } from '../plan.ts'
import { createReadContext, type FlowDefaults } from '../read/context.ts'
import { readFlow } from '../read/flow.ts'
import { createSource } from '../source/source.ts'
import { parseSyntax } from '../source/yaml.ts'
import type { FlowTree } from '../tree.ts'
import { outlinePlan } from './from-plan.ts'
import { treeOfPlan } from './plan-tree.ts'
import type { Outline } from './outline.ts'

/** A flow as tools need it. A published flow of another version of the format may have no tree. */
export type OpenedFlow = { readonly plan: Plan; readonly outline: Outline; readonly tree?: FlowTree }

/** Compiles a flow for the tools; what is wrong with it is in the result. */
export const openFlow = (options: {
  files: ReadonlyMap<string, string>
  entry: string
  defaults?: FlowDefaults
}): { readonly ok: true; readonly flow: OpenedFlow } | Extract<CompileResult, { readonly ok: false }> => {
  const result = compileFlow(options)
  if (!result.ok) return result
  const tree = treeOf(options)
  const outline = outlinePlan(result.plan, tree)
  return { ok: true, flow: { plan: result.plan, outline, ...(tree === undefined ? {} : { tree }) } }
}

/** A flow of which only the plan is left, as it is published. */
export const openPlan = (plan: Plan): OpenedFlow => {
  const tree = treeOfPlan(plan)
  return { plan, outline: outlinePlan(plan), ...(tree === undefined ? {} : { tree }) }
}

const treeOf = ({ files, entry, defaults = {} }: Parameters<typeof openFlow>[0]): FlowTree | undefined => {
  const report = createReport()
  const syntax = parseSyntax(createSource(entry, files.get(entry) ?? ''), report)
  return syntax === undefined ? undefined : readFlow(syntax, createReadContext({ files, entry, defaults, report, parse: parseSyntax }))
}
