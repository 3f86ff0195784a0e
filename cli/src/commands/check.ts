import { Command } from 'commander'
import { checkFlowSet, compileFlow, type Diagnostic, type Inventory } from '@baton/flow'
import { findFlows, shownPath, type FoundFlow } from '../platform/flow-finder.ts'
import { readInventory } from '../platform/inventory.ts'
import { diagnosticText, pageOf } from '../print/diagnostic.ts'
import { openPaint, type Paint } from '../print/paint.ts'
import { show, type CommandContext } from './context.ts'

/** What `--json` prints of a flow; fields are only ever added. */
type Checked = {
  readonly path: string
  readonly ok: boolean
  readonly flow: string | null
  readonly version: string | null
  readonly hash: string | null
  readonly errors: number
  readonly warnings: number
  readonly diagnostics: readonly (Diagnostic & { readonly page: string })[]
}

/** `baton check PATH…`: what can be known before a run is known before a run (A15). */
export const checkCommand = (context: CommandContext): Command =>
  new Command('check')
    .description('find mistakes in flows before anything runs')
    .argument('<path...>', 'flow files or folders')
    .option('--json', 'print JSON')
    .option('--strict', 'warnings fail too')
    .action(async (paths: readonly string[], options: { json?: boolean; strict?: boolean }) => {
      const flows = await findFlows(paths)
      const inventory = await readInventory(flows.map(({ folder }) => folder))
      const together = flows.length > 1 ? checkFlowSet(flows) : []
      const checked = flows.map((flow, index) => ({ flow, result: checkOne(flow, { together: together[index] ?? [], inventory }) }))
      const results = checked.map(({ result }) => result)
      const paint = openPaint({ terminal: context.terminal.colours === true, env: process.env })
      show(context, results, {
        ...options,
        text: () => [...checked.map(({ flow, result }) => resultText(flow, result, paint)), summary(results, paint)].join('\n'),
      })
      if (results.some(({ ok, warnings }) => !ok || (options.strict === true && warnings > 0))) context.fail()
    })

/** One flow, with what is wrong with it beside the others. */
const checkOne = (
  found: FoundFlow,
  { together, inventory }: { readonly together: readonly Diagnostic[]; readonly inventory: Inventory },
): Checked => {
  const result = compileFlow({ ...found, inventory })
  const known = new Set(result.diagnostics.map(placeOf))
  const diagnostics = [...result.diagnostics, ...together.filter((one) => !known.has(placeOf(one)))]
  const count = (severity: Diagnostic['severity']): number => diagnostics.filter((one) => one.severity === severity).length
  const plan = result.ok ? result.plan : undefined
  return {
    path: found.path,
    ok: result.ok && count('error') === 0,
    flow: plan?.flow ?? null,
    version: plan?.version ?? null,
    hash: plan?.hash ?? null,
    errors: count('error'),
    warnings: count('warning'),
    diagnostics: diagnostics.map((one) => ({ ...one, file: shownPath(found, one.file), page: pageOf(one.code) })),
  }
}

const placeOf = ({ file, line, column, code }: Diagnostic): string => `${file}:${line}:${column}:${code}`

const resultText = (found: FoundFlow, { path, ok, flow, version, hash, diagnostics }: Checked, paint: Paint): string => {
  const texts = new Map([...found.files].map(([file, text]) => [shownPath(found, file), text]))
  const mistakes = diagnostics.map((one) => `${diagnosticText(one, { text: texts.get(one.file), paint })}\n`)
  if (!ok) return mistakes.join('\n')
  const good = `${path}: ${paint.green('ok')}, ${flow ?? ''}@${version ?? ''}, plan ${hash?.slice(0, 12) ?? ''}`
  return [...mistakes, good].join('\n')
}

const summary = (results: readonly Checked[], paint: Paint): string => {
  const sum = (count: (result: Checked) => number): number => results.reduce((total, result) => total + count(result), 0)
  const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
  const errors = sum((result) => result.errors)
  const warnings = sum((result) => result.warnings)
  const verdict = `${plural(results.length, 'flow')}: ${plural(errors, 'error')}, ${plural(warnings, 'warning')}`
  return errors > 0 ? paint.red(verdict) : warnings > 0 ? paint.yellow(verdict) : paint.green(verdict)
}
