// An operation over HTTP as a tool.
//   T1. A call with an effect carries the key of the effect, so that a server that knows such keys has it once.
//   T2. It may be repeated only where its method or that key makes it safe; else it is asked for (`reconcile`), or a person is.
import { sha256, type Json } from '@baton/contracts'
import { readSecret } from '../mcp/secret-ref.ts'
import { jsonShape, ANY_SHAPE } from '../shape.ts'
import type { Tool, ToolContext } from '../tool.ts'
import type { Dispatcher } from './guarded-agent.adapter.ts'
import { checkStatus, failureOfRequest, outputOf } from './http-answer.policy.ts'
import { exchange } from './http-call.adapter.ts'
import { REPEATABLE, type Arguments, type HttpAuth, type HttpOperation } from './http-operation.ts'
import { requestOf, type HttpRequest } from './http-request.policy.ts'

type Secrets = { readonly headers: Record<string, string>; readonly query: readonly (readonly [string, string])[] }

const addAuth = async (
  auth: HttpAuth,
  { headers, query }: { headers: Record<string, string>; query: [string, string][] },
): Promise<void> => {
  if ('bearer' in auth) headers['authorization'] = `Bearer ${await readSecret(auth.bearer)}`
  else if ('basic' in auth)
    headers['authorization'] = `Basic ${Buffer.from(`${auth.basic.user}:${await readSecret(auth.basic.password)}`).toString('base64')}`
  else if ('header' in auth) headers[auth.header.name.toLowerCase()] = await readSecret(auth.header.value)
  else query.push([auth.query.name, await readSecret(auth.query.value)])
}

/** Credentials and fixed headers, read at each call: a secret that was changed counts at once. */
const secretsOf = async ({ auth, headers: fixed }: HttpOperation): Promise<Secrets> => {
  const made = { headers: {} as Record<string, string>, query: [] as [string, string][] }
  for (const [name, value] of Object.entries(fixed))
    made.headers[name.toLowerCase()] = typeof value === 'string' ? value : await readSecret(value)
  for (const one of auth) await addAuth(one, made)
  return made
}

/** The key as servers get it: theirs have a length, and it tells nothing about us. */
const keyOf = (effectKey: string): string => sha256(effectKey).slice(0, 48)

type Sending = { readonly operation: HttpOperation; readonly dispatcher: Dispatcher }

const send = async ({ operation, dispatcher }: Sending, request: HttpRequest, context: ToolContext): ReturnType<typeof exchange> => {
  const { name, effect, keyHeader, limits } = operation
  const { headers, query } = await secretsOf(operation)
  for (const [key, value] of query) request.url.searchParams.append(key, value)
  const key = effect === 'read' ? {} : { [keyHeader.toLowerCase()]: keyOf(context.effectKey) } // T1
  const whole = { ...request, headers: { ...request.headers, ...key, ...headers } }
  try {
    return await exchange({ tool: name, request: whole, secret: new Set(Object.keys(headers)), limits, dispatcher, signal: context.signal })
  } catch (error) {
    throw failureOfRequest(name, error)
  }
}

const reconciling = (sending: Sending, { url }: { readonly url: string }): NonNullable<Tool['reconcile']> => {
  const { name, limits } = sending.operation
  return async (effectKey, context) => {
    const request: HttpRequest = {
      method: 'GET',
      url: new URL(url.replaceAll('{key}', encodeURIComponent(keyOf(effectKey)))),
      headers: { accept: 'application/json' },
    }
    const answer = await send(sending, request, context)
    if (answer.status === 404) return undefined
    checkStatus(name, answer)
    return outputOf(name, answer, limits)
  }
}

/** Makes a tool of an operation. Throws `config.invalid` for schemas that cannot be used. */
export const httpTool = (operation: HttpOperation, dispatcher: Dispatcher): Tool => {
  const { name, about, effect, method, limits, trusted, reconcile, strict } = operation
  const sending = { operation, dispatcher }
  return {
    name,
    about,
    effect,
    idempotent: effect === 'read' || REPEATABLE.has(method) || operation.idempotent, // T2
    input: jsonShape(operation.input, name),
    output: strict ? jsonShape(operation.output, name) : { ...ANY_SHAPE, json: operation.output },
    timeoutMs: limits.timeoutMs,
    traced: true,
    outside: !trusted,
    outbound: !trusted,
    run: async (args, context): Promise<Json> => {
      // Its shape is that of an object, which its schema says.
      const answer = await send(sending, requestOf(operation, args as Arguments), context)
      checkStatus(name, answer)
      const output = outputOf(name, answer, limits)
      if (method !== 'HEAD') return output
      return { status: answer.status }
    },
    ...(reconcile === undefined ? {} : { reconcile: reconciling(sending, reconcile) }),
  }
}
