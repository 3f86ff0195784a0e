// One exchange over HTTP, within limits.
//   C1. An answer is read up to its limit and not a byte further; an encoded one is refused, for nobody knows how long it is.
//   C2. A redirect is followed only for GET and HEAD, a few times, over http and https, each one checked as the first address was; what
//       was a credential for one origin is not sent to another.
import { Fault } from '@baton/contracts'
import { request, type Dispatcher } from 'undici'
import { ToolFailure } from '../tool-run.ts'
import type { HttpAnswer } from './http-answer.policy.ts'
import type { HttpLimits } from './http-operation.ts'
import type { HttpRequest } from './http-request.policy.ts'

export type Exchange = {
  readonly tool: string
  readonly request: HttpRequest
  /** Names of headers that are for this origin alone. */
  readonly secret: ReadonlySet<string>
  readonly limits: HttpLimits
  readonly dispatcher: Dispatcher
  readonly signal: AbortSignal
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])

const one = (header: string | string[] | undefined): string | undefined => (Array.isArray(header) ? header[0] : header)

const RETRY_AFTER_MAX_MS = 3_600_000

/** Seconds or a date, as milliseconds from now. */
const retryAfterOf = (text: string | undefined): { retryAfterMs?: number } => {
  if (text === undefined) return {}
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now()
  return Number.isFinite(ms) && ms > 0 ? { retryAfterMs: Math.min(ms, RETRY_AFTER_MAX_MS) } : {}
}

const refuse = (tool: string, why: string): ToolFailure =>
  new ToolFailure(new Fault('tool.result_invalid', `${tool} ${why}`, { tool }), false)

const readBody = async (tool: string, body: Dispatcher.ResponseData['body'], bytesMax: number): Promise<Buffer> => {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of body) {
    const buffer = piece as Buffer // bodies of undici are made of buffers
    bytes += buffer.length
    if (bytes > bytesMax) throw refuse(tool, `answered more than ${bytesMax} bytes`) // C1: leaving the loop ends the connection
    pieces.push(buffer)
  }
  return Buffer.concat(pieces)
}

const next = (current: HttpRequest, location: string, { tool, secret }: Exchange): HttpRequest => {
  const url = URL.parse(location, current.url.href)
  if (url === null || !/^https?:$/.test(url.protocol)) throw refuse(tool, 'was redirected to what is no address of the web')
  if (current.url.protocol === 'https:' && url.protocol === 'http:') throw refuse(tool, 'was redirected out of an encrypted connection')
  const same = url.origin === current.url.origin
  const headers = same ? current.headers : Object.fromEntries(Object.entries(current.headers).filter(([name]) => !secret.has(name)))
  return { method: current.method, url, headers }
}

/** Sends a request and reads the answer. Throws what undici throws, `tool.result_invalid`, `address.refused`. */
export const exchange = async (asked: Exchange): Promise<HttpAnswer> => {
  const { tool, limits, dispatcher, signal } = asked
  let current = asked.request
  for (let redirects = 0; ; redirects += 1) {
    const { method, url, headers, body = null } = current
    const response = await request(url, { method, headers, body, dispatcher, signal })
    const location = one(response.headers['location'])
    if (REDIRECTS.has(response.statusCode) && location !== undefined) {
      await response.body.dump({ limit: 16_384 })
      if (method !== 'GET' && method !== 'HEAD')
        throw new Fault('tool.failed', `${tool} was redirected, and ${method} is not sent on`, { tool, status: response.statusCode })
      if (redirects >= limits.redirectsMax) throw refuse(tool, `was redirected more than ${limits.redirectsMax} times`)
      current = next(current, location, asked) // C2
      continue
    }
    return answerOf(asked, response)
  }
}

const answerOf = async (
  { tool, limits }: Exchange,
  { statusCode: status, headers, body }: Dispatcher.ResponseData,
): Promise<HttpAnswer> => {
  const encoding = one(headers['content-encoding']) ?? 'identity'
  const length = Number(one(headers['content-length']) ?? 0)
  if (encoding !== 'identity' || length > limits.bytesMax) {
    body.on('error', () => undefined) // that it is cut short is our own doing
    body.destroy()
    throw refuse(
      tool,
      encoding === 'identity' ? `answered more than ${limits.bytesMax} bytes` : 'answered in an encoding that was not asked for',
    ) // C1
  }
  const type = one(headers['content-type']) ?? ''
  return { status, type, body: await readBody(tool, body, limits.bytesMax), ...retryAfterOf(one(headers['retry-after'])) }
}
