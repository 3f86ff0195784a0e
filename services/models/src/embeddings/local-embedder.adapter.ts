// Small embedding models on this machine, through @huggingface/transformers. It is no dependency of Baton: where it and a model are
// installed, it is used.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Embedder, type Embedders, missing } from './embedder.ts'

const BATCH_TEXTS = 16
const TEXT_CHARS_MAX = 2_000
const LIBRARY = '@huggingface/transformers'

/** What is used of the library. */
type Tensor = { tolist(): number[][] }
type Extractor = (texts: readonly string[], options: { pooling: 'mean'; normalize: boolean }) => Promise<Tensor>
type Library = {
  readonly env: { allowRemoteModels: boolean; localModelPath: string }
  readonly pipeline: (task: 'feature-extraction', model: string, options: { dtype: 'q8' }) => Promise<Extractor>
}

/** The library as the models folder has it, else as this program's own place has it. */
const libraryAt = async (modelsDir: string, name: string): Promise<Library> => {
  for (const from of [join(modelsDir, 'package.json'), import.meta.url]) {
    try {
      const file = createRequire(from).resolve(LIBRARY)
      // A CommonJS build is found by require; both export the same.
      const loaded = (await import(pathToFileURL(file).href)) as Partial<Library> & { default?: Library } // the parts that are used, as its documentation has them
      const library =
        loaded.pipeline === undefined || loaded.env === undefined ? loaded.default : { pipeline: loaded.pipeline, env: loaded.env }
      if (library !== undefined) return library
    } catch {
      continue
    }
  }
  throw missing(name, `${LIBRARY} is not installed`)
}

const load = async (modelsDir: string, name: string): Promise<Embedder> => {
  if (!/^[a-z0-9][a-z0-9._-]{0,99}$/.test(name)) throw missing(name, 'that is no name of a model')
  if (!existsSync(join(modelsDir, name, 'tokenizer.json'))) throw missing(name, `no ${name} in ${modelsDir}; baton models pull ${name}`) // M1
  const { env, pipeline } = await libraryAt(modelsDir, name)
  env.allowRemoteModels = false // M1
  env.localModelPath = modelsDir
  const extract = await pipeline('feature-extraction', name, { dtype: 'q8' })
  const embedBatch = async (texts: readonly string[]): Promise<readonly Float32Array[]> => {
    const made = await extract(
      texts.map((text) => text.slice(0, TEXT_CHARS_MAX)),
      { pooling: 'mean', normalize: true },
    )
    return made.tolist().map((vector) => Float32Array.from(vector))
  }
  const [probe] = await embedBatch(['probe'])
  return {
    name,
    dimensions: probe?.length ?? 0,
    embed: async (texts, { signal } = {}) => {
      const vectors: Float32Array[] = []
      for (let from = 0; from < texts.length; from += BATCH_TEXTS) {
        signal?.throwIfAborted()
        vectors.push(...(await embedBatch(texts.slice(from, from + BATCH_TEXTS))))
      }
      return vectors
    },
  }
}

/** Embedders of a folder of models, each loaded once. */
export const localEmbedders = (modelsDir: string): Embedders => {
  const loaded = new Map<string, Promise<Embedder>>()
  return (name) => {
    const known = loaded.get(name)
    if (known !== undefined) return known
    const loading = load(modelsDir, name)
    loaded.set(name, loading)
    // What failed is tried again at the next call: a model may be installed meanwhile.
    loading.catch(() => loaded.delete(name))
    return loading
  }
}
