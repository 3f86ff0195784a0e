// `baton models calibrate`: how far the confidence of a route can be believed, learned from outcomes, as a change of models.yaml.
//   Z1. Rows hold the confidence as the model gave it: a calibration is fitted on what it will be applied to, never on its own results.
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
import { z } from 'zod'

/** An answer of a route: how sure its model was, and whether it was right. */
export type ConfidenceRow = { readonly confidence: number; readonly right: boolean; readonly weight?: number }

/** Below this a fit is chance. */
const CALIBRATION_ROWS_MIN = 50
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
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new Fault('input.invalid', `${file} cannot be read.`, { file }, { cause: error })
  })
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

/** A calibrator with where it comes from. */
export type CalibrationEntry = Calibrator & {
  readonly rows: number
  readonly at: string
  readonly error: { readonly before: number; readonly after: number }
}

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
