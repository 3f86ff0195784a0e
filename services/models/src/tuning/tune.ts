// `baton models tune`: the threshold of a cascade (or of a learned route) for a target of cost or quality, on recorded outcomes.
//   U1. Scores are of answers that the heads behind them never saw; the threshold is chosen on them, and its figures come with intervals.
//   U2. Where the answers of the cheap model are known, a judge is trained and written; without them only the threshold of a route is said.
import { Fault } from '@baton/contracts/fault'
import { seededRandom, shuffled } from '@baton/policy'
import { calibrated, expectedCalibrationError } from '@baton/policy/calibration'
import {
  chooseThreshold,
  judgeJson,
  trainJudge,
  type Judge,
  type TuneCase,
  tuneCurve,
  type TuneKind,
  tunePointAt,
  type TunePoint,
  type TuneTarget,
} from '@baton/policy/cascade'
import { trainRouter } from '@baton/policy/router'
import { bootstrapInterval, type Interval } from '@baton/policy/statistics'
import { readOutcomeFile, writeJson } from '../training/files.ts'
import type { OutcomeRow } from '../training/outcome-table.policy.ts'
import { pairOf } from '../training/train-router.ts'

export type TuneOptions = {
  readonly data: string
  readonly cheap?: string
  readonly strong?: string
  /** US dollars of one call. */
  readonly cheapCostUsd: number
  readonly strongCostUsd: number
  readonly target: TuneTarget
  /** Where the judge goes; absent: nothing is written. */
  readonly out?: string
  readonly seed?: number
  readonly nowMs: number
}
export type TuneReport = {
  readonly kind: TuneKind
  readonly cheap: string
  readonly strong: string
  readonly rows: number
  /** The cheap model alone, the strong one alone. */
  readonly ends: readonly [TunePoint, TunePoint]
  readonly curve: readonly TunePoint[]
  /** Absent: no threshold meets the target. */
  readonly chosen?: TunePoint & { readonly qualityInterval: Interval; readonly escalatedInterval: Interval }
  readonly calibrationError: number
  readonly out?: string
  readonly sizeBytes?: number
}

const ROWS_MIN = 50
const rounded = (value: number): number => Math.round(value * 10_000) / 10_000
const roundedPoint = ({ threshold, escalated, quality, cost }: TunePoint): TunePoint => ({
  threshold: Math.min(1, threshold),
  escalated: rounded(escalated),
  quality: rounded(quality),
  cost: Number(cost.toPrecision(4)),
})

type Known = { readonly prompt: string; readonly cheapRight: boolean; readonly strongRight: boolean; readonly answer?: string }

const knownOf = (rows: readonly OutcomeRow[], { cheap, strong }: { cheap: string; strong: string }): readonly Known[] =>
  rows.flatMap(({ prompt, ok, answers }) => {
    const [cheapRight, strongRight, answer] = [ok[cheap], ok[strong], answers[cheap]]
    if (cheapRight === undefined || strongRight === undefined) return []
    return [{ prompt, cheapRight, strongRight, ...(answer === undefined ? {} : { answer }) }]
  })

/** Scores of every case, by a judge or by a router (U1, U2). */
const scored = (known: readonly Known[]): { kind: TuneKind; scores: readonly number[]; judge?: Judge } => {
  if (known.every(({ answer }) => answer !== undefined)) {
    const { judge, held } = trainJudge(
      known.map(({ prompt, answer = '', cheapRight, strongRight }) => ({
        question: prompt,
        answer,
        right: cheapRight,
        nextRight: strongRight,
      })),
    )
    return { kind: 'cascade', scores: held.map((score) => calibrated(judge.calibrator, score)), judge }
  }
  const { held } = trainRouter(
    known.map(({ prompt, cheapRight, strongRight }) => ({ prompt, ok: { cheap: cheapRight, strong: strongRight } })),
  )
  // A learned route keeps the cheap model also where it believes in it more than in the strong one.
  const scores = known.map((_, at) => {
    const [cheap, strong] = [held['cheap']?.[at] ?? 0, held['strong']?.[at] ?? 0]
    return cheap > strong ? 1 : cheap
  })
  return { kind: 'route', scores }
}

const intervals = (cases: readonly TuneCase[], { threshold }: TunePoint, kind: TuneKind) => {
  const of = (read: (point: TunePoint) => number): Interval => {
    const values = cases.map((one) => read(tunePointAt([one], threshold, kind)))
    const { value, low, high } = bootstrapInterval(
      values.length,
      (rows) => rows.reduce((sum, row) => sum + (values[row] ?? 0), 0) / rows.length,
    )
    return { value: rounded(value), low: rounded(low), high: rounded(high) }
  }
  return { qualityInterval: of(({ quality }) => quality), escalatedInterval: of(({ escalated }) => escalated) }
}

const SHOWN = 12

/** Some points of a curve, evenly spread over the share of strong calls. */
const thinned = (curve: readonly TunePoint[]): readonly TunePoint[] => {
  const picked = Array.from({ length: SHOWN }, (_, at) => curve.find(({ escalated }) => escalated >= at / (SHOWN - 1)) ?? curve.at(-1))
  return [...new Set(picked)].flatMap((point) => (point === undefined ? [] : [roundedPoint(point)]))
}

const NOWHERE: TunePoint = { threshold: 0, escalated: 0, quality: 0, cost: 0 }

/** Both outcomes of every question, by model. */
const readKnown = async (options: TuneOptions) => {
  const { rows, sha256 } = await readOutcomeFile(options.data)
  const pair = pairOf(rows, {
    ...(options.cheap === undefined ? {} : { weak: options.cheap }),
    ...(options.strong === undefined ? {} : { strong: options.strong }),
  })
  const names = { cheap: pair.weak, strong: pair.strong }
  const known = shuffled(knownOf(rows, names), seededRandom(options.seed ?? 1))
  if (known.length < ROWS_MIN)
    throw new Fault('input.invalid', `Tuning needs at least ${ROWS_MIN} questions with both outcomes; there are ${known.length}.`)
  return { names, known, sha256 }
}

/** The curve, and the point on it that was chosen (U1). */
const tuned = (cases: readonly TuneCase[], kind: TuneKind, target: TuneTarget): Pick<TuneReport, 'kind' | 'ends' | 'curve' | 'chosen'> => {
  const curve = tuneCurve(cases, kind)
  const point = chooseThreshold(curve, target)
  return {
    kind,
    ends: [roundedPoint(curve[0] ?? NOWHERE), roundedPoint(curve.at(-1) ?? NOWHERE)],
    curve: thinned(curve),
    ...(point === undefined ? {} : { chosen: { ...roundedPoint(point), ...intervals(cases, point, kind) } }),
  }
}

/** Tunes and, with `out`, writes the judge with its threshold. Takes seconds to minutes, on this thread. */
export const tuneFromFile = async (options: TuneOptions, onPhase: (phase: string) => void = () => {}): Promise<TuneReport> => {
  const { names, known, sha256 } = await readKnown(options)
  onPhase(`learning from ${known.length} questions`)
  const { kind, scores, judge } = scored(known)
  onPhase('trying thresholds')
  const costs = { cheapCost: options.cheapCostUsd, strongCost: options.strongCostUsd }
  const cases = known.map(({ cheapRight, strongRight }, at): TuneCase => ({ score: scores[at] ?? 0, cheapRight, strongRight, ...costs }))
  const judged = known.map(({ cheapRight }, at) => ({ confidence: scores[at] ?? 0, right: cheapRight }))
  const calibrationError = rounded(expectedCalibrationError(judged))
  const report: TuneReport = { ...names, rows: known.length, calibrationError, ...tuned(cases, kind, options.target) }
  const { chosen } = report
  if (options.out === undefined || judge === undefined || chosen === undefined) return report
  const { threshold, quality, escalated, cost } = chosen
  const figures = { threshold, quality, escalated, cost, ...names, rows: known.length, calibrationError, data: sha256 }
  const about = { ...figures, date: new Date(options.nowMs).toISOString().slice(0, 10) }
  return { ...report, out: options.out, sizeBytes: await writeJson(options.out, judgeJson(judge, about)) }
}
