// A text model as JSON, for a file: heads quantised to sixteen bits, numbers in base64, little-endian.
//   F1. A file of another format or version, of wrong sizes, or with numbers that are none is refused whole, never half read.
//   F2. What was written reads back to the same probabilities, within a thousandth.
import { Fault } from '@baton/contracts/fault'
import type { FeatureOptions } from '../text-features.policy.ts'
import type { LogisticHead } from './logistic-head.policy.ts'
import type { HandSpec, TextModel } from './text-model.policy.ts'

const VERSION = 1
const BUCKETS_MAX = 1 << 20
const STEPS = 32_767

type HeadJson = { readonly bias: number; readonly scale: number; readonly penalty: number; readonly weights: string }
/** What stands in a file. */
export type TextModelJson = {
  readonly version: number
  readonly features: FeatureOptions
  readonly hand: readonly HandSpec[]
  readonly idf: { readonly scale: number; readonly values: string }
  readonly heads: Readonly<Record<string, HeadJson>>
}

const pack = (numbers: Float32Array): { scale: number; values: string } => {
  const peak = numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const scale = peak === 0 ? 1 : peak / STEPS
  const small = Int16Array.from(numbers, (value) => Math.round(value / scale))
  return { scale, values: Buffer.from(small.buffer).toString('base64') }
}

const round = (value: number): number => Number(value.toPrecision(7))

/** The model as plain JSON (F2). */
export const textModelJson = ({ features, hand, idf, heads, penalties }: TextModel): TextModelJson => ({
  version: VERSION,
  features,
  hand: hand.map((spec) => ({ ...spec, mean: round(spec.mean), spread: round(spec.spread) })),
  idf: pack(idf),
  heads: Object.fromEntries(
    Object.entries(heads).map(([name, { weights, bias }]) => {
      const { scale, values } = pack(weights)
      return [name, { bias: round(bias), scale, penalty: penalties[name] ?? 0, weights: values }]
    }),
  ),
})

type Unknowns = Readonly<Record<string, unknown>>
const refuse = (reason: string): Fault => new Fault('config.invalid', `The trained file cannot be used: ${reason}.`, { reason })

/** An object's fields, each still unknown. Throws `config.invalid`. */
export const fieldsOf = (value: unknown, what: string): Unknowns => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse(`${what} is not an object`)
  return value as Unknowns // Any object is a record of unknowns.
}

const numberOf = (fields: Unknowns, name: string): number => {
  const value = fields[name]
  if (typeof value !== 'number' || !Number.isFinite(value)) throw refuse(`${name} is not a number`)
  return value
}

const unpack = (text: unknown, scale: number, count: number): Float32Array => {
  if (typeof text !== 'string') throw refuse('numbers are missing')
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== 2 * count) throw refuse('it is cut or too long')
  return Float32Array.from({ length: count }, (_, at) => bytes.readInt16LE(2 * at) * scale)
}

const readFeatures = (value: unknown): FeatureOptions => {
  const fields = fieldsOf(value, 'features')
  const buckets = numberOf(fields, 'buckets')
  if (!Number.isInteger(buckets) || buckets < 2 || buckets > BUCKETS_MAX || (buckets & (buckets - 1)) !== 0)
    throw refuse('buckets must be a power of two')
  return {
    buckets,
    wordGramsMax: numberOf(fields, 'wordGramsMax'),
    charGramsMin: numberOf(fields, 'charGramsMin'),
    charGramsMax: numberOf(fields, 'charGramsMax'),
    charWeight: numberOf(fields, 'charWeight'),
    textCharsMax: numberOf(fields, 'textCharsMax'),
  }
}

const readHand = (value: unknown): readonly HandSpec[] => {
  if (!Array.isArray(value)) throw refuse('hand is not a list')
  return value.map((item: unknown) => {
    const fields = fieldsOf(item, 'a hand-made feature')
    const name = fields['name']
    if (typeof name !== 'string') throw refuse('a hand-made feature has no name')
    return { name, mean: numberOf(fields, 'mean'), spread: numberOf(fields, 'spread'), scale: numberOf(fields, 'scale') }
  })
}

/** Reads what `textModelJson` wrote. Throws `config.invalid` (F1). */
export const readTextModel = (value: unknown): TextModel => {
  const fields = fieldsOf(value, 'the model')
  if (fields['version'] !== VERSION) throw refuse(`its version is not ${VERSION}`)
  const features = readFeatures(fields['features'])
  const hand = readHand(fields['hand'])
  const idf = fieldsOf(fields['idf'], 'idf')
  const columns = features.buckets + hand.length
  const heads: [string, LogisticHead][] = []
  const penalties: [string, number][] = []
  for (const [name, item] of Object.entries(fieldsOf(fields['heads'], 'heads'))) {
    const head = fieldsOf(item, `head ${name}`)
    heads.push([name, { bias: numberOf(head, 'bias'), weights: unpack(head['weights'], numberOf(head, 'scale'), columns) }])
    penalties.push([name, numberOf(head, 'penalty')])
  }
  if (heads.length === 0) throw refuse('it has no heads')
  return {
    features,
    hand,
    idf: unpack(idf['values'], numberOf(idf, 'scale'), features.buckets),
    heads: Object.fromEntries(heads),
    penalties: Object.fromEntries(penalties),
  }
}
