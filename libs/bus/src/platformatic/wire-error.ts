// Errors of the client library as `kafka/session.ts` reads them: Kafka's own name of the error, and whether it may pass.
import { protocolErrors, protocolErrorsCodesById } from '@platformatic/kafka'

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

/** A broker's refusal under its own name, however deep it lies; a lost connection, and everything else, as it is. */
export const wireError = (error: unknown): unknown => {
  if (error instanceof WireError) return error
  const chain = chainOf(error)
  for (const { apiCode } of chain) {
    const refused = typeof apiCode === 'number' ? errorOf(apiCode) : undefined
    if (refused !== undefined) return new WireError(refused.type, { retriable: refused.retriable, cause: error })
  }
  if (chain.some(({ code }) => code === 'PLT_KFK_AUTHENTICATION'))
    return new WireError('SASL_AUTHENTICATION_FAILED', { retriable: false, cause: error })
  return error
}

const NESTED_MAX = 8

/** What is read of an error of the library; all of it optional. */
type Link = { readonly code?: unknown; readonly apiCode?: unknown; readonly cause?: unknown; readonly errors?: readonly unknown[] }

/** Causes and parts, outermost first. */
const chainOf = (error: unknown): readonly Link[] => {
  const chain: Link[] = []
  for (let open: readonly unknown[] = [error]; open.length > 0 && chain.length < NESTED_MAX;) {
    const links = open.filter((one): one is Link => typeof one === 'object' && one !== null)
    chain.push(...links)
    open = links.flatMap(({ cause, errors }) => [cause, ...(Array.isArray(errors) ? errors : [])])
  }
  return chain
}

/** Rejects with what `session.ts` understands. */
export const named = async <T>(work: Promise<T>): Promise<T> => {
  try {
    return await work
  } catch (error) {
    throw wireError(error)
  }
}
