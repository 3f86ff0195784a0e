// The port to whatever turns texts into vectors.
//   E1. Vectors have the length `dimensions` and norm 1: their likeness is their product.
//   E2. The same text gives the same vector; what an index holds was made by the embedder whose name it carries.
import { Fault } from '@baton/contracts'

export type Embedder = {
  readonly name: string
  readonly dimensions: number
  readonly embed: (texts: readonly string[], options?: { readonly signal?: AbortSignal }) => Promise<readonly Float32Array[]>
}

/** Finds an embedder by name. Throws `index.embedder_missing`. */
export type Embedders = (name: string) => Promise<Embedder>

/** Where no embedder is set up. */
export const noEmbedders: Embedders = async (name) => {
  throw new Fault('index.embedder_missing', `the embedding model ${name} is not installed here; baton models pull ${name} says how`, {
    embedder: name,
  })
}

/** A vector of norm 1 (E1). */
export const normalised = (vector: ArrayLike<number>): Float32Array => {
  let sum = 0
  for (let at = 0; at < vector.length; at++) sum += (vector[at] ?? 0) ** 2
  const norm = Math.sqrt(sum)
  return Float32Array.from(vector, (value) => (norm === 0 ? 0 : value / norm))
}

/** As PostgreSQL reads it into real[], and pgvector into vector. */
export const vectorText = (vector: Float32Array, [open, close]: readonly [string, string]): string =>
  `${open}${Array.from(vector, (value) => Number(value.toPrecision(7))).join(',')}${close}`
