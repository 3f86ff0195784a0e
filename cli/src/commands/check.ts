import { Command } from 'commander'
import { checkFlowSet, compileFlow, LATER_FIELDS, type Diagnostic, type Inventory, type LaterNode } from '@baton/flow'
import { findFlows, shownPath, type FoundFlow } from '../platform/flow-finder.ts'
import { readInventory } from '../platform/inventory.ts'
import { diagnosticText, pageOf } from '../print/diagnostic.ts'
import { openPaint, type Paint } from '../print/paint.ts'
import { show, type CommandContext } from './context.ts'

/** Without a step: a word at the top of the flow. */
type Later = { readonly step: string | null; readonly kind: string; readonly fields: readonly string[] }

/** What `--json` prints of a flow; fields are only ever added. */
type Checked = {
  readonly path: string
  readonly ok: boolean
  readonly flow: string | null
  readonly version: string | null
  readonly hash: string | null
  readonly errors: number
  readonly warnings: number
  /** Fields of steps, and words at the top of the flow, that are right but not run by this version. */
  readonly later: readonly Later[]
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
    later: Object.values(plan?.later ?? {}).map(laterOf),
    diagnostics: diagnostics.map((one) => ({ ...one, file: shownPath(found, one.file), page: pageOf(one.code) })),
  }
}

const placeOf = ({ file, line, column, code }: Diagnostic): string => `${file}:${line}:${column}:${code}`

/** The fields of a step that the engine does not know yet. */
const laterOf = ({ id, kind, step }: LaterNode): Later => ({
  step: id.startsWith('$') ? null : id,
  kind,
  fields: LATER_FIELDS.filter((field) => Object.hasOwn(step, field)),
})

const resultText = (found: FoundFlow, { path, ok, flow, version, hash, later, diagnostics }: Checked, paint: Paint): string => {
  const texts = new Map([...found.files].map(([file, text]) => [shownPath(found, file), text]))
  const mistakes = diagnostics.map((one) => `${diagnosticText(one, { text: texts.get(one.file), paint })}\n`)
  if (!ok) return mistakes.join('\n')
  const good = `${path}: ${paint.green('ok')}, ${flow ?? ''}@${version ?? ''}, plan ${hash?.slice(0, 12) ?? ''}`
  const notYet = later.length === 0 ? [] : [`  not run by this version: ${laterWords(later)}`]
  return [...mistakes, good, ...notYet].join('\n')
}

const laterWords = (later: readonly Later[]): string =>
  later.map(({ step, kind, fields }) => (step === null ? kind : `step ${step} (${kind} with ${fields.join(', ')})`)).join(', ')

const summary = (results: readonly Checked[], paint: Paint): string => {
  const sum = (count: (result: Checked) => number): number => results.reduce((total, result) => total + count(result), 0)
  const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
  const errors = sum((result) => result.errors)
  const warnings = sum((result) => result.warnings)
  const later = sum((result) => (result.later.length > 0 ? 1 : 0))
  const verdict = `${plural(results.length, 'flow')}: ${plural(errors, 'error')}, ${plural(warnings, 'warning')}${later === 0 ? '' : `; ${later} with words that this version does not run`}`
  return errors > 0 ? paint.red(verdict) : warnings > 0 ? paint.yellow(verdict) : paint.green(verdict)
}
