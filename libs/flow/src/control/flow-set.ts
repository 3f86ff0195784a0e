// Mistakes that only several flows together have.
import { createReport, type Diagnostic, type Report } from '../diagnostic.ts'
import { createReadContext, type FlowDefaults } from '../read/context.ts'
import { readFlow } from '../read/flow.ts'
import { createSource } from '../source/source.ts'
import { parseSyntax } from '../source/yaml.ts'
import type { FlowTree } from '../tree.ts'
import { checkFlowCycles } from './cycles.ts'

/** The files of one flow, as a compile takes them. */
export type FlowSource = { readonly files: ReadonlyMap<string, string>; readonly entry: string; readonly defaults?: FlowDefaults }

/**
 * What is wrong with flows together: circles of flows that start each other. Diagnostics for each flow, in the order given; a flow
 * that cannot be read has none here, its compile says why. A flow that starts itself is found by its compile as well.
 */
export const checkFlowSet = (flows: readonly FlowSource[]): readonly (readonly Diagnostic[])[] => {
  const trees = flows.map(treeOf)
  const reports = new Map<FlowTree, Report>()
  for (const tree of trees) if (tree !== undefined) reports.set(tree, createReport())
  checkFlowCycles(reports.keys(), (tree) => reports.get(tree) ?? createReport())
  return trees.map((tree) => (tree === undefined ? [] : (reports.get(tree)?.list() ?? [])))
}

const treeOf = ({ files, entry, defaults = {} }: FlowSource): FlowTree | undefined => {
  const report = createReport()
  const syntax = parseSyntax(createSource(entry, files.get(entry) ?? ''), report)
  return syntax === undefined ? undefined : readFlow(syntax, createReadContext({ files, entry, defaults, report, parse: parseSyntax }))
}
