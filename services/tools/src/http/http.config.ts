// The `http:` and `network:` sections of config/tools.yaml.
import type { JsonSchema } from '@baton/contracts'
import { z } from 'zod'
import { Duration } from '../config/duration.ts'
import type { ConfigSection } from '../config/section.ts'
import { TOOL_NAME } from '../function-files.ts'
import { SecretRef } from '../mcp/mcp-config.ts'
import { jsonShape } from '../shape.ts'
import { readAllowed, type AllowList } from './address.policy.ts'
import { DEFAULT_LIMITS, METHODS, type HttpAuth, type HttpLimits, type HttpOperation, type Placed } from './http-operation.ts'
import { isForbiddenHeader } from './http-request.policy.ts'

const HeaderName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'not the name of a header')
const Schema = z.custom<JsonSchema>(
  (value) => typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value)),
  'must be a JSON Schema',
)

export const Auth = z.union([
  z.strictObject({ bearer: SecretRef }),
  z.strictObject({ basic: z.strictObject({ user: z.string().min(1).max(500), password: SecretRef }) }),
  z.strictObject({ header: z.strictObject({ name: HeaderName, value: SecretRef }) }),
  z.strictObject({ query: z.strictObject({ name: z.string().min(1).max(200), value: SecretRef }) }),
])

/** What all calls over HTTP can be told, by hand or imported. */
export const Common = {
  auth: z
    .union([Auth, z.array(Auth).max(10)])
    .transform((one): readonly HttpAuth[] => (Array.isArray(one) ? one : [one]))
    .default([]),
  /** Sent with every call. */
  headers: z.record(HeaderName, z.union([z.string().max(4_000), SecretRef])).default({}),
  timeout: Duration.optional(),
  bytesMax: z.number().int().min(1).max(67_108_864).optional(),
  redirectsMax: z.number().int().min(0).max(10).optional(),
  types: z.array(z.string().min(1).max(100)).min(1).max(50).optional(),
  /** The server is ours: nothing that it says is a stranger's, and what it is told stays with us. */
  trusted: z.boolean().default(false),
  keyHeader: HeaderName.default('Idempotency-Key'),
}

const Tool = z.strictObject({
  about: z.string().max(4_000).default(''),
  method: z.enum(METHODS).default('GET'),
  url: z.string().min(1).max(4_000),
  input: Schema.default({ type: 'object', additionalProperties: false }),
  output: Schema.default(true),
  /** Arguments that go into the query or a header; of GET, HEAD and DELETE all that are not in the path go into the query. */
  query: z.array(z.string()).max(200).optional(),
  headerArguments: z.record(HeaderName, z.string()).default({}),
  body: z.enum(['json', 'form']).default('json'),
  effect: z.enum(['read', 'write', 'irreversible']).optional(),
  /** The server has the effect once for one key in `keyHeader`. */
  idempotent: z.boolean().default(false),
  reconcile: z.string().max(4_000).optional(),
  ...Common,
})
type Written = z.output<typeof Tool>

/** The limits that are written, on top of the usual ones. */
export const limitsOf = ({
  timeout,
  bytesMax,
  redirectsMax,
  types,
}: Pick<Written, 'timeout' | 'bytesMax' | 'redirectsMax' | 'types'>): HttpLimits => ({
  timeoutMs: timeout ?? DEFAULT_LIMITS.timeoutMs,
  bytesMax: bytesMax ?? DEFAULT_LIMITS.bytesMax,
  redirectsMax: redirectsMax ?? DEFAULT_LIMITS.redirectsMax,
  types: types ?? DEFAULT_LIMITS.types,
})

const argumentsOf = (input: JsonSchema): readonly string[] => {
  const properties = typeof input === 'object' ? input['properties'] : undefined
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : []
}

/** The parts of a URL before its path, in which no argument may stand; undefined for what is no URL of the web. */
const originOf = (url: string): string | undefined => /^https?:\/\/[^/?#{}]+(?=[/?#]|$)/i.exec(url)?.[0]

const placedOf = ({ url, method, query, headerArguments, input }: Written): readonly Placed[] => {
  const inPath = [...url.matchAll(/\{([^{}]+)\}/g)].map(([, argument = '']) => argument)
  const headers = Object.entries(headerArguments)
  const inHeader = new Set(headers.map(([, argument]) => argument))
  const rest = argumentsOf(input).filter((name) => !inPath.includes(name) && !inHeader.has(name))
  const inQuery = query ?? (isBodyless(method) ? rest : [])
  return [
    ...inPath.map((argument): Placed => ({ argument, as: argument, in: 'path' })),
    ...inQuery.map((argument): Placed => ({ argument, as: argument, in: 'query' })),
    ...headers.map(([as, argument]): Placed => ({ argument, as, in: 'header' })),
  ]
}

const isBodyless = (method: Written['method']): boolean => method === 'GET' || method === 'HEAD' || method === 'DELETE'

const checkPlaces = (section: ConfigSection, { url, input }: Written, placed: readonly Placed[]): void => {
  const origin = originOf(url)
  if (origin === undefined || URL.parse(origin) === null) throw section.refuse('must be an http or https URL whose host is fixed', 'url')
  const known = new Set(argumentsOf(input))
  const stranger = placed.find(({ argument }) => !known.has(argument))
  if (stranger !== undefined)
    throw section.refuse(`${stranger.argument} is used, and is no property of input`, stranger.in === 'path' ? 'url' : 'input')
  const forbidden = placed.find((place) => place.in === 'header' && isForbiddenHeader(place.as))
  if (forbidden !== undefined) throw section.refuse(`arguments cannot set ${forbidden.as}`, 'headerArguments', forbidden.as)
}

const checkSchemas = (section: ConfigSection, name: string, written: Written): void => {
  for (const schema of ['input', 'output'] as const)
    try {
      jsonShape(written[schema], name)
    } catch (error) {
      throw section.refuse(error instanceof Error ? error.message : 'not a schema', schema)
    }
}

/** The class of a call where nobody says another: what only reads by its method reads. */
export const effectOf = (method: Written['method']): HttpOperation['effect'] => (method === 'GET' || method === 'HEAD' ? 'read' : 'write')

const operationOf = (name: string, section: ConfigSection): HttpOperation => {
  if (!TOOL_NAME.test(name)) throw section.refuse('a tool is named by words of small letters, digits, _ . and -, with / between them')
  const written = section.parse(Tool)
  const placed = placedOf(written)
  checkPlaces(section, written, placed)
  checkSchemas(section, name, written)
  const { about, method, url, input, output, headers, auth, keyHeader, idempotent, reconcile, trusted } = written
  const effect = written.effect ?? effectOf(method)
  const base = { name, about, method, url, placed, input, output, strict: true, headers, auth, effect, keyHeader, idempotent, trusted }
  return {
    ...base,
    ...(isBodyless(method) ? {} : { body: { of: 'rest', as: written.body } }),
    ...(reconcile === undefined ? {} : { reconcile: { url: reconcile } }),
    limits: limitsOf(written),
  }
}

/** The tools that are written by hand. Throws `config.invalid` with file and line. */
export const readHttp = (section: ConfigSection): readonly HttpOperation[] => {
  const tools = section.parse(z.record(z.string(), z.unknown()).default({}))
  return Object.keys(tools).map((name) => operationOf(name, section.part(name)))
}

/** The addresses that calls may reach beyond public ones. */
export const readNetwork = (section: ConfigSection): AllowList => {
  const { allow } = section.parse(
    z.strictObject({ allow: z.array(z.string().min(1).max(300)).max(1_000).default([]) }).default({ allow: [] }),
  )
  return allow.map((text, at) => {
    const entry = readAllowed(text)
    if (entry === undefined)
      throw section.refuse('must be a host, an address or a range like 10.0.0.0/8, with or without a port', 'allow', at)
    return entry
  })
}
