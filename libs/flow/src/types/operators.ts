// Comparison, membership and arithmetic.
import type { ASTNode } from '@marcbachmann/cel-js'
import { nearest } from '../diagnostic.ts'
import { isNull } from './facts.ts'
import { infer } from './infer.ts'
import type { JsonScalar } from './scalar.ts'
import { needScalar, needValue, textOf, type Reading } from './site.ts'
import {
  ANY,
  BOOLEAN,
  describeType,
  INTEGER,
  isKnown,
  join,
  notNull,
  NUMBER,
  scalarOf,
  STRING,
  wordsOf,
  type Scalar,
  type Type,
} from './type.ts'

type Operator = Extract<ASTNode, { op: '!=' | '==' | 'in' | '+' | '-' | '*' | '/' | '%' | '<' | '<=' | '>' | '>=' }>
type Operand = { readonly node: ASTNode; readonly type: Type }

/** The type of a binary operator. */
export const inferOperator = (node: Operator, reading: Reading): Type => {
  const [left, right] = node.args.map((side): Operand => ({ node: side, type: infer(side, reading) }))
  if (left === undefined || right === undefined) return ANY
  switch (node.op) {
    case '==':
    case '!=':
      if (!isNull(left.node) && !isNull(right.node)) checkEqual(left, right, reading)
      return BOOLEAN
    case 'in':
      checkMember(left, right, reading)
      return BOOLEAN
    case '<':
    case '<=':
    case '>':
    case '>=':
      checkOrder(node, [left, right], reading)
      return BOOLEAN
    case '+':
      return inferPlus(node, [left, right], reading)
    default:
      return inferArithmetic(node, [left, right], reading)
  }
}

const checkEqual = (left: Operand, right: Operand, reading: Reading): void => {
  const [a, b] = [notNull(left.type), notNull(right.type)]
  if (!isKnown(a) || !isKnown(b) || a.kind === 'null' || b.kind === 'null') return
  if (a.kind === 'enum' && b.kind === 'enum' && scalarOf(a) === scalarOf(b)) {
    if (a.values.some((value) => b.values.includes(value))) return
    if (right.node.op === 'value') refuseValue(left, right.node, b.values, reading)
    else if (left.node.op === 'value') refuseValue(right, left.node, a.values, reading)
    else reading.site.add(left.node, 'type.enum_value', `${textOf(left.node)} is ${describeType(a)}, and never ${wordsOf(b.values)}`)
    return
  }
  if (isAlike(a, b)) return
  const at = right.node.op === 'value' ? right.node : left.node
  reading.site.add(
    at,
    'type.mismatch',
    `${textOf(left.node)} is ${describeType(a)} and ${textOf(right.node)} is ${describeType(b)}; they are never equal`,
  )
}

const isAlike = (a: Type, b: Type): boolean => {
  const scalar = scalarOf(a)
  if (scalar !== undefined || scalarOf(b) !== undefined) return scalar === scalarOf(b)
  return (a.kind === 'list') === (b.kind === 'list')
}

/** A value that is none of an enum's. */
const refuseValue = (subject: Operand, at: ASTNode, values: readonly JsonScalar[], { site }: Reading): void => {
  const type = notNull(subject.type)
  if (type.kind !== 'enum') return
  const names = type.values.map(String)
  const [value] = values
  const near = nearest(String(value), names)
  const quoted = near === undefined || typeof value !== 'string' ? near : JSON.stringify(near)
  site.add(
    at,
    'type.enum_value',
    `${textOf(subject.node)} is never ${JSON.stringify(value)}; it is one of ${wordsOf(type.values)}${near === undefined ? '' : `; did you mean ${quoted ?? ''}?`}`,
    quoted,
  )
}

const checkMember = (left: Operand, right: Operand, reading: Reading): void => {
  const range = needValue(right.type, right.node, reading)
  const item = notNull(left.type)
  if (range.kind === 'object' || range.kind === 'map') {
    if (isKnown(item)) needScalar(item, 'string', { node: left.node, reading, what: 'the name of a field' })
    return
  }
  if (range.kind !== 'list') {
    if (isKnown(range))
      reading.site.add(
        right.node,
        'type.mismatch',
        `"in" needs a list; ${textOf(right.node)} is ${describeType(range)}`,
        scalarOf(range) === 'string' ? `${textOf(right.node)}.contains(${textOf(left.node)})` : undefined,
      )
    return
  }
  if (range.max === 0) return
  if (right.node.op === 'list') for (const node of right.node.args) checkListed(left, node, reading)
  else checkEqual(left, { node: right.node, type: range.of }, reading)
}

/** One value of a list in the text; all others may still be right. */
const checkListed = (left: Operand, node: ASTNode, reading: Reading): void => {
  if (node.op !== 'value' || node.args === null || typeof node.args === 'object') return
  const value = typeof node.args === 'bigint' ? Number(node.args) : node.args
  checkEqual(left, { node, type: { kind: 'enum', values: [value] } }, reading)
}

const checkOrder = (node: Operator, sides: readonly [Operand, Operand], reading: Reading): void => {
  const types = sides.map(({ type, node: side }) => needValue(type, side, reading))
  const scalars = types.map((type) => scalarOf(type))
  for (const [index, type] of types.entries()) {
    const side = sides[index]
    if (side === undefined || !isKnown(type) || scalars[index] !== undefined) continue
    reading.site.add(side.node, 'type.mismatch', `"${node.op}" needs numbers; ${textOf(side.node)} is ${describeType(type)}`)
    return
  }
  refuseMixed(node, sides, { types, scalars }, reading)
}

type Sides = { readonly types: readonly Type[]; readonly scalars: readonly (Scalar | undefined)[] }

const refuseMixed = (node: Operator, [left, right]: readonly [Operand, Operand], { types, scalars }: Sides, { site }: Reading): void => {
  const [a, b] = types
  if (a === undefined || b === undefined || scalars[0] === undefined || scalars[1] === undefined || scalars[0] === scalars[1]) return
  const at = left.node.op === 'value' ? right.node : left.node
  site.add(
    at,
    'type.mismatch',
    `"${node.op}" needs both sides alike; ${textOf(left.node)} is ${describeType(a)} and ${textOf(right.node)} is ${describeType(b)}`,
  )
}

const inferPlus = (node: Operator, sides: readonly [Operand, Operand], reading: Reading): Type => {
  const types = sides.map(({ type, node: side }) => needValue(type, side, reading))
  const [a, b] = types
  if (a === undefined || b === undefined) return ANY
  if (a.kind === 'list' && b.kind === 'list') return join(withoutMax(a), withoutMax(b))
  const scalars = types.map((type) => scalarOf(type))
  const odd = types.findIndex(
    (type, index) => isKnown(type) && (type.kind === 'list' ? otherIsScalar(types, index) : !isAddable(scalars[index])),
  )
  const side = sides[odd]
  if (side !== undefined) {
    reading.site.add(
      side.node,
      'type.mismatch',
      `"+" cannot add ${textOf(side.node)}, which is ${describeType(types[odd] ?? ANY)}`,
      textFix(side),
    )
    return ANY
  }
  const [left, right] = scalars
  if (left !== undefined && right !== undefined && left !== right) {
    const number = sides[left === 'number' ? 0 : 1]
    const fix = left === 'string' || right === 'string' ? `string(${textOf((number ?? sides[0]).node)})` : undefined
    const at = sides[left === 'number' ? 0 : 1] ?? sides[0]
    reading.site.add(
      at.node,
      'type.mismatch',
      `"+" needs both sides alike; ${textOf(sides[0].node)} is ${describeType(a)} and ${textOf(sides[1].node)} is ${describeType(b)}`,
      fix,
    )
    return ANY
  }
  if (left === 'string' || right === 'string') return STRING
  return left === 'number' || right === 'number' ? numberOf(types) : ANY
}

const withoutMax = (type: Extract<Type, { kind: 'list' }>): Type => (type.max === 0 ? type : { kind: 'list', of: type.of })
const isAddable = (scalar: Scalar | undefined): boolean => scalar === 'number' || scalar === 'string'
const otherIsScalar = (types: readonly Type[], index: number): boolean => {
  const other = types[1 - index]
  return other !== undefined && isKnown(other) && other.kind !== 'list'
}
const textFix = ({ node, type }: Operand): string | undefined => (scalarOf(type) === 'boolean' ? `string(${textOf(node)})` : undefined)

const inferArithmetic = (node: Operator, sides: readonly [Operand, Operand], reading: Reading): Type => {
  for (const side of sides) needScalar(side.type, 'number', { node: side.node, reading, what: `"${node.op}"` })
  // A time less a time is a duration, which has no type here.
  if (sides.every(({ type }) => scalarOf(type) === undefined)) return ANY
  return node.op === '/' ? NUMBER : numberOf(sides.map(({ type }) => type))
}

const numberOf = (types: readonly Type[]): Type =>
  types.every((type) => type.kind === 'integer' || (type.kind === 'enum' && type.values.every((value) => Number.isInteger(value))))
    ? INTEGER
    : NUMBER
