import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createCatalogue, ModelsFile, type Surroundings } from '../catalogue/catalogue.ts'
import type { FindEmbedder } from './open-embedders.ts'
import { EmbeddingsController } from './embeddings.controller.ts'
import { localEmbedders } from './local-embedder.adapter.ts'

/** Stands where the library would be: gives a vector of the length of a text, and remembers how it was asked. */
const LIBRARY = `const asked = []
const env = {}
module.exports = { env, asked, pipeline: async (task, model, options) => async (texts, how) => {
  asked.push({ task, model, options, how, texts: texts.map((text) => text.length), remote: env.allowRemoteModels })
  return { tolist: () => texts.map((text) => [text.length, 0, 1]) }
} }
`
const REMOTE = { provider: 'openai', server: 'vllm', model: 'bge-m3', dimensions: 4 }

let modelsDir: string
beforeAll(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), 'baton-embedders-'))
  const library = join(modelsDir, 'node_modules/@huggingface/transformers')
  for (const folder of [library, join(modelsDir, 'minilm'), join(modelsDir, 'other')]) await mkdir(folder, { recursive: true })
  await writeFile(join(library, 'package.json'), '{ "name": "@huggingface/transformers", "main": "index.cjs" }')
  await writeFile(join(library, 'index.cjs'), LIBRARY)
  for (const model of ['minilm', 'other']) await writeFile(join(modelsDir, model, 'tokenizer.json'), '{}')
})
afterAll(() => rm(modelsDir, { recursive: true, force: true }))

const finderOf = async (embeddings: unknown, change: Partial<Surroundings> = {}): Promise<FindEmbedder> => {
  const file = ModelsFile.parse({ models: {}, servers: { vllm: { url: 'http://127.0.0.1:1/v1', keyFrom: 'VLLM_API_KEY' } }, embeddings })
  const surroundings = { flowsDir: modelsDir, modelsDir, localEmbedders: localEmbedders(modelsDir), nowMs: () => 0 }
  return (await createCatalogue(file, { ...surroundings, ...change })).embedder
}

describe('embedding models of this machine', () => {
  it('M1: a model that is not there is told with what to type, not downloaded', async () => {
    const embedders = localEmbedders(join(tmpdir(), 'no-models-here'))
    await expect(embedders('minilm')).rejects.toMatchObject({
      code: 'index.embedder_missing',
      message: expect.stringContaining('baton models pull minilm'),
    })
    await expect(embedders('../../etc')).rejects.toThrow(/no name of a model/)
  })

  it('M2: the library of the folder gives as many vectors as texts, in batches, and fetches nothing', async () => {
    const minilm = await localEmbedders(modelsDir)('minilm')
    expect(minilm).toMatchObject({ name: 'minilm', dimensions: 3 })
    const texts = Array.from({ length: 20 }, (_, at) => 'x'.repeat(at === 19 ? 5_000 : at + 1))
    const vectors = await minilm.embed(texts)
    expect(vectors.map(([length]) => length)).toEqual([...Array.from({ length: 19 }, (_, at) => at + 1), 2_000])
    const { createRequire } = await import('node:module')
    const { asked } = createRequire(join(modelsDir, 'package.json'))('@huggingface/transformers') as { asked: readonly object[] } // LIBRARY
    expect(asked).toMatchObject([
      { texts: [5] },
      { texts: { length: 16 }, remote: false, how: { normalize: true } },
      { texts: { length: 4 } },
    ])
  })

  it('what was given up before it began asks nothing', async () => {
    const minilm = await localEmbedders(modelsDir)('minilm')
    await expect(minilm.embed(['a'], { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('which embedding model a name means', () => {
  it('without an entry, MiniLM and whatever else was pulled', async () => {
    const find = await finderOf({})
    expect((await find()).name).toBe('minilm')
    expect((await find('other')).name).toBe('other')
    await expect(find('none')).rejects.toMatchObject({ code: 'model.unknown', message: expect.stringContaining('minilm') })
    await expect(find('../other')).rejects.toMatchObject({ code: 'model.unknown' })
    await expect((await finderOf({}, { localEmbedders: localEmbedders('/nowhere') }))('minilm')).rejects.toMatchObject({
      code: 'index.embedder_missing',
    })
  })

  it('N1: the first of the catalogue where none is named, and every one under its own name', async () => {
    const find = await finderOf({ house: { provider: 'local', model: 'other' }, bge: REMOTE }, { env: { VLLM_API_KEY: 'k' } })
    expect(await find()).toMatchObject({ name: 'house', dimensions: 3 })
    expect(await find('bge')).toMatchObject({ name: 'bge', dimensions: 4 })
    expect((await find('minilm')).name).toBe('minilm')
  })

  it('a server without its key is a model that cannot be used; one that the file does not have is a mistake', async () => {
    await expect((await finderOf({ bge: REMOTE }))('bge')).rejects.toMatchObject({ code: 'index.embedder_missing' })
    await expect(finderOf({ bge: { ...REMOTE, server: 'gone' } })).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringContaining('embeddings.bge.server'),
    })
  })
})

describe('POST /v1/models/embeddings', () => {
  const ask = async (texts: readonly string[], model?: string) =>
    new EmbeddingsController(await finderOf({})).embed({ texts: [...texts], ...(model === undefined ? {} : { model }) })

  it('a vector for each text; without texts, which model it would be', async () => {
    expect(await ask(['ab', 'c'])).toEqual({
      model: 'minilm',
      dimensions: 3,
      vectors: [
        [2, 0, 1],
        [1, 0, 1],
      ],
    })
    expect(await ask([], 'other')).toEqual({ model: 'other', dimensions: 3, vectors: [] })
  })

  it('V1: too many or too long is refused before a model is looked for', async () => {
    await expect(
      ask(
        Array.from({ length: 129 }, () => 'a'),
        'none',
      ),
    ).rejects.toMatchObject({ code: 'request.too_large' })
    await expect(ask(['é'.repeat(262_145)], 'none')).rejects.toMatchObject({ code: 'request.too_large' })
    expect((await ask(['é'.repeat(262_144)])).vectors).toHaveLength(1)
  })
})
