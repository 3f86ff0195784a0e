// What labels mean to a product: many labels, few categories, and which of them are sensitive.
//   C7. The confidence of a category is the probability mass of all its labels: two labels of one category that compete cost nothing.
//   C8. `sensitive` weighs all labels too, and from a lower mass on: missing a stolen card costs more than one extra look.

import { csvRecords } from './labelled-text.policy.ts'

type LabelRow = { readonly category: string; readonly sensitive: boolean }
export type LabelTable = ReadonlyMap<string, LabelRow>

export type Reading = {
  readonly intent: string
  /** The most probable label of that category. */
  readonly label: string
  readonly confidence: number
  readonly sensitive: boolean
}

/** Reads a label table from CSV `label,category,sensitive`; other columns are ignored. */
export const readLabelTable = (csv: string): LabelTable =>
  new Map(csvRecords(csv).map(({ label = '', category = label, sensitive }) => [label, { category, sensitive: sensitive === 'true' }]))

const rounded = (value: number): number => Math.round(Math.min(1, value) * 10_000) / 10_000

/** Probabilities of labels as one answer (C7, C8). A label without a row is its own category. */
export const readProbabilities = (
  probabilities: ArrayLike<number>,
  { labels, table, sensitiveFrom }: { labels: readonly string[]; table: LabelTable; sensitiveFrom: number },
): Reading => {
  const categories = new Map<string, { mass: number; label: string; peak: number }>()
  let sensitiveMass = 0
  labels.forEach((label, at) => {
    const probability = probabilities[at] ?? 0
    const row = table.get(label)
    if (row?.sensitive === true) sensitiveMass += probability
    const category = categories.get(row?.category ?? label) ?? { mass: 0, label, peak: -1 }
    category.mass += probability
    if (probability > category.peak) Object.assign(category, { label, peak: probability })
    categories.set(row?.category ?? label, category)
  })
  const [intent, best] = [...categories].reduce((left, right) => (right[1].mass > left[1].mass ? right : left))
  return { intent, label: best.label, confidence: rounded(best.mass), sensitive: sensitiveMass >= sensitiveFrom }
}
