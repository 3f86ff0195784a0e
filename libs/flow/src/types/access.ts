// Fields and items: what is there, and what may not be.
import type { ASTNode } from '@marcbachmann/cel-js'
import { nearest } from '../diagnostic.ts'
import { isPresent, pathOf } from './facts.ts'
import { needScalar, needValue, textOf, type Reading } from './site.ts'
import { ANY, BOOLEAN, describeType, isKnown, present, type Type } from './type.ts'

type FieldNode = Extract<ASTNode, { op: '.' }>
type IndexNode = Extract<ASTNode, { op: '[]' }>
type CallNode = Extract<ASTNode, { op: 'call' }>

/** `a.b` */
export const inferField = (node: FieldNode, reading: Reading): Type => {
  const [receiver, key] = node.args
  return fieldOf(node, { receiver, key, keyAt: node.pos, type: needValue(reading.infer(receiver, reading), receiver, reading) }, reading)
}

/** `a["b"]`, `a[0]`, `a[i]` */
export const inferIndex = (node: IndexNode, reading: Reading): Type => {
  const [receiver, index] = node.args
  const type = needValue(reading.infer(receiver, reading), receiver, reading)
  if (index.op === 'value' && typeof index.args === 'string' && type.kind !== 'list')
    return fieldOf(node, { receiver, key: index.args, keyAt: index.start, type }, reading)
  const key = reading.infer(index, reading)
  if (type.kind === 'list') {
    needScalar(key, 'number', { node: index, reading, what: 'the place in a list' })
    return type.max === 0 ? ANY : type.of
  }
  if (type.kind === 'map') return type.of
  if (type.kind !== 'object') refuseAccess(node, receiver, type, reading)
  else needScalar(key, 'string', { node: index, reading, what: 'the name of a field' })
  return ANY
}

type Access = { readonly receiver: ASTNode; readonly key: string; readonly keyAt: number; readonly type: Type }

const fieldOf = (node: ASTNode, access: Access, reading: Reading): Type => {
  const { receiver, key, type } = access
  if (type.kind === 'map') return type.of
  if (type.kind !== 'object') {
    refuseAccess(node, receiver, type, reading)
    return ANY
  }
  const field = type.fields.get(key)
  if (field === undefined) {
    if (!type.open) refuseField(access, [...type.fields.keys()], reading)
    return ANY
  }
  if (field.absent !== undefined && !isPresent(reading.facts, node)) {
    reading.site.add(
      node,
      'type.nullable',
      `${textOf(node)} may be missing: the schema does not require it`,
      `has(${textOf(node)}) ? ${textOf(node)} : null`,
    )
  }
  return present(field)
}

const refuseField = ({ receiver, key, keyAt }: Access, names: readonly string[], { site, locals }: Reading): void => {
  if (receiver.op === 'id' && !locals.has(receiver.args) && site.isReported(receiver.args, key)) return
  const object = textOf(receiver)
  const near = nearest(key, names)
  const meant = near === undefined ? '' : `; did you mean "${object}.${near}"?`
  const known = near === undefined && names.length > 0 ? `; it has ${names.slice(0, 8).join(', ')}` : ''
  site.add(
    keyAt,
    'type.unknown_field',
    `${object} has no field "${key}"${meant}${known}`,
    near === undefined ? undefined : `${object}.${near}`,
  )
}

const refuseAccess = (node: ASTNode, receiver: ASTNode, type: Type, { site }: Reading): void => {
  if (!isKnown(type)) return
  const list = type.kind === 'list'
  const key = node.op === '.' ? `.${node.args[1]}` : ''
  site.add(
    receiver,
    'type.mismatch',
    `${textOf(receiver)} is ${describeType(type)} and has no fields`,
    list ? `${textOf(receiver)}[0]${key}, or ${textOf(receiver)}.map(x, x${key})` : undefined,
  )
}

/** `has(a.b)`: the last field may be missing, and what it is of may be null; a field that can never be there is a mistake. */
export const inferHas = (node: CallNode, reading: Reading): Type => {
  const [field] = node.args[1]
  if (field?.op !== '.') return BOOLEAN
  const [receiver, key] = field.args
  const type = reading.infer(receiver, reading)
  if (type.kind === 'object' && !type.open && !type.fields.has(key))
    refuseField({ receiver, key, keyAt: field.pos, type }, [...type.fields.keys()], reading)
  else if (isKnown(type) && type.kind !== 'object' && type.kind !== 'map' && type.kind !== 'null' && pathOf(receiver) !== undefined)
    refuseAccess(field, receiver, type, reading)
  return BOOLEAN
}
