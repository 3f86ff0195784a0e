import type { Artefact } from './artefact.ts'
import { countsOf, vectorOf } from '@baton/policy'
import { softmax } from './logistic.policy.ts'

/** Raw scores of a text, before temperature. */
const scoreText = (artefact: Artefact, text: string): Float32Array => {
  const { buckets, values } = vectorOf(countsOf(text, artefact.features), artefact.idf, artefact.features)
  const classes = artefact.labels.length
  const { weights, scales, bias } = artefact
  const sums = new Float32Array(classes)
  for (let at = 0; at < buckets.length; at++) {
    const from = (buckets[at] ?? 0) * classes
    const value = values[at] ?? 0
    for (let target = 0; target < classes; target++) sums[target] = (sums[target] ?? 0) + value * (weights[from + target] ?? 0)
  }
  for (let target = 0; target < classes; target++) sums[target] = (sums[target] ?? 0) * (scales[target] ?? 0) + (bias[target] ?? 0)
  return sums
}

/** Calibrated probability of each label, in the order of `artefact.labels`. They sum to 1. */
export const classify = (artefact: Artefact, text: string): Float32Array => softmax(scoreText(artefact, text), artefact.temperature)
