// Embeddings of any server that speaks OpenAI's `/embeddings`: OpenAI, Ollama, vLLM, llama.cpp, and most others.
//   O1. A batch is asked for once; whoever asked tries again, as the code of the fault says.
//   O2. Vectors of another length than the catalogue says are `config.invalid`: an index never holds vectors of two kinds.
import { Fault, toFault } from '@baton/contracts/fault'
import { z } from 'zod'
import { providerFault } from '../adapters/provider-fault.policy.ts'
import { leanFetch } from '../attempts/lean-fetch.adapter.ts'
import type { Embedder } from './embedder.ts'

const BATCH_TEXTS = 64
const TEXT_CHARS_MAX = 8_000
const TIMEOUT_MS = 25_000

export type OpenAiEmbedderOptions = {
  /** The server's name of the model. */
  readonly model: string
  readonly baseUrl: string
  readonly apiKey?: string
  readonly dimensions: number
  readonly timeoutMs?: number
}

const Answer = z.object({
  data: z.array(z.object({ index: z.number().int().nonnegative().optional(), embedding: z.array(z.number()).min(1) })),
})
type Reply = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }

const ask = async (
  texts: readonly string[],
  { model, baseUrl, apiKey, timeoutMs = TIMEOUT_MS }: OpenAiEmbedderOptions,
  signal: AbortSignal | undefined,
): Promise<Reply> => {
  const late = AbortSignal.timeout(timeoutMs)
  const response = await leanFetch(`${baseUrl.replace(/\/+$/, '')}/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }) },
    // A text without a character is refused by most servers.
    body: JSON.stringify({ model, input: texts.map((text) => text.slice(0, TEXT_CHARS_MAX) || ' '), encoding_format: 'float' }),
    signal: signal === undefined ? late : AbortSignal.any([signal, late]),
  })
  return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() }
}

/** The vectors in the order of the texts (M2). Undefined: that is no answer to what was asked. */
const readVectors = (body: string, count: number): readonly (readonly number[])[] | undefined => {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return undefined
  }
  const read = Answer.safeParse(parsed)
  if (!read.success || read.data.data.length !== count) return undefined
  const byPlace = new Map(read.data.data.map(({ index, embedding }, at) => [index ?? at, embedding]))
  const vectors = Array.from({ length: count }, (_, at) => byPlace.get(at) ?? [])
  return vectors.every((vector) => vector.length > 0) ? vectors : undefined
}

/** An embedding model behind an HTTP interface like OpenAI's. */
export const openAiEmbedder = (name: string, options: OpenAiEmbedderOptions, nowMs: () => number): Embedder => {
  const { dimensions } = options
  const embedBatch = async (texts: readonly string[], signal: AbortSignal | undefined): Promise<readonly Float32Array[]> => {
    const reply = await ask(texts, options, signal).catch((error: unknown) => {
      signal?.throwIfAborted()
      throw providerFault(name, { message: toFault(error).message }, nowMs())
    })
    const { status, headers, body } = reply
    if (status < 200 || status > 299) throw providerFault(name, { status, headers, body, message: body }, nowMs())
    const vectors = readVectors(body, texts.length)
    if (vectors === undefined) throw providerFault(name, { status, message: 'the answer has not a vector for each text' }, nowMs())
    const wrong = vectors.find((vector) => vector.length !== dimensions)
    if (wrong !== undefined)
      throw new Fault('config.invalid', `embeddings.${name}.dimensions is ${dimensions}, but the server gives ${wrong.length}.`, {
        embedder: name,
        dimensions: wrong.length,
      }) // O2
    return vectors.map((vector) => Float32Array.from(vector))
  }
  return {
    name,
    dimensions,
    embed: async (texts, { signal } = {}) => {
      const vectors: Float32Array[] = []
      for (let from = 0; from < texts.length; from += BATCH_TEXTS) {
        signal?.throwIfAborted()
        vectors.push(...(await embedBatch(texts.slice(from, from + BATCH_TEXTS), signal)))
      }
      return vectors
    },
  }
}
