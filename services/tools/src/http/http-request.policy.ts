// The request that one call makes: URL, headers and body out of arguments.
//   Q1. An argument never changes the host or climbs out of its place in the path: it is one segment, encoded.
//   Q2. An argument never sets a header that carries credentials or frames the message.
import { Fault, isJsonObject, type Json } from '@baton/contracts'
import type { Arguments, HttpOperation, Placed } from './http-operation.ts'

export type HttpRequest = {
  readonly method: HttpOperation['method']
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

const FORBIDDEN = /^(host|authorization|proxy-.*|cookie|content-length|transfer-encoding|connection|upgrade|te|trailer|expect)$/i

/** Whether arguments may not set this header (Q2). */
export const isForbiddenHeader = (name: string): boolean => FORBIDDEN.test(name)

const textOf = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value))

const pathSegment = (tool: string, { argument }: Placed, value: Json | undefined): string => {
  const text = value === undefined || value === null ? '' : textOf(value)
  // A segment of dots alone would be taken out of the path with the one before it.
  if (text === '' || /^\.{1,2}$/.test(text))
    throw new Fault('tool.arguments_invalid', `${tool}: ${argument}: is no part of a path`, { tool, field: argument }) // Q1
  return encodeURIComponent(text)
}

const addQuery = (url: URL, { as, explode = true }: Placed, value: Json | undefined): void => {
  if (value === undefined || value === null) return
  if (Array.isArray(value)) {
    const items = value.map((item: Json) => textOf(item))
    if (explode) for (const item of items) url.searchParams.append(as, item)
    else url.searchParams.append(as, items.join(','))
  } else url.searchParams.append(as, textOf(value))
}

const headerOf = (tool: string, { argument }: Placed, value: Json): string => {
  const text = textOf(value)
  if (/[^\t\u0020-\u007e\u0080-\u00ff]/.test(text))
    throw new Fault('tool.arguments_invalid', `${tool}: ${argument}: cannot be sent in a header`, { tool, field: argument })
  return text
}

const bodyOf = ({ body, placed }: HttpOperation, args: Arguments): Json | undefined => {
  if (body === undefined) return undefined
  if (body.of === 'argument') return args[body.argument]
  const elsewhere = new Set(placed.map(({ argument }) => argument))
  return Object.fromEntries(Object.entries(args).filter(([name]) => !elsewhere.has(name)))
}

const formOf = (value: Json): string => {
  const form = new URLSearchParams()
  for (const [name, field] of Object.entries(isJsonObject(value) ? value : {})) form.append(name, textOf(field))
  return form.toString()
}

/** Builds the request of one call; credentials come later. Throws `tool.arguments_invalid`. */
export const requestOf = (operation: HttpOperation, args: Arguments): HttpRequest => {
  const { name, method, placed, body } = operation
  let template = operation.url
  for (const place of placed)
    if (place.in === 'path') template = template.replaceAll(`{${place.as}}`, pathSegment(name, place, args[place.argument])) // Q1
  const url = new URL(template)
  const headers: Record<string, string> = { accept: 'application/json, text/*;q=0.5' }
  for (const place of placed) {
    const value = args[place.argument]
    if (place.in === 'query') addQuery(url, place, value)
    if (place.in === 'header' && value !== undefined && value !== null) headers[place.as.toLowerCase()] = headerOf(name, place, value)
  }
  const content = bodyOf(operation, args)
  if (body === undefined || content === undefined) return { method, url, headers }
  const form = body.as === 'form'
  headers['content-type'] = form ? 'application/x-www-form-urlencoded' : 'application/json'
  return { method, url, headers, body: form ? formOf(content) : JSON.stringify(content) }
}
