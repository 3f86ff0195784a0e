// A linear model for categories of harm, one answer a category: hashed words and pairs of words, weighed as the classifiers of models are.
//   H2. A category that nobody labelled in a row teaches nothing about that category.
//   H3. The same rows and seed give the same model.
//   H5. Predicting gives the scores of training's own vectors, without building them.
//   H4. A long text is read in windows, and is as bad as its worst one: harm is not diluted by what stands around it.
import {
  countsOf,
  type FeatureOptions,
  type Features,
  inverseFrequencies,
  vectorOf,
  pairBuckets,
  readable,
} from '../../text-features.policy.ts'
import { placesOfWords } from '../../text-words.policy.ts'
import { seededRandom, shuffled } from '../../seeded-random.policy.ts'

export type HarmModel = {
  readonly categories: readonly string[]
  readonly features: FeatureOptions
  readonly idf: Float32Array
  /** By bucket, then category; times the scale of the category. */
  readonly weights: Int8Array
  readonly scales: Float32Array
  readonly bias: Float32Array
}

/** A text and what people said of each category; absent where nobody said anything. */
export type HarmRow = { readonly text: string; readonly labels: Readonly<Record<string, boolean | undefined>> }

const HARM_FEATURES: FeatureOptions = {
  buckets: 8_192,
  wordGramsMax: 2,
  charGramsMin: 4,
  charGramsMax: 3,
  charWeight: 1,
  textCharsMax: 20_000,
}
const FIT = { epochs: 30, learningRate: 0.3, dropout: 0.4, seed: 7, documentsMin: 3 }

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value))

const scoreOf = (features: Features, from: (bucket: number) => number, bias: number): number => {
  let sum = bias
  for (let at = 0; at < features.buckets.length; at++) sum += (features.values[at] ?? 0) * from(features.buckets[at] ?? 0)
  return sum
}

/** Fits one category by AdaGrad; rarer answers weigh more, up to five times. */
const fitCategory = (rows: readonly { features: Features; target: number }[], buckets: number): { weights: Float32Array; bias: number } => {
  const weights = new Float32Array(buckets)
  const squares = new Float32Array(buckets)
  const random = seededRandom(FIT.seed)
  const positive = rows.filter(({ target }) => target === 1).length
  const weightOf = Math.min(5, Math.sqrt((rows.length - positive) / Math.max(1, positive)))
  let bias = 0
  let biasSquares = 0
  for (let epoch = 0; epoch < FIT.epochs; epoch++) {
    for (const { features, target } of shuffled(rows, random)) {
      const kept = Array.from(features.buckets, (_bucket, at) => at).filter(() => random() >= FIT.dropout)
      const thin = {
        buckets: Int32Array.from(kept, (at) => features.buckets[at] ?? 0),
        values: Float32Array.from(kept, (at) => (features.values[at] ?? 0) / (1 - FIT.dropout)),
      }
      const gradient = (sigmoid(scoreOf(thin, (bucket) => weights[bucket] ?? 0, bias)) - target) * (target === 1 ? weightOf : 1)
      for (let at = 0; at < thin.buckets.length; at++) {
        const bucket = thin.buckets[at] ?? 0
        const slope = gradient * (thin.values[at] ?? 0)
        const square = (squares[bucket] ?? 0) + slope * slope
        squares[bucket] = square
        weights[bucket] = (weights[bucket] ?? 0) - (FIT.learningRate * slope) / Math.sqrt(square + 1e-8)
      }
      biasSquares += gradient * gradient
      bias -= (FIT.learningRate * gradient) / Math.sqrt(biasSquares + 1e-8)
    }
  }
  return { weights, bias }
}

/** Trains a model on rows (H2, H3). */
export const trainHarm = (rows: readonly HarmRow[], categories: readonly string[]): HarmModel => {
  const counts = rows.map(({ text }) => countsOf(text, HARM_FEATURES))
  const idf = inverseFrequencies(counts, HARM_FEATURES, FIT.documentsMin)
  const vectors = counts.map((count) => vectorOf(count, idf, HARM_FEATURES))
  const weights = new Int8Array(HARM_FEATURES.buckets * categories.length)
  const scales = new Float32Array(categories.length)
  const bias = new Float32Array(categories.length)
  categories.forEach((category, column) => {
    const known = rows.flatMap(({ labels }, at) => {
      const label = labels[category]
      const features = vectors[at]
      return label === undefined || features === undefined ? [] : [{ features, target: label ? 1 : 0 }]
    })
    const fitted = fitCategory(known, HARM_FEATURES.buckets)
    const peak = fitted.weights.reduce((highest, weight) => Math.max(highest, Math.abs(weight)), 1e-9)
    scales[column] = peak / 127
    bias[column] = fitted.bias
    fitted.weights.forEach((weight, bucket) => (weights[bucket * categories.length + column] = Math.round((weight / peak) * 127)))
  })
  return { categories, features: HARM_FEATURES, idf, weights, scales, bias }
}

/** What predicting writes on, made once a text: counts by bucket, the buckets counted, the buckets of a window in order. */
type Sheet = { readonly counts: Uint16Array; readonly touched: Int32Array; readonly grams: Int32Array }

/** Counts of the buckets of a text, words and pairs of words (H5); how many buckets there are. */
const countInto = ({ counts, touched, grams }: Sheet, text: string, { buckets }: FeatureOptions): number => {
  const small = readable(text)
  const places = placesOfWords(small)
  const into = places.length > grams.length ? new Int32Array(places.length) : grams // a text may grow as it is made readable
  const found = pairBuckets(small, places, buckets - 1, into)
  let size = 0
  for (let at = 0; at < found; at++) {
    const bucket = into[at] ?? 0
    const count = counts[bucket] ?? 0
    if (count === 0) touched[size++] = bucket
    counts[bucket] = count + 1
  }
  return size
}

/** Most buckets are counted once or twice; a logarithm each would be most of the time. */
const SUBLINEAR = Float64Array.from({ length: 64 }, (_, count) => 1 + Math.log(count))
const sublinear = (count: number): number => SUBLINEAR[count] ?? 1 + Math.log(count)

/** How likely each category is in one window of text, in the order of `model.categories`. */
const scoresOf = (model: HarmModel, sheet: Sheet, text: string): readonly number[] => {
  const size = model.categories.length
  const sums = new Float64Array(size)
  let squares = 0
  const touched = countInto(sheet, text, model.features)
  for (let place = 0; place < touched; place++) {
    const bucket = sheet.touched[place] ?? 0
    const value = sublinear(sheet.counts[bucket] ?? 1) * (model.idf[bucket] ?? 0)
    sheet.counts[bucket] = 0
    if (value === 0) continue
    squares += value * value
    const from = bucket * size
    for (let column = 0; column < size; column++) sums[column] = (sums[column] ?? 0) + value * (model.weights[from + column] ?? 0)
  }
  const length = squares > 0 ? Math.sqrt(squares) : 1
  return model.categories.map((_category, column) =>
    sigmoid(((sums[column] ?? 0) / length) * (model.scales[column] ?? 0) + (model.bias[column] ?? 0)),
  )
}

export type HarmScore = { readonly category: string; readonly score: number; readonly start: number; readonly end: number }

const WINDOW_CHARS = 2_000

const windowsOf = (text: string): readonly { start: number; end: number }[] => {
  const windows: { start: number; end: number }[] = []
  for (let start = 0; start < text.length;) {
    let end = Math.min(text.length, start + WINDOW_CHARS)
    const gap = end < text.length ? text.lastIndexOf(' ', end) : end
    if (gap > start + WINDOW_CHARS / 2) end = gap
    windows.push({ start, end })
    start = end
  }
  return windows
}

/** The worst window of each category (H4). */
export const harmScores = (model: HarmModel, text: string, onWindow: () => void = () => {}): readonly HarmScore[] => {
  const worst = model.categories.map((category): HarmScore => ({ category, score: 0, start: 0, end: text.length }))
  const { buckets } = model.features
  const sheet = { counts: new Uint16Array(buckets), touched: new Int32Array(buckets), grams: new Int32Array(2 * WINDOW_CHARS) }
  for (const { start, end } of windowsOf(text)) {
    onWindow()
    scoresOf(model, sheet, text.slice(start, end)).forEach((score, at) => {
      const known = worst[at]
      if (known !== undefined && score > known.score) worst[at] = { category: known.category, score, start, end }
    })
  }
  return worst
}
