// What went wrong with a server, as a fault, and whether the tool can have had its effect.
//   E1. Nothing was sent, or the server says that it did not begin: certain. Everything else says nothing about the effect.
//   E2. Words of a server are short, redacted, and never hold a secret of the connection.
import { ProtocolError, SdkError, SdkErrorCode, SdkHttpError, UnauthorizedError } from '@modelcontextprotocol/client'
import { Fault, type FaultCode } from '@baton/contracts'
import { redactText } from '@baton/service'
import { ToolFailure } from '../tool-run.ts'

const REASON_CHARS_MAX = 300
const METHOD_NOT_FOUND = -32_601
const INVALID_PARAMS = -32_602

/** Words of a server as they may be told (E2). */
export const toldReason = (text: string, secrets: readonly string[] = []): string => {
  let told = text.replaceAll(/\s+/g, ' ').trim()
  for (const secret of secrets) if (secret.length > 0) told = told.replaceAll(secret, '[secret]')
  return redactText(told).slice(0, REASON_CHARS_MAX)
}

type Of = {
  readonly tool: string
  readonly server: string
  readonly secrets: readonly string[]
  /** Why the connection ended, where it did. */
  readonly why?: string | undefined
}
type Verdict = { readonly code: FaultCode; readonly certain: boolean; readonly says: string }

const UNSENT = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|the server is not running/

const ofStatus = (status: number): Omit<Verdict, 'says'> => {
  if (status === 401 || status === 403) return { code: 'tool.denied', certain: true }
  if (status === 429) return { code: 'tool.rate_limited', certain: true }
  return { code: 'tool.unreachable', certain: status >= 400 && status < 500 } // E1
}

const ofSdk = (error: SdkError, why: string | undefined): Verdict => {
  const says = error.message
  switch (error.code) {
    case SdkErrorCode.RequestTimeout:
      return { code: 'tool.timed_out', certain: false, says: 'no answer in time' }
    case SdkErrorCode.NotConnected:
    case SdkErrorCode.CapabilityNotSupported:
      return { code: 'tool.unreachable', certain: true, says }
    case SdkErrorCode.InvalidResult:
    case SdkErrorCode.UnsupportedResultType:
      return { code: 'tool.result_invalid', certain: false, says }
    default:
      return { code: 'tool.unreachable', certain: false, says: why ?? says }
  }
}

/** The words of an error and of what caused it. */
export const textOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message
}

const verdictOf = (error: unknown, why: string | undefined): Verdict => {
  if (error instanceof UnauthorizedError) return { code: 'tool.denied', certain: true, says: 'does not accept its credentials' }
  if (error instanceof SdkHttpError && error.status !== undefined) return { ...ofStatus(error.status), says: `HTTP ${error.status}` }
  if (error instanceof SdkError) return ofSdk(error, why)
  if (error instanceof ProtocolError) {
    const certain = error.code === METHOD_NOT_FOUND || error.code === INVALID_PARAMS
    return { code: 'tool.failed', certain, says: error.message }
  }
  const says = textOf(error)
  return { code: 'tool.unreachable', certain: UNSENT.test(says), says }
}

/** The server does not know the session any more, and did nothing. */
export const isSessionGone = (error: unknown): boolean => error instanceof SdkHttpError && error.status === 404

export const isTimeout = (error: unknown): boolean => error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout

/** Any error of a connection or a request as a failure of the tool. */
export const failureOf = (error: unknown, { tool, server, secrets, why }: Of): ToolFailure => {
  if (error instanceof ToolFailure) return error
  if (error instanceof Fault) return new ToolFailure(error, true)
  const { code, certain, says } = verdictOf(error, why)
  const fault = new Fault(code, `${tool}: ${server}: ${toldReason(says, secrets)}`, { tool, server }, { cause: error })
  return new ToolFailure(fault, certain)
}
