// The one way a flow file looks: order of keys, indentation, width. Comments, text and meaning stay.
//   F1. The plan of the formatted text is the plan of the text: keys move within a step or the top level, nothing else does.
//   F2. Formatting twice is formatting once.
//   F3. Every comment of the text is in the formatted text.
import {
  isCollection,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  Scalar,
  visit,
  type Document,
  type Node,
  type ScalarTag,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import { stringifyString } from 'yaml/util'
import { byOrder, STEP_ORDER, TOP_ORDER, STEP_WORDS } from './order.ts'

/** Columns of a line; a map or list in braces that is longer is written in lines. */
const WIDTH = 140
/** Columns of running text in a folded block. */
const TEXT_WIDTH = 120

/** The formatted text, or undefined where the text is not one YAML or JSON document. */
export const formatFlow = (text: string, options: { readonly json?: boolean } = {}): string | undefined => {
  const document = parseDocument(text, { version: '1.2', prettyErrors: false, logLevel: 'silent', customTags: (tags) => [...tags, FOLDED] })
  if (document.errors.length > 0 || document.warnings.length > 0 || !isMap(document.contents)) return undefined
  const top = document.contents
  if (!hasAnchors(document)) {
    for (const map of stepBodies(document)) sortKeys(map, STEP_ORDER) // F1
    sortTop(top)
  }
  if (options.json === true) return `${JSON.stringify(document.toJS(), null, 2)}\n`
  top.flow = false
  spreadSteps(top)
  spreadLong(document)
  padBraces(document)
  return `${document.toString({ lineWidth: 0, indent: 2, flowCollectionPadding: true }).trimEnd()}\n`
}

/** An alias must stay behind its anchor, so nothing moves in a document that has any. */
const hasAnchors = (document: Document): boolean => {
  let found = false
  visit(document, {
    Node: (_, node) => {
      if ('anchor' in node && node.anchor !== undefined) found = true
      return found ? visit.BREAK : undefined
    },
  })
  return found
}

const sortKeys = (map: YAMLMap, order: readonly string[]): void => {
  map.items = [...byOrder(map.items, (pair) => keyText(pair.key), order)]
}

/** The comment at the head of a file is the file's, not that of its first key. */
const sortTop = (top: YAMLMap): void => {
  const first = nodeOf(top.items[0]?.key)
  const head = first?.commentBefore
  sortKeys(top, TOP_ORDER)
  const now = nodeOf(top.items[0]?.key)
  if (first === undefined || now === undefined || now === first || head == null) return
  first.commentBefore = null
  now.commentBefore = now.commentBefore == null ? head : `${head}\n${now.commentBefore}`
}

const nodeOf = (value: unknown): Node | undefined => (isScalar(value) || isCollection(value) ? value : undefined)
const keyText = (key: unknown): string => (isScalar(key) ? String(key.value) : '')

/** Maps that are a step's body: below a name in a list of steps, or where an outcome or part has one. */
const stepBodies = (document: Document): readonly YAMLMap[] => {
  const found: YAMLMap[] = []
  visit(document, {
    Map: (_, map, path) => {
      const keys = map.items.map((pair) => keyText(pair.key))
      const inside = path.flatMap((node) => ('key' in node ? [keyText(node.key)] : []))
      if (NAMED.has(inside.at(-1) ?? '') || inside.at(-2) === 'agents') return undefined
      if (!inside.some((key) => OPAQUE.has(key)) && keys.some((key) => STEP_WORDS.has(key)) && inside.length > 0) found.push(map)
      return undefined
    },
  })
  return found
}

/** Keys whose values are data or schemas of the author, where words of steps mean nothing. */
const OPAQUE: ReadonlySet<string> = new Set([
  'with',
  'returns',
  'input',
  'output',
  'params',
  'set',
  'schemas',
  'prompts',
  'labels',
  'limits',
  'buffers',
])

/** Keys whose values are maps by names of the author: their order is the author's. */
const NAMED: ReadonlySet<string> = new Set(['cases', 'parallel', 'agents'])

/** Steps stand in lines of their own, with what they say below their name, unless that was written on one line. */
const spreadSteps = (top: YAMLMap): void => {
  const steps = top.get('steps')
  if (!isSeq(steps)) return
  steps.flow = false
  for (const item of steps.items) if (isMap(item)) item.flow = false
}

/** Maps and lists in braces that do not fit a line, or hold comments, are written in lines. */
const spreadLong = (document: Document): void => {
  const sizes = (node: Node, column: number): boolean => column + inlineLength(node) > WIDTH
  visit(document, {
    Collection: (_, node, path) => {
      if (node.flow !== true) return undefined
      const depth = path.filter((around) => isCollection(around)).length
      const label = path.at(-1)
      const keyLength = label !== undefined && 'key' in label ? keyText(label.key).length + 2 : 2
      if (hasComments(node) || sizes(node, depth * 2 + keyLength)) node.flow = false
      return undefined
    },
  })
}

/** `{ a: 1 }` with spaces, `[1, 2]` without. */
const padBraces = (document: Document): void => {
  const padded = (node: YAMLMap | YAMLSeq, padding: string): void => {
    const print = node.toString.bind(node)
    node.toString = (context, ...rest) => print(context === undefined ? undefined : { ...context, flowCollectionPadding: padding }, ...rest)
  }
  visit(document, { Map: (_, map) => padded(map, ' '), Seq: (_, list) => padded(list, '') })
}

const hasComments = (node: Node): boolean => {
  let found = false
  visit(node, {
    Node: (_, inner) => {
      if (inner !== node && (inner.comment != null || inner.commentBefore != null)) found = true
      return found ? visit.BREAK : undefined
    },
  })
  return found
}

const inlineLength = (node: Node): number => {
  if (isMap(node)) return node.items.reduce((sum, pair) => sum + inlineOf(pair.key) + inlineOf(pair.value) + 4, 2)
  return isSeq(node) ? node.items.reduce((sum: number, item) => sum + inlineOf(item) + 2, 2) : inlineOf(node)
}

const inlineOf = (node: unknown): number => {
  if (isMap(node) || isSeq(node)) return inlineLength(node)
  if (!isScalar(node)) return 1
  const text = node.source ?? String(node.value)
  return text.length + (node.type === Scalar.QUOTE_DOUBLE || node.type === Scalar.QUOTE_SINGLE ? 2 : 0)
}

/** Text keeps its lines: only a folded block is folded again. */
const FOLDED: ScalarTag = {
  identify: (value) => typeof value === 'string',
  default: true,
  tag: 'tag:yaml.org,2002:str',
  resolve: (text) => text,
  stringify: (item, context, onComment, onChompKeep) =>
    stringifyString(
      item,
      item.type === Scalar.BLOCK_FOLDED ? { ...context, options: { ...context.options, lineWidth: TEXT_WIDTH } } : context,
      onComment,
      onChompKeep,
    ),
}
