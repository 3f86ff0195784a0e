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
  /** Classes whose gradient is smaller are left alone at a visit; 0: none is. */
  readonly gradientMin: number
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

/** Rows of weights that training touches, packed: a weight and the sum of its squared gradients lie beside each other, row by row. */
type Packed = { readonly rowOf: Int32Array; readonly pairs: Float32Array; readonly bias: Float32Array }

const packedFor = (examples: readonly Example[], { buckets, classes }: FitOptions): Packed => {
  const rowOf = new Int32Array(buckets).fill(-1)
  let rows = 0
  for (const { features } of examples) {
    for (const bucket of features.buckets) if (rowOf[bucket] === -1) rowOf[bucket] = rows++
  }
  return { rowOf, pairs: new Float32Array(rows * classes * 2), bias: new Float32Array(classes * 2) }
}

const unpacked = ({ rowOf, pairs, bias }: Packed, { buckets, classes }: FitOptions): LinearModel => {
  const weights = new Float32Array(buckets * classes)
  for (let bucket = 0; bucket < buckets; bucket++) {
    const row = rowOf[bucket] ?? -1
    if (row === -1) continue
    for (let target = 0; target < classes; target++) weights[bucket * classes + target] = pairs[2 * (row * classes + target)] ?? 0
  }
  return { classes, weights, bias: Float32Array.from({ length: classes }, (_, target) => bias[2 * target] ?? 0) }
}

/** What one visit works on, made once: which rows are seen and how strongly, the gradient of each class, and which of them count. */
class Visit {
  readonly #options: FitOptions
  readonly #packed: Packed
  readonly #from: Int32Array
  readonly #values: Float32Array
  readonly #gradients: Float32Array
  readonly #moved: Int32Array
  #seen = 0
  #moves = 0

  constructor(options: FitOptions, packed: Packed, featuresMax: number) {
    this.#options = options
    this.#packed = packed
    this.#from = new Int32Array(featuresMax)
    this.#values = new Float32Array(featuresMax)
    this.#gradients = new Float32Array(options.classes)
    this.#moved = new Int32Array(options.classes)
  }

  /** Learns from one example and gives its loss; hides a share of its features. */
  learn({ features, target }: Example, random: () => number): number {
    this.#look(features, random)
    const gradients = this.#scores()
    softmax(gradients)
    const loss = -Math.log(Math.max(gradients[target] ?? 0, 1e-12))
    gradients[target] = (gradients[target] ?? 0) - 1
    this.#choose()
    for (let at = 0; at < this.#seen; at++) this.#descend(this.#packed.pairs, this.#from[at] ?? 0, this.#values[at] ?? 0)
    this.#descend(this.#packed.bias, 0, 1)
    return loss
  }

  #look({ buckets, values }: Features, random: () => number): void {
    const { dropout, classes } = this.#options
    const scale = 1 / (1 - dropout)
    this.#seen = 0
    for (let at = 0; at < buckets.length; at++) {
      if (random() < dropout) continue
      this.#from[this.#seen] = (this.#packed.rowOf[buckets[at] ?? 0] ?? 0) * classes * 2
      this.#values[this.#seen] = (values[at] ?? 0) * scale
      this.#seen += 1
    }
  }

  #scores(): Float32Array {
    const { pairs, bias } = this.#packed
    const scores = this.#gradients
    for (let target = 0; target < scores.length; target++) scores[target] = bias[2 * target] ?? 0
    for (let at = 0; at < this.#seen; at++) {
      const from = this.#from[at] ?? 0
      const value = this.#values[at] ?? 0
      for (let target = 0; target < scores.length; target++)
        scores[target] = (scores[target] ?? 0) + value * (pairs[from + 2 * target] ?? 0)
    }
    return scores
  }

  /** Classes whose gradient is large enough to follow. AdaGrad would take a full first step even for the smallest. */
  #choose(): void {
    const gradients = this.#gradients
    const { gradientMin } = this.#options
    this.#moves = 0
    for (let target = 0; target < gradients.length; target++) {
      if (Math.abs(gradients[target] ?? 0) < gradientMin) continue
      this.#moved[this.#moves] = target
      this.#moves += 1
    }
  }

  #descend(pairs: Float32Array, from: number, value: number): void {
    const { learningRate } = this.#options
    for (let move = 0; move < this.#moves; move++) {
      const target = this.#moved[move] ?? 0
      const at = from + 2 * target
      const gradient = (this.#gradients[target] ?? 0) * value
      const square = (pairs[at + 1] ?? 0) + gradient * gradient
      pairs[at + 1] = square
      pairs[at] = (pairs[at] ?? 0) - (learningRate * gradient) / Math.sqrt(square + 1e-8)
    }
  }
}

/** Fits a model; `onEpoch` hears the mean loss of each pass (C3). */
export const fitLogistic = (
  examples: readonly Example[],
  options: FitOptions,
  onEpoch?: (epoch: number, loss: number) => void,
): LinearModel => {
  const packed = packedFor(examples, options)
  const visit = new Visit(options, packed, Math.max(0, ...examples.map(({ features }) => features.buckets.length)))
  const random = seededRandom(options.seed)
  for (let epoch = 1; epoch <= options.epochs; epoch++) {
    let loss = 0
    for (const example of shuffled(examples, random)) loss += visit.learn(example, random)
    onEpoch?.(epoch, loss / examples.length)
  }
  return unpacked(packed, options)
}
