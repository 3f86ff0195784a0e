// What steps share beside their outputs: buffers with an expiry, and the conversation of the session.
import type { FlowTree, BufferTree } from '../tree.ts'
import { defined } from '../defined.ts'
import type { Syntax } from '../source/syntax.ts'
import { readCount, readDuration, readEntries, readFields, type ReadContext } from './context.ts'
import { readAmount } from './literals.ts'
import { readSchema } from './schema.ts'
import { checkWord } from './site.ts'

const EXPIRES_MS = 600_000
const ITEMS = 100

/** `buffers: { NAME: { of, expires, items } }`. */
export const readBuffers = (node: Syntax | undefined, context: ReadContext): Readonly<Record<string, BufferTree>> =>
  Object.fromEntries(
    readEntries(node, 'buffers', context).flatMap(({ key, keyAt, value }) => {
      checkWord(key, { what: 'buffer', at: keyAt, context })
      const buffer = readBuffer(value, key, context)
      return buffer === undefined ? [] : [[key, buffer] as const]
    }),
  )

const readBuffer = (node: Syntax, name: string, context: ReadContext): BufferTree | undefined => {
  const fields = readFields(node, { what: `buffer "${name}"`, known: ['of', 'expires', 'items'], context })
  if (fields === undefined) return undefined
  const schema = fields.read('of', (value) => readSchema(value, 'of', context)) ?? true
  const expiresMs = fields.read('expires', (value) => readDuration(value, 'expires', context)) ?? EXPIRES_MS
  const items = fields.read('items', (value) => readCount(value, { what: 'items', min: 1, max: 10_000, context })) ?? ITEMS
  return { at: node, schema, expiresMs, items }
}

const TURNS = 10

/** `history: { turns, tokens }`. */
export const readHistory = (node: Syntax, context: ReadContext): FlowTree['history'] => {
  const fields = readFields(node, { what: 'history', known: ['turns', 'tokens'], context })
  if (fields === undefined) return undefined
  const turns = fields.read('turns', (value) => readCount(value, { what: 'history.turns', min: 1, max: 10_000, context })) ?? TURNS
  const tokens = fields.read('tokens', (value) => readAmount(value, 'history.tokens', context))
  return { turns, ...defined({ tokens }) }
}
