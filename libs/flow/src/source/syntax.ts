// YAML 1.2 (and so JSON) as a small tree that knows where each piece stands.
//   Y1. The parser's warnings are errors: what a reader might take for something else does not pass.
//   Y2. A document is bounded: size, depth and number of nodes, aliases expanded.
import { isAlias, isMap, isNode, isScalar, isSeq, parseDocument, type Document, type Node, type Pair, type YAMLMap } from 'yaml'
import type { Json } from '@baton/contracts/json'
import type { Report } from '../diagnostic.ts'
import { reportEncoding } from './encoding.ts'
import type { Source, Span } from './source.ts'
import { explainYamlError, explainKeyWithoutValue, explainOddKey } from './traps.ts'

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

const MAX_BYTES = 1_000_000
const MAX_NODES = 20_000
const MAX_DEPTH = 60

/** The tree of a document, or undefined when it cannot be read; the report says why. */
export const parseSyntax = (source: Source, report: Report): Syntax | undefined => {
  if (source.text.length > MAX_BYTES) {
    report.add(
      { source, start: 0, end: 0 },
      'flow.too_large',
      `the file has ${source.text.length} characters; at most ${MAX_BYTES} are read`,
    )
    return undefined
  }
  if (reportEncoding(source, report)) return undefined
  const document = parseQuickly(source.text)
  const problems = [...document.errors, ...document.warnings] // Y1
  if (problems.length > 0) {
    problems.sort((a, b) => a.pos[0] - b.pos[0])
    // What follows the first break of the structure is noise of the parser; independent findings are not.
    const independent = problems.filter((problem, index) => index === 0 || problem.code === 'TAG_RESOLVE_FAILED')
    for (const problem of independent) explainYamlError(source, problem, report)
    return undefined
  }
  return createConverter(source, document, report)()
}

/**
 * Keys are compared in our own tree: the parser compares each with each, which takes minutes for a map of 50,000. And half a
 * million lone quotes are as many errors: a stack for each of them takes longer than all the rest.
 */
const parseQuickly = (text: string): Document.Parsed => {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return parseDocument(text, {
      version: '1.2',
      prettyErrors: false,
      merge: false,
      uniqueKeys: false,
      stringKeys: false,
      logLevel: 'error',
    })
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** The nodes of a document as the tree of ours. One conversion has one budget of nodes, aliases expanded (Y2). */
const createConverter = (source: Source, document: Document.Parsed, report: Report): (() => Syntax | undefined) => {
  const anchors = new Map<string, Node>()
  let nodes = 0
  let refused = false

  const refuse = (): undefined => {
    refused = true
    return undefined
  }
  const spanOf = (node: Node, around: Span): Span => (node.range == null ? around : { source, start: node.range[0], end: node.range[1] })

  const convert = (node: unknown, around: Span, depth: number): Syntax | undefined => {
    nodes++
    if (!isNode(node)) return { ...around, kind: 'scalar', value: null, style: 'plain' }
    const at = spanOf(node, around)
    if (nodes > MAX_NODES || depth > MAX_DEPTH) {
      if (!refused) report.add(at, 'flow.too_large', `the document has more than ${MAX_NODES} nodes or ${MAX_DEPTH} levels`)
      return refuse()
    }
    if (isAlias(node)) {
      const target = anchors.get(node.source)
      if (target !== undefined) return convert(target, at, depth + 1)
      explainOddKey(at, report)
      return refuse()
    }
    if (node.anchor !== undefined) anchors.set(node.anchor, node)
    if (isMap(node)) return convertMap(node, at, depth)
    if (isSeq(node)) return { ...at, kind: 'list', items: node.items.flatMap((item) => convert(item, at, depth + 1) ?? []) }
    return {
      ...at,
      kind: 'scalar',
      value: isScalar(node) ? scalarValue(node.value) : null,
      style: styleOf(isScalar(node) ? node.type : undefined),
    }
  }

  const convertMap = (node: YAMLMap, at: Span, depth: number): Syntax | undefined => {
    const entries = node.items.flatMap((pair) => convertPair(pair, node, { at, depth }) ?? [])
    return reportRepeatedKeys(entries, report) ? refuse() : { ...at, kind: 'map', entries }
  }

  const convertPair = (
    { key: keyNode, value }: Pair,
    map: YAMLMap,
    { at, depth }: { at: Span; depth: number },
  ): EntrySyntax | undefined => {
    const keyAt = isNode(keyNode) ? spanOf(keyNode, at) : at
    if (!isScalar(keyNode)) {
      explainOddKey(keyAt, report)
      return refuse()
    }
    if (map.flow === true && value === null && explainKeyWithoutValue(keyAt, report)) return refuse()
    const keyValue = scalarValue(keyNode.value)
    const key = typeof keyValue === 'string' ? keyValue : source.text.slice(keyAt.start, keyAt.end)
    const converted = convert(value, { source, start: keyAt.end, end: keyAt.end }, depth + 1)
    return converted === undefined ? undefined : { key, keyAt, keyValue, value: converted }
  }

  return () => {
    const tree = convert(document.contents, { source, start: 0, end: 0 }, 0)
    return refused ? undefined : tree
  }
}

const reportRepeatedKeys = (entries: readonly EntrySyntax[], report: Report): boolean => {
  const seen = new Set<string>()
  let repeated = false
  for (const { key, keyAt } of entries) {
    if (seen.has(key)) report.add(keyAt, 'yaml.syntax', 'the same key stands here twice')
    repeated ||= seen.has(key)
    seen.add(key)
  }
  return repeated
}

const scalarValue = (value: unknown): string | number | boolean | null => {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  return typeof value === 'bigint' ? Number(value) : null
}

const styleOf = (type: string | undefined | null): ScalarSyntax['style'] => {
  if (type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE') return 'quoted'
  return type === 'BLOCK_LITERAL' || type === 'BLOCK_FOLDED' ? 'block' : 'plain'
}

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
