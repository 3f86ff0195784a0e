import { openTransport } from '@baton/client'

export type Api = {
  readonly url: string
  /** JSON of the answer; a problem becomes the Fault it names. */
  readonly get: <T>(path: string) => Promise<T>
  /** The answer of a path that is no JSON document, as JSON lines. */
  readonly text: (path: string) => Promise<string>
  readonly post: <T>(path: string, body: unknown) => Promise<T>
  readonly put: <T>(path: string, body: unknown) => Promise<T>
  readonly patch: <T>(path: string, body: unknown) => Promise<T>
}

/** A running system at `url`. The caller names the shape of an answer, which the gateway's OpenAPI document promises. */
export const openApi = (url: string): Api => {
  const transport = openTransport({ url, timeoutMs: 120_000 })
  return {
    url,
    get: (path) => transport.get(path),
    text: async (path) => (await transport.request({ method: 'GET', path })).text,
    post: (path, body) => transport.call({ method: 'POST', path, body }),
    put: (path, body) => transport.call({ method: 'PUT', path, body }),
    patch: (path, body) => transport.call({ method: 'PATCH', path, body }),
  }
}
