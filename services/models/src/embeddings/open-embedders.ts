// Which embedding model a name means: one of `embeddings` in the catalogue, else one that was pulled into the folder of the models.
//   N1. A name means one model: indexes are searched with the name they were filled with.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '@baton/contracts/fault'
import { serverOf } from '../catalogue/model-server.ts'
import type { ModelsFile } from '../catalogue/models-file.ts'
import type { Surroundings } from '../catalogue/surroundings.ts'
import { type Embedder, missing } from './embedder.ts'
import { openAiEmbedder } from './openai-embedder.adapter.ts'

/** What is meant where nobody says, and known where nobody pulled it. */
const USUAL = 'minilm'

type Found = { readonly file: ModelsFile; readonly surroundings: Surroundings }

const local = (name: string, folder: string, { surroundings }: Found): Promise<Embedder> => {
  if (surroundings.localEmbedders === undefined) throw missing(name, 'there is no folder of models')
  return surroundings.localEmbedders(folder)
}

/** Finds one by name; without one, the first of the catalogue, else MiniLM. Throws `model.unknown` or `index.embedder_missing`. */
export type FindEmbedder = (name?: string) => Promise<Embedder>

const unlisted = (name: string, found: Found): Promise<Embedder> => {
  const { modelsDir } = found.surroundings
  const isPulled = /^[a-z0-9][a-z0-9._-]*$/.test(name) && modelsDir !== undefined && existsSync(join(modelsDir, name, 'tokenizer.json'))
  if (name === USUAL || isPulled) return local(name, name, found)
  const known = [...new Set([...Object.keys(found.file.embeddings), USUAL])].join(', ')
  throw new Fault('model.unknown', `No embedding model is named ${name}; embeddings in config/models.yaml has ${known}.`, { model: name })
}

/** The embedding models of a catalogue. Throws `config.invalid` for a server that the file does not have. */
export const openEmbedders = (found: Found): FindEmbedder => {
  const { file, surroundings } = found
  const remote = new Map(
    Object.entries(file.embeddings).flatMap(([name, entry]) =>
      entry.provider === 'openai' ? [[name, { entry, server: serverOf(`embeddings.${name}`, entry, found) }] as const] : [],
    ),
  )
  return async (wanted) => {
    const name = wanted ?? Object.keys(file.embeddings)[0] ?? USUAL
    const entry = Object.hasOwn(file.embeddings, name) ? file.embeddings[name] : undefined
    if (entry === undefined) return unlisted(name, found)
    if (entry.provider === 'local') return { ...(await local(name, entry.model ?? name, found)), name } // N1
    const server = remote.get(name)?.server
    if (server?.url === undefined) throw missing(name, 'the address or key of its server is not set')
    const { model, dimensions } = entry
    const key = server.key === undefined ? {} : { apiKey: server.key }
    return openAiEmbedder(name, { model, dimensions, baseUrl: server.url, ...key }, surroundings.nowMs)
  }
}
