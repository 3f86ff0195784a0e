// How unlike a text is to everything seen before: its distance to the nearest of a few centres, and what of it was never seen.
//   N1. The same examples give the same model, byte for byte, in whatever order they come within a group.
//   N2. The score is a share: of examples held back from training, so many are nearer than this text. It is a place in a known
//       distribution and no probability; 1 is newer than all of them.
import { countsOf, inverseFrequencies, vectorOf, type FeatureOptions, type Features } from '../text-features.policy.ts'

export type NoveltyModel = {
  readonly features: FeatureOptions
  readonly idf: Float32Array
  /** One centre a group, quantised: by group, then bucket. */
  readonly centres: Int8Array
  readonly scales: Float32Array
  /** Distances of held-back examples at each percent, rising. */
  readonly percentiles: Float32Array
}

const NOVELTY_FEATURES: FeatureOptions = {
  buckets: 8_192,
  wordGramsMax: 2,
  charGramsMin: 4,
  charGramsMax: 5,
  charWeight: 0.6,
  textCharsMax: 4_000,
}

const POINTS = 101

const norm = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))

/** Share of a text whose words training never saw; a short text of unknown words has no vector at all. */
const unknownShare = (text: string, { features, idf }: Pick<NoveltyModel, 'features' | 'idf'>): number => {
  const { words } = countsOf(text, { ...features, wordGramsMax: 1 })
  const buckets = [...words.keys()]
  return buckets.length === 0 ? 1 : buckets.filter((bucket) => (idf[bucket] ?? 0) === 0).length / buckets.length
}

const similarity = ({ buckets, values }: Features, { features, centres, scales }: NoveltyModel): number => {
  const length = norm(values)
  if (length === 0) return 0
  let best = 0
  for (let group = 0; group < scales.length; group++) {
    let dot = 0
    const from = group * features.buckets
    for (let at = 0; at < buckets.length; at++) dot += (values[at] ?? 0) * (centres[from + (buckets[at] ?? 0)] ?? 0)
    best = Math.max(best, (dot * (scales[group] ?? 0)) / length)
  }
  return best
}

/** 0 is like a centre, 1 like nothing seen. */
const distanceOf = (model: NoveltyModel, text: string): number => {
  const near = similarity(vectorOf(countsOf(text, model.features), model.idf, model.features), model)
  return Math.min(1, Math.max(0, 1 - near * (1 - 0.5 * unknownShare(text, model))))
}

/** How new a text is, 0 to 1 (N2). */
export const noveltyOf = (model: NoveltyModel, text: string): number => {
  const distance = distanceOf(model, text)
  const { percentiles } = model
  const above = percentiles.findIndex((point) => point > distance)
  if (above < 0) return 1
  if (above === 0) return 0
  const [low, high] = [percentiles[above - 1] ?? 0, percentiles[above] ?? 1]
  return (above - 1 + (high > low ? (distance - low) / (high - low) : 0)) / (POINTS - 1)
}

/** An example and the group it belongs to. */
export type NoveltyExample = { readonly text: string; readonly group: string }

const quantised = (centre: Float32Array): { readonly small: Int8Array; readonly scale: number } => {
  const length = norm(centre)
  const peak = centre.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const scale = peak === 0 ? 1 : peak / 127
  return { small: Int8Array.from(centre, (value) => Math.round(value / scale)), scale: length === 0 ? 0 : scale / length }
}

/** Learns the centres of groups; `held` are examples of the same kind that were not learned from. */
export const trainNovelty = (examples: readonly NoveltyExample[], held: readonly string[], features = NOVELTY_FEATURES): NoveltyModel => {
  const rows = examples.map(({ text, group }) => ({ group, counts: countsOf(text, features) }))
  const idf = inverseFrequencies(
    rows.map(({ counts }) => counts),
    features,
    2,
  )
  const groups = [...new Set(rows.map(({ group }) => group))].toSorted()
  const sums = new Map(groups.map((group) => [group, new Float32Array(features.buckets)]))
  for (const { group, counts } of rows) {
    const { buckets, values } = vectorOf(counts, idf, features)
    const sum = sums.get(group)
    const length = norm(values)
    for (let at = 0; at < buckets.length; at++) {
      const bucket = buckets[at] ?? 0
      if (sum !== undefined && length > 0) sum[bucket] = (sum[bucket] ?? 0) + (values[at] ?? 0) / length
    }
  }
  const small = groups.map((group) => quantised(sums.get(group) ?? new Float32Array(features.buckets)))
  const centres = new Int8Array(groups.length * features.buckets)
  small.forEach((one, at) => centres.set(one.small, at * features.buckets))
  const bare = { features, idf, centres, scales: Float32Array.from(small, ({ scale }) => scale), percentiles: new Float32Array(0) }
  const distances = held.map((text) => distanceOf(bare, text)).toSorted((left, right) => left - right)
  const percentiles = Float32Array.from(
    { length: POINTS },
    (_, at) => distances[Math.min(distances.length - 1, Math.floor((at * distances.length) / (POINTS - 1)))] ?? 1,
  )
  return { ...bare, percentiles }
}
