// Comparison, membership and arithmetic.
import type { ASTNode } from '@marcbachmann/cel-js'
import { nearest } from '../diagnostic.ts'
import { isNull } from './facts.ts'
import { needScalar, needValue, textOf, type Reading } from './site.ts'
import {
  ANY,
  BOOLEAN,
  describeType,
  INTEGER,
  isKnown,
  join,
  listOf,
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
  const [leftNode, rightNode] = node.args
  const left = { node: leftNode, type: reading.infer(leftNode, reading) }
  const right = { node: rightNode, type: reading.infer(rightNode, reading) }
  switch (node.op) {
    case '==':
    case '!=':
      if (!isNull(leftNode) && !isNull(rightNode)) checkEqual(left, right, reading)
      return BOOLEAN
    case 'in':
      checkMember(left, right, reading)
      return BOOLEAN
    case '+':
      return inferPlus(left, right, reading)
    case '-':
    case '*':
    case '/':
    case '%':
      return inferArithmetic(node, [left, right], reading)
    default:
      checkOrder(node, [left, right], reading)
      return BOOLEAN
  }
}

const checkEqual = (left: Operand, right: Operand, reading: Reading): void => {
  const [a, b] = [notNull(left.type), notNull(right.type)]
  if (!isKnown(a) || !isKnown(b) || a.kind === 'null' || b.kind === 'null') return
  if (a.kind === 'enum' && b.kind === 'enum' && scalarOf(a) === scalarOf(b)) {
    if (!a.values.some((value) => b.values.includes(value))) refuseEnums({ ...left, type: a }, { ...right, type: b }, reading)
  } else if (!isAlike(a, b)) {
    reading.site.add(
      right.node.op === 'value' ? right.node : left.node,
      'type.mismatch',
      `${textOf(left.node)} is ${describeType(a)} and ${textOf(right.node)} is ${describeType(b)}; they are never equal`,
    )
  }
}

type EnumOperand = { readonly node: ASTNode; readonly type: Extract<Type, { kind: 'enum' }> }

const refuseEnums = (left: EnumOperand, right: EnumOperand, reading: Reading): void => {
  if (left.node.op === 'value' && right.node.op === 'value') return
  if (right.node.op === 'value') refuseValue(left, right, reading)
  else if (left.node.op === 'value') refuseValue(right, left, reading)
  else {
    const message = `${textOf(left.node)} is ${describeType(left.type)}, and never ${wordsOf(right.type.values)}`
    reading.site.add(left.node, 'type.enum_value', message)
  }
}

const isAlike = (a: Type, b: Type): boolean => {
  const scalar = scalarOf(a)
  if (scalar !== undefined || scalarOf(b) !== undefined) return scalar === scalarOf(b)
  return (a.kind === 'list') === (b.kind === 'list')
}

/** A value that is none of an enum's. */
const refuseValue = (subject: EnumOperand, { node, type }: EnumOperand, { site }: Reading): void => {
  const [value] = type.values
  const near = nearest(String(value), subject.type.values.map(String))
  const quoted = near === undefined || typeof value !== 'string' ? near : JSON.stringify(near)
  const meant = quoted === undefined ? '' : `; did you mean ${quoted}?`
  const message = `${textOf(subject.node)} is never ${JSON.stringify(value)}; it is one of ${wordsOf(subject.type.values)}${meant}`
  site.add(node, 'type.enum_value', message, quoted)
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

const inferPlus = (left: Operand, right: Operand, reading: Reading): Type => {
  const a = needValue(left.type, left.node, reading)
  const b = needValue(right.type, right.node, reading)
  if (a.kind === 'list' && b.kind === 'list') return join(withoutMax(a), withoutMax(b))
  for (const [side, type, other] of [
    [left, a, b],
    [right, b, a],
  ] as const) {
    if (!isKnown(type) || isAddable(type, other)) continue
    reading.site.add(side.node, 'type.mismatch', `"+" cannot add ${textOf(side.node)}, which is ${describeType(type)}`, textFix(side))
    return ANY
  }
  const scalars = [scalarOf(a), scalarOf(b)].filter((scalar) => scalar !== undefined)
  if (scalars.includes('string') && scalars.includes('number')) {
    const number = scalars[0] === 'number' ? left : right
    reading.site.add(
      number.node,
      'type.mismatch',
      `"+" needs both sides alike; ${textOf(left.node)} is ${describeType(a)} and ${textOf(right.node)} is ${describeType(b)}`,
      `string(${textOf(number.node)})`,
    )
    return ANY
  }
  if (scalars.includes('string')) return STRING
  return scalars.includes('number') ? numberOf([a, b]) : ANY
}

const withoutMax = (type: Extract<Type, { kind: 'list' }>): Type => (type.max === 0 ? type : listOf(type.of))

const isAddable = (type: Type, other: Type): boolean => {
  if (type.kind === 'list') return !isKnown(other)
  const scalar = scalarOf(type)
  return scalar === 'number' || scalar === 'string'
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
