// Functions and methods: those of the library whose types are known, and the macros that go over a list.
import type { ASTNode } from '@marcbachmann/cel-js'
import { without } from './facts.ts'
import { infer } from './infer.ts'
import { needScalar, needValue, textOf, type Reading } from './site.ts'
import { ANY, BOOLEAN, describeType, INTEGER, isKnown, listOf, NUMBER, scalarOf, STRING, type Scalar, type Type } from './type.ts'

type CallNode = Extract<ASTNode, { op: 'call' }>
type MethodNode = Extract<ASTNode, { op: 'rcall' }>

/** What may be converted into what. */
const CONVERSIONS: Readonly<Record<string, { readonly from: readonly Scalar[]; readonly to: Type }>> = {
  string: { from: ['string', 'number', 'boolean'], to: STRING },
  int: { from: ['number', 'string'], to: INTEGER },
  double: { from: ['number', 'string'], to: NUMBER },
  uint: { from: ['number', 'string'], to: INTEGER },
  bool: { from: ['boolean', 'string'], to: BOOLEAN },
  timestamp: { from: ['string'], to: ANY },
  duration: { from: ['string'], to: ANY },
}

/** `size(x)`, `string(x)`, … */
export const inferCall = (node: CallNode, reading: Reading): Type => {
  const [name, args] = node.args
  const types = args.map((argument) => infer(argument, reading))
  const [argument] = args
  const [type] = types
  if (argument === undefined || type === undefined) return ANY
  if (name === 'size') return sizeOf(needValue(type, argument, reading), argument, reading)
  if (name === 'type') return ANY
  const conversion = Object.hasOwn(CONVERSIONS, name) ? CONVERSIONS[name] : undefined
  if (conversion === undefined) return name === 'dyn' ? type : ANY
  const value = needValue(type, argument, reading)
  const scalar = scalarOf(value)
  if (isKnown(value) && (scalar === undefined || !conversion.from.includes(scalar)))
    reading.site.add(argument, 'type.mismatch', `${name}() cannot convert ${textOf(argument)}, which is ${describeType(value)}`)
  return conversion.to
}

const sizeOf = (type: Type, node: ASTNode, { site }: Reading): Type => {
  const sized = type.kind === 'list' || type.kind === 'map' || type.kind === 'object' || scalarOf(type) === 'string'
  if (isKnown(type) && !sized)
    site.add(node, 'type.mismatch', `size() needs text, a list or an object; ${textOf(node)} is ${describeType(type)}`)
  return INTEGER
}

type Method = { readonly of: 'string' | 'list'; readonly args: readonly Scalar[]; readonly returns: Type }
const ofText = (returns: Type, ...args: readonly Scalar[]): Method => ({ of: 'string', args, returns })
const METHODS: Readonly<Record<string, Method>> = {
  startsWith: ofText(BOOLEAN, 'string'),
  endsWith: ofText(BOOLEAN, 'string'),
  contains: ofText(BOOLEAN, 'string'),
  matches: ofText(BOOLEAN, 'string'),
  lowerAscii: ofText(STRING),
  upperAscii: ofText(STRING),
  trim: ofText(STRING),
  indexOf: ofText(INTEGER, 'string', 'number'),
  lastIndexOf: ofText(INTEGER, 'string', 'number'),
  substring: ofText(STRING, 'number', 'number'),
  split: ofText(listOf(STRING), 'string', 'number'),
  join: { of: 'list', args: ['string'], returns: STRING },
}
const COMPREHENSIONS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter', 'map'])

/** `a.contains(b)`, `a.size()`, `a.filter(x, …)`, … */
export const inferMethod = (node: MethodNode, reading: Reading): Type => {
  const [name, receiver, args] = node.args
  const [variable, ...bodies] = args
  if (variable?.op === 'id' && bodies.length > 0) {
    if (COMPREHENSIONS.has(name)) return inferComprehension(node, { variable: variable.args, bodies }, reading)
    if (name === 'bind' && receiver.op === 'id' && receiver.args === 'cel') return inferBind(variable.args, bodies, reading)
  }
  const type = infer(receiver, reading)
  const types = args.map((argument) => infer(argument, reading))
  if (name === 'size' && args.length === 0) return sizeOf(needValue(type, receiver, reading), receiver, reading)
  const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined
  if (method === undefined) return ANY
  const value = needValue(type, receiver, reading)
  const fits = method.of === 'list' ? value.kind === 'list' : scalarOf(value) === 'string'
  if (isKnown(value) && !fits) refuseMethod(node, value, { method, reading })
  for (const [index, wanted] of method.args.entries()) {
    const argument = args[index]
    if (argument !== undefined) needScalar(types[index] ?? ANY, wanted, { node: argument, reading, what: `${name}()` })
  }
  return method.returns
}

const refuseMethod = (node: MethodNode, value: Type, { method, reading }: { readonly method: Method; readonly reading: Reading }): void => {
  const [name, receiver, [first]] = node.args
  const member = name === 'contains' && value.kind === 'list' && first !== undefined
  reading.site.add(
    receiver,
    'type.mismatch',
    `${name}() is for ${method.of === 'list' ? 'lists' : 'text'}; ${textOf(receiver)} is ${describeType(value)}`,
    member ? `${textOf(first)} in ${textOf(receiver)}` : undefined,
  )
}

const inferBind = (variable: string, [value, body]: readonly ASTNode[], reading: Reading): Type => {
  if (value === undefined || body === undefined) return ANY
  const type = infer(value, reading)
  return infer(body, { ...reading, locals: new Map([...reading.locals, [variable, type]]), facts: without(reading.facts, variable) })
}

/** Items a list has at most: as declared; undeclared as many as nested comprehensions may go over; of unknown things a few. */
const UNDECLARED_ITEMS = 1_000
const UNKNOWN_ITEMS = 100

const itemsOf = (range: Type): { readonly item: Type; readonly items: number } => {
  if (range.kind === 'list') return { item: range.max === 0 ? ANY : range.of, items: range.max ?? UNDECLARED_ITEMS }
  if (range.kind === 'object') return { item: STRING, items: range.open ? UNKNOWN_ITEMS : range.fields.size }
  return { item: range.kind === 'map' ? STRING : ANY, items: UNKNOWN_ITEMS }
}

type Binding = { readonly variable: string; readonly bodies: readonly ASTNode[] }

const inferComprehension = (node: MethodNode, { variable, bodies }: Binding, reading: Reading): Type => {
  const [name, receiver] = node.args
  const { site } = reading
  const range = needValue(infer(receiver, reading), receiver, reading)
  if (isKnown(range) && range.kind !== 'list' && range.kind !== 'map' && range.kind !== 'object')
    site.add(receiver, 'type.mismatch', `${name}() goes over a list; ${textOf(receiver)} is ${describeType(range)}`)
  const { item, items } = itemsOf(range)
  const times = reading.times * Math.max(1, items)
  const inner: Reading = {
    ...reading,
    times,
    locals: new Map([...reading.locals, [variable, item]]),
    facts: without(reading.facts, variable),
  }
  const results = bodies.map((body, index) => {
    const type = infer(body, inner)
    const predicate = name !== 'map' || index < bodies.length - 1
    if (predicate) needScalar(type, 'boolean', { node: body, reading: inner, what: `${name}()` })
    return type
  })
  if (times > site.spend.times) Object.assign(site.spend, { times, at: node })
  if (name === 'map') return listOf(results.at(-1) ?? ANY, range.kind === 'list' ? range.max : undefined)
  return name === 'filter' ? listOf(item, range.kind === 'list' && range.max !== 0 ? range.max : undefined) : BOOLEAN
}
