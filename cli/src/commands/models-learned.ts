// `baton models train-router` and `baton models tune`: what learned routes and cascades read.
import { Command, InvalidArgumentError } from 'commander'
import type { RouterReport, TuneReport } from '@baton/models'
import { table } from '../print/table.ts'
import { bar } from '../terminal.ts'
import { show, type CommandContext } from './context.ts'
import { readReviewedOutcomes } from './outcomes-read.ts'
import { runningSystem } from './running-system.ts'

const whole = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('a whole number is wanted')
  return value
}
const share = (text: string): number => {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('a number between 0 and 1 is wanted')
  return value
}
const money = (text: string): number => {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0) || !Number.isFinite(value)) throw new InvalidArgumentError('US dollars are wanted, as a number')
  return value
}

const figure = (value: number | null): string => (value === null ? '-' : value.toFixed(3))
const percent = (value: number): string => `${(100 * value).toFixed(1)} %`
const dollars = (value: number): string => value.toPrecision(3)

const routerText = (report: RouterReport): string => {
  const above = report.aboveLength
  const interval = above === null ? '-' : `${figure(above.value)} [${figure(above.low)}, ${figure(above.high)}]`
  return [
    table(
      ['model', 'questions', 'right'],
      report.models.map(({ name, rows, right }) => [name, rows, percent(right)]),
    ),
    '',
    table(
      [`${report.weak} -> ${report.strong}`, 'APGR'],
      [
        ['router', figure(report.apgr)],
        ['prompt length alone', figure(report.length)],
        ['oracle', figure(report.oracle)],
        ['router above length, 95 %', interval],
      ],
    ),
    '',
    `strong calls for 50 % / 80 % of the gain: ${percent(report.callsForHalf)} / ${percent(report.callsForMost)}`,
    report.promoted
      ? `${report.out}: ${(report.sizeBytes / 1e6).toFixed(2)} MB in ${report.seconds.toFixed(0)} s; ${report.reason}`
      : `nothing written: ${report.reason}. --force writes it all the same`,
  ].join('\n')
}

type RouterOptions = {
  readonly data?: string
  readonly reviews?: boolean
  readonly flow?: string
  readonly days: number
  readonly out: string
  readonly weak?: string
  readonly strong?: string
  readonly seed: number
  readonly force?: boolean
  readonly json?: boolean
}

const trainRouter = (context: CommandContext): Command =>
  new Command('train-router')
    .description('train the router of a learned route from outcomes; prints it beside prompt length alone')
    .option('--data <file>', 'table of outcomes: CSV with prompt and a column of true and false for each model, or JSON lines; also .gz')
    .option('--reviews', 'outcomes of the running system instead: decisions of people and refused answers')
    .option('--flow <name>', 'with --reviews: only of this flow')
    .option('--days <n>', 'with --reviews: how far back', whole, 90)
    .requiredOption('--out <file>', 'where the router goes, .json or .json.gz')
    .option('--weak <model>', 'model to compare from; the one that is right least often')
    .option('--strong <model>', 'model to compare with; the one that is right most often')
    .option('--seed <n>', 'seed of shuffling', whole, 1)
    .option('--force', 'write it even where it does worse than length alone')
    .option('--json', 'print JSON')
    .action(async (options: RouterOptions) => {
      const { data, reviews, flow, days, json, ...rest } = options
      if ((data === undefined) === (reviews !== true)) throw new InvalidArgumentError('name either --data or --reviews')
      const { trainRouterFromFile } = await import('@baton/models')
      const asked = { days, ...(flow === undefined ? {} : { flow }) }
      const reading = (done: number, all: number): void => context.terminal.status(`${bar(done / all)} ${done} of ${all} decisions`)
      const rows = reviews === true ? await readReviewedOutcomes(runningSystem(), asked, reading) : undefined
      const report = await trainRouterFromFile(
        { ...rest, data: data ?? '', nowMs: Date.now(), ...(rows === undefined ? {} : { rows }) },
        ({ share: done, model }) => context.terminal.status(`${bar(done)} ${model}`),
      )
      context.terminal.settle()
      show(context, report, { ...(json === undefined ? {} : { json }), text: () => routerText(report) })
      if (!report.promoted) context.fail()
    })

const KINDS = {
  cascade: 'cascade: the answer of the cheap model counts from this probability on',
  route: 'learned route: the cheap model is asked from this probability on',
} as const

const tuneText = (report: TuneReport): string => {
  const { chosen, ends, out } = report
  const rows = report.curve.map((point) => [
    point.threshold.toFixed(4),
    percent(point.escalated),
    percent(point.quality),
    dollars(point.cost),
  ])
  const sure = (interval: { low: number; high: number }): string => `[${percent(interval.low)}, ${percent(interval.high)}]`
  return [
    `${report.cheap} -> ${report.strong}, ${report.rows} questions; ${KINDS[report.kind]}`,
    table(['threshold', 'to the strong model', 'right', 'USD a question'], rows),
    '',
    `${report.cheap} alone: right ${percent(ends[0].quality)}; all to ${report.strong}: right ${percent(ends[1].quality)}; calibration error ${report.calibrationError.toFixed(3)}`,
    chosen === undefined
      ? 'no threshold meets the target'
      : `chosen ${chosen.threshold}: right ${percent(chosen.quality)} ${sure(chosen.qualityInterval)}, ` +
        `${percent(chosen.escalated)} ${sure(chosen.escalatedInterval)} to ${report.strong}, USD ${dollars(chosen.cost)} a question`,
    ...(out === undefined ? [] : [`${out}: ${((report.sizeBytes ?? 0) / 1e6).toFixed(2)} MB`]),
  ].join('\n')
}

type TuneCommandOptions = {
  readonly data: string
  readonly cheap?: string
  readonly strong?: string
  readonly cheapCost: number
  readonly strongCost: number
  readonly quality?: number
  readonly cost?: number
  readonly escalated?: number
  readonly out?: string
  readonly seed: number
  readonly json?: boolean
}

const tune = (context: CommandContext): Command =>
  new Command('tune')
    .description('find the threshold of a cascade for a target of cost or quality, on recorded outcomes')
    .requiredOption('--data <file>', 'table as for train-router; with a column MODEL_response its answers are read and a judge is trained')
    .option('--cheap <model>', 'model asked first; the one that is right least often')
    .option('--strong <model>', 'model asked then; the one that is right most often')
    .option('--cheap-cost <usd>', 'a call of the cheap model', money, 0.001)
    .option('--strong-cost <usd>', 'a call of the strong model', money, 0.01)
    .option('--quality <share>', 'target: at least this share right, for the least money', share)
    .option('--cost <usd>', 'target: at most this a question, as right as can be', money)
    .option('--escalated <share>', 'target: at most this share to the strong model, as right as can be', share)
    .option('--out <file>', 'where the judge goes with its threshold, .json or .json.gz')
    .option('--seed <n>', 'seed of shuffling', whole, 1)
    .option('--json', 'print JSON')
    .action(async (options: TuneCommandOptions) => {
      const { json, cheapCost, strongCost, quality, cost, escalated, ...rest } = options
      const { tuneFromFile } = await import('@baton/models')
      const target = {
        ...(quality === undefined ? {} : { quality }),
        ...(cost === undefined ? {} : { cost }),
        ...(escalated === undefined ? {} : { escalated }),
      }
      const report = await tuneFromFile(
        { ...rest, cheapCostUsd: cheapCost, strongCostUsd: strongCost, target, nowMs: Date.now() },
        (phase) => context.terminal.status(phase),
      )
      context.terminal.settle()
      show(context, report, { ...(json === undefined ? {} : { json }), text: () => tuneText(report) })
      if (report.chosen === undefined) context.fail()
    })

/** `baton models train-router` and `baton models tune`. */
export const learnedCommands = (context: CommandContext): readonly Command[] => [trainRouter(context), tune(context)]
