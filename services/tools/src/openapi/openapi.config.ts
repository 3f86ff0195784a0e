// The `openapi:` section of config/tools.yaml: documents whose operations are tools, `NAME/operation`.
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { matchesName, Names } from '../config/names.ts'
import type { ConfigSection } from '../config/section.ts'
import { Auth, Common, effectOf, limitsOf } from '../http/http.config.ts'
import { REPEATABLE, type HttpAuth, type HttpOperation } from '../http/http-operation.ts'
import { jsonShape } from '../shape.ts'
import { readOpenApi, type ReadDocument, type ReadOperation } from './openapi-read.policy.ts'

const DOCUMENT_CHARS_MAX = 10_000_000

const { auth: _auth, ...Rest } = Common
const Document = z.strictObject({
  /** Relative to the folder of the configuration. */
  file: z.string().min(1).max(1_000),
  /** Default: the first server of the document. */
  server: z.url({ protocol: /^https?$/ }).optional(),
  /** Operations that become tools, by name; default: all. */
  only: Names.optional(),
  except: Names.optional(),
  /** Credentials by the name of the document's security scheme; `*` for every operation. */
  auth: z.record(z.string().min(1).max(200), Auth).default({}),
  /** Operations that have their effect once for one key in `keyHeader`. */
  idempotent: Names.optional(),
  effects: z.record(z.string(), z.enum(['read', 'write', 'irreversible'])).default({}),
  /** Whether answers of operations that only read have to fit the document. */
  strict: z.boolean().default(true),
  ...Rest,
})
type Written = z.output<typeof Document>

const NAMESPACE = /^[a-z0-9][a-z0-9_.-]*$/

const authOf = ({ auth }: Written, { security }: ReadOperation): readonly HttpAuth[] =>
  ['*', ...security].flatMap((name) => (auth[name] === undefined ? [] : [auth[name]]))

const isMeant = ({ only, except }: Written, { name }: ReadOperation): boolean =>
  (only === undefined || matchesName(only, name)) && (except === undefined || !matchesName(except, name))

const toolOf = (namespace: string, written: Written, { server, read }: { server: string; read: ReadOperation }): HttpOperation => {
  const { about, method, path, placed, body, input, output } = read
  const { headers, keyHeader, trusted, effects, idempotent, strict } = written
  const declared = Object.entries(effects).findLast(([pattern]) => matchesName([pattern], read.name))?.[1]
  const effect = declared ?? effectOf(method)
  const name = `${namespace}/${read.name}`
  const base = { name, about, method, placed, input, output, headers, effect, keyHeader, trusted }
  return {
    ...base,
    url: `${server.replace(/\/$/, '')}${path}`,
    ...(body === undefined ? {} : { body }),
    // After an effect the answer is taken as it is: refusing it would not undo what was done.
    strict: strict && effect === 'read',
    auth: authOf(written, read),
    idempotent: REPEATABLE.has(method) || (idempotent !== undefined && matchesName(idempotent, read.name)),
    limits: limitsOf(written),
  }
}

const serverOf = (section: ConfigSection, written: Written, { servers }: ReadDocument): string => {
  const server = written.server ?? servers[0] ?? ''
  if (/^https?:\/\/[^/{}]+/.test(server)) return server
  throw section.refuse('the document names no server with its host: say `server`', 'file')
}

/** Reads a document of a file, JSON or YAML. Throws with a reason for people. */
export const readDocumentFile = async (path: string): Promise<ReadDocument> => {
  const text = await readFile(path, 'utf8')
  if (text.length > DOCUMENT_CHARS_MAX) throw new Error(`the document is larger than ${DOCUMENT_CHARS_MAX} characters`)
  return readOpenApi(parse(text, { maxAliasCount: 100 }))
}

export type ImportedOperations = {
  readonly operations: readonly HttpOperation[]
  readonly left: readonly { readonly id: string; readonly reason: string }[]
}

/** Why an operation cannot be a tool: its schemas do not compile. One of many is no reason to stop. */
const problemOf = ({ name, input, output, strict }: HttpOperation): string | undefined => {
  try {
    jsonShape(input, name)
    if (strict) jsonShape(output, name)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : 'its schemas cannot be used'
  }
}

/** The operations of all documents. Throws `config.invalid` with file and line. */
export const readOpenApiSection = async (section: ConfigSection, configDir: string): Promise<ImportedOperations> => {
  const documents = section.parse(z.record(z.string(), z.unknown()).default({}))
  const operations: HttpOperation[] = []
  const left: { id: string; reason: string }[] = []
  for (const namespace of Object.keys(documents)) {
    const part = section.part(namespace)
    if (!NAMESPACE.test(namespace)) throw part.refuse('is named by small letters, digits, _ . and -')
    const written = part.parse(Document)
    const read = await readDocumentFile(resolve(configDir, written.file)).catch((error: unknown) => {
      throw part.refuse(error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : 'cannot be read', 'file')
    })
    const server = serverOf(part, written, read)
    const meant = read.operations.filter((operation) => isMeant(written, operation))
    for (const operation of meant.map((one) => toolOf(namespace, written, { server, read: one }))) {
      const reason = problemOf(operation)
      if (reason === undefined) operations.push(operation)
      else left.push({ id: operation.name, reason })
    }
    left.push(...read.left.map(({ id, reason }) => ({ id: `${namespace}: ${id}`, reason })))
  }
  return { operations, left }
}
