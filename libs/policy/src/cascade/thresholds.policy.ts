// Where to set the threshold of a cascade or a learned route: every threshold with what it costs and how often it is right, on recorded cases.
//   O1. A chosen threshold holds its target on the cases it was chosen on; how sure that is for others, the interval says.
//   O2. Without a target the knee is chosen: where quality above the straight line from cheap to strong is the largest.

/** A case with both outcomes. `score`: the higher, the sooner the cheap answer counts. `valid: false`: it never does. */
export type TuneCase = {
  readonly score: number
  readonly cheapRight: boolean
  readonly strongRight: boolean
  readonly valid?: boolean
  readonly cheapCost: number
  readonly strongCost: number
}

export type TunePoint = {
  /** The cheap answer counts from this score on. */
  readonly threshold: number
  /** Share of cases that the strong model answers. */
  readonly escalated: number
  /** Share that is right. */
  readonly quality: number
  /** Mean cost of a case. */
  readonly cost: number
}

export type TuneTarget = { readonly cost?: number; readonly quality?: number; readonly escalated?: number }

/** `cascade`: the cheap model is always paid; `route`: only the model that is asked. */
export type TuneKind = 'cascade' | 'route'

const pointOf = (cases: readonly TuneCase[], threshold: number, kind: TuneKind): TunePoint => {
  let [escalated, right, cost] = [0, 0, 0]
  for (const one of cases) {
    const kept = one.valid !== false && one.score >= threshold
    if (!kept) escalated += 1
    if (kept ? one.cheapRight : one.strongRight) right += 1
    cost += (kept || kind === 'cascade' ? one.cheapCost : 0) + (kept ? 0 : one.strongCost)
  }
  const rows = Math.max(1, cases.length)
  return { threshold, escalated: escalated / rows, quality: right / rows, cost: cost / rows }
}

const CUTS = 200

/** Rounded up, so that a score equal to the threshold as it is printed still counts. */
const rounded = (value: number): number => Math.ceil(value * 10_000 - 1e-9) / 10_000

/** One point for each of up to 200 thresholds between all cheap and all strong, ascending. */
export const tuneCurve = (cases: readonly TuneCase[], kind: TuneKind = 'cascade'): readonly TunePoint[] => {
  const scores = cases
    .filter(({ score }) => Number.isFinite(score))
    .map(({ score }) => rounded(score))
    .sort((left, right) => left - right)
  const cuts = Array.from({ length: CUTS + 1 }, (_, at) => scores[Math.round((at * (scores.length - 1)) / CUTS)] ?? 0)
  const thresholds = [...new Set([0, ...cuts, rounded((scores.at(-1) ?? 0) + 0.0001)])].toSorted((left, right) => left - right)
  return thresholds.map((threshold) => pointOf(cases, threshold, kind))
}

const best = (points: readonly TunePoint[], worth: (point: TunePoint) => number): TunePoint | undefined =>
  points.reduce<TunePoint | undefined>((found, point) => (found === undefined || worth(point) > worth(found) ? point : found), undefined)

/** The threshold for a target: the most quality for at most this cost or share of strong calls, or the least cost for this quality (O1). */
export const chooseThreshold = (curve: readonly TunePoint[], target: TuneTarget): TunePoint | undefined => {
  const { cost, quality, escalated } = target
  const allowed = curve.filter(
    (point) =>
      (cost === undefined || point.cost <= cost) &&
      (quality === undefined || point.quality >= quality) &&
      (escalated === undefined || point.escalated <= escalated),
  )
  if (quality !== undefined) return best(allowed, (point) => -point.cost)
  if (cost !== undefined || escalated !== undefined) return best(allowed, (point) => point.quality)
  const [cheap, strong] = [curve[0], curve.at(-1)]
  if (cheap === undefined || strong === undefined) return undefined
  const straight = (point: TunePoint): number =>
    cheap.quality + ((strong.quality - cheap.quality) * (point.cost - cheap.cost)) / Math.max(1e-12, strong.cost - cheap.cost)
  return best(curve, (point) => point.quality - straight(point)) // O2
}

/** What a threshold does on other cases: for the interval, and for rows that were not tuned on. */
export const tunePointAt = (cases: readonly TuneCase[], threshold: number, kind: TuneKind = 'cascade'): TunePoint =>
  pointOf(cases, threshold, kind)
