// What an answer means: an output, or how the call failed and whether it is sure that nothing happened.
//   W1. 4xx says that nothing was done; 5xx and a broken connection say nothing about it.
//   W2. What is not of a type that is read, or not the JSON it says, is refused without being kept.
import { Fault, isFaultCode, parseJson, type FaultCode, type Json } from '@baton/contracts'
import { ToolFailure } from '../tool-run.ts'
import type { HttpLimits } from './http-operation.ts'

export type HttpAnswer = { readonly status: number; readonly type: string; readonly retryAfterMs?: number; readonly body: Buffer }

const SHOWN_CHARS = 200

/** The first words of an answer, for a message; control characters do not belong in one. */
const shown = ({ body, type }: HttpAnswer): string => {
  if (body.length === 0 || !/json|text\/plain/.test(type)) return ''
  const text = body
    .toString('utf8', 0, 4 * SHOWN_CHARS)
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
  return text === '' ? '' : `: ${text.slice(0, SHOWN_CHARS)}`
}

const codeOf = (status: number): FaultCode => {
  if (status === 401 || status === 403 || status === 407) return 'tool.denied'
  if (status === 408 || status === 425 || status === 429 || status >= 500) return status === 429 ? 'tool.rate_limited' : 'tool.failed'
  return 'tool.arguments_invalid'
}

/** Throws for every status but 2xx (W1). */
export const checkStatus = (tool: string, answer: HttpAnswer): void => {
  const { status, retryAfterMs } = answer
  if (status >= 200 && status < 300) return
  const certain = status < 500 || status === 501
  const detail = { tool, status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
  throw new ToolFailure(new Fault(codeOf(status), `${tool} answered with status ${status}${shown(answer)}`, detail), certain)
}

/** Whether a media type is one that is read: `text/` stands for all text, `+json` for all that end so. */
const isReadable = (type: string, { types }: HttpLimits): boolean => {
  const name = (type.split(';', 1)[0] ?? '').trim().toLowerCase()
  return types.some((one) => (one.endsWith('/') ? name.startsWith(one) : one.startsWith('+') ? name.endsWith(one) : name === one))
}

const isJson = (type: string): boolean => /^[^;]*[/+]json\s*(;|$)/i.test(type)

/** The output of an answer (W2). An empty one is null. Throws `tool.result_invalid`; by then the effect may have happened. */
export const outputOf = (tool: string, answer: HttpAnswer, limits: HttpLimits): Json => {
  if (answer.status === 204 || answer.body.length === 0) return null
  const refuse = (why: string): ToolFailure =>
    new ToolFailure(new Fault('tool.result_invalid', `${tool} ${why}`, { tool, status: answer.status }), false)
  if (!isReadable(answer.type, limits))
    throw refuse(`answered ${answer.type === '' ? 'without a type' : answer.type.slice(0, 100)}, which is not read`)
  if (!isJson(answer.type)) return answer.body.toString('utf8')
  try {
    return parseJson(answer.body) as Json // it is JSON once it could be parsed
  } catch {
    throw refuse('answered what is not the JSON it says')
  }
}

const UNREACHED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'EADDRNOTAVAIL',
])
const tlsError = (code: string): boolean => /^(ERR_TLS|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO|ERR_SSL)/.test(code)

/** How a request failed that got no answer. Nothing was sent where no connection came about. */
export const failureOfRequest = (tool: string, error: unknown): unknown => {
  if (error instanceof Fault || error instanceof ToolFailure) return error
  const cause: unknown = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (cause instanceof Fault) return cause
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : ''
  if (isFaultCode(code)) return cause
  if (UNREACHED.has(code) || tlsError(code))
    return new Fault('tool.unreachable', `${tool} cannot be reached (${code})`, { tool, reason: code })
  return error
}
