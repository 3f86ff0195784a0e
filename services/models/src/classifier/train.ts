// Training: labelled text in, a classifier with calibrated confidence out.
//   C9. The same rows, options and seed give the same weights.
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { Fault } from '@baton/contracts/fault'
import { type Artefact, encodeArtefact, packArtefact, quantise } from './artefact.ts'
import { type CurvePoint, calibrationError, confidenceCurve, fitTemperature, type Judged, type Scored } from './calibration.policy.ts'
import { countsOf, type FeatureOptions, inverseFrequencies, vectorOf } from './features.policy.ts'
import { type LabelledText, parseLabelledText } from './labelled-text.policy.ts'
import { fitLogistic, type LinearModel, scoresOf } from './logistic.policy.ts'
import { classify } from './predict.ts'
import { seededRandom, shuffled } from './seeded-random.policy.ts'

export type TrainOptions = { readonly seed?: number; readonly epochs?: number; readonly buckets?: number }
/** How far training has come; `share` goes from 0 to 1. */
export type TrainProgress = { readonly share: number; readonly phase: 'calibrate' | 'fit'; readonly epoch: number; readonly loss: number }

const DEFAULTS = { seed: 1, epochs: 20, buckets: 65_536 }
const CALIBRATION_SHARE = 0.15
const DOCUMENTS_MIN = 2
const FIT = { learningRate: 0.3, dropout: 0.5 }
const THRESHOLDS = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95]

const featureOptions = (buckets: number): FeatureOptions => ({ buckets, wordGramsMax: 2, charGramsMin: 3, charGramsMax: 5, charWeight: 1, textCharsMax: 2_000 })

type Fitted = { readonly model: LinearModel; readonly idf: Float32Array }
type Task = {
  readonly rows: readonly LabelledText[]
  readonly labels: readonly string[]
  readonly features: FeatureOptions
  readonly seed: number
  readonly epochs: number
  readonly onEpoch: (epoch: number, loss: number) => void
}

const fit = ({ rows, labels, features, seed, epochs, onEpoch }: Task): Fitted => {
  const targets = new Map(labels.map((label, at) => [label, at]))
  const counts = rows.map(({ text }) => countsOf(text, features))
  const idf = inverseFrequencies(counts, features, DOCUMENTS_MIN)
  const examples = counts.map((count, at) => ({ features: vectorOf(count, idf, features), target: targets.get(rows[at]?.label ?? '') ?? 0 }))
  return { idf, model: fitLogistic(examples, { ...FIT, classes: labels.length, buckets: features.buckets, epochs, seed }, onEpoch) }
}

/** Fits the temperature on a held-out part, then the weights on every row (C9). Takes seconds to minutes, on this thread. */
export const trainClassifier = (rows: readonly LabelledText[], options: TrainOptions = {}, onProgress: (progress: TrainProgress) => void = () => {}): Artefact => {
  const { seed, epochs, buckets } = { ...DEFAULTS, ...options }
  const labels = [...new Set(rows.map(({ label }) => label))].toSorted()
  if (labels.length < 2) throw new Fault('input.invalid', 'Training needs rows of at least two labels.', { labels: labels.length })
  const features = featureOptions(buckets)
  const mixed = shuffled(rows, seededRandom(seed))
  const held = mixed.slice(0, Math.floor(mixed.length * CALIBRATION_SHARE))
  const report = (phase: 'calibrate' | 'fit') => (epoch: number, loss: number) =>
    onProgress({ share: ((phase === 'fit' ? epochs : 0) + epoch) / (2 * epochs), phase, epoch, loss })
  const trial = fit({ rows: mixed.slice(held.length), labels, features, seed, epochs, onEpoch: report('calibrate') })
  const scored: Scored[] = held.map(({ text, label }) => ({
    scores: scoresOf(trial.model, vectorOf(countsOf(text, features), trial.idf, features)),
    target: labels.indexOf(label),
  }))
  const final = fit({ rows: mixed, labels, features, seed, epochs, onEpoch: report('fit') })
  return { labels, features, temperature: fitTemperature(scored), idf: final.idf, bias: final.model.bias, ...quantise(final.model) }
}

export type Evaluation = { readonly rows: number; readonly accuracy: number; readonly calibrationError: number; readonly curve: readonly CurvePoint[] }

const share = (value: number): number => Math.round(value * 10_000) / 10_000

/** Accuracy and calibration on rows. */
export const evaluateClassifier = (artefact: Artefact, rows: readonly LabelledText[]): Evaluation => {
  const judged: Judged[] = rows.map(({ text, label }) => {
    const probabilities = classify(artefact, text)
    const best = probabilities.indexOf(Math.max(...probabilities))
    return { confidence: probabilities[best] ?? 0, right: artefact.labels[best] === label }
  })
  const curve = confidenceCurve(judged, THRESHOLDS).map((point) => ({ ...point, share: share(point.share), accuracy: share(point.accuracy) }))
  const right = judged.filter((row) => row.right).length
  return { rows: rows.length, accuracy: share(right / Math.max(1, rows.length)), calibrationError: share(calibrationError(judged)), curve }
}

export type TrainFileOptions = TrainOptions & {
  /** CSV with a head line (`text`, `label`) or JSON lines. */
  readonly data: string
  readonly out: string
  /** Rows never trained on; their score goes into the provenance. */
  readonly test?: string
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
}

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')
const readRows = async (file: string): Promise<{ rows: readonly LabelledText[]; hash: string }> => {
  const content = await readFile(file, 'utf8')
  return { rows: parseLabelledText(content, extname(file) === '.csv' ? 'csv' : 'jsonl'), hash: sha256(content) }
}

/** `baton models train`: reads rows, trains, writes the weights to `out` and `out.provenance.json` beside them. */
export const trainFromFile = async (options: TrainFileOptions, onProgress?: (progress: TrainProgress) => void): Promise<TrainReport> => {
  const started = performance.now()
  const { seed = DEFAULTS.seed, epochs = DEFAULTS.epochs, buckets = DEFAULTS.buckets } = options
  const data = await readRows(options.data)
  const test = options.test === undefined ? undefined : await readRows(options.test)
  const artefact = trainClassifier(data.rows, { seed, epochs, buckets }, onProgress)
  const file = encodeArtefact(artefact)
  const evaluation = test === undefined ? undefined : evaluateClassifier(artefact, test.rows)
  const provenancePath = `${options.out}.provenance.json`
  const provenance = {
    kind: 'classifier',
    command: `baton models train --data ${options.data} --out ${options.out}${options.test === undefined ? '' : ` --test ${options.test}`} --seed ${seed}`,
    ...(options.source === undefined ? {} : { source: options.source }),
    data: { file: basename(options.data), sha256: data.hash, rows: data.rows.length },
    seed,
    epochs,
    features: artefact.features,
    labels: artefact.labels.length,
    temperature: artefact.temperature,
    weights: { sha256: sha256(packArtefact(artefact)), sizeBytes: file.length },
    ...(test === undefined || evaluation === undefined ? {} : { test: { file: basename(options.test ?? ''), sha256: test.hash, ...evaluation } }),
    date: new Date(options.nowMs).toISOString().slice(0, 10),
  }
  await writeFile(options.out, file)
  await writeFile(provenancePath, `${JSON.stringify(provenance, null, 2)}\n`)
  return {
    out: options.out,
    provenance: provenancePath,
    rows: data.rows.length,
    labels: artefact.labels.length,
    sizeBytes: file.length,
    temperature: artefact.temperature,
    seconds: share((performance.now() - started) / 1_000),
    ...(evaluation === undefined ? {} : { test: evaluation }),
  }
}
