// `baton models train-router`: a learned router from a table of outcomes, and whether it is worth anything.
//   W1. Every figure is of questions the scoring heads were not fitted on, and stands beside that of length alone on the same questions.
//   W2. A router that does worse than length is not written, unless it is forced to be; then its file says so.
import { Fault } from '@baton/contracts/fault'
import { seededRandom, shuffled } from '@baton/policy'
import { apgr, apgrDifference, callsFor, type Duel, lengthApgr, oracleApgr, routerJson, trainRouter } from '@baton/policy/router'
import type { Interval } from '@baton/policy/statistics'
import { readOutcomeFile, writeJson } from './files.ts'
import type { OutcomeRow } from './outcome-table.policy.ts'

export type TrainRouterOptions = {
  /** Table of outcomes; or `rows`, read elsewhere. */
  readonly data: string
  readonly rows?: readonly OutcomeRow[]
  readonly out: string
  readonly seed?: number
  /** The pair the figures are of; absent: the models that are right least and most often. */
  readonly weak?: string
  readonly strong?: string
  readonly force?: boolean
  readonly nowMs: number
}
export type TrainRouterProgress = { readonly share: number; readonly model: string }

export type RouterReport = {
  readonly out: string
  readonly rows: number
  readonly models: readonly { readonly name: string; readonly rows: number; readonly right: number }[]
  readonly weak: string
  readonly strong: string
  /** Mean share of the gain that is kept over all shares of strong calls; `null` where the strong model gains nothing. */
  readonly apgr: number | null
  readonly length: number | null
  readonly oracle: number | null
  readonly aboveLength: Interval | null
  /** Share of strong calls that keeps half, and four fifths, of the gain. */
  readonly callsForHalf: number
  readonly callsForMost: number
  readonly promoted: boolean
  readonly reason: string
  readonly sizeBytes: number
  readonly seconds: number
}

const ROWS_MIN = 50
const rounded = (value: number): number => Math.round(value * 10_000) / 10_000
const orNull = (value: number): number | null => (Number.isFinite(value) ? rounded(value) : null)

const modelsOf = (rows: readonly OutcomeRow[]): RouterReport['models'] =>
  [...new Set(rows.flatMap(({ ok }) => Object.keys(ok)))].toSorted().map((name) => {
    const known = rows.flatMap(({ ok }) => ok[name] ?? [])
    return { name, rows: known.length, right: rounded(known.filter(Boolean).length / known.length) }
  })

/** The two models that figures are of. */
export const pairOf = (
  rows: readonly OutcomeRow[],
  { weak, strong }: { weak?: string; strong?: string },
): { weak: string; strong: string } => {
  const models = modelsOf(rows).toSorted((left, right) => left.right - right.right)
  const [least, most] = [weak ?? models[0]?.name, strong ?? models.at(-1)?.name]
  const names = models.map(({ name }) => name)
  if (least === undefined || most === undefined || least === most || !names.includes(least) || !names.includes(most))
    throw new Fault('input.invalid', `The table needs outcomes of two models; it has ${names.join(', ')}.`, { models: names.join(', ') })
  return { weak: least, strong: most }
}

type Compared = Pick<RouterReport, 'apgr' | 'length' | 'oracle' | 'aboveLength' | 'callsForHalf' | 'callsForMost'>

/** The router beside length, on questions of which both outcomes are known (W1). */
const compare = (duels: readonly (Duel & { readonly prompt: string })[]): Compared => {
  const byLength = duels.map((duel) => ({ ...duel, score: duel.prompt.length }))
  const own = apgr(duels)
  const questions = duels.map((_, at) => at)
  const above = Number.isNaN(own) ? undefined : apgrDifference([{ questions, left: duels, right: byLength }], duels.length)
  return {
    apgr: orNull(own),
    length: orNull(lengthApgr(duels)),
    oracle: orNull(oracleApgr(duels)),
    aboveLength: above === undefined ? null : { value: rounded(above.value), low: rounded(above.low), high: rounded(above.high) },
    callsForHalf: rounded(callsFor(duels, 0.5)),
    callsForMost: rounded(callsFor(duels, 0.8)),
  }
}

const verdictOf = ({ apgr: own, length }: Compared): { good: boolean; reason: string } => {
  if (own === null || length === null) return { good: false, reason: 'the strong model gains nothing over the weak one on these questions' }
  return own >= length
    ? { good: true, reason: 'it does at least as well as length alone' }
    : { good: false, reason: 'it does worse than length alone' }
}

/** Trains, compares and writes (W1, W2). Takes seconds to minutes, on this thread. */
export const trainRouterFromFile = async (
  options: TrainRouterOptions,
  onProgress: (progress: TrainRouterProgress) => void = () => {},
): Promise<RouterReport> => {
  const started = performance.now()
  const { seed = 1, force = false, out } = options
  const file = options.rows === undefined ? await readOutcomeFile(options.data) : { rows: options.rows, sha256: '' }
  if (file.rows.length < ROWS_MIN)
    throw new Fault('input.invalid', `A router needs at least ${ROWS_MIN} questions; there are ${file.rows.length}.`, {
      rows: file.rows.length,
    })
  const rows = shuffled(file.rows, seededRandom(seed))
  const pair = pairOf(rows, options)
  const models = modelsOf(rows)
  let heads = 0
  const { model, held } = trainRouter(rows, { onHead: (name) => onProgress({ share: heads++ / models.length, model: name }) })
  onProgress({ share: 1, model: pair.strong })
  const duels = rows.flatMap(({ prompt, ok }, at) => {
    const [weakRight, strongRight] = [ok[pair.weak], ok[pair.strong]]
    if (weakRight === undefined || strongRight === undefined) return []
    return [{ prompt, weakRight, strongRight, score: (held[pair.strong]?.[at] ?? 0) - (held[pair.weak]?.[at] ?? 0) }]
  })
  const compared = compare(duels)
  const { good, reason } = verdictOf(compared)
  const promoted = good || force
  const figures = { ...pair, ...compared, rows: rows.length, compared: duels.length, seed, reason, forced: force && !good }
  const about = { ...figures, data: file.sha256, models, date: new Date(options.nowMs).toISOString().slice(0, 10) }
  const sizeBytes = promoted ? await writeJson(out, routerJson(model, about)) : 0
  const seconds = rounded((performance.now() - started) / 1_000)
  return { out, rows: rows.length, models, ...pair, ...compared, promoted, reason, sizeBytes, seconds }
}
