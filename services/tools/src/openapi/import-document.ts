// An OpenAPI document as an entry of config/tools.yaml: what it would bring, and the entry itself.
//   J1. Nothing of the file that is there is lost: comments and order stay. Credentials are named, never written.
import { isMap, parseDocument, type Document } from 'yaml'
import { Fault, type Json, type JsonObject } from '@baton/contracts'
import { effectOf } from '../http/http.config.ts'
import type { ReadDocument } from './openapi-read.policy.ts'

export { readDocumentFile } from './openapi.config.ts'
export type { ReadDocument } from './openapi-read.policy.ts'

export type ImportOptions = {
  /** The namespace of its tools. */
  readonly name: string
  /** As the configuration names the file. */
  readonly file: string
  readonly server?: string
}

/** What would become a tool. */
export type ImportedTool = { readonly name: string; readonly effect: string; readonly operation: string; readonly about: string }

/** The tools of a document. */
export const importedTools = ({ operations }: ReadDocument, name: string): readonly ImportedTool[] =>
  operations.map((operation) => ({
    name: `${name}/${operation.name}`,
    effect: effectOf(operation.method),
    operation: `${operation.method} ${operation.path}`,
    about: operation.about.split('\n', 1)[0] ?? '',
  }))

const variableOf = (name: string, scheme: string): string => `${name}_${scheme}`.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')

/** How a security scheme is said; undefined for one that calls cannot use. */
const schemeAuth = ({ type, scheme, in: where, name }: JsonObject, secret: Json): Json | undefined => {
  if (type === 'http' && scheme === 'basic') return { basic: { user: 'USER', password: secret } }
  if (type === 'apiKey' && typeof name === 'string' && (where === 'header' || where === 'query'))
    return { [where]: { name, value: secret } }
  return type === 'http' || type === 'oauth2' || type === 'openIdConnect' ? { bearer: secret } : undefined
}

/** Each security scheme that is used, with the name of a variable for its secret. */
const authOf = ({ operations, securitySchemes }: ReadDocument, name: string): JsonObject => {
  const used = new Set(operations.flatMap(({ security }) => security))
  const entries = [...used].flatMap((scheme): [string, Json][] => {
    const auth = schemeAuth(securitySchemes[scheme] ?? {}, { env: variableOf(name, scheme) })
    return auth === undefined ? [] : [[scheme, auth]]
  })
  return Object.fromEntries(entries)
}

const checked = (text: string): Document => {
  const document = parseDocument(text)
  const [error] = document.errors
  if (error !== undefined)
    throw new Fault('config.invalid', `tools.yaml: ${error.message.split('\n', 1)[0] ?? 'not YAML'}`, { file: 'tools.yaml' })
  return document
}

/** The text of config/tools.yaml with the document in it (J1). Throws `request.conflicting` where its name is taken by another file. */
export const withDocument = (text: string, read: ReadDocument, { name, file, server }: ImportOptions): string => {
  const document = checked(text)
  const known: unknown = document.getIn(['openapi', name, 'file'])
  if (known !== undefined && known !== file)
    throw new Fault('request.conflicting', `openapi.${name} is there already, of ${JSON.stringify(known)}`, { name })
  if (known === file) return text
  const auth = authOf(read, name)
  const entry = { file, ...(server === undefined ? {} : { server }), ...(Object.keys(auth).length === 0 ? {} : { auth }) }
  if (!isMap(document.contents)) document.contents = document.createNode({})
  document.setIn(['openapi', name], document.createNode(entry))
  return document.toString({ lineWidth: 0 })
}
