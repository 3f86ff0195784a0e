// One call over HTTP as data: where arguments go, and what is made of the answer. Written by hand in the configuration, or read out of
// an OpenAPI document.
import type { Json, JsonSchema } from '@baton/contracts'
import type { SecretRef } from '../mcp/mcp-config.ts'

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
export type Method = (typeof METHODS)[number]

/** Where one argument goes. */
export type Placed = {
  readonly argument: string
  readonly as: string
  readonly in: 'path' | 'query' | 'header'
  readonly explode?: boolean
}

/** What is sent: every argument that has no other place, or one argument alone. */
export type Body = { readonly of: 'rest' } | { readonly of: 'argument'; readonly argument: string }

export type HttpAuth =
  | { readonly bearer: SecretRef }
  | { readonly basic: { readonly user: string; readonly password: SecretRef } }
  | { readonly header: { readonly name: string; readonly value: SecretRef } }
  | { readonly query: { readonly name: string; readonly value: SecretRef } }

export type HttpOperation = {
  readonly name: string
  readonly about: string
  readonly method: Method
  /** With `{argument}` in its path. */
  readonly url: string
  readonly placed: readonly Placed[]
  readonly body?: Body & { readonly as: 'json' | 'form' }
  readonly input: JsonSchema
  readonly output: JsonSchema
  /** Whether an answer that does not fit `output` is refused. */
  readonly strict: boolean
  readonly headers: { readonly [name: string]: string | SecretRef }
  readonly auth: readonly HttpAuth[]
  readonly effect: 'read' | 'write' | 'irreversible'
  /** The header that carries the key of an effect; the server has the effect once for it where `idempotent` is true. */
  readonly keyHeader: string
  readonly idempotent: boolean
  /** Asks what became of an effect: 2xx is its output, 404 says that it did not happen. `{key}` stands in its URL. */
  readonly reconcile?: { readonly url: string }
  readonly limits: HttpLimits
  /** Ours: its answers are not those of strangers, and what it is sent does not leave us. */
  readonly trusted: boolean
}

export type HttpLimits = {
  readonly timeoutMs: number
  readonly bytesMax: number
  readonly redirectsMax: number
  /** Media types that are read. */
  readonly types: readonly string[]
}

export const DEFAULT_LIMITS: HttpLimits = {
  timeoutMs: 10_000,
  bytesMax: 1_048_576,
  redirectsMax: 3,
  types: ['application/json', '+json', 'text/'],
}

/** Methods that may be sent again by what HTTP says of them. */
export const REPEATABLE: ReadonlySet<Method> = new Set<Method>(['GET', 'HEAD', 'PUT', 'DELETE'])

export type Arguments = { readonly [name: string]: Json }
