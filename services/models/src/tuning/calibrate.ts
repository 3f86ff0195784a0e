// `baton models calibrate`: how far the confidence of a route can be believed, learned from outcomes, as a change of models.yaml.
//   Z1. Rows hold the confidence as the model gave it: a calibration is fitted on what it will be applied to, never on its own results.
//   Z2. Only the entry of the route is changed in the text; every other line, comments too, stays as it is.
import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { Fault } from '@baton/contracts/fault'
import {
  chooseCalibration,
  reliability,
  type CalibrationTrial,
  type CalibrationWay,
  type Calibrator,
  type Judged,
  type ReliabilityBin,
} from '@baton/policy/calibration'
import { reliabilityDiagram } from '@baton/policy/confidence'
import { isMap, isScalar, parseDocument, stringify } from 'yaml'
import { z } from 'zod'
import { parseConfig } from '../catalogue/config-text.ts'
import { ModelsFile } from '../catalogue/catalogue.ts'

/** An answer of a route: how sure its model was, and whether it was right. */
export type ConfidenceRow = { readonly confidence: number; readonly right: boolean; readonly weight?: number }

/** Below this a fit is chance. */
export const CALIBRATION_ROWS_MIN = 50
const LINES_MAX = 1_000_000

const Line = z.looseObject({
  route: z.string().optional(),
  confidence: z.number().min(0).max(1),
  /** Where an earlier calibration made `confidence`: what the model gave (Z1). */
  rawConfidence: z.number().min(0).max(1).optional(),
  right: z.boolean(),
  weight: z.number().positive().optional(),
})

const parsedLine = (line: string, file: string, number: number): z.infer<typeof Line> => {
  const wrong = (problem: string): Fault => new Fault('input.invalid', `${file}, line ${number}: ${problem}`, { file, line: number }, {})
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch {
    throw wrong('this is no JSON; a line is {"confidence": 0.8, "right": true}')
  }
  const read = Line.safeParse(json)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw wrong(`${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'not a row'}`)
}

/** Reads JSON lines `{ confidence, right }`, also as `.gz`; rows that name another route are left out. Throws `input.invalid` with the line. */
export const readConfidenceRows = async (file: string, route: string): Promise<readonly ConfidenceRow[]> => {
  const bytes = await readFile(file)
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  const lines = text.split('\n')
  if (lines.length > LINES_MAX) throw new Fault('input.invalid', `${file} has more than ${LINES_MAX} lines.`, { file })
  return lines.flatMap((line, at): ConfidenceRow[] => {
    if (line.trim() === '') return []
    const { route: of, confidence, rawConfidence, right, weight } = parsedLine(line, file, at + 1)
    if (of !== undefined && of !== route) return []
    return [{ confidence: rawConfidence ?? confidence, right, ...(weight === undefined ? {} : { weight }) }] // Z1
  })
}

type Side = { readonly calibrationError: number; readonly brier: number; readonly bands: readonly ReliabilityBin[] }

export type CalibrationReport = {
  readonly route: string
  readonly rows: number
  readonly right: number
  readonly seed: number
  readonly folds: number
  readonly ways: readonly {
    readonly way: CalibrationWay
    readonly brier: number
    readonly logLoss: number
    readonly calibrationError: number
  }[]
  readonly chosen: CalibrationWay
  readonly before: Side
  /** On rows that the fit had not seen. */
  readonly after: Side
  /** Of the text reports: the diagrams. */
  readonly diagrams: { readonly before: readonly string[]; readonly after: readonly string[] }
  /** What stands under `calibration` of models.yaml; absent where confidences are best left alone. */
  readonly entry?: Calibrator & {
    readonly rows: number
    readonly at: string
    readonly error: { readonly before: number; readonly after: number }
  }
}

const small = (value: number): number => Math.round(value * 1e4) / 1e4
const sideOf = ({ calibrationError, brier }: CalibrationTrial, judged: readonly Judged[]): Side => ({
  calibrationError: small(calibrationError),
  brier: small(brier),
  bands: reliability(judged),
})

/** Knots that say the same as those beside them are left out, and numbers are rounded: people read the file. */
const written = (calibrator: Calibrator): Calibrator => {
  if (calibrator.kind === 'platt') return { ...calibrator, slope: small(calibrator.slope), intercept: small(calibrator.intercept) }
  const scores = calibrator.scores.map(small)
  const shares = calibrator.shares.map(small)
  const kept = scores
    .map((_, at) => at)
    .filter((at) => {
      const same = (other: number): boolean => shares[other] === shares[at]
      return at === 0 || at === scores.length - 1 || !same(at - 1) || !same(at + 1)
    })
  return { kind: 'isotonic', scores: kept.map((at) => scores[at] ?? 0), shares: kept.map((at) => shares[at] ?? 0) }
}

/** Fits, chooses and reports. Throws `input.invalid` for too few rows. */
export const calibrateRoute = (
  rows: readonly ConfidenceRow[],
  { route, seed, folds, nowMs }: { readonly route: string; readonly seed: number; readonly folds: number; readonly nowMs: number },
): CalibrationReport => {
  if (rows.length < CALIBRATION_ROWS_MIN)
    throw new Fault(
      'input.invalid',
      `${rows.length} outcomes of ${route} are too few to calibrate: at least ${CALIBRATION_ROWS_MIN} are needed.`,
      {
        rows: rows.length,
      },
    )
  const outcomes = rows.map(({ confidence, ...row }) => ({ ...row, score: confidence }))
  const { trials, chosen, calibrator } = chooseCalibration(outcomes, { seed, folds })
  const raw = trials.find(({ way }) => way === 'none') ?? chosen
  const error = { before: small(raw.calibrationError), after: small(chosen.calibrationError) }
  return {
    route,
    rows: rows.length,
    right: rows.filter(({ right }) => right).length,
    seed,
    folds,
    ways: trials.map(({ way, brier, logLoss, calibrationError }) => ({
      way,
      brier: small(brier),
      logLoss: small(logLoss),
      calibrationError: small(calibrationError),
    })),
    chosen: chosen.way,
    before: sideOf(raw, raw.judged),
    after: sideOf(chosen, chosen.judged),
    diagrams: { before: reliabilityDiagram(raw.judged), after: reliabilityDiagram(chosen.judged) },
    ...(calibrator === undefined
      ? {}
      : { entry: { ...written(calibrator), rows: rows.length, at: new Date(nowMs).toISOString().slice(0, 10), error } }),
  }
}

const indented = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}\n`)
    .join('')

/** The lines of an entry; lists of numbers on one line. */
const entryText = (route: string, entry: NonNullable<CalibrationReport['entry']>): string =>
  indented(
    stringify({ [route]: entry }, { lineWidth: 0, collectionStyle: 'block', flowCollectionPadding: false }).replaceAll(
      /((?: +- -?[\d.e-]+\n)+)/g,
      (list) =>
        `\u0000${list
          .trim()
          .split(/\s*\n\s*/)
          .map((item) => item.slice(2))
          .join(', ')}\u0000\n`,
    ),
  ).replaceAll(/\n\s*\u0000([^\u0000]*)\u0000/g, ' [$1]')

/** The text of models.yaml with the calibration of a route in it (Z2). Throws `config.invalid` for a text that is not right before or after. */
export const withCalibration = (text: string, route: string, entry: NonNullable<CalibrationReport['entry']>): string => {
  const file = parseConfig(text, ModelsFile, 'models.yaml')
  if (!Object.hasOwn(file.routes, route) && !Object.hasOwn(file.models, route))
    throw new Fault('input.invalid', `models.yaml has no route or model ${route}; it has ${Object.keys(file.routes).join(', ')}.`, {
      route,
    })
  const document = parseDocument(text)
  const section = document.get('calibration', true)
  const ended = text.endsWith('\n') || text === '' ? text : `${text}\n`
  const lines = entryText(route, entry)
  const changed = ((): string => {
    if (!isMap(section))
      return `${ended}\n# How far confidences can be believed; written by baton models calibrate.\ncalibration:\n${lines}`
    if (section.flow === true) throw new Fault('config.invalid', 'models.yaml: write calibration as a block, an entry a line.', {})
    const known = section.items.find(({ key }) => isScalar(key) && key.value === route)
    const place = isScalar(known?.key) ? known.key.range?.[0] : undefined
    const value = known?.value
    const range =
      typeof value === 'object' && value !== null && 'range' in value ? (value.range as readonly number[] | undefined) : undefined
    if (place === undefined || range === undefined) {
      const end = section.range?.[1] ?? ended.length
      return `${ended.slice(0, end).trimEnd()}\n${lines}${ended.slice(end)}`
    }
    const from = ended.lastIndexOf('\n', place) + 1
    const until = range[1] ?? ended.length
    return `${ended.slice(0, from)}${lines}${ended.slice(until)}`
  })()
  parseConfig(changed, ModelsFile, 'models.yaml')
  return changed
}
