import type { Json } from '@baton/contracts/json'
import { didYouMean, nearest, type Report } from '../diagnostic.ts'
import { reportEncoding } from '../source/encoding.ts'
import { createSource, type Source, type Span } from '../source/source.ts'
import { describe, literalOf, type EntrySyntax, type MapSyntax, type Parse, type ScalarSyntax, type Syntax } from '../source/syntax.ts'
import { parseDuration } from '../source/literals.ts'
import type { ExprTree, ValueTree } from '../tree.ts'

/** What a project decides for flows that do not say. */
export type FlowDefaults = {
  /** Route or model of a step that names none. */
  readonly model?: string
  readonly timeMs?: number
  readonly totalMs?: number
  readonly steps?: number
}

/** What every reader needs. */
export type ReadContext = {
  readonly report: Report
  readonly defaults: FlowDefaults
  /** Reads the other files of the flow. */
  readonly parse: Parse
  /** The first of these files, relative to the flow's folder, then to the root. */
  readonly find: (paths: readonly string[]) => Source | undefined
  /** Names of files in a folder of the flow, without their extension. */
  readonly list: (folder: string) => readonly string[]
  /** What the flow itself declares by name, as it stands in its file. */
  readonly prompts: ReadonlyMap<string, Syntax>
  readonly schemas: ReadonlyMap<string, Syntax>
  readonly agents: ReadonlySet<string>
  /** Agents of files that were named, with the first place; they are read when the flow is. */
  readonly agentFiles: Map<string, Span>
}

/** Whether a name is that of a file with a version: NAME@N. */
export const isFileName = (name: string): boolean => /^[\w./-]+@\d+$/.test(name)

export const createReadContext = (options: {
  files: ReadonlyMap<string, string>
  entry: string
  defaults: FlowDefaults
  report: Report
  parse: Parse
}): ReadContext => {
  const { files, entry, defaults, report, parse } = options
  const folder = entry.includes('/') ? entry.slice(0, entry.lastIndexOf('/') + 1) : ''
  const sources = new Map<string, Source>()
  const open = (path: string): Source | undefined => {
    const text = files.get(path)
    if (text === undefined) return undefined
    const known = sources.get(path)
    if (known !== undefined) return known
    const source = createSource(path, text)
    sources.set(path, source)
    reportEncoding(source, report)
    return source
  }
  const prefixes = folder === '' ? [''] : [folder, '']
  return {
    report,
    defaults,
    parse,
    find: (paths) => prefixes.flatMap((prefix) => paths.map((path) => open(prefix + path))).find((source) => source !== undefined),
    list: (name) =>
      prefixes.flatMap((prefix) =>
        [...files.keys()]
          .filter((path) => path.startsWith(`${prefix}${name}/`))
          .map((path) => path.slice(prefix.length + name.length + 1).replace(/\.[a-z]+$/, '')),
      ),
    prompts: new Map(),
    schemas: new Map(),
    agents: new Set(),
    agentFiles: new Map(),
  }
}

/** Keys of a map with what is wrong about them reported. */
export type Fields = {
  readonly at: MapSyntax
  readonly has: (key: string) => boolean
  readonly get: (key: string) => Syntax | undefined
  /** Reads the value of a key, if it is there. */
  readonly read: <T>(key: string, reader: (node: Syntax) => T | undefined) => T | undefined
  readonly keyAt: (key: string) => Span
}

/** A map whose keys must be of a list. */
export const readFields = (node: Syntax, options: { what: string; known: readonly string[]; context: ReadContext }): Fields | undefined => {
  const { what, known, context } = options
  if (node.kind !== 'map') {
    context.report.add(
      node,
      'flow.wrong_type',
      `${what} must be a map with keys like ${known.slice(0, 4).join(', ')}, not ${describe(node)}`,
    )
    return undefined
  }
  const byKey = new Map<string, EntrySyntax>()
  for (const entry of node.entries) {
    if (!known.includes(entry.key)) {
      context.report.add(
        entry.keyAt,
        'flow.unknown_key',
        `${what} has no key "${entry.key}"${didYouMean(entry.key, known)}`,
        nearest(entry.key, known) ?? `one of: ${known.join(', ')}`,
      )
    } else byKey.set(entry.key, entry)
  }
  return {
    at: node,
    has: (key) => byKey.has(key),
    get: (key) => byKey.get(key)?.value,
    read: (key, reader) => {
      const entry = byKey.get(key)
      return entry === undefined ? undefined : reader(entry.value)
    },
    keyAt: (key) => byKey.get(key)?.keyAt ?? node,
  }
}

/** The entries of a map of names, none where there is no map. */
export const readEntries = (node: Syntax | undefined, what: string, { report }: ReadContext): readonly EntrySyntax[] => {
  if (node === undefined) return []
  if (node.kind === 'map') return node.entries
  report.add(node, 'flow.wrong_type', `${what} must be a map of names, not ${describe(node)}`)
  return []
}

/** The text of a scalar, or undefined with a report. */
export const readText = (node: Syntax, what: string, context: ReadContext): string | undefined => {
  if (node.kind === 'scalar' && typeof node.value === 'string' && node.value !== '') return node.value
  if (node.kind === 'scalar' && node.value !== null && node.style === 'plain') return node.source.text.slice(node.start, node.end)
  context.report.add(node, 'flow.wrong_type', `${what} must be text, not ${describe(node)}`)
  return undefined
}

/** One text or a list of texts. */
export const readTexts = (node: Syntax, what: string, context: ReadContext): readonly string[] => {
  if (node.kind !== 'list') {
    const text = readText(node, what, context)
    return text === undefined ? [] : [text]
  }
  if (node.items.length === 0) context.report.add(node, 'flow.wrong_type', `${what} is an empty list`)
  return node.items.map((item) => readText(item, what, context)).filter((text) => text !== undefined)
}

/** One of some words. */
export const readWord = <Word extends string>(
  node: Syntax,
  options: { what: string; words: readonly Word[]; context: ReadContext },
): Word | undefined => {
  const { what, words, context } = options
  const text = readText(node, what, context)
  if (text === undefined) return undefined
  const word = words.find((candidate) => candidate === text)
  if (word === undefined)
    context.report.add(node, 'flow.wrong_type', `${what} is one of ${words.join(', ')}, not "${text}"${didYouMean(text, words)}`)
  return word
}

/** A duration in milliseconds. */
export const readDuration = (node: Syntax, what: string, context: ReadContext): number | undefined => {
  const value = node.kind === 'scalar' ? node.value : null
  const ms = typeof value === 'string' ? parseDuration(value) : undefined
  if (ms === undefined) {
    const fix = typeof value === 'number' ? `${value}s` : '5s'
    context.report.add(node, 'literal.duration', `${what} must be a duration like 500ms, 5s, 120m, 2h or 7d, not ${describe(node)}`, fix)
  }
  return ms
}

/** True or false. */
export const readYesNo = (node: Syntax, what: string, context: ReadContext): boolean | undefined => {
  if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value
  context.report.add(node, 'flow.wrong_type', `${what} is true or false, not ${describe(node)}`)
  return undefined
}

/** A whole number within bounds. */
export const readCount = (node: Syntax, options: { what: string; min: number; max: number; context: ReadContext }): number | undefined => {
  const { what, min, max, context } = options
  const value = node.kind === 'scalar' ? node.value : null
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  context.report.add(node, 'literal.range', `${what} must be a whole number from ${min} to ${max}, not ${describe(node)}`)
  return undefined
}

/** Longest expression, in characters. */
const MAX_EXPRESSION_CHARS = 2_000

/** A condition: always an expression; a leading "=" is allowed and means nothing. */
export const readCondition = (node: Syntax, what: string, context: ReadContext): ExprTree | undefined => {
  if (node.kind !== 'scalar' || node.value === null || typeof node.value === 'number') {
    context.report.add(node, 'flow.wrong_type', `${what} must be a condition like it.confidence >= 0.8, not ${describe(node)}`)
    return undefined
  }
  return readExpression(node, { marked: typeof node.value === 'string' && node.value.startsWith('='), context })
}

const readExpression = (node: ScalarSyntax, { marked, context }: { marked: boolean; context: ReadContext }): ExprTree | undefined => {
  const text = String(node.value)
  const body = marked ? text.slice(1) : text
  const cel = body.trim()
  if (cel === '' || cel.length > MAX_EXPRESSION_CHARS) {
    context.report.add(
      node,
      'expression.syntax',
      cel === '' ? 'an expression stands after "="; here is none' : `the expression is longer than ${MAX_EXPRESSION_CHARS} characters`,
    )
    return undefined
  }
  return { cel, at: node, skip: text.length - body.length + (body.length - body.trimStart().length) }
}

/** A value that must be an expression, marked with "=". */
export const readMarked = (node: Syntax, what: string, context: ReadContext): ExprTree | undefined => {
  if (node.kind === 'scalar' && typeof node.value === 'string') {
    if (node.value.startsWith('=')) return readExpression(node, { marked: true, context })
    context.report.add(
      node,
      'flow.wrong_type',
      `${what} must be an expression; without "=" this is the literal text "${node.value}"`,
      `=${node.value}`,
    )
    return undefined
  }
  context.report.add(node, 'flow.wrong_type', `${what} must be an expression like =classify.intent, not ${describe(node)}`)
  return undefined
}

/** A value: "=" starts an expression, everything else is a literal. */
export const readValue = (node: Syntax, context: ReadContext): ValueTree => {
  if (node.kind === 'scalar') {
    if (typeof node.value === 'string' && node.value.startsWith('=')) {
      const expr = readExpression(node, { marked: true, context })
      return expr === undefined ? { at: node, lit: null } : { at: node, expr }
    }
    return { at: node, lit: node.value }
  }
  if (node.kind === 'list') {
    const list = node.items.map((item) => readValue(item, context))
    return list.every(isLiteral) ? { at: node, lit: literalOf(node) } : { at: node, list }
  }
  const object = node.entries.map(({ key, value }) => [key, readValue(value, context)] as const)
  return object.every(([, value]) => isLiteral(value)) ? { at: node, lit: literalOf(node) } : { at: node, object }
}

const isLiteral = (value: ValueTree): value is { readonly at: Span; readonly lit: Json } => 'lit' in value
