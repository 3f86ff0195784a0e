// A linear model trained from labelled text, with calibrated confidence: what many products route with.
import { readFile } from 'node:fs/promises'
import { decodeArtefact, type Artefact } from '../classifier/artefact.ts'
import { type LabelTable, readLabelTable, readProbabilities } from '../classifier/label-table.policy.ts'
import { classify } from '../classifier/predict.ts'
import { FREE, type Model } from '../model.ts'
import { textOf } from './input-text.ts'

export type ClassifierFiles = {
  readonly weights: string
  /** CSV `label,category,sensitive`. Absent: every label is a category of its own. */
  readonly labels?: string
  /** Probability mass of sensitive labels from which the answer is marked sensitive. */
  readonly sensitiveFrom: number
}

/** The model over weights in memory. It answers `{ intent, label, confidence, sensitive }`. */
const classifierOf = (name: string, artefact: Artefact, { table, sensitiveFrom }: { table: LabelTable; sensitiveFrom: number }): Model => ({
  name,
  provider: 'classifier',
  local: true,
  invoke: ({ input, prompt }) => {
    const value = readProbabilities(classify(artefact, textOf(input, prompt)), { labels: artefact.labels, table, sensitiveFrom })
    return Promise.resolve({ value, usage: FREE, confidence: value.confidence })
  },
})

/** The model from its files; they are read at the first question, once. */
export const classifierModel = (name: string, files: ClassifierFiles): Model => {
  let loading: Promise<Model> | undefined
  const load = async (): Promise<Model> => {
    const [weights, labels] = await Promise.all([readFile(files.weights), files.labels === undefined ? '' : readFile(files.labels, 'utf8')])
    return classifierOf(name, decodeArtefact(weights), { table: readLabelTable(labels), sensitiveFrom: files.sensitiveFrom })
  }
  return {
    name,
    provider: 'classifier',
    local: true,
    invoke: async (question) => {
      loading ??= load()
      return (await loading).invoke(question)
    },
  }
}
