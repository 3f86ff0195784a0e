// From a score to a probability that can be believed, fitted on outcomes.
//   K1. A calibrator never turns the order round: a higher score never gives a lower probability.
//   K2. What it gives lies in [0, 1] for every finite score, and 0 for one that is no number.
//   K3. Fitting depends on the rows alone, not on their order.
//   K4. Where nothing was learned (no rows, or all of one outcome) the probability is the smoothed share that was right.
import { Fault } from '@baton/contracts/fault'

/** A score something gave and whether the answer was right. `weight` is 1 where it is absent. */
export type Outcome = { readonly score: number; readonly right: boolean; readonly weight?: number }

/** Isotonic: the probability at each knot, straight lines between, flat outside. */
export type IsotonicCalibrator = { readonly kind: 'isotonic'; readonly scores: readonly number[]; readonly shares: readonly number[] }
/** Platt: 1 / (1 + exp(-(slope * score + intercept))). */
export type PlattCalibrator = { readonly kind: 'platt'; readonly slope: number; readonly intercept: number }
/** What maps scores to probabilities; plain JSON, to be kept in a file. */
export type Calibrator = IsotonicCalibrator | PlattCalibrator

const weightOf = ({ weight = 1 }: Outcome): number => weight
const usable = (rows: readonly Outcome[]): readonly Outcome[] =>
  rows.filter((row) => Number.isFinite(row.score) && weightOf(row) > 0 && Number.isFinite(weightOf(row)))

/** Share that was right, with half a right and half a wrong row added, so that it is never sure (K4). */
const smoothedShare = (rows: readonly Outcome[]): number => {
  const total = rows.reduce((sum, row) => sum + weightOf(row), 0)
  const right = rows.reduce((sum, row) => sum + (row.right ? weightOf(row) : 0), 0)
  return (right + 0.5) / (total + 1)
}

type Block = { low: number; high: number; right: number; total: number }
const shareOf = ({ right, total }: Block): number => right / total

/** Equal scores are one block, so that the result depends on no order of rows (K3). */
const blocksOf = (rows: readonly Outcome[]): readonly Block[] => {
  const blocks: Block[] = []
  for (const row of rows.toSorted((left, right) => left.score - right.score)) {
    const last = blocks.at(-1)
    const right = row.right ? weightOf(row) : 0
    if (last !== undefined && last.high === row.score) {
      last.right += right
      last.total += weightOf(row)
    } else blocks.push({ low: row.score, high: row.score, right, total: weightOf(row) })
  }
  return blocks
}

/** Pool adjacent violators: neighbours that fall are joined until none does (K1). */
const pooled = (blocks: readonly Block[]): readonly Block[] => {
  const rising: Block[] = []
  for (const block of blocks) {
    let joined = block
    for (let last = rising.at(-1); last !== undefined && shareOf(last) >= shareOf(joined); last = rising.at(-1)) {
      joined = { low: last.low, high: joined.high, right: last.right + joined.right, total: last.total + joined.total }
      rising.pop()
    }
    rising.push(joined)
  }
  return rising
}

/** Isotonic regression. Needs some hundred rows to be worth more than Platt. */
export const fitIsotonic = (given: readonly Outcome[]): IsotonicCalibrator => {
  const rows = usable(given)
  if (rows.length === 0) return { kind: 'isotonic', scores: [0], shares: [smoothedShare(rows)] } // K4
  const scores: number[] = []
  const shares: number[] = []
  for (const block of pooled(blocksOf(rows))) {
    // Half a row of doubt a block: a pool of three right answers is no certainty.
    const share = (block.right + 0.5) / (block.total + 1)
    const floor = shares.at(-1) ?? 0
    for (const score of block.low === block.high ? [block.low] : [block.low, block.high]) {
      scores.push(score)
      shares.push(Math.max(floor, share)) // K1: the doubt must not undo the order
    }
  }
  return { kind: 'isotonic', scores, shares }
}

const sigmoid = (value: number): number => (value >= 0 ? 1 / (1 + Math.exp(-value)) : Math.exp(value) / (1 + Math.exp(value)))

type Line = { readonly slope: number; readonly intercept: number }

/** One damped Newton step of the logistic loss; scores are centred and scaled. */
const newton = (points: readonly { x: number; target: number; weight: number }[], { slope, intercept }: Line): Line => {
  let [gradientA, gradientB, aa, ab, bb] = [1e-6 * slope, 0, 1e-6, 0, 1e-6]
  for (const { x, target, weight } of points) {
    const probability = sigmoid(slope * x + intercept)
    const error = weight * (probability - target)
    const curve = weight * Math.max(probability * (1 - probability), 1e-6)
    gradientA += error * x
    gradientB += error
    aa += curve * x * x
    ab += curve * x
    bb += curve
  }
  const determinant = aa * bb - ab * ab
  const stepA = (bb * gradientA - ab * gradientB) / determinant
  const stepB = (aa * gradientB - ab * gradientA) / determinant
  const damp = Math.min(1, 4 / Math.max(1e-12, Math.hypot(stepA, stepB)))
  return { slope: slope - damp * stepA, intercept: intercept - damp * stepB }
}

/** Platt's two parameters with his smoothed targets. Good with few rows; a score that means nothing gives a flat line (K1). */
export const fitPlatt = (given: readonly Outcome[]): PlattCalibrator => {
  const rows = usable(given).toSorted((left, right) => left.score - right.score || Number(left.right) - Number(right.right)) // K3
  const share = smoothedShare(rows)
  const flat: PlattCalibrator = { kind: 'platt', slope: 0, intercept: Math.log(share / (1 - share)) }
  const total = rows.reduce((sum, row) => sum + weightOf(row), 0)
  const right = rows.reduce((sum, row) => sum + (row.right ? weightOf(row) : 0), 0)
  if (right === 0 || right === total) return flat // K4
  const centre = rows.reduce((sum, row) => sum + weightOf(row) * row.score, 0) / total
  const spread = Math.sqrt(rows.reduce((sum, row) => sum + weightOf(row) * (row.score - centre) ** 2, 0) / total)
  if (!(spread > 0)) return flat
  const [up, down] = [(right + 1) / (right + 2), 1 / (total - right + 2)]
  const points = rows.map((row) => ({ x: (row.score - centre) / spread, target: row.right ? up : down, weight: weightOf(row) }))
  let line: Line = { slope: 0, intercept: flat.intercept }
  for (let round = 0; round < 50; round++) {
    const next = newton(points, line)
    const moved = Math.abs(next.slope - line.slope) + Math.abs(next.intercept - line.intercept)
    line = next
    if (moved < 1e-9) break
  }
  const [slope, intercept] = [line.slope / spread, line.intercept - (line.slope * centre) / spread]
  return slope > 0 && Number.isFinite(slope) && Number.isFinite(intercept) ? { kind: 'platt', slope, intercept } : flat // K1
}

const numberAt = (list: readonly number[], at: number): number => list[at] ?? 0

/** The last knot at or below a score that lies inside the knots. */
const knotBelow = (scores: readonly number[], score: number): number => {
  let low = 0
  let high = scores.length - 1
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (numberAt(scores, middle) <= score) low = middle
    else high = middle
  }
  return low
}

const between = ({ scores, shares }: IsotonicCalibrator, score: number): number => {
  const last = scores.length - 1
  if (score <= numberAt(scores, 0)) return numberAt(shares, 0)
  if (score >= numberAt(scores, last)) return numberAt(shares, last)
  const low = knotBelow(scores, score)
  const [from, to] = [numberAt(scores, low), numberAt(scores, low + 1)]
  const part = to > from ? (score - from) / (to - from) : 0
  return numberAt(shares, low) + part * (numberAt(shares, low + 1) - numberAt(shares, low))
}

/** The probability that an answer with this score is right (K1, K2). */
export const calibrated = (calibrator: Calibrator, score: number): number => {
  if (Number.isNaN(score)) return 0 // K2
  const finite = Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, score))
  const value = calibrator.kind === 'platt' ? sigmoid(calibrator.slope * finite + calibrator.intercept) : between(calibrator, finite)
  return Math.min(1, Math.max(0, value))
}

const isRising = (numbers: readonly number[]): boolean => numbers.every((value, at) => at === 0 || value >= (numbers[at - 1] ?? 0))
const numbersOf = (value: unknown): readonly number[] =>
  Array.isArray(value) && value.every((item): item is number => typeof item === 'number' && Number.isFinite(item)) ? value : []
const refuse = (reason: string): Fault => new Fault('config.invalid', `The calibration cannot be used: ${reason}.`, { reason })

type Unknowns = Readonly<Record<string, unknown>>

const readPlatt = ({ slope, intercept }: Unknowns): PlattCalibrator => {
  if (typeof slope !== 'number' || typeof intercept !== 'number' || !(slope >= 0) || !Number.isFinite(slope + intercept))
    throw refuse('slope and intercept must be numbers, the slope not below 0')
  return { kind: 'platt', slope, intercept }
}

const readIsotonic = (given: Unknowns): IsotonicCalibrator => {
  const [scores, shares] = [numbersOf(given['scores']), numbersOf(given['shares'])]
  if (scores.length === 0 || scores.length !== shares.length) throw refuse('scores and shares must be lists of numbers of one length')
  if (!isRising(scores) || !isRising(shares)) throw refuse('scores and shares must not fall')
  if (shares.some((share) => share < 0 || share > 1)) throw refuse('shares must lie between 0 and 1')
  return { kind: 'isotonic', scores, shares }
}

/** Reads a calibrator from JSON. Throws `config.invalid` for one that would break K1 or K2. */
export const readCalibrator = (value: unknown): Calibrator => {
  if (typeof value !== 'object' || value === null) throw refuse('not an object')
  const given = value as Unknowns // Any object is a record of unknowns.
  if (given['kind'] === 'platt') return readPlatt(given)
  if (given['kind'] === 'isotonic') return readIsotonic(given)
  throw refuse('kind must be isotonic or platt')
}
