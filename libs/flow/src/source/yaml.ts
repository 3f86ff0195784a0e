// YAML 1.2 (and so JSON) as a tree. Loading the parser takes longer than a whole run in memory: what can do without gets it handed in.
//   Y1. The parser's warnings are errors: what a reader might take for something else does not pass.
import { isAlias, isMap, isNode, isScalar, isSeq, parseDocument, type Document, type Node, type Pair, type YAMLMap } from 'yaml'
import type { Report } from '../diagnostic.ts'
import { createBounds, reportLength } from './bounds.ts'
import { reportEncoding } from './encoding.ts'
import type { Source, Span } from './source.ts'
import type { EntrySyntax, Parse, ScalarSyntax, Syntax } from './syntax.ts'
import { explainYamlError, explainKeyWithoutValue, explainOddKey } from './traps.ts'

/** The tree of a document, or undefined when it cannot be read; the report says why. */
export const parseSyntax: Parse = (source, report) => {
  if (reportLength(source, report) || reportEncoding(source, report)) return undefined
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
  const bounds = createBounds(report)
  let refused = false

  const refuse = (): undefined => {
    refused = true
    return undefined
  }
  const spanOf = (node: Node, around: Span): Span => (node.range == null ? around : { source, start: node.range[0], end: node.range[1] })

  const convert = (node: unknown, around: Span, depth: number): Syntax | undefined => {
    const at = isNode(node) ? spanOf(node, around) : around
    if (!bounds.holds(at, depth)) return refuse()
    if (!isNode(node)) return { ...at, kind: 'scalar', value: null, style: 'plain' }
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
