// Logistic heads over one text: hashed word and character grams with tf-idf, and features made by hand, standardised.
//   M1. The same rows give the same model, and the same text the same probabilities.
//   M2. A feature made by hand is held within four deviations of what training saw: a strange text cannot throw a decision far.
//   M3. A head is fitted on the rows that say something of it; one without both outcomes answers with the share it saw.
import { type Counts, countsOf, type FeatureOptions, inverseFrequencies, vectorOf } from '../text-features.policy.ts'
import { type Example, fitHead, headProbability, type LogisticHead, type SparseRow } from './logistic-head.policy.ts'

/** One text with its hand-made features by name. */
export type TextInput = { readonly text: string; readonly hand: Readonly<Record<string, number>> }
/** A text and whether each head should say yes; a head that is not named says nothing of this row. */
export type TextRow = TextInput & { readonly right: Readonly<Record<string, boolean>> }

/** How the hand-made features are standardised; `scale` is their weight beside the text. */
export type HandSpec = { readonly name: string; readonly mean: number; readonly spread: number; readonly scale: number }

export type TextModel = {
  readonly features: FeatureOptions
  readonly idf: Float32Array
  readonly hand: readonly HandSpec[]
  readonly heads: Readonly<Record<string, LogisticHead>>
  /** What cross-validation chose. */
  readonly penalties: Readonly<Record<string, number>>
}

export type TextModelOptions = {
  readonly buckets?: number
  /** Weight of a hand-made feature beside the text, by name; the default is 0.12. */
  readonly handScale?: (name: string) => number
  readonly penalties?: readonly number[]
  readonly folds?: number
  readonly onHead?: (name: string) => void
}

/** Few texts have few features, and a file is as large as its buckets. */
const bucketsFor = (rows: number): number => (rows < 500 ? 16_384 : 65_536)
const DEFAULTS = { penalties: [6, 12, 24], folds: 4 }
const HAND_SCALE = 0.12
const HAND_MAX = 4
const DOCUMENTS_MIN = 2

const featureOptions = (buckets: number): FeatureOptions => ({
  buckets,
  wordGramsMax: 2,
  charGramsMin: 2,
  charGramsMax: 4,
  charWeight: 1,
  textCharsMax: 8_000,
})

const handSpecs = (rows: readonly TextInput[], scaleOf: (name: string) => number): readonly HandSpec[] =>
  Object.keys(rows[0]?.hand ?? {}).map((name) => {
    const values = rows.map(({ hand }) => hand[name] ?? 0)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
    return { name, mean, spread: spread > 1e-9 ? spread : 0, scale: scaleOf(name) }
  })

type Space = Pick<TextModel, 'features' | 'idf' | 'hand'>

/** Text in the first columns, hand-made features behind them. */
const rowOf = ({ features, idf, hand }: Space, counts: Counts, values: Readonly<Record<string, number>>): SparseRow => {
  const text = vectorOf(counts, idf, features)
  const size = text.buckets.length
  const columns = new Int32Array(size + hand.length)
  const numbers = new Float32Array(size + hand.length)
  columns.set(text.buckets)
  numbers.set(text.values)
  hand.forEach(({ name, mean, spread, scale }, at) => {
    columns[size + at] = features.buckets + at
    const standard = spread === 0 ? 0 : ((values[name] ?? mean) - mean) / spread
    numbers[size + at] = scale * Math.max(-HAND_MAX, Math.min(HAND_MAX, standard)) // M2
  })
  return { columns, values: numbers }
}

/** A model, and what heads that never saw a row say of it, by head and row; `NaN` where the head has no say (for calibration). */
export type FittedTextModel = { readonly model: TextModel; readonly held: Readonly<Record<string, Float64Array>> }

const fitOne = (
  rows: readonly SparseRow[],
  said: readonly (boolean | undefined)[],
  options: { columns: number; penalties: readonly number[]; folds: number },
) => {
  const known = said.flatMap((right, at) => (right === undefined ? [] : [{ right, at }]))
  const right = known.filter((one) => one.right).length
  const held = new Float64Array(rows.length).fill(Number.NaN)
  const share = (right + 0.5) / (known.length + 1)
  if (right < 2 || known.length - right < 2) {
    for (const { at } of known) held[at] = share
    return { head: { weights: new Float32Array(options.columns), bias: Math.log(share / (1 - share)) }, penalty: 0, held } // M3
  }
  const examples: Example[] = known.map((one) => ({
    right: one.right,
    row: rows[one.at] ?? { columns: new Int32Array(), values: new Float32Array() },
  }))
  const fitted = fitHead(examples, options)
  known.forEach(({ at }, place) => (held[at] = fitted.held[place] ?? Number.NaN))
  return { head: fitted.head, penalty: fitted.penalty, held }
}

/** Fits a head for every name that a row speaks of (M1). Takes seconds for thousands of rows, on this thread. */
export const fitTextModel = (rows: readonly TextRow[], options: TextModelOptions = {}): FittedTextModel => {
  const {
    buckets = bucketsFor(rows.length),
    penalties = DEFAULTS.penalties,
    folds = DEFAULTS.folds,
    handScale = () => HAND_SCALE,
  } = options
  const features = featureOptions(buckets)
  const counts = rows.map(({ text }) => countsOf(text, features))
  const space: Space = { features, idf: inverseFrequencies(counts, features, DOCUMENTS_MIN), hand: handSpecs(rows, handScale) }
  const sparse = rows.map(({ hand }, at) => rowOf(space, counts[at] ?? { words: new Map(), chars: new Map() }, hand))
  const names = [...new Set(rows.flatMap(({ right }) => Object.keys(right)))].toSorted()
  const fitted = names.map((name) => {
    options.onHead?.(name)
    const said = rows.map(({ right }) => right[name])
    return [name, fitOne(sparse, said, { columns: buckets + space.hand.length, penalties, folds })] as const
  })
  const of = <T>(read: (one: (typeof fitted)[number][1]) => T): Readonly<Record<string, T>> =>
    Object.fromEntries(fitted.map(([name, one]) => [name, read(one)]))
  return { model: { ...space, heads: of(({ head }) => head), penalties: of(({ penalty }) => penalty) }, held: of(({ held }) => held) }
}

/** What each head says of a text (M1). */
export const textProbabilities = (model: TextModel, { text, hand }: TextInput): Readonly<Record<string, number>> => {
  const row = rowOf(model, countsOf(text, model.features), hand)
  return Object.fromEntries(Object.entries(model.heads).map(([name, head]) => [name, headProbability(head, row)]))
}
