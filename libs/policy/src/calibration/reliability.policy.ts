// How far probabilities can be believed: reliability bands, expected calibration error, Brier score and log loss.

/** A probability somebody gave and whether the answer was right. */
export type Judged = { readonly confidence: number; readonly right: boolean }

/** One band of confidences: what was promised on average and what came true. */
export type ReliabilityBin = {
  readonly from: number
  readonly to: number
  readonly rows: number
  readonly confidence: number
  readonly right: number
}

/** `width`: bands of equal width over 0..1; `mass`: bands with equally many rows. */
export type BinOptions = { readonly bins?: number; readonly by?: 'width' | 'mass' }

const BINS = 10
const meanOf = <T>(items: readonly T[], read: (item: T) => number): number =>
  items.length === 0 ? 0 : items.reduce((sum, item) => sum + read(item), 0) / items.length

const binOf = (rows: readonly Judged[], from: number, to: number): ReliabilityBin => ({
  from,
  to,
  rows: rows.length,
  confidence: meanOf(rows, ({ confidence }) => confidence),
  right: meanOf(rows, ({ right }) => (right ? 1 : 0)),
})

const byMass = (rows: readonly Judged[], bins: number): readonly ReliabilityBin[] => {
  const sorted = rows.toSorted((left, right) => left.confidence - right.confidence)
  return Array.from({ length: Math.min(bins, sorted.length) }, (_, at, count = Math.min(bins, sorted.length)) => {
    const part = sorted.slice(Math.floor((at * sorted.length) / count), Math.floor(((at + 1) * sorted.length) / count))
    return binOf(part, part[0]?.confidence ?? 0, part.at(-1)?.confidence ?? 0)
  })
}

/** The bands of a reliability diagram; empty ones are left out. A confidence outside 0..1 counts into the nearest band. */
export const reliability = (rows: readonly Judged[], { bins = BINS, by = 'width' }: BinOptions = {}): readonly ReliabilityBin[] => {
  if (by === 'mass') return byMass(rows, bins)
  const bands = Array.from({ length: bins }, (): Judged[] => [])
  for (const row of rows) bands[Math.min(bins - 1, Math.max(0, Math.floor(row.confidence * bins)))]?.push(row)
  return bands.map((band, at) => binOf(band, at / bins, (at + 1) / bins)).filter((band) => band.rows > 0)
}

/** Mean distance between confidence and the share that was right over the bands, weighted by rows; 0 is perfect. */
export const expectedCalibrationError = (rows: readonly Judged[], options: BinOptions = {}): number =>
  rows.length === 0
    ? 0
    : reliability(rows, options).reduce((sum, band) => sum + band.rows * Math.abs(band.confidence - band.right), 0) / rows.length

/** Mean squared distance of confidence and outcome; lower is better, 0.25 is what a coin says. */
export const brierScore = (rows: readonly Judged[]): number => meanOf(rows, ({ confidence, right }) => (confidence - (right ? 1 : 0)) ** 2)

/** Mean negative log likelihood in nats; lower is better. */
export const logLoss = (rows: readonly Judged[]): number =>
  meanOf(rows, ({ confidence, right }) => -Math.log(Math.max(1e-12, right ? confidence : 1 - confidence)))
