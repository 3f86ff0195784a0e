import { Fault } from '@baton/contracts'
import type { ServiceCall } from '@baton/service'

/** What the gateway reads of a request. */
export type HttpRequest = {
  readonly url: string
  readonly method: string
  readonly body: unknown
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** What the gateway does with a reply. */
export type HttpReply = {
  code(status: number): HttpReply
  header(name: string, value: string): HttpReply
  send(body: string | Buffer): unknown
}

/** Headers that a service behind the gateway may need. */
const PASSED = ['x-baton-tenant', 'x-baton-user', 'x-baton-roles', 'x-baton-skills', 'idempotency-key', 'traceparent', 'accept'] as const

/** A page of a service is text and forms: nothing is loaded, framed or kept. */
const PAGE_HEADERS = {
  'content-security-policy': "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
} as const

const passedHeaders = (request: HttpRequest): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const name of PASSED) {
    const value = request.headers[name]
    if (typeof value === 'string') headers[name] = value
  }
  return headers
}

const methodOf = (method: string): 'GET' | 'POST' | 'PUT' | 'DELETE' => {
  if (method === 'POST' || method === 'PUT' || method === 'DELETE') return method
  if (method === 'GET' || method === 'HEAD') return 'GET'
  throw new Fault('request.malformed', `${method} is not a method of this path`, { field: 'method' })
}

/** Passes a request on as it is and its answer back as it is; only the status of a service that is down is the gateway's own. */
export const forward = async (
  call: ServiceCall,
  { service, request, reply }: { service: string; request: HttpRequest; reply: HttpReply },
): Promise<void> => {
  const method = methodOf(request.method)
  const hasBody = method !== 'GET' && method !== 'DELETE' && request.body !== undefined && request.body !== null
  const answer = await call({
    service,
    method,
    path: request.url,
    headers: passedHeaders(request),
    ...(hasBody ? { body: JSON.stringify(request.body) } : {}),
  })
  const page = answer.contentType.startsWith('text/html')
  for (const [name, value] of Object.entries(page ? PAGE_HEADERS : {})) reply.header(name, value)
  reply
    .code(answer.status)
    .header('content-type', answer.contentType === '' ? 'application/json' : answer.contentType)
    .send(answer.body)
}
