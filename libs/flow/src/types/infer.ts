// The type of an expression, over the library's syntax tree. Reports what cannot work; what is unknown is `any` and passes.
//   T1. No false alarm: only what fails or is constant in every run that reaches it is reported.
//   T2. Every report stands at the part of the expression it is about, and each part is looked at once.
import type { ASTNode } from '@marcbachmann/cel-js'
import { inferField, inferHas, inferIndex } from './access.ts'
import { inferCall, inferMethod } from './calls.ts'
import { isNotNull, narrow, union } from './facts.ts'
import { inferOperator } from './operators.ts'
import { needScalar, type Reading } from './site.ts'
import { ANY, BOOLEAN, join, listOf, NULL, NUMBER, notNull, widened, type Type } from './type.ts'

/** The type of a node. */
export const infer = (node: ASTNode, reading: Reading): Type => {
  const { spend } = reading.site
  spend.steps += reading.times
  const type = inferNode(node, reading)
  return type.nullable !== undefined && isNotNull(reading.facts, node) ? notNull(type) : type
}

const inferNode = (node: ASTNode, reading: Reading): Type => {
  switch (node.op) {
    case 'value':
      return literal(node.args)
    case 'id':
      return reading.locals.get(node.args) ?? reading.site.variable(node.args, reading.facts) ?? ANY
    case '.':
      return inferField(node, reading)
    case '[]':
      return inferIndex(node, reading)
    case 'call':
      return node.args[0] === 'has' ? inferHas(node, reading) : inferCall(node, reading)
    case 'rcall':
      return inferMethod(node, reading)
    case '.?':
    case '[?]':
      return ANY
    default:
      return inferComposed(node, reading)
  }
}

type Composed = Exclude<ASTNode, { op: 'value' | 'id' | '.' | '[]' | 'call' | 'rcall' | '.?' | '[?]' }>

const inferComposed = (node: Composed, reading: Reading): Type => {
  switch (node.op) {
    case 'list':
      return inferList(node.args, reading)
    case 'map':
      return inferMap(node.args, reading)
    case '?:':
      return inferTernary(node.args, reading)
    case '&&':
    case '||':
      return inferLogic(node.args, node.op === '&&', reading)
    case '!_':
      needScalar(infer(node.args, reading), 'boolean', { node: node.args, reading, what: '"!"' })
      return BOOLEAN
    case '-_':
      needScalar(infer(node.args, reading), 'number', { node: node.args, reading, what: '"-"' })
      return NUMBER
    default:
      return inferOperator(node, reading)
  }
}

/** Values that stand in a list are examples of their kind, not all there can be. */
const inferList = (items: readonly ASTNode[], reading: Reading): Type =>
  items.length === 0 ? listOf(NULL, 0) : listOf(items.map((item) => widened(infer(item, reading))).reduce(join), items.length)

const literal = (value: Extract<ASTNode, { op: 'value' }>['args']): Type => {
  if (value === null) return NULL
  if (typeof value === 'bigint') return { kind: 'enum', values: [Number(value)] }
  return typeof value === 'object' ? ANY : { kind: 'enum', values: [value] }
}

const inferMap = (entries: readonly (readonly [ASTNode, ASTNode])[], reading: Reading): Type => {
  const fields = new Map<string, Type>()
  let open = false
  for (const [key, value] of entries) {
    const type = infer(value, reading)
    if (key.op === 'value' && typeof key.args === 'string') fields.set(key.args, type)
    else {
      infer(key, reading)
      open = true
    }
  }
  return { kind: 'object', fields, open }
}

const inferTernary = ([condition, then, otherwise]: readonly [ASTNode, ASTNode, ASTNode], reading: Reading): Type => {
  needScalar(infer(condition, reading), 'boolean', { node: condition, reading, what: 'the condition before "?"' })
  const yes = infer(then, { ...reading, facts: union(reading.facts, narrow(condition, true)) })
  const no = infer(otherwise, { ...reading, facts: union(reading.facts, narrow(condition, false)) })
  return join(yes, no)
}

/** Both sides know what the other needs: an error on one side does not count when the other decides. */
const inferLogic = ([left, right]: readonly [ASTNode, ASTNode], and: boolean, reading: Reading): Type => {
  for (const [side, other] of [
    [left, right],
    [right, left],
  ] as const) {
    const facts = union(reading.facts, narrow(other, and))
    needScalar(infer(side, { ...reading, facts }), 'boolean', { node: side, reading: { ...reading, facts }, what: and ? '"&&"' : '"||"' })
  }
  return BOOLEAN
}
