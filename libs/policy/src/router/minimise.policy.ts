// L-BFGS: minimises a smooth convex function of many variables from its value and gradient.

/** Writes the gradient at `point` into `gradient` and gives the value there. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number

export type MinimiseOptions = {
  readonly roundsMax?: number
  /** Done when the gradient is this small beside the first one. */
  readonly gradientShare?: number
}

const MEMORY = 8
const HALVINGS_MAX = 20
const SUFFICIENT = 1e-4

const dot = (left: Float64Array, right: Float64Array): number => {
  let sum = 0
  for (let at = 0; at < left.length; at++) sum += (left[at] ?? 0) * (right[at] ?? 0)
  return sum
}

/** `target += factor * other`. */
const addScaled = (target: Float64Array, factor: number, other: Float64Array): void => {
  for (let at = 0; at < target.length; at++) target[at] = (target[at] ?? 0) + factor * (other[at] ?? 0)
}

const difference = (left: Float64Array, right: Float64Array): Float64Array => {
  const result = left.slice()
  addScaled(result, -1, right)
  return result
}

type Pair = { readonly step: Float64Array; readonly change: Float64Array; readonly product: number }

/** The direction of descent that the last steps suggest (two-loop recursion). */
const directionOf = (gradient: Float64Array, pairs: readonly Pair[]): Float64Array => {
  const direction = gradient.slice()
  const shares = pairs.map(() => 0)
  for (let at = pairs.length - 1; at >= 0; at--) {
    const pair = pairs[at]
    if (pair === undefined) continue
    const share = dot(pair.step, direction) / pair.product
    shares[at] = share
    addScaled(direction, -share, pair.change)
  }
  const last = pairs.at(-1)
  const scale = last === undefined ? 1 / Math.max(1, Math.sqrt(dot(gradient, gradient))) : last.product / dot(last.change, last.change)
  for (let at = 0; at < direction.length; at++) direction[at] = (direction[at] ?? 0) * scale
  pairs.forEach((pair, at) => addScaled(direction, (shares[at] ?? 0) - dot(pair.change, direction) / pair.product, pair.step))
  for (let at = 0; at < direction.length; at++) direction[at] = -(direction[at] ?? 0)
  return direction
}

type Place = { readonly point: Float64Array; readonly gradient: Float64Array; readonly value: number }

/** The first of ever shorter steps that goes down enough; undefined: none does. */
const descend = (objective: Objective, from: Place, direction: Float64Array): Place | undefined => {
  const slope = dot(from.gradient, direction)
  if (!(slope < 0)) return undefined
  let length = 1
  for (let halving = 0; halving < HALVINGS_MAX; halving++) {
    const point = from.point.slice()
    addScaled(point, length, direction)
    const gradient = new Float64Array(point.length)
    const value = objective(point, gradient)
    if (value <= from.value + SUFFICIENT * length * slope) return { point, gradient, value }
    length /= 2
  }
  return undefined
}

/** The point of the least value that was found from `start` on. */
export const minimise = (objective: Objective, start: Float64Array, options: MinimiseOptions = {}): Float64Array => {
  const { roundsMax = 100, gradientShare = 1e-4 } = options
  const gradient = new Float64Array(start.length)
  let here: Place = { point: start.slice(), gradient, value: objective(start, gradient) }
  const enough = gradientShare * Math.sqrt(dot(here.gradient, here.gradient))
  const pairs: Pair[] = []
  for (let round = 0; round < roundsMax && Math.sqrt(dot(here.gradient, here.gradient)) > enough; round++) {
    const next = descend(objective, here, directionOf(here.gradient, pairs))
    if (next === undefined) break
    const [step, change] = [difference(next.point, here.point), difference(next.gradient, here.gradient)]
    const product = dot(step, change)
    if (product > 1e-12) pairs.push({ step, change, product })
    if (pairs.length > MEMORY) pairs.shift()
    here = next
  }
  return here.point
}
