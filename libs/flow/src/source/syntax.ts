// A document as a small tree that knows where each piece stands, whatever it was read from.
import type { Json } from '@baton/contracts/json'
import type { Report } from '../diagnostic.ts'
import type { Source, Span } from './source.ts'

export type ScalarSyntax = Span & {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
  readonly style: 'plain' | 'quoted' | 'block'
}
export type EntrySyntax = {
  readonly key: string
  readonly keyAt: Span
  readonly keyValue: string | number | boolean | null
  readonly value: Syntax
}
export type MapSyntax = Span & { readonly kind: 'map'; readonly entries: readonly EntrySyntax[] }
export type ListSyntax = Span & { readonly kind: 'list'; readonly items: readonly Syntax[] }
export type Syntax = ScalarSyntax | MapSyntax | ListSyntax

/** Reads a document: its tree, or undefined when it cannot be read; the report says why. */
export type Parse = (source: Source, report: Report) => Syntax | undefined

/** The plain value of a tree. */
export const literalOf = (node: Syntax): Json => {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(literalOf)
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, literalOf(value)]))
}

/** What a node is, in words for a message. */
export const describe = (node: Syntax): string => {
  if (node.kind !== 'scalar') return node.kind === 'map' ? 'a map' : 'a list'
  if (node.value === null) return 'an empty value'
  return typeof node.value === 'string'
    ? `the text "${shorten(node.value)}"`
    : `${typeof node.value === 'number' ? 'the number' : 'the value'} ${String(node.value)}`
}

const shorten = (text: string): string => (text.length > 40 ? `${text.slice(0, 37)}...` : text)

/**
 * Where a character of a scalar's value stands in the file. Exact for plain and quoted text on one line and for literal
 * blocks; otherwise found again by `token`, else the start of the scalar.
 */
export const spanInScalar = (node: ScalarSyntax, index: number, token: string): Span => {
  const { source, start, end } = node
  const value = typeof node.value === 'string' ? node.value : source.text.slice(start, end)
  const raw = source.text.slice(start, end)
  const shift = node.style === 'quoted' ? 1 : 0
  if (raw.slice(shift, shift + value.length) === value)
    return { source, start: start + shift + index, end: start + shift + index + token.length }
  const occurrence = token === '' ? 0 : countOf(value.slice(0, index), token)
  let found = -1
  for (let n = 0; n <= occurrence && token !== ''; n++) {
    found = raw.indexOf(token, found + 1)
    if (found === -1) break
  }
  return found === -1 ? { source, start, end } : { source, start: start + found, end: start + found + token.length }
}

const countOf = (text: string, token: string): number => text.split(token).length - 1
