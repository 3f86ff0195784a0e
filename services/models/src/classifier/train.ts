// Training: labelled text in, a classifier with calibrated confidence out.
//   C9. The same rows, options and seed give the same weights.
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { Fault } from '@baton/contracts/fault'
import { type Artefact, encodeArtefact, packArtefact, quantise } from './artefact.ts'
import { expectedCalibrationError, type Judged } from '@baton/policy/calibration'
import { type CurvePoint, confidenceCurve, fitTemperature, type Scored } from './calibration.policy.ts'
import { countsOf, type FeatureOptions, inverseFrequencies, vectorOf } from '@baton/policy'
import { type LabelledText, parseLabelledText } from './labelled-text.policy.ts'
import { fitLogistic, type LinearModel, scoresOf } from './logistic.policy.ts'
import { type LabelTable, readLabelTable, readProbabilities } from './label-table.policy.ts'
import { classify } from './predict.ts'
import { seededRandom, shuffled } from '@baton/policy'

/** `compact`: small files, what is rare is left out. `wide`: shorter pieces of words, everything is kept; better with many labels. */
type Recipe = 'compact' | 'wide'
export type TrainOptions = { readonly seed?: number; readonly epochs?: number; readonly buckets?: number; readonly recipe?: Recipe }
/** How far training has come; `share` goes from 0 to 1. */
export type TrainProgress = { readonly share: number; readonly phase: 'calibrate' | 'fit'; readonly epoch: number; readonly loss: number }

const RECIPES = {
  compact: { epochs: 20, buckets: 65_536, charGramsMin: 3, documentsMin: 2, learningRate: 0.3, dropout: 0.5, gradientMin: 0 },
  wide: { epochs: 14, buckets: 131_072, charGramsMin: 2, documentsMin: 1, learningRate: 0.15, dropout: 0.7, gradientMin: 0.01 },
} as const satisfies Record<Recipe, object>
const DEFAULTS = { seed: 1, recipe: 'compact' as Recipe }
/** Options with what the recipe says where they say nothing. */
const settled = (options: TrainOptions) => {
  const recipe = options.recipe ?? DEFAULTS.recipe
  const { epochs = RECIPES[recipe].epochs, buckets = RECIPES[recipe].buckets, seed = DEFAULTS.seed } = options
  return { recipe, epochs, buckets, seed }
}
const CALIBRATION_SHARE = 0.15
const THRESHOLDS = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95]

const featureOptions = (buckets: number, recipe: Recipe): FeatureOptions => ({
  buckets,
  wordGramsMax: 2,
  charGramsMin: RECIPES[recipe].charGramsMin,
  charGramsMax: 5,
  charWeight: 1,
  textCharsMax: 2_000,
})

type Fitted = { readonly model: LinearModel; readonly idf: Float32Array }
type Task = {
  readonly rows: readonly LabelledText[]
  readonly labels: readonly string[]
  readonly features: FeatureOptions
  readonly seed: number
  readonly recipe: Recipe
  readonly epochs: number
  readonly onEpoch: (epoch: number, loss: number) => void
}

const fit = ({ rows, labels, features, seed, recipe, epochs, onEpoch }: Task): Fitted => {
  const targets = new Map(labels.map((label, at) => [label, at]))
  const counts = rows.map(({ text }) => countsOf(text, features))
  const { documentsMin, ...how } = RECIPES[recipe]
  const idf = inverseFrequencies(counts, features, documentsMin)
  const examples = counts.map((count, at) => ({
    features: vectorOf(count, idf, features),
    target: targets.get(rows[at]?.label ?? '') ?? 0,
  }))
  return {
    idf,
    model: fitLogistic(examples, { ...how, classes: labels.length, buckets: features.buckets, epochs, seed }, onEpoch),
  }
}

/** Fits the temperature on a held-out part, then the weights on every row (C9). Takes seconds to minutes, on this thread. */
export const trainClassifier = (
  rows: readonly LabelledText[],
  options: TrainOptions = {},
  onProgress: (progress: TrainProgress) => void = () => {},
): Artefact => {
  const { seed, epochs, buckets, recipe } = settled(options)
  const labels = [...new Set(rows.map(({ label }) => label))].toSorted()
  if (labels.length < 2) throw new Fault('input.invalid', 'Training needs rows of at least two labels.', { labels: labels.length })
  const features = featureOptions(buckets, recipe)
  const mixed = shuffled(rows, seededRandom(seed))
  const held = mixed.slice(0, Math.floor(mixed.length * CALIBRATION_SHARE))
  const report = (phase: 'calibrate' | 'fit') => (epoch: number, loss: number) =>
    onProgress({ share: ((phase === 'fit' ? epochs : 0) + epoch) / (2 * epochs), phase, epoch, loss })
  const trial = fit({ rows: mixed.slice(held.length), labels, features, seed, recipe, epochs, onEpoch: report('calibrate') })
  const scored: Scored[] = held.map(({ text, label }) => ({
    scores: scoresOf(trial.model, vectorOf(countsOf(text, features), trial.idf, features)),
    target: labels.indexOf(label),
  }))
  const final = fit({ rows: mixed, labels, features, seed, recipe, epochs, onEpoch: report('fit') })
  return { labels, features, temperature: fitTemperature(scored), idf: final.idf, bias: final.model.bias, ...quantise(final.model) }
}

export type Evaluation = {
  readonly rows: number
  readonly accuracy: number
  readonly calibrationError: number
  readonly curve: readonly CurvePoint[]
}

const share = (value: number): number => Math.round(value * 10_000) / 10_000

const summarise = (judged: readonly Judged[]): Evaluation => ({
  rows: judged.length,
  accuracy: share(judged.filter(({ right }) => right).length / Math.max(1, judged.length)),
  calibrationError: share(expectedCalibrationError(judged)),
  curve: confidenceCurve(judged, THRESHOLDS).map((point) => ({ ...point, share: share(point.share), accuracy: share(point.accuracy) })),
})

/** Accuracy and calibration of labels on rows never trained on. */
export const evaluateClassifier = (artefact: Artefact, rows: readonly LabelledText[]): Evaluation =>
  summarise(
    rows.map(({ text, label }) => {
      const probabilities = classify(artefact, text)
      const best = probabilities.indexOf(Math.max(...probabilities))
      return { confidence: probabilities[best] ?? 0, right: artefact.labels[best] === label }
    }),
  )

/** The same for the categories that labels belong to: what a flow decides on. */
export const evaluateCategories = (artefact: Artefact, rows: readonly LabelledText[], table: LabelTable): Evaluation =>
  summarise(
    rows.map(({ text, label }) => {
      const { intent, confidence } = readProbabilities(classify(artefact, text), { labels: artefact.labels, table, sensitiveFrom: 1 })
      return { confidence, right: intent === (table.get(label)?.category ?? label) }
    }),
  )

export type TrainFileOptions = TrainOptions & {
  /** CSV with a head line (`text`, `label`) or JSON lines. */
  readonly data: string
  readonly out: string
  /** Rows never trained on; their score goes into the provenance. */
  readonly test?: string
  /** CSV `label,category,sensitive`: the test is scored by category too. */
  readonly labels?: string
  /** Said in the provenance: where the rows come from and under which licence. */
  readonly source?: string
  readonly nowMs: number
}
export type TrainReport = {
  readonly out: string
  readonly provenance: string
  readonly rows: number
  readonly labels: number
  readonly sizeBytes: number
  readonly temperature: number
  readonly seconds: number
  readonly test?: Evaluation
  readonly categories?: Evaluation
}

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')
const readRows = async (file: string): Promise<{ rows: readonly LabelledText[]; hash: string }> => {
  const content = await readFile(file, 'utf8')
  return { rows: parseLabelledText(content, extname(file) === '.csv' ? 'csv' : 'jsonl'), hash: sha256(content) }
}

const commandOf = ({ data, out, test, labels, recipe, seed = DEFAULTS.seed }: TrainFileOptions): string =>
  [
    'baton models train',
    `--data ${data}`,
    ...(test === undefined ? [] : [`--test ${test}`]),
    ...(labels === undefined ? [] : [`--labels ${labels}`]),
    `--out ${out}`,
    `--seed ${seed}`,
    ...(recipe === undefined ? [] : [`--recipe ${recipe}`]),
  ].join(' ')

/** `baton models train`: reads rows, trains, writes the weights to `out` and `out.provenance.json` beside them. */
export const trainFromFile = async (options: TrainFileOptions, onProgress?: (progress: TrainProgress) => void): Promise<TrainReport> => {
  const started = performance.now()
  const { seed, epochs, buckets, recipe } = settled(options)
  const data = await readRows(options.data)
  const test = options.test === undefined ? undefined : await readRows(options.test)
  const table = options.labels === undefined ? undefined : readLabelTable(await readFile(options.labels, 'utf8'))
  const artefact = trainClassifier(data.rows, { seed, epochs, buckets, recipe }, onProgress)
  const file = encodeArtefact(artefact)
  const scores = {
    ...(test === undefined ? {} : { test: evaluateClassifier(artefact, test.rows) }),
    ...(test === undefined || table === undefined ? {} : { categories: evaluateCategories(artefact, test.rows, table) }),
  }
  const provenancePath = `${options.out}.provenance.json`
  const provenance = {
    kind: 'classifier',
    command: commandOf(options),
    ...(options.source === undefined ? {} : { source: options.source }),
    data: { file: basename(options.data), sha256: data.hash, rows: data.rows.length },
    ...(test === undefined ? {} : { testData: { file: basename(options.test ?? ''), sha256: test.hash, rows: test.rows.length } }),
    seed,
    epochs,
    features: artefact.features,
    labels: artefact.labels.length,
    temperature: artefact.temperature,
    weights: { sha256: sha256(packArtefact(artefact)), sizeBytes: file.length },
    ...scores,
    date: new Date(options.nowMs).toISOString().slice(0, 10),
  }
  await writeFile(options.out, file)
  await writeFile(provenancePath, `${JSON.stringify(provenance, null, 2)}\n`)
  const { temperature, labels } = artefact
  const seconds = share((performance.now() - started) / 1_000)
  return {
    out: options.out,
    provenance: provenancePath,
    rows: data.rows.length,
    labels: labels.length,
    sizeBytes: file.length,
    temperature,
    seconds,
    ...scores,
  }
}
