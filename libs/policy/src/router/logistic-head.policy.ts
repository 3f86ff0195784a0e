// One logistic regression on sparse rows: fitted by L-BFGS, its penalty chosen by cross-validation.
//   H1. The same rows give the same weights: nothing is drawn, folds are by place.
import { minimise } from './minimise.policy.ts'

/** Parallel lists: column and value. */
export type SparseRow = { readonly columns: Int32Array; readonly values: Float32Array }
/** A row and what is to be said of it. */
export type Example = { readonly row: SparseRow; readonly right: boolean }
export type LogisticHead = { readonly weights: Float32Array; readonly bias: number }

const sigmoid = (value: number): number => (value >= 0 ? 1 / (1 + Math.exp(-value)) : Math.exp(value) / (1 + Math.exp(value)))
/** log(1 + exp(value)) without overflow. */
const softplus = (value: number): number => Math.max(value, 0) + Math.log1p(Math.exp(-Math.abs(value)))

/** Rows over the columns that occur in them only: text uses few of its buckets. */
type Packed = {
  readonly starts: Int32Array
  readonly places: Int32Array
  readonly values: Float32Array
  readonly targets: Float32Array
  readonly columns: Int32Array
}

const pack = (examples: readonly Example[], columnsAll: number): Packed => {
  const starts = new Int32Array(examples.length + 1)
  examples.forEach(({ row }, at) => (starts[at + 1] = (starts[at] ?? 0) + row.columns.length))
  const size = starts[examples.length] ?? 0
  const placeOf = new Int32Array(columnsAll).fill(-1)
  const columns: number[] = []
  const places = new Int32Array(size)
  const values = new Float32Array(size)
  let to = 0
  for (const { row } of examples) {
    for (let at = 0; at < row.columns.length; at++, to++) {
      const column = row.columns[at] ?? 0
      if ((placeOf[column] ?? -1) < 0) placeOf[column] = columns.push(column) - 1
      places[to] = placeOf[column] ?? 0
      values[to] = row.values[at] ?? 0
    }
  }
  return { starts, places, values, columns: Int32Array.from(columns), targets: Float32Array.from(examples, ({ right }) => (right ? 1 : 0)) }
}

const scoreAt = ({ starts, places, values }: Packed, row: number, point: Float64Array): number => {
  const to = starts[row + 1] ?? 0
  let score = point.at(-1) ?? 0
  for (let at = starts[row] ?? 0; at < to; at++) score += (values[at] ?? 0) * (point[places[at] ?? 0] ?? 0)
  return score
}

const addGradient = ({ starts, places, values }: Packed, row: number, error: number, gradient: Float64Array): void => {
  const to = starts[row + 1] ?? 0
  for (let at = starts[row] ?? 0; at < to; at++) {
    const place = places[at] ?? 0
    gradient[place] = (gradient[place] ?? 0) + error * (values[at] ?? 0)
  }
}

/** Sum of log losses and half the penalty times the squared weights; the last variable is the bias, which is not punished. */
const lossOf =
  (packed: Packed, penalty: number) =>
  (point: Float64Array, gradient: Float64Array): number => {
    const last = point.length - 1
    let loss = 0
    for (let at = 0; at < last; at++) {
      const weight = point[at] ?? 0
      gradient[at] = penalty * weight
      loss += (penalty / 2) * weight * weight
    }
    let errors = 0
    packed.targets.forEach((target, row) => {
      const score = scoreAt(packed, row, point)
      const error = sigmoid(score) - target
      loss += softplus(score) - target * score
      errors += error
      addGradient(packed, row, error, gradient)
    })
    gradient[last] = errors
    return loss
  }

const ROUNDS = { roundsMax: 80, gradientShare: 2e-3 }

/** Heads for penalties from large to small; each starts where the one before ended. */
const fitPath = (examples: readonly Example[], columnsAll: number, penalties: readonly number[]): readonly LogisticHead[] => {
  const packed = pack(examples, columnsAll)
  const share = (examples.filter(({ right }) => right).length + 0.5) / (examples.length + 1)
  let point: Float64Array<ArrayBufferLike> = new Float64Array(packed.columns.length + 1)
  point[packed.columns.length] = Math.log(share / (1 - share))
  return penalties.map((penalty) => {
    point = minimise(lossOf(packed, penalty), point, ROUNDS)
    const weights = new Float32Array(columnsAll)
    packed.columns.forEach((column, at) => (weights[column] = point[at] ?? 0))
    return { weights, bias: point[packed.columns.length] ?? 0 }
  })
}

/** Probability that the head gives a row. */
export const headProbability = ({ weights, bias }: LogisticHead, { columns, values }: SparseRow): number => {
  let score = bias
  for (let at = 0; at < columns.length; at++) score += (values[at] ?? 0) * (weights[columns[at] ?? 0] ?? 0)
  return sigmoid(score)
}

export type FitHeadOptions = { readonly columns: number; readonly penalties: readonly number[]; readonly folds: number }
/** A fitted head, the penalty that was chosen, and what heads fitted without a row say of it: for calibration. */
export type FittedHead = { readonly head: LogisticHead; readonly penalty: number; readonly held: Float64Array }

const logLoss = (probability: number, right: boolean): number => -Math.log(Math.max(1e-12, right ? probability : 1 - probability))

/** Fits with every penalty on all but one fold, for each fold; then with the best penalty on all (H1). */
export const fitHead = (examples: readonly Example[], { columns, penalties, folds }: FitHeadOptions): FittedHead => {
  const ordered = penalties.toSorted((left, right) => right - left)
  const held = ordered.map(() => new Float64Array(examples.length))
  for (let fold = 0; fold < folds; fold++) {
    const path = fitPath(
      examples.filter((_, at) => at % folds !== fold),
      columns,
      ordered,
    )
    examples.forEach(({ row }, at) => {
      if (at % folds === fold) path.forEach((head, which) => ((held[which] ?? new Float64Array())[at] = headProbability(head, row)))
    })
  }
  const losses = held.map((list) => examples.reduce((sum, { right }, at) => sum + logLoss(list[at] ?? 0, right), 0))
  const best = losses.indexOf(Math.min(...losses))
  const penalty = ordered[best] ?? 1
  const [head] = fitPath(examples, columns, [penalty])
  return { head: head ?? { weights: new Float32Array(columns), bias: 0 }, penalty, held: held[best] ?? new Float64Array() }
}
