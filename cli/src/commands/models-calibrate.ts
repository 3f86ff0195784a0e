// `baton models calibrate`: what the confidence of a route is worth, and the change of models.yaml that follows.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import type { CalibrationReport, ConfidenceRow } from '@baton/models'
import { toFault } from '@baton/contracts/fault'
import { readEnvironment } from '@baton/service/config'
import { table } from '../print/table.ts'
import { bar } from '../terminal.ts'
import { show, type CommandContext } from './context.ts'
import { userName } from './flow-alias.ts'
import { readReviewedConfidences } from './outcomes-read.ts'
import { runningSystem } from './running-system.ts'

type Options = {
  readonly route: string
  readonly data?: string
  readonly reviews?: boolean
  readonly flow?: string
  readonly days: number
  readonly seed: number
  readonly folds: number
  readonly models?: string
  readonly apply?: boolean
  readonly json?: boolean
}

const whole =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`a whole number from ${min} to ${max} is wanted`)
    return value
  }

const reviewed = async (context: CommandContext, { route, flow, days }: Options): Promise<readonly ConfidenceRow[]> => {
  const api = runningSystem()
  const { models: listed } = await api.get<{ models: readonly { name: string; routes: readonly string[] }[] }>('/v1/config/models')
  const models = listed.filter(({ name, routes }) => name === route || routes.includes(route)).map(({ name }) => name)
  const asked = { days, models, ...(flow === undefined ? {} : { flow }) }
  const rows = await readReviewedConfidences(api, asked, (done, all) =>
    context.terminal.status(`${bar(done / all)} ${done} of ${all} decisions`),
  )
  context.terminal.settle()
  return rows
}

const reportText = ({ route, rows, right, ways, chosen, before, after, diagrams, folds, seed }: CalibrationReport): string =>
  [
    `${route}: ${rows} outcomes, ${((100 * right) / rows).toFixed(1)} % right; cross-validated in ${folds} parts, seed ${seed}`,
    '',
    table(
      ['calibration', 'Brier', 'log loss', 'calibration error', ''],
      ways.map(({ way, brier, logLoss, calibrationError }) => [
        way === 'none' ? 'as it is' : way,
        brier.toFixed(4),
        logLoss.toFixed(4),
        calibrationError.toFixed(4),
        way === chosen ? 'chosen' : '',
      ]),
    ),
    '',
    'as it is',
    ...diagrams.before.map((line) => `  ${line}`),
    ...(chosen === 'none' ? [] : ['', `${chosen}, on rows the fit had not seen`, ...diagrams.after.map((line) => `  ${line}`)]),
    '',
    `expected calibration error ${before.calibrationError.toFixed(4)} -> ${after.calibrationError.toFixed(4)}`,
  ].join('\n')

const diffText = (file: string, before: string, after: string, changes: readonly { sign: string; text: string }[]): string =>
  before === after
    ? ''
    : [`--- ${file}`, `+++ ${file}`, ...changes.filter(({ sign }) => sign !== ' ').map(({ sign, text }) => `${sign}${text}`)].join('\n')

/** Writes the file; a running system that runs the file takes it over at once. What was done, in words. */
const applied = async (file: string, text: string): Promise<string> => {
  await writeFile(file, text)
  try {
    const { source, version } = await runningSystem().get<{ source: string; version: number }>('/v1/config/models')
    if (source === 'topic')
      return `${file} is written. The running system has version ${version} of its own: "baton models apply ${file} --expect ${version}" exchanges it`
    const taken = await runningSystem().put<{ version: number }>('/v1/config/models', { text, by: userName(), version })
    return `${file} is written, and counts in the running system as version ${taken.version}`
  } catch (error) {
    return `${file} is written; it counts when the system starts (${toFault(error).code})`
  }
}

const calibrate = async (context: CommandContext, options: Options): Promise<void> => {
  const { route, data, seed, folds } = options
  if ((data === undefined) === (options.reviews !== true)) throw new InvalidArgumentError('name either --data or --reviews')
  const { calibrateRoute, diffLines, readConfidenceRows, refuseUnknownRoute, withCalibration } = await import('@baton/models')
  const file = options.models ?? join(readEnvironment(process.env).config.configDir, 'models.yaml')
  const text = await readFile(file, 'utf8')
  refuseUnknownRoute(text, route)
  const rows = data === undefined ? await reviewed(context, options) : await readConfidenceRows(data, route)
  const report = calibrateRoute(rows, { route, seed, folds, nowMs: Date.now() })
  const { entry, diagrams: _diagrams, ...told } = report
  const changed = entry === undefined ? text : withCalibration(text, route, entry)
  const diff = diffText(file, text, changed, diffLines(text, changed))
  const outcome =
    entry === undefined
      ? 'nothing is proposed: no calibration does better than the confidence as it is'
      : options.apply === true
        ? await applied(file, changed)
        : 'nothing was changed: --apply writes it'
  show(
    context,
    { ...told, ...(entry === undefined ? {} : { entry, diff }), applied: entry !== undefined && options.apply === true, outcome },
    {
      ...(options.json === undefined ? {} : { json: options.json }),
      text: () => [reportText(report), ...(diff === '' ? [] : ['', diff]), '', outcome].join('\n'),
    },
  )
}

/** `baton models calibrate`. */
export const calibrateCommand = (context: CommandContext): Command =>
  new Command('calibrate')
    .description('learn from outcomes how far the confidence of a route can be believed; changes nothing without --apply')
    .requiredOption('--route <name>', 'route or model of models.yaml')
    .option('--data <file>', 'JSON lines {"confidence": 0.8, "right": true}, optionally with route and weight; also .gz')
    .option('--reviews', 'outcomes of the running system instead: answers that people approved or did not')
    .option('--flow <name>', 'with --reviews: only of this flow')
    .option('--days <n>', 'with --reviews: how far back', whole(1, 3_650), 90)
    .option('--folds <n>', 'parts of the cross-validation', whole(2, 20), 5)
    .option('--seed <n>', 'seed of the parts', whole(0, 2 ** 31), 1)
    .option('--models <file>', 'the file to change; default: models.yaml of the configuration')
    .option('--apply', 'write the change, and let a running system take it over')
    .option('--json', 'print JSON')
    .action((options: Options) => calibrate(context, options))
