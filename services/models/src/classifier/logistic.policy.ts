// Multinomial logistic regression on sparse vectors, fitted by AdaGrad.
//   C3. Rows are visited in an order drawn from the seed: the same rows, options and seed give the same weights.
import type { Features } from '@baton/policy'
import { seededRandom, shuffled } from '@baton/policy'

export type Example = { readonly features: Features; readonly target: number }

/** Weights by bucket, then class: `weights[bucket * classes + class]`. */
export type LinearModel = { readonly classes: number; readonly weights: Float32Array; readonly bias: Float32Array }

export type FitOptions = {
  readonly classes: number
  readonly buckets: number
  readonly epochs: number
  readonly learningRate: number
  /** Share of a row's features hidden at each visit, the regulariser: no weight may rely on another being there. */
  readonly dropout: number
  readonly seed: number
}

/** Turns scores into probabilities, in place, at a temperature. */
export const softmax = (scores: Float32Array, temperature = 1): Float32Array => {
  let highest = Number.NEGATIVE_INFINITY
  for (const score of scores) if (score > highest) highest = score
  let sum = 0
  for (let at = 0; at < scores.length; at++) {
    const raised = Math.exp(((scores[at] ?? 0) - highest) / temperature)
    scores[at] = raised
    sum += raised
  }
  for (let at = 0; at < scores.length; at++) scores[at] = (scores[at] ?? 0) / sum
  return scores
}

/** Raw scores of a vector, one a class. */
export const scoresOf = (model: LinearModel, { buckets, values }: Features): Float32Array => {
  const { classes, weights } = model
  const scores = Float32Array.from(model.bias)
  for (let at = 0; at < buckets.length; at++) {
    const from = (buckets[at] ?? 0) * classes
    const value = values[at] ?? 0
    for (let target = 0; target < classes; target++) scores[target] = (scores[target] ?? 0) + value * (weights[from + target] ?? 0)
  }
  return scores
}

type Accumulators = { readonly weights: Float32Array; readonly bias: Float32Array }

/** AdaGrad updates of the weights of one bucket, or of the bias: each `gradient * value`, in the order they lie in memory. */
const descend = (
  values: Float32Array,
  squares: Float32Array,
  { from, gradients, value, learningRate }: { from: number; gradients: Float32Array; value: number; learningRate: number },
): void => {
  for (let target = 0; target < gradients.length; target++) {
    const gradient = (gradients[target] ?? 0) * value
    const at = from + target
    const square = (squares[at] ?? 0) + gradient * gradient
    squares[at] = square
    values[at] = (values[at] ?? 0) - (learningRate * gradient) / Math.sqrt(square + 1e-8)
  }
}

const step = (model: LinearModel, squares: Accumulators, example: Example, learningRate: number): number => {
  const { classes, weights, bias } = model
  const gradients = softmax(scoresOf(model, example.features))
  const loss = -Math.log(Math.max(gradients[example.target] ?? 0, 1e-12))
  gradients[example.target] = (gradients[example.target] ?? 0) - 1
  const { buckets, values } = example.features
  for (let at = 0; at < buckets.length; at++) {
    descend(weights, squares.weights, { from: (buckets[at] ?? 0) * classes, gradients, value: values[at] ?? 0, learningRate })
  }
  descend(bias, squares.bias, { from: 0, gradients, value: 1, learningRate })
  return loss
}

const thinned = ({ buckets, values }: Features, dropout: number, random: () => number): Features => {
  const kept: number[] = []
  for (let at = 0; at < buckets.length; at++) if (random() >= dropout) kept.push(at)
  const scale = 1 / (1 - dropout)
  return { buckets: Int32Array.from(kept, (at) => buckets[at] ?? 0), values: Float32Array.from(kept, (at) => (values[at] ?? 0) * scale) }
}

/** Fits a model; `onEpoch` hears the mean loss of each pass (C3). */
export const fitLogistic = (
  examples: readonly Example[],
  options: FitOptions,
  onEpoch?: (epoch: number, loss: number) => void,
): LinearModel => {
  const size = options.buckets * options.classes
  const model = { classes: options.classes, weights: new Float32Array(size), bias: new Float32Array(options.classes) }
  const squares = { weights: new Float32Array(size), bias: new Float32Array(options.classes) }
  const random = seededRandom(options.seed)
  for (let epoch = 1; epoch <= options.epochs; epoch++) {
    let loss = 0
    for (const { features, target } of shuffled(examples, random)) {
      loss += step(model, squares, { features: thinned(features, options.dropout, random), target }, options.learningRate)
    }
    onEpoch?.(epoch, loss / examples.length)
  }
  return model
}
