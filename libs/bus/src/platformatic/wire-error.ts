// Errors of the client library as `kafka/session.ts` reads them: Kafka's own name of the error, and whether it may pass.
import { findErrorBy, protocolErrors, protocolErrorsCodesById } from '@platformatic/kafka'

export class WireError extends Error {
  readonly type: string
  readonly retriable: boolean

  constructor(type: string, { retriable, cause }: { readonly retriable: boolean; readonly cause?: unknown }) {
    super(protocolErrors[type]?.message ?? type, cause === undefined ? {} : { cause })
    this.name = 'WireError'
    this.type = type
    this.retriable = retriable
  }
}

/** The error of a code in an answer; undefined for success. */
export const errorOf = (code: number): WireError | undefined => {
  if (code === 0) return undefined
  const type = protocolErrorsCodesById[code]
  if (type === undefined) return new WireError(`ERROR_${code}`, { retriable: false })
  return new WireError(type, { retriable: protocolErrors[type]?.canRetry ?? false })
}

/** A broker's refusal under its own name; a lost connection, and everything else, as it is. */
export const wireError = (error: unknown): unknown => {
  if (!(error instanceof Error)) return error
  const refused: unknown = findErrorBy(error, 'code', 'PLT_KFK_PROTOCOL')?.['apiCode']
  const known = typeof refused === 'number' ? errorOf(refused) : undefined
  if (known !== undefined) return new WireError(known.type, { retriable: known.retriable, cause: error })
  if (findErrorBy(error, 'code', 'PLT_KFK_AUTHENTICATION') !== null)
    return new WireError('SASL_AUTHENTICATION_FAILED', { retriable: false, cause: error })
  return error
}

/** Rejects with what `session.ts` understands. */
export const named = async <T>(work: Promise<T>): Promise<T> => {
  try {
    return await work
  } catch (error) {
    throw wireError(error)
  }
}
