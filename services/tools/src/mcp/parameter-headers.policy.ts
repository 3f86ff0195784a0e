// Arguments that a schema wants to see in headers too (`x-mcp-header`), so that a proxy can route by them.
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts'

const HEADER = /^[A-Za-z0-9-]{1,64}$/
const PLAIN = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/
const DEPTH_MAX = 8

const encoded = (value: string): string =>
  PLAIN.test(value) && !value.startsWith('=?') ? value : `=?base64?${Buffer.from(value).toString('base64')}?=`

const collect = (schema: Json | undefined, args: Json | undefined, headers: Record<string, string>, depth: number): void => {
  const properties = isJsonObject(schema) ? schema['properties'] : undefined
  if (!isJsonObject(properties) || !isJsonObject(args) || depth > DEPTH_MAX) return
  for (const [name, property] of Object.entries(properties)) {
    const value = args[name]
    const header = isJsonObject(property) ? property['x-mcp-header'] : undefined
    const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    if (typeof header === 'string' && HEADER.test(header) && isScalar) headers[`Mcp-Param-${header}`] = encoded(String(value))
    collect(property, value, headers, depth + 1)
  }
}

/** The headers that go along with these arguments. */
export const parameterHeaders = (schema: Json, args: JsonObject): { [name: string]: string } => {
  const headers: Record<string, string> = {}
  collect(schema, args, headers, 0)
  return headers
}
