// What a model or an agent gets to see, by priority, within a number of tokens.
import { defined } from '../defined.ts'
import type { Span } from '../source/source.ts'
import { describe, type Syntax } from '../source/syntax.ts'
import type { ContextPartTree, ContextTree } from '../tree.ts'
import { readCount, readFields, readText, readValue, readWord, type Fields, type ReadContext } from './context.ts'
import { readAmount } from './literals.ts'

const PART_KEYS = ['name', 'from', 'buffer', 'priority', 'tokens', 'turns', 'cut']
const CUTS = ['end', 'start', 'middle', 'summary', 'never'] as const

/** `context: { tokens, parts: [ … ] }`. */
export const readContextParts = (node: Syntax, context: ReadContext): ContextTree | undefined => {
  const fields = readFields(node, { what: 'context', known: ['tokens', 'parts'], context })
  if (fields === undefined) return undefined
  const tokens = fields.read('tokens', (value) => readAmount(value, 'context.tokens', context))
  const list = fields.get('parts')
  if (list !== undefined && list.kind !== 'list')
    context.report.add(list, 'flow.wrong_type', `parts are a list of { name, from }, not ${describe(list)}`)
  const items = list?.kind === 'list' ? list.items : []
  const parts = items.map((item, index) => readPart(item, index, context)).filter((part) => part !== undefined)
  return { at: node, parts, ...defined({ tokens }) }
}

const readPart = (node: Syntax, index: number, context: ReadContext): ContextPartTree | undefined => {
  const fields = readFields(node, { what: 'a part of the context', known: PART_KEYS, context })
  if (fields === undefined) return undefined
  const source = readSource(fields, context)
  const given = fields.read('name', (value) => readText(value, 'name', context))
  const name = given ?? source?.name
  if (name === undefined && source !== undefined)
    context.report.add(node, 'flow.missing_key', 'a part of the context needs a name', '{ name: docs, from: =docs.items }')
  const priority = fields.read('priority', (value) => readCount(value, { what: 'priority', min: 1, max: 1_000, context })) ?? index + 1
  const tokens = fields.read('tokens', (value) => readAmount(value, 'tokens', context))
  const turns = fields.read('turns', (value) => readCount(value, { what: 'turns', min: 1, max: 10_000, context }))
  const cut = fields.read('cut', (value) => readWord(value, { what: 'cut', words: CUTS, context })) ?? 'end'
  return source === undefined || name === undefined
    ? undefined
    : { at: source.at, name, from: source.from, priority, cut, ...defined({ tokens, turns }) }
}

type PartSource = { readonly at: Span; readonly from: ContextPartTree['from']; readonly name?: string }

/** An expression, the history, or a buffer. */
const readSource = (fields: Fields, context: ReadContext): PartSource | undefined => {
  const from = fields.get('from')
  const buffer = fields.get('buffer')
  if ((from === undefined) === (buffer === undefined)) {
    context.report.add(
      fields.at,
      'flow.missing_key',
      'a part of the context has either from or buffer',
      '{ name: docs, from: =docs.items }',
    )
    return undefined
  }
  if (buffer !== undefined) {
    const name = readText(buffer, 'buffer', context)
    return name === undefined ? undefined : { at: buffer, from: { buffer: name }, name }
  }
  if (from === undefined) return undefined
  if (from.kind === 'scalar' && from.value === 'history') return { at: from, from: { history: true }, name: 'history' }
  if (from.kind === 'scalar' && typeof from.value === 'string' && !from.value.startsWith('='))
    context.report.add(
      from,
      'flow.wrong_type',
      `without "=" this is the literal text "${from.value}"; a part is an expression or history`,
      `=${from.value}`,
    )
  return { at: from, from: { value: readValue(from, context) } }
}
