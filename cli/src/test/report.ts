// What `baton test` prints.
import { inWords, type Coverage } from '@baton/testing'
import type { Mistake, PlayedCase } from '@baton/testing/file'
import type { Paint } from '../print/paint.ts'
import { percent, table } from '../print/table.ts'

/** One test file as `--json` prints it; fields are only ever added. */
export type Tested = {
  readonly file: string
  readonly ok: boolean
  readonly flow: string | null
  readonly flowFile: string | null
  readonly cases: readonly TestedCase[]
  readonly mistakes: readonly Mistake[]
  readonly coverage: Coverage | null
}
type TestedCase = {
  readonly name: string
  readonly line: number
  readonly ok: boolean
  /** Why there is no run. */
  readonly broken: string | null
  readonly differences: PlayedCase['differences']
  readonly status: string | null
  readonly path: readonly string[]
  readonly people: number
  readonly costUsd: number
  readonly durationMs: number
}

export const testedCase = ({ name, line, ok, broken, differences, run }: PlayedCase): TestedCase => ({
  name,
  line,
  ok,
  broken: broken ?? null,
  differences,
  status: run?.status ?? null,
  path: run?.path ?? [],
  people: run?.people.length ?? 0,
  costUsd: run?.costUsd ?? 0,
  durationMs: run?.durationMs ?? 0,
})

/** A file with its cases, the first difference of each that fails, and the way it took. */
export const fileText = ({ file, flow, cases, mistakes }: Tested, paint: Paint): string => {
  const rows = cases.map(({ name, ok, broken, status, durationMs, people, costUsd }) => [
    ok ? 'ok' : 'FAIL',
    name,
    broken === null ? (status ?? '-') : 'broken',
    inWords(durationMs),
    String(people),
    `${costUsd} USD`,
  ])
  const [header = '', line = '', ...lines] = rows.length === 0 ? [] : table(['', 'case', 'run', 'time', 'people', 'cost'], rows).split('\n')
  const told = lines.flatMap((text, index) => {
    const one = cases[index]
    if (one === undefined) return []
    return one.ok ? [`${paint.green('ok  ')}${text.slice(4)}`] : [`${paint.red('FAIL')}${text.slice(4)}`, ...whyText(file, one, paint)]
  })
  return [
    paint.bold(flow === null ? file : `${file}  ${flow}`),
    ...mistakes.map((one) => `${paint.bold(`${one.file}:${one.line}:${one.column}`)} ${paint.red('error')}: ${one.message}`),
    ...(rows.length === 0 ? [] : [paint.dim(header), paint.dim(line), ...told]),
  ].join('\n')
}

const whyText = (file: string, { line, broken, differences, path }: TestedCase, paint: Paint): readonly string[] => {
  const [first] = differences
  const why = broken ?? `${first?.what ?? ''}: ${first?.message ?? ''}`
  return [
    ...why.split('\n').map((text, index) => `      ${index === 0 ? paint.red(text) : text}`),
    ...(broken === null ? [`      ${paint.dim('the run:')} ${wayText(path)}`] : []),
    `      ${paint.dim(`at ${file}:${line}`)}`,
  ]
}

const WAY_MAX = 30
/** The way of a run, the middle of a long one left out. */
const wayText = (path: readonly string[]): string =>
  (path.length <= WAY_MAX ? path : [...path.slice(0, WAY_MAX / 2), `(${path.length - WAY_MAX} more)`, ...path.slice(-WAY_MAX / 2)]).join(
    ' > ',
  )

/** How much of a flow its cases took, and what they never did. */
export const coverageText = (name: string, flowFile: string, { points, taken, total }: Coverage, paint: Paint): string => {
  const flow = name.startsWith('local/') ? flowFile : name // one without an identity is known by its file
  if (total === 0) return `${flow}: there is nothing to decide`
  const missed = points.filter((point) => !point.taken)
  const places = missed.map(({ what, line }) => `  ${paint.yellow('not taken')}  ${flowFile}${line === null ? '' : `:${line}`}  ${what}`)
  return [`${paint.bold(flow)}: ${taken} of ${total} ways taken, ${percent(taken, total)}`, ...places].join('\n')
}

export const summaryText = (tested: readonly Tested[], paint: Paint): string => {
  const cases = tested.flatMap((one) => one.cases)
  const failed = cases.filter(({ ok }) => !ok).length
  const mistakes = tested.reduce((sum, one) => sum + one.mistakes.length, 0)
  const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
  const verdict = `${plural(cases.length, 'case')}: ${cases.length - failed} passed, ${failed} failed${mistakes === 0 ? '' : `; ${plural(mistakes, 'mistake')} in test files`}`
  return failed + mistakes > 0 ? paint.red(verdict) : paint.green(verdict)
}
