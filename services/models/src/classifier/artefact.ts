// A trained classifier as one file: gzip of a magic word, the length of a JSON head, the head, and the numbers.
//   C5. Weights are int8 with one scale a class; what is below half a step becomes zero, which is most of them.
//   C6. A file of another format version or a wrong length is refused, never half read.
import { gunzipSync, gzipSync } from 'node:zlib'
import { Fault } from '@baton/contracts/fault'
import { z } from 'zod'
import type { FeatureOptions } from '@baton/policy'
import type { LinearModel } from './logistic.policy.ts'

const MAGIC = Buffer.from('BATONLC1')
const UNPACKED_BYTES_MAX = 256 * 1024 * 1024

const Head = z.object({
  formatVersion: z.literal(1),
  labels: z.array(z.string()).min(2),
  temperature: z.number().positive(),
  features: z.object({
    buckets: z
      .number()
      .int()
      .positive()
      .refine((value) => (value & (value - 1)) === 0, 'must be a power of two'),
    wordGramsMax: z.number().int(),
    charGramsMin: z.number().int(),
    charGramsMax: z.number().int(),
    charWeight: z.number(),
    textCharsMax: z.number().int(),
  }),
})

/** Everything that predicting needs. */
export type Artefact = {
  readonly labels: readonly string[]
  readonly temperature: number
  readonly features: FeatureOptions
  readonly idf: Float32Array
  /** Quantised weights by bucket, then class. */
  readonly weights: Int8Array
  readonly scales: Float32Array
  readonly bias: Float32Array
}

/** Rounds the weights of a fitted model to int8 (C5). */
export const quantise = ({ classes, weights }: LinearModel): { weights: Int8Array; scales: Float32Array } => {
  const peaks = new Float32Array(classes)
  for (let at = 0; at < weights.length; at++) peaks[at % classes] = Math.max(peaks[at % classes] ?? 0, Math.abs(weights[at] ?? 0))
  const scales = peaks.map((peak) => (peak === 0 ? 1 : peak / 127))
  const small = new Int8Array(weights.length)
  for (let at = 0; at < weights.length; at++) small[at] = Math.round((weights[at] ?? 0) / (scales[at % classes] ?? 1))
  return { weights: small, scales }
}

const bytesOf = (numbers: Float32Array | Int8Array): Buffer => Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength)

/** The bytes before compression; their hash names the model. Numbers are little-endian. */
export const packArtefact = (artefact: Artefact): Buffer => {
  const { labels, temperature, features } = artefact
  const head = Buffer.from(JSON.stringify({ formatVersion: 1, labels, temperature, features }))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(head.length)
  return Buffer.concat([
    MAGIC,
    length,
    head,
    bytesOf(artefact.idf),
    bytesOf(artefact.scales),
    bytesOf(artefact.bias),
    bytesOf(artefact.weights),
  ])
}

/** The file as it is committed. */
export const encodeArtefact = (artefact: Artefact): Buffer => gzipSync(packArtefact(artefact), { level: 9 })

const refuse = (reason: string): Fault => new Fault('config.invalid', `The classifier's weights cannot be read: ${reason}.`, { reason })

const unpack = (file: Buffer): Buffer => {
  try {
    return gunzipSync(file, { maxOutputLength: UNPACKED_BYTES_MAX })
  } catch {
    throw refuse('not a gzip file, or larger than the limit')
  }
}

const headOf = (bytes: Buffer, end: number): z.infer<typeof Head> => {
  try {
    return Head.parse(JSON.parse(bytes.subarray(MAGIC.length + 4, end).toString()))
  } catch {
    throw refuse('its head is of another format')
  }
}

/** Reads a file that `encodeArtefact` wrote (C6). */
export const decodeArtefact = (file: Buffer): Artefact => {
  const bytes = unpack(file)
  if (bytes.length < MAGIC.length + 4 || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw refuse('it does not start with BATONLC1')
  const headEnd = MAGIC.length + 4 + bytes.readUInt32LE(MAGIC.length)
  if (headEnd > bytes.length) throw refuse('it is cut')
  const head = headOf(bytes, headEnd)
  const classes = head.labels.length
  const { buckets } = head.features
  if (bytes.length !== headEnd + 4 * buckets + 8 * classes + buckets * classes) throw refuse('it is cut or too long')
  // A copy, because floats must start at a multiple of four.
  const body = new Uint8Array(bytes.subarray(headEnd)).buffer
  return {
    ...head,
    idf: new Float32Array(body, 0, buckets),
    scales: new Float32Array(body, 4 * buckets, classes),
    bias: new Float32Array(body, 4 * (buckets + classes), classes),
    weights: new Int8Array(body, 4 * (buckets + 2 * classes)),
  }
}
