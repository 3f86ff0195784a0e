// Text as a sparse vector: hashed word 1-2-grams and character 3-5-grams within words, sublinear counts times inverse document frequency.
//   C1. The same text and options give the same features on every machine: integers only in the hash, no locale.
//   C2. Word and character features are normalised apart, so that a long word cannot drown the words.

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

const hash = (text: string, from: number, to: number, seed: number): number => {
  let state = seed
  for (let at = from; at < to; at++) state = Math.imul(state ^ text.charCodeAt(at), FNV_PRIME)
  // FNV alone mixes its low bits badly, and the bucket is taken from those.
  state = Math.imul(state ^ (state >>> 16), 0x85_eb_ca_6b)
  return (state ^ (state >>> 13)) >>> 0
}

/** The bucket of a gram of `size` words (C1). */
export const wordBucket = (gram: string, size: number, mask: number): number => hash(gram, 0, gram.length, WORD_SEED + size) & mask

const add = (counts: Map<number, number>, bucket: number): void => {
  counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
}

/** Lower-case words and currency signs of a text, in order. */
export const wordsOf = (text: string): readonly string[] =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll('’', "'")
    .match(/[\p{L}\p{N}]+(?:'[\p{L}]+)?|[€$£?]/gu) ?? []

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

const weigh = (counts: ReadonlyMap<number, number>, idf: Float32Array, length: number): Map<number, number> => {
  const weighed = new Map<number, number>()
  let squares = 0
  for (const [bucket, count] of counts) {
    const value = (1 + Math.log(count)) * (idf[bucket] ?? 0)
    squares += value * value
    weighed.set(bucket, value)
  }
  const scale = squares > 0 ? length / Math.sqrt(squares) : 0
  for (const [bucket, value] of weighed) weighed.set(bucket, value * scale)
  return weighed
}

/** Counts as a vector of fixed length (C2). Buckets that training never saw have frequency 0 and fall out. */
export const vectorOf = (counts: Counts, idf: Float32Array, options: FeatureOptions): Features => {
  const joined = weigh(counts.words, idf, 1)
  for (const [bucket, value] of weigh(counts.chars, idf, options.charWeight)) joined.set(bucket, (joined.get(bucket) ?? 0) + value)
  const known = [...joined].filter(([, value]) => value !== 0)
  return { buckets: Int32Array.from(known, ([bucket]) => bucket), values: Float32Array.from(known, ([, value]) => value) }
}

/** Smoothed inverse document frequency by bucket; 0 where fewer than `documentsMin` texts have the feature. */
export const inverseFrequencies = (texts: readonly Counts[], options: FeatureOptions, documentsMin: number): Float32Array => {
  const documents = new Int32Array(options.buckets)
  for (const { words, chars } of texts) {
    for (const bucket of new Set([...words.keys(), ...chars.keys()])) documents[bucket] = (documents[bucket] ?? 0) + 1
  }
  return Float32Array.from(documents, (count) => (count < documentsMin ? 0 : Math.log((1 + texts.length) / (1 + count)) + 1))
}
