// From files to a plan, in passes: text, tree, checks, plan. A pass reports and goes on; only a clean tree becomes a plan.
import { checkInventory, type Inventory } from './check/inventory.ts'
import { checkDecisions } from './check/decisions.ts'
import { checkLimits } from './check/limits.ts'
import { checkNames } from './check/names.ts'
import { checkContracts } from './control/contracts.ts'
import { checkControl } from './control/control.ts'
import { checkSecrets, filesOf } from './control/secrets.ts'
import { createReport, type Diagnostic, type Report } from './diagnostic.ts'
import { emitPlan } from './emit.ts'
import type { Plan } from './plan.ts'
import { createReadContext, type FlowDefaults } from './read/context.ts'
import { readFlow } from './read/flow.ts'
import { createSource, wholeOf } from './source/source.ts'
import { parseSyntax } from './source/syntax.ts'
import type { FlowTree } from './tree.ts'
import { checkTypes } from './types/check-types.ts'

export type CompileResult =
  | { readonly ok: true; readonly plan: Plan; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }

/** Checks over a whole tree. A check of types goes behind the names. */
const PASSES: readonly ((tree: FlowTree, report: Report) => void)[] = [checkNames, checkTypes, checkDecisions, checkLimits, checkControl]

/**
 * Compiles the flow file `entry`. Files are text by path; prompts and schemas are looked for beside the entry, then at the root.
 * With `follows`, the plan of the version before, it is also looked at what the new version breaks of it.
 * With `inventory`, tools and routes have to be there.
 * Never throws for what stands in a file: every mistake is a diagnostic with its place.
 */
export const compileFlow = (options: {
  files: ReadonlyMap<string, string>
  entry: string
  defaults?: FlowDefaults
  follows?: Plan
  inventory?: Inventory
}): CompileResult => {
  const { files, entry, defaults = {}, follows, inventory } = options
  const report = createReport()
  const text = files.get(entry)
  if (text === undefined) {
    report.add(wholeOf(createSource(entry, '')), 'file.missing', `there is no file ${entry}`)
    return { ok: false, diagnostics: report.list() }
  }
  const syntax = parseSyntax(createSource(entry, text), report)
  const tree = syntax === undefined ? undefined : readFlow(syntax, createReadContext({ files, entry, defaults, report }))
  if (tree !== undefined) checkTree(tree, { follows, inventory, report })
  checkSecrets(filesOf(files, entry), report)
  if (tree === undefined || report.failed) return { ok: false, diagnostics: report.list() }
  return { ok: true, plan: emitPlan(tree), diagnostics: report.list() }
}

type Around = { readonly follows: Plan | undefined; readonly inventory: Inventory | undefined; readonly report: Report }

const checkTree = (tree: FlowTree, { follows, inventory, report }: Around): void => {
  // What could not be read is missing from the tree; names that seem unknown then are not.
  if (!report.failed) for (const pass of PASSES) pass(tree, report)
  if (inventory !== undefined) checkInventory(tree, inventory, report)
  if (follows !== undefined) checkContracts(follows, tree, report)
}
