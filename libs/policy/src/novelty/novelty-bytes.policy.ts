// The model of novelty as bytes: a magic word, the length of a JSON head, the head, and the numbers, little-endian. Compression is for
// those who read and write files.
//   N3. A file of another format, cut or too long is refused, never half read.
import { Fault } from '@baton/contracts/fault'
import { isJsonObject, type Json } from '@baton/contracts/json'
import type { FeatureOptions } from '../text-features.policy.ts'
import type { NoveltyModel } from './novelty.policy.ts'

const MAGIC = 'BATONNV1'
const FIELDS = ['buckets', 'wordGramsMax', 'charGramsMin', 'charGramsMax', 'charWeight', 'textCharsMax'] as const

const bytesOf = (numbers: Float32Array | Int8Array): Uint8Array => new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)

/** The bytes of a model. */
export const packNovelty = ({ features, idf, centres, scales, percentiles }: NoveltyModel): Uint8Array => {
  const head = new TextEncoder().encode(JSON.stringify({ formatVersion: 1, features, groups: scales.length, points: percentiles.length }))
  const start = new Uint8Array(12)
  start.set(new TextEncoder().encode(MAGIC))
  new DataView(start.buffer).setUint32(8, head.length, true)
  const parts = [start, head, bytesOf(idf), bytesOf(scales), bytesOf(percentiles), bytesOf(centres)]
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

const refuse = (reason: string): Fault => new Fault('config.invalid', `The model of novelty cannot be read: ${reason}.`, { reason })

const count = (value: Json | undefined, max: number): number => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > max) throw refuse('its head is of another format')
  return value
}

const parse = (text: string): Json => {
  try {
    return JSON.parse(text) as Json // JSON.parse gives JSON.
  } catch {
    throw refuse('its head is not JSON')
  }
}

type Head = { readonly features: FeatureOptions; readonly groups: number; readonly points: number }

const readHead = (text: string): Head => {
  const head = parse(text)
  const features = isJsonObject(head) ? head['features'] : undefined
  if (!isJsonObject(head) || head['formatVersion'] !== 1 || !isJsonObject(features)) throw refuse('its head is of another format')
  if (!FIELDS.every((field) => typeof features[field] === 'number')) throw refuse('its head is of another format')
  const buckets = count(features['buckets'], 1 << 20)
  if ((buckets & (buckets - 1)) !== 0) throw refuse('buckets must be a power of two')
  // All fields are numbers: looked at above.
  return { features: features as unknown as FeatureOptions, groups: count(head['groups'], 10_000), points: count(head['points'], 10_000) }
}

/** Reads what `packNovelty` wrote (N3). */
export const unpackNovelty = (bytes: Uint8Array): NoveltyModel => {
  if (bytes.length < 12 || new TextDecoder().decode(bytes.subarray(0, 8)) !== MAGIC) throw refuse(`it does not start with ${MAGIC}`)
  const headEnd = 12 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true)
  if (headEnd > bytes.length) throw refuse('it is cut')
  const { features, groups, points } = readHead(new TextDecoder().decode(bytes.subarray(12, headEnd)))
  const { buckets } = features
  if (bytes.length !== headEnd + 4 * (buckets + groups + points) + groups * buckets) throw refuse('it is cut or too long')
  const body = new Uint8Array(bytes.subarray(headEnd)).buffer // a copy: floats must start at a multiple of four
  return {
    features,
    idf: new Float32Array(body, 0, buckets),
    scales: new Float32Array(body, 4 * buckets, groups),
    percentiles: new Float32Array(body, 4 * (buckets + groups), points),
    centres: new Int8Array(body, 4 * (buckets + groups + points)),
  }
}
