// The port to whatever turns texts into vectors.
//   M1. Nothing is downloaded or installed when it is asked; a model that cannot be used here is `index.embedder_missing`, with the reason.
//   M2. As many vectors as texts, in their order, each of the length `dimensions`.
import { Fault } from '@baton/contracts/fault'

export type Embedder = {
  readonly name: string
  readonly dimensions: number
  readonly embed: (texts: readonly string[], options?: { readonly signal?: AbortSignal }) => Promise<readonly Float32Array[]>
}

/** Finds an embedder by name. Throws `index.embedder_missing`. */
export type Embedders = (name: string) => Promise<Embedder>

export const missing = (name: string, reason: string): Fault =>
  new Fault('index.embedder_missing', `the embedding model ${name} cannot be used: ${reason}`, { embedder: name })
