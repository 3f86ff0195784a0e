// Embeddings come from the models service, which knows the models, their servers and their keys.
//   M1. Texts go in batches, each within its time; a service that does not answer is `bus.unavailable`, which is tried again.
//   M2. A model that cannot be used there is `index.embedder_missing`, as where no embedder is set up, with the reason.
//   M3. A name that suddenly means vectors of another length is `index.embedder_missing`, never vectors of two kinds.
import { z } from 'zod'
import { Fault, isFaultCode } from '@baton/contracts'
import type { ServiceCall } from '@baton/service'
import { normalised, type Embedder, type Embedders } from './embedder.ts'

const BATCH_TEXTS = 32
/** Small models read less, and 32 of them stay below what the service takes at once. */
const TEXT_CHARS_MAX = 4_000
const TIMEOUT_MS = 30_000

const Answer = z.object({ dimensions: z.number().int().positive(), vectors: z.array(z.array(z.number())) })
const Problem = z.object({ code: z.string(), detail: z.string().optional() })
type Asked = { readonly model: string; readonly texts: readonly string[] }

const NOT_THERE: ReadonlySet<string> = new Set(['model.unknown', 'model.none_configured', 'index.embedder_missing'])

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const faultOf = (model: string, status: number, body: unknown): Fault => {
  const { code, detail = `the models service answered with status ${status}` } = Problem.safeParse(body).data ?? { code: '' }
  if (NOT_THERE.has(code)) return new Fault('index.embedder_missing', detail, { embedder: model }) // M2
  return isFaultCode(code) ? new Fault(code, detail, { embedder: model }) : new Fault('bus.unavailable', detail, { status })
}

/** Ends with its time or the signal, whichever is first; what the service does meanwhile it does for nobody. */
const inTime = async <T>(work: Promise<T>, timeoutMs: number, signal: AbortSignal | undefined): Promise<T> => {
  const ended = new AbortController()
  const late = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => reject(new Fault('bus.unavailable', `no embeddings after ${timeoutMs} ms`)), timeoutMs)
    ended.signal.addEventListener('abort', () => clearTimeout(timer))
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { signal: ended.signal }) // what its owner aborted it with
  })
  try {
    return await Promise.race([work, late])
  } finally {
    ended.abort()
  }
}

/** Embedders of the models service, asked by name. */
export const serviceEmbedders = (call: ServiceCall, { timeoutMs = TIMEOUT_MS }: { timeoutMs?: number } = {}): Embedders => {
  const known = new Map<string, number>()

  const ask = async ({ model, texts }: Asked, signal?: AbortSignal): Promise<z.output<typeof Answer>> => {
    signal?.throwIfAborted()
    const body = JSON.stringify({ model, texts: texts.map((text) => text.slice(0, TEXT_CHARS_MAX)) })
    const reply = await inTime(call({ service: 'models', method: 'POST', path: '/v1/models/embeddings', body }), timeoutMs, signal) // M1
    const said = jsonOf(reply.body)
    if (reply.status !== 200) throw faultOf(model, reply.status, said)
    const read = Answer.safeParse(said)
    if (!read.success || read.data.vectors.length !== texts.length)
      throw new Fault('bus.unavailable', 'the models service gave no vector for each text', { embedder: model })
    return read.data
  }

  const embedBatch = async (asked: Asked, dimensions: number, signal?: AbortSignal): Promise<readonly Float32Array[]> => {
    const { vectors } = await ask(asked, signal)
    if (vectors.some((vector) => vector.length !== dimensions)) {
      known.delete(asked.model)
      throw new Fault('index.embedder_missing', `${asked.model} gave a vector of another length`, { embedder: asked.model }) // M3
    }
    return vectors.map(normalised)
  }

  return async (model): Promise<Embedder> => {
    const dimensions = known.get(model) ?? (await ask({ model, texts: [] })).dimensions
    known.set(model, dimensions)
    return {
      name: model,
      dimensions,
      embed: async (texts, { signal } = {}) => {
        const vectors: Float32Array[] = []
        for (let from = 0; from < texts.length; from += BATCH_TEXTS)
          vectors.push(...(await embedBatch({ model, texts: texts.slice(from, from + BATCH_TEXTS) }, dimensions, signal)))
        return vectors
      },
    }
  }
}
