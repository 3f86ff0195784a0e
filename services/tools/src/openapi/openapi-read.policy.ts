// An OpenAPI 3.0 or 3.1 document as typed operations.
//   I1. Schemas are self-contained: what a schema refers to comes with it; references to other documents are refused.
//   I2. What cannot be called safely or at all (cookies, files, bodies that are neither JSON nor a form) is left out and said.
import { Fault, isJsonObject, type Json, type JsonObject, type JsonSchema } from '@baton/contracts'
import { METHODS, type Body, type Method, type Placed } from '../http/http-operation.ts'
import { isForbiddenHeader } from '../http/http-request.policy.ts'

/** One operation of a document. */
export type ReadOperation = {
  /** As the document calls it. */
  readonly id: string
  /** The last word of a tool's name. */
  readonly name: string
  readonly about: string
  readonly method: Method
  /** Relative to the server. */
  readonly path: string
  readonly placed: readonly Placed[]
  readonly body?: Body & { readonly as: 'json' | 'form' }
  readonly input: JsonSchema
  readonly output: JsonSchema
  /** Names of the security schemes that it needs, the first alternative. */
  readonly security: readonly string[]
}

export type ReadDocument = {
  readonly title: string
  readonly servers: readonly string[]
  readonly operations: readonly ReadOperation[]
  /** Operations that were left out, and why (I2). */
  readonly left: readonly { readonly id: string; readonly reason: string }[]
  readonly securitySchemes: { readonly [name: string]: JsonObject }
}

const OPERATIONS_MAX = 2_000
const REFS_MAX = 2_000
const BODY = 'body'

const objectOf = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {})
const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : [])
const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

class LeftOut extends Error {
  override readonly name = 'LeftOut'
}

const pointed = (root: JsonObject, ref: string): Json => {
  if (!ref.startsWith('#/')) throw new LeftOut(`refers to another document (${ref.slice(0, 100)})`) // I1
  let at: Json | undefined = root
  for (const key of ref.slice(2).split('/')) {
    const name = decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~')
    at = Array.isArray(at) ? (at as readonly Json[])[Number(name)] : isJsonObject(at) ? at[name] : undefined
  }
  if (at === undefined) throw new LeftOut(`refers to what is not there (${ref.slice(0, 100)})`)
  return at
}

/** What is behind a reference, if it is one. */
const resolved = (root: JsonObject, value: Json | undefined, depth = 0): JsonObject => {
  const ref = isJsonObject(value) ? value['$ref'] : undefined
  if (typeof ref !== 'string') return objectOf(value)
  if (depth > 20) throw new LeftOut('refers to itself')
  return resolved(root, pointed(root, ref), depth + 1)
}

/** A bound of 3.0 says with a flag beside it that it is exclusive. */
const boundOf = (bound: string, exclusive: string, { [bound]: value, [exclusive]: flag }: JsonObject): { [word: string]: Json } => {
  if (flag === true && value !== undefined) return { [exclusive]: value }
  const own = value === undefined ? {} : { [bound]: value }
  return typeof flag === 'number' ? { ...own, [exclusive]: flag } : own
}

const orNull = (schema: JsonObject): JsonObject => {
  const { type, enum: values } = schema
  const made = Array.isArray(values) ? { ...schema, enum: [...(values as readonly Json[]), null] } : schema
  if (typeof type === 'string') return { ...made, type: [type, 'null'] }
  return type === undefined && Object.keys(made).length > 0 ? { anyOf: [made, { type: 'null' }] } : made
}

const OTHER_WORDS = new Set(['nullable', 'exclusiveMinimum', 'exclusiveMaximum', 'minimum', 'maximum', 'example', 'discriminator', 'xml'])

/** Words of 3.0 that JSON Schema says in another way. */
const modern = (schema: JsonObject): JsonObject => {
  const rest = Object.fromEntries(Object.entries(schema).filter(([word]) => !OTHER_WORDS.has(word)))
  const made = { ...rest, ...boundOf('minimum', 'exclusiveMinimum', schema), ...boundOf('maximum', 'exclusiveMaximum', schema) }
  return schema['nullable'] === true ? orNull(made) : made
}

/** Schemas under these words are by name; what is under others is a value. */
const NAMED = new Set(['properties', 'patternProperties', 'dependentSchemas', '$defs', 'definitions'])
const VALUES = new Set(['enum', 'const', 'default', 'examples', 'required'])

/** Collects what schemas refer to, under names of their own (I1). */
class Definitions {
  readonly #root: JsonObject
  readonly #names = new Map<string, string>()
  readonly #made: Record<string, Json> = {}

  constructor(root: JsonObject) {
    this.#root = root
  }

  schema(value: Json | undefined): Json {
    if (typeof value === 'boolean') return value
    if (!isJsonObject(value)) return true
    const { $ref: ref } = value
    if (typeof ref === 'string') return { $ref: `#/$defs/${this.#define(ref)}` }
    const fields = Object.entries(modern(value)).map(([word, field]): readonly [string, Json] => [word, this.#field(word, field)])
    return Object.fromEntries(fields)
  }

  #field(word: string, field: Json): Json {
    if (VALUES.has(word)) return field
    if (NAMED.has(word) && isJsonObject(field))
      return Object.fromEntries(Object.entries(field).map(([name, schema]) => [name, this.schema(schema)]))
    if (Array.isArray(field)) return (field as readonly Json[]).map((item) => (isJsonObject(item) ? this.schema(item) : item))
    return isJsonObject(field) ? this.schema(field) : field
  }

  #define(ref: string): string {
    const known = this.#names.get(ref)
    if (known !== undefined) return known
    if (this.#names.size >= REFS_MAX) throw new LeftOut('refers to too many schemas')
    const last = (ref.split('/').at(-1) ?? 'schema').replaceAll(/[^A-Za-z0-9_.-]/g, '_')
    const name = this.#made[last] === undefined ? last : `${last}_${this.#names.size}`
    this.#names.set(ref, name)
    this.#made[name] = true // taken, while what it refers to is looked at
    this.#made[name] = this.schema(pointed(this.#root, ref))
    return name
  }

  /** The schema with everything that it refers to. */
  whole(schema: Json): JsonSchema {
    if (!isJsonObject(schema)) return schema === false ? false : true
    return Object.keys(this.#made).length === 0 ? schema : { ...schema, $defs: this.#made }
  }
}

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\b/i
const FORM_TYPE = /^application\/x-www-form-urlencoded\b/i

const contentOf = (content: JsonObject): { readonly as: 'json' | 'form'; readonly schema: Json | undefined } | undefined => {
  for (const [as, pattern] of [
    ['json', JSON_TYPE],
    ['form', FORM_TYPE],
  ] as const) {
    const found = Object.entries(content).find(([type]) => pattern.test(type))
    if (found !== undefined) return { as, schema: objectOf(found[1])['schema'] }
  }
  return undefined
}

type Parameters = { readonly placed: readonly Placed[]; readonly properties: Record<string, Json>; readonly required: readonly string[] }

const described = ({ schema, content, description }: JsonObject, definitions: Definitions): Json => {
  const made = definitions.schema(schema ?? contentOf(objectOf(content))?.schema ?? {})
  return isJsonObject(made) && typeof description === 'string' ? { description: description.slice(0, 1_000), ...made } : made
}

const parametersOf = (root: JsonObject, given: readonly Json[], definitions: Definitions): Parameters => {
  const byPlace = new Map<string, JsonObject>()
  for (const one of given) {
    const parameter = resolved(root, one)
    byPlace.set(`${textOf(parameter['in'])} ${textOf(parameter['name'])}`, parameter) // those of the operation come last and count
  }
  const placed: Placed[] = []
  const properties: Record<string, Json> = {}
  const required: string[] = []
  for (const parameter of byPlace.values()) {
    const { in: where, required: needed, explode } = parameter
    const as = textOf(parameter['name'])
    const place = placeOf(textOf(where), as, needed === true)
    if (place === undefined) continue
    const argument = properties[as] === undefined ? as : `${as}_in_${place}`
    properties[argument] = described(parameter, definitions)
    if (needed === true || place === 'path') required.push(argument)
    placed.push({ argument, as, in: place, ...(typeof explode === 'boolean' ? { explode } : {}) })
  }
  return { placed, properties, required }
}

const placeOf = (where: string, name: string, needed: boolean): Placed['in'] | undefined => {
  if (where === 'path' || where === 'query') return where
  if (where === 'header' && !isForbiddenHeader(name) && !/^(accept|content-type)$/i.test(name)) return 'header'
  if (needed && where === 'cookie') throw new LeftOut('needs a cookie')
  return undefined
}

/** Properties of a body stand beside the parameters where none has their name; else the body is one argument. */
const bodyOf = (
  root: JsonObject,
  given: Json | undefined,
  { properties, definitions }: { properties: Record<string, Json>; definitions: Definitions },
) => {
  const whole = resolved(root, given)
  const content = objectOf(whole['content'])
  if (Object.keys(content).length === 0) return undefined
  const found = contentOf(content)
  if (found === undefined) throw new LeftOut(`takes a body of ${Object.keys(content).join(', ').slice(0, 100)}`) // I2
  const { as, schema } = found
  const plain = resolved(root, schema)
  const fields = objectOf(plain['properties'])
  const flat =
    Object.keys(fields).length > 0 &&
    ['allOf', 'anyOf', 'oneOf', 'not', 'patternProperties'].every((word) => plain[word] === undefined) &&
    (plain['additionalProperties'] === undefined || plain['additionalProperties'] === false) &&
    Object.keys(fields).every((name) => properties[name] === undefined)
  if (!flat || whole['required'] !== true) {
    const argument = properties[BODY] === undefined ? BODY : 'request_body'
    const required = whole['required'] === true ? [argument] : []
    return { body: { of: 'argument', argument, as } as const, properties: { [argument]: definitions.schema(schema ?? {}) }, required }
  }
  const made = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, definitions.schema(field)]))
  return {
    body: { of: 'rest', as } as const,
    properties: made,
    required: listOf(plain['required']).filter((name) => typeof name === 'string'),
  }
}

const outputOf = (root: JsonObject, responses: JsonObject): JsonSchema => {
  const good =
    Object.entries(responses).find(([status]) => /^2(\d\d|XX)$/i.test(status)) ??
    Object.entries(responses).find(([status]) => status === 'default')
  if (good === undefined) return true
  const found = contentOf(objectOf(resolved(root, good[1])['content']))
  if (found?.as !== 'json' || found.schema === undefined) return true
  const definitions = new Definitions(root)
  return definitions.whole(definitions.schema(found.schema))
}

const nameOf = (id: string): string =>
  id
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, 100)

const securityOf = (given: Json | undefined): readonly string[] => Object.keys(objectOf(listOf(given)[0]))

const operationOf = (root: JsonObject, { path, method, item }: { path: string; method: Method; item: JsonObject }): ReadOperation => {
  const operation = objectOf(item[method.toLowerCase()])
  const { operationId, summary, description, parameters, requestBody, responses, security = root['security'], deprecated } = operation
  const id = typeof operationId === 'string' ? operationId : `${method.toLowerCase()} ${path}`
  const definitions = new Definitions(root)
  const { placed, properties, required } = parametersOf(root, [...listOf(item['parameters']), ...listOf(parameters)], definitions)
  const body = method === 'GET' || method === 'HEAD' ? undefined : bodyOf(root, requestBody, { properties, definitions })
  const missing = [...path.matchAll(/\{([^{}]+)\}/g)].find(([, name]) => !placed.some((place) => place.in === 'path' && place.as === name))
  if (missing !== undefined) throw new LeftOut(`does not say what ${missing[0]} in its path is`)
  const all = { ...properties, ...body?.properties }
  const needed = [...required, ...(body?.required ?? [])]
  const schema: Json = {
    type: 'object',
    properties: all,
    ...(needed.length === 0 ? {} : { required: needed }),
    additionalProperties: false,
  }
  const about = [textOf(summary), textOf(description)].filter((text) => text !== '').join('\n')
  return {
    id,
    name: nameOf(id),
    about: `${deprecated === true ? 'Deprecated. ' : ''}${about}`.slice(0, 2_000),
    method,
    path,
    placed,
    ...(body === undefined ? {} : { body: body.body }),
    input: definitions.whole(schema),
    output: outputOf(root, objectOf(responses)),
    security: securityOf(security),
  }
}

const serversOf = ({ servers }: JsonObject): readonly string[] =>
  listOf(servers).map((server) => {
    const { url, variables } = objectOf(server)
    return textOf(url).replaceAll(/\{([^{}]+)\}/g, (_all, name: string) => textOf(objectOf(objectOf(variables)[name])['default']))
  })

/** Reads a document. Throws `config.invalid` for what is no OpenAPI 3 document. */
export const readOpenApi = (document: unknown): ReadDocument => {
  if (!isJsonObject(document) || !/^3\.[01](\.|$)/.test(textOf(document['openapi'])))
    throw new Fault('config.invalid', 'this is not an OpenAPI 3.0 or 3.1 document')
  const operations: ReadOperation[] = []
  const left: { id: string; reason: string }[] = []
  const names = new Set<string>()
  for (const [path, given] of Object.entries(objectOf(document['paths'])))
    for (const method of METHODS) {
      const item = resolved(document, given)
      if (!isJsonObject(item[method.toLowerCase()])) continue
      const id = `${method} ${path}`
      if (operations.length >= OPERATIONS_MAX) throw new Fault('config.invalid', `the document has more than ${OPERATIONS_MAX} operations`)
      try {
        const operation = operationOf(document, { path, method, item })
        if (operation.name === '' || names.has(operation.name)) throw new LeftOut('has no name of its own')
        names.add(operation.name)
        operations.push(operation)
      } catch (error) {
        if (!(error instanceof LeftOut)) throw error
        left.push({ id, reason: error.message }) // I2
      }
    }
  const schemes = objectOf(objectOf(document['components'])['securitySchemes'])
  return {
    title: textOf(objectOf(document['info'])['title']),
    servers: serversOf(document),
    operations,
    left,
    securitySchemes: Object.fromEntries(Object.entries(schemes).map(([name, scheme]) => [name, resolved(document, scheme)])),
  }
}
