// `fetch` for answers that come whole: the same request with a third of the work, because nobody reads such a body piece by piece.
//   F1. Streams, and everything where a proxy of the environment is asked for, go through the platform's own fetch.
//   F2. A call ends with its signal, whatever part of it is under way. Nothing is followed, nothing is tried again.
import { Agent, request } from 'undici'

/** The part of a response that the SDK's providers read. */
type WholeResponse = {
  readonly ok: boolean
  readonly status: number
  readonly statusText: string
  readonly headers: Iterable<readonly [string, string]> & { readonly get: (name: string) => string | null }
  readonly body: { readonly getReader: () => object }
  readonly text: () => Promise<string>
}

const KEEP_ALIVE_MS = 30_000
/** Of all servers: limits of calls are the attempts' business (no limit of undici's may end a call sooner). */
const agent = new Agent({ keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: 0, bodyTimeout: 0 })

const headersOf = (headers: Readonly<Record<string, string | string[] | undefined>>): WholeResponse['headers'] => {
  const list = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
  )
  const byName = new Map(list)
  return { get: (name) => byName.get(name.toLowerCase()) ?? null, [Symbol.iterator]: () => list[Symbol.iterator]() }
}

const readerOf = (bytes: Uint8Array) => {
  let isRead = false
  return {
    read: () => {
      const answer = isRead ? { done: true as const, value: undefined } : { done: false as const, value: bytes }
      isRead = true
      return Promise.resolve(answer)
    },
    cancel: () => Promise.resolve(),
    releaseLock: () => undefined,
  }
}

const isWhole = (body: unknown): body is string => typeof body === 'string' && !body.includes('"stream":true')

const whole = async (url: string, { method, headers, body, signal }: RequestInit & { body: string }): Promise<WholeResponse> => {
  const answer = await request(url, {
    dispatcher: agent,
    method: method === 'GET' ? 'GET' : 'POST',
    body,
    ...(headers === undefined ? {} : { headers: headers as Record<string, string> }), // The SDK gives a plain record.
    ...(signal === undefined ? {} : { signal }),
  })
  const bytes = new Uint8Array(await answer.body.arrayBuffer()) // F2
  return {
    ok: answer.statusCode >= 200 && answer.statusCode < 300,
    status: answer.statusCode,
    statusText: '',
    headers: headersOf(answer.headers),
    body: { getReader: () => readerOf(bytes) },
    text: () => Promise.resolve(Buffer.from(bytes).toString('utf8')),
  }
}

const viaProxy = process.env['NODE_USE_ENV_PROXY'] === '1'

/** For the `fetch` option of a provider. */
export const leanFetch: typeof fetch = (input, init) =>
  viaProxy || init === undefined || typeof input !== 'string' || !isWhole(init.body) || init.headers instanceof Headers
    ? fetch(input, init) // F1
    : // The SDK's providers read nothing else of it.
      (whole(input, { ...init, body: init.body }) as unknown as Promise<Response>)
