// Text as a sparse vector: hashed word 1-2-grams and character 3-5-grams within words, sublinear counts times inverse document frequency.
//   C1. The same text and options give the same features on every machine: integers only in the hash, no locale.
//   C2. Word and character features are normalised apart, so that a long word cannot drown the words.

import { placesOfWords, type Places } from './text-words.policy.ts'

/** What decides which feature a piece of text becomes. Stored in the artefact: weights mean nothing without it. */
export type FeatureOptions = {
  /** Number of hash buckets, a power of two. */
  readonly buckets: number
  readonly wordGramsMax: number
  readonly charGramsMin: number
  readonly charGramsMax: number
  /** Length of the character part beside a word part of length 1. */
  readonly charWeight: number
  /** Characters read of one text; the rest is ignored. */
  readonly textCharsMax: number
}

/** Parallel lists: bucket and value. */
export type Features = { readonly buckets: Int32Array; readonly values: Float32Array }

/** Raw counts of one text, word and character features apart. */
export type Counts = { readonly words: ReadonlyMap<number, number>; readonly chars: ReadonlyMap<number, number> }

const FNV_PRIME = 0x01_00_01_93
const WORD_SEED = 0x81_1c_9d_c5
const CHAR_SEED = 0x2f_0b_4c_47

const mixed = (text: string, from: number, to: number, seed: number): number => {
  let state = seed
  for (let at = from; at < to; at++) state = Math.imul(state ^ text.charCodeAt(at), FNV_PRIME)
  return state
}

/** FNV alone mixes its low bits badly, and the bucket is taken from those. */
const finished = (state: number): number => {
  const folded = Math.imul(state ^ (state >>> 16), 0x85_eb_ca_6b)
  return (folded ^ (folded >>> 13)) >>> 0
}

const hash = (text: string, from: number, to: number, seed: number): number => finished(mixed(text, from, to, seed))

/** The bucket of a gram of `size` words (C1). */
const wordBucket = (gram: string, size: number, mask: number): number => hash(gram, 0, gram.length, WORD_SEED + size) & mask

const SPACE = 32

/** The buckets of `countsOf` for words and pairs of words, in its order, without a string for any; how many there are. `into` has room for two a word. */
export const pairBuckets = (text: string, { at, length }: Places, mask: number, into: Int32Array): number => {
  let found = 0
  let pair = 0
  for (let word = 0; word < length; word += 2) {
    let [one, next] = [WORD_SEED + 1, WORD_SEED + 2]
    pair = Math.imul(pair ^ SPACE, FNV_PRIME)
    const end = at[word + 1] ?? 0
    for (let place = at[word] ?? 0; place < end; place++) {
      const unit = text.charCodeAt(place)
      one = Math.imul(one ^ unit, FNV_PRIME)
      next = Math.imul(next ^ unit, FNV_PRIME)
      pair = Math.imul(pair ^ unit, FNV_PRIME)
    }
    if (word > 0) into[found++] = finished(pair) & mask
    into[found++] = finished(one) & mask
    pair = next
  }
  return found
}

/** The text as its words are read: in small letters, one form for each character. */
export const readable = (text: string): string => text.normalize('NFKC').toLowerCase().replaceAll('’', "'")

const add = (counts: Map<number, number>, bucket: number): void => {
  counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
}

/** Lower-case words and currency signs of a text, in order. */
export const wordsOf = (text: string): readonly string[] => {
  const small = readable(text)
  const { at, length } = placesOfWords(small)
  return Array.from({ length: length / 2 }, (_, word) => small.slice(at[2 * word], at[2 * word + 1]))
}

/** The hashed counts of a text (C1). */
export const countsOf = (text: string, options: FeatureOptions): Counts => {
  const words = wordsOf(text.slice(0, options.textCharsMax))
  const mask = options.buckets - 1
  const counts = { words: new Map<number, number>(), chars: new Map<number, number>() }
  for (let first = 0; first < words.length; first++) {
    let gram = ''
    for (let size = 1; size <= options.wordGramsMax && first + size <= words.length; size++) {
      gram = size === 1 ? (words[first] ?? '') : `${gram} ${words[first + size - 1] ?? ''}`
      add(counts.words, wordBucket(gram, size, mask))
    }
    const padded = ` ${words[first] ?? ''} `
    for (let size = options.charGramsMin; size <= options.charGramsMax; size++) {
      for (let at = 0; at + size <= padded.length; at++) add(counts.chars, hash(padded, at, at + size, CHAR_SEED + size) & mask)
    }
  }
  return counts
}

/** Adds the known features of one part to the lists from `from` on, scaled to a length; gives where they end. */
const weigh = (
  counts: ReadonlyMap<number, number>,
  { idf, length, buckets, values, from }: { idf: Float32Array; length: number; buckets: Int32Array; values: Float64Array; from: number },
): number => {
  let squares = 0
  let to = from
  for (const [bucket, count] of counts) {
    const weight = idf[bucket] ?? 0
    if (weight === 0) continue
    const value = count === 1 ? weight : (1 + Math.log(count)) * weight
    squares += value * value
    buckets[to] = bucket
    values[to] = value
    to += 1
  }
  const scale = squares > 0 ? length / Math.sqrt(squares) : 0
  for (let at = from; at < to; at++) values[at] = (values[at] ?? 0) * scale
  return to
}

/** Counts as a vector of fixed length (C2). Buckets that training never saw have frequency 0 and fall out. */
export const vectorOf = (counts: Counts, idf: Float32Array, options: FeatureOptions): Features => {
  const size = counts.words.size + counts.chars.size
  const buckets = new Int32Array(size)
  const values = new Float64Array(size)
  const words = weigh(counts.words, { idf, length: 1, buckets, values, from: 0 })
  const all = weigh(counts.chars, { idf, length: options.charWeight, buckets, values, from: words })
  // A word and a piece of one may share a bucket: then it holds the sum of both.
  const placeOfWord = new Map<number, number>()
  for (let at = 0; at < words; at++) placeOfWord.set(buckets[at] ?? 0, at)
  let to = words
  for (let at = words; at < all; at++) {
    const bucket = buckets[at] ?? 0
    const place = placeOfWord.get(bucket)
    if (place === undefined) {
      buckets[to] = bucket
      values[to] = values[at] ?? 0
      to += 1
    } else values[place] = (values[place] ?? 0) + (values[at] ?? 0)
  }
  return { buckets: buckets.slice(0, to), values: Float32Array.from(values.subarray(0, to)) }
}

/** Smoothed inverse document frequency by bucket; 0 where fewer than `documentsMin` texts have the feature. */
export const inverseFrequencies = (texts: readonly Counts[], options: FeatureOptions, documentsMin: number): Float32Array => {
  const documents = new Int32Array(options.buckets)
  for (const { words, chars } of texts) {
    for (const bucket of new Set([...words.keys(), ...chars.keys()])) documents[bucket] = (documents[bucket] ?? 0) + 1
  }
  return Float32Array.from(documents, (count) => (count < documentsMin ? 0 : Math.log((1 + texts.length) / (1 + count)) + 1))
}
