// What a model or an agent gets to see, by priority, within a number of tokens.
import { defined } from '../defined.ts'
import type { Span } from '../source/source.ts'
import { describe, type Syntax } from '../source/syntax.ts'
import type { ContextPartTree, ContextTree } from '../tree.ts'
import { readCount, readFields, readText, readValue, readWord, type Fields, type ReadContext } from './context.ts'
import { readAmount } from './literals.ts'

const PART_KEYS = ['name', 'from', 'buffer', 'priority', 'tokens', 'least', 'turns', 'cut']
/** Less has no room for a piece of the part and the words that say what was left out. */
const LEAST_MIN = 100
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
  const kept = parts.reduce((sum, { least = 0 }) => sum + least, 0)
  if (tokens !== undefined && kept > tokens)
    context.report.add(
      fields.get('tokens') ?? node,
      'literal.range',
      `the parts keep at least ${kept} tokens, and there is room for ${tokens}`,
      String(kept),
    )
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
  const room = readRoom(fields, context)
  const turns = fields.read('turns', (value) => readCount(value, { what: 'turns', min: 1, max: 10_000, context }))
  const cut = fields.read('cut', (value) => readWord(value, { what: 'cut', words: CUTS, context })) ?? 'end'
  return source === undefined || name === undefined
    ? undefined
    : { at: source.at, name, from: source.from, priority, cut, ...room, ...defined({ turns }) }
}

/** At most so many tokens, and at least so many. */
const readRoom = (fields: Fields, context: ReadContext): Pick<ContextPartTree, 'tokens' | 'least'> => {
  const tokens = fields.read('tokens', (value) => readAmount(value, 'tokens', context))
  const least = fields.read('least', (value) => readAmount(value, 'least', context))
  if (least !== undefined && least < LEAST_MIN)
    context.report.add(
      fields.get('least') ?? fields.at,
      'literal.range',
      `least is ${LEAST_MIN} tokens or more, not ${least}`,
      String(LEAST_MIN),
    )
  if (least !== undefined && tokens !== undefined && least > tokens) {
    const message = `least is ${least}, and the part has at most ${tokens} tokens`
    context.report.add(fields.get('least') ?? fields.at, 'literal.range', message, String(tokens))
  }
  return defined({ tokens, least })
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
