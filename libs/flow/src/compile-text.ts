// From a text to a plan, in passes: text, tree, checks, plan. A pass reports and goes on; only a clean tree becomes a plan.
// What reads texts is handed in: a flow that is data already needs no parser of YAML.
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
import type { Parse } from './source/syntax.ts'
import type { FlowTree } from './tree.ts'
import { checkTypes } from './types/check-types.ts'

export type CompileResult =
  | { readonly ok: true; readonly plan: Plan; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }

/** Checks over a whole tree. A check of types goes behind the names. */
const PASSES: readonly ((tree: FlowTree, report: Report) => void)[] = [checkNames, checkTypes, checkDecisions, checkLimits, checkControl]

export type CompileOptions = {
  readonly files: ReadonlyMap<string, string>
  readonly entry: string
  readonly defaults?: FlowDefaults
  readonly follows?: Plan
  readonly inventory?: Inventory
}

/** Reads the flow itself, and the other files that it names. */
export type Parsers = { readonly entry: Parse; readonly files: Parse }

/** Compiles the text `entry` of `files`, see `compileFlow`. */
export const compileText = (options: CompileOptions, parsers: Parsers): CompileResult => {
  const { files, entry, defaults = {}, follows, inventory } = options
  const report = createReport()
  const text = files.get(entry)
  if (text === undefined) {
    report.add(wholeOf(createSource(entry, '')), 'file.missing', `there is no file ${entry}`)
    return { ok: false, diagnostics: report.list() }
  }
  const syntax = parsers.entry(createSource(entry, text), report)
  const context = createReadContext({ files, entry, defaults, report, parse: parsers.files })
  const tree = syntax === undefined ? undefined : readFlow(syntax, context)
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
