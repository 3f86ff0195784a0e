// How the client talks to the server.
//   K1. Every failure is a Fault with a code of the table, whether the server answered a problem or did not answer at all.
import { Fault, isFaultCode, isJsonObject, type Json } from '@baton/contracts'
import { brokenOff } from './run-events.ts'

export type ClientOptions = {
  /** Default http://127.0.0.1:8080. */
  readonly url?: string
  readonly tenant?: string
  /** Longest time without an answer, beside what a wait asks for. Default 30,000. */
  readonly timeoutMs?: number
  readonly headers?: Readonly<Record<string, string>>
}

export type Call = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Added to the time without an answer: what the server was asked to wait. */
  readonly timeoutMs?: number
}

export type ServerEvent = { readonly id: string; readonly event: string; readonly data: Json }

type Facts = { readonly [key: string]: string | number | boolean }
const PROBLEM_FIELDS: ReadonlySet<string> = new Set(['type', 'title', 'status', 'detail', 'code'])

const factsOf = (problem: { readonly [key: string]: Json }): Facts =>
  Object.fromEntries(
    Object.entries(problem).filter(
      (entry): entry is [string, string | number | boolean] =>
        !PROBLEM_FIELDS.has(entry[0]) && ['string', 'number', 'boolean'].includes(typeof entry[1]),
    ),
  )

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const text = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : undefined)

const faultOf = (status: number, body: string): Fault => {
  const problem = jsonOf(body)
  if (isJsonObject(problem) && isFaultCode(problem['code']))
    return new Fault(problem['code'], text(problem['detail']) ?? text(problem['title']) ?? '', factsOf(problem))
  const code = status === 404 ? 'request.not_found' : status >= 500 ? 'bus.unavailable' : 'request.malformed'
  return new Fault(code, `the server answered ${status}`, { status })
}

const eventsOf = async function* (response: Response): AsyncGenerator<ServerEvent> {
  if (response.body === null) return
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true })
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const fields = new Map(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      )
      text = text.slice(end + 2)
      const data = fields.get('data')
      if (data !== undefined) yield { id: fields.get('id') ?? '', event: fields.get('event') ?? 'message', data: JSON.parse(data) }
    }
  }
}

/** Requests to one server. Answers are JSON as the server gives it; `T` is what the caller knows of it. */
export const openTransport = (options: ClientOptions) => {
  const base = (options.url ?? 'http://127.0.0.1:8080').replace(/\/$/, '')
  const timeoutMs = options.timeoutMs ?? 30_000

  const send = async (call: Call, signal: AbortSignal): Promise<Response> => {
    try {
      return await fetch(`${base}${call.path}`, {
        method: call.method,
        headers: {
          ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(options.tenant === undefined ? {} : { 'x-baton-tenant': options.tenant }),
          ...options.headers,
          ...call.headers,
        },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
        signal,
      })
    } catch (error) {
      throw new Fault('bus.unavailable', `${base} does not answer; is \`baton up\` running?`, { url: base }, { cause: error }) // K1
    }
  }

  const request = async (call: Call): Promise<{ status: number; text: string }> => {
    const response = await send(call, AbortSignal.timeout(timeoutMs + (call.timeoutMs ?? 0)))
    const text = await response.text()
    if (!response.ok) throw faultOf(response.status, text) // K1
    return { status: response.status, text }
  }

  /** The answer of any path. */
  const call = async <T = Json>(given: Call): Promise<T> => JSON.parse((await request(given)).text) as T // typed by the caller, who names the path
  const get = <T = Json>(path: string): Promise<T> => call<T>({ method: 'GET', path })

  /** `lastEventId` is the event behind which the server goes on. */
  const events = async function* (path: string, signal: AbortSignal, lastEventId?: string): AsyncGenerator<ServerEvent> {
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
    const response = await send({ method: 'GET', path, headers }, signal)
    if (!response.ok) throw faultOf(response.status, await response.text())
    try {
      yield* eventsOf(response)
    } catch (error) {
      throw brokenOff(error) // K1
    }
  }
  return { request, call, get, events }
}
