// The model as text that a module can hold: head and numbers, in base64.
import type { HarmModel } from './harm-model.policy.ts'

const bytesOf = (numbers: Float32Array | Int8Array): Buffer => Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength)

/** Frequencies to eight bits: they are all between 1 and the logarithm of the number of rows. */
const small = (idf: Float32Array): Int8Array => Int8Array.from(idf, (value) => Math.round(value * 12))

/** A model as text. */
export const packHarm = ({ categories, features, idf, weights, scales, bias }: HarmModel): string => {
  const head = Buffer.from(JSON.stringify({ categories, features, scales: [...scales], bias: [...bias] }))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(head.length)
  return Buffer.concat([length, head, bytesOf(small(idf)), bytesOf(weights)]).toString('base64')
}

type Head = Pick<HarmModel, 'categories' | 'features'> & { readonly scales: readonly number[]; readonly bias: readonly number[] }

/** Reads what `packHarm` wrote. */
export const unpackHarm = (text: string): HarmModel => {
  const bytes = Buffer.from(text, 'base64')
  const end = 4 + bytes.readUInt32LE(0)
  const head = JSON.parse(bytes.subarray(4, end).toString()) as Head // Written by `packHarm` and shipped with this module.
  const numbers = new Int8Array(bytes.subarray(end))
  const { buckets } = head.features
  return {
    categories: head.categories,
    features: head.features,
    idf: Float32Array.from(numbers.subarray(0, buckets), (value) => value / 12),
    weights: numbers.subarray(buckets),
    scales: Float32Array.from(head.scales),
    bias: Float32Array.from(head.bias),
  }
}
