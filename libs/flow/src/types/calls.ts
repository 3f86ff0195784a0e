// Functions and methods: those of the library whose types are known, and the macros that go over a list.
import type { ASTNode } from '@marcbachmann/cel-js'
import { narrow, union, without, type Facts } from './facts.ts'
import { needScalar, needValue, textOf, type Reading } from './site.ts'
import {
  ANY,
  BOOLEAN,
  describeType,
  INTEGER,
  isKnown,
  listOf,
  notNull,
  NUMBER,
  present,
  scalarOf,
  STRING,
  type Scalar,
  type Type,
} from './type.ts'

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
  const types = args.map((argument) => reading.infer(argument, reading))
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
  const binding = bindingOf(node)
  if (binding === undefined) return inferPlainMethod(node, reading)
  return COMPREHENSIONS.has(node.args[0]) ? inferComprehension(node, binding, reading) : inferBind(binding, reading)
}

/** The variable of a comprehension or of `cel.bind`; undefined for what is neither. */
const bindingOf = ({ args: [name, receiver, args] }: MethodNode): Binding | undefined => {
  const [variable, ...bodies] = args
  const binds = COMPREHENSIONS.has(name) || (name === 'bind' && receiver.op === 'id' && receiver.args === 'cel')
  return variable?.op === 'id' && bodies.length > 0 && binds ? { variable: variable.args, bodies } : undefined
}

const inferPlainMethod = (node: MethodNode, reading: Reading): Type => {
  const [name, receiver, args] = node.args
  const type = reading.infer(receiver, reading)
  if (name === 'size' && args.length === 0) return sizeOf(needValue(type, receiver, reading), receiver, reading)
  const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined
  if (method === undefined) {
    for (const argument of args) reading.infer(argument, reading)
    return ANY
  }
  const value = needValue(type, receiver, reading)
  const fits = !isKnown(value) || (method.of === 'list' ? value.kind === 'list' : scalarOf(value) === 'string')
  if (!fits) refuseMethod(node, value, { method, reading })
  checkArguments(name, args, { fits, wanted: method.args, reading })
  return method.returns
}

type Arguments = { readonly fits: boolean; readonly wanted: readonly Scalar[]; readonly reading: Reading }

const checkArguments = (name: string, args: readonly ASTNode[], { fits, wanted, reading }: Arguments): void => {
  for (const [index, argument] of args.entries()) {
    const type = reading.infer(argument, reading)
    const scalar = wanted[index]
    // A method of something else is one mistake; its arguments may fit what was meant.
    if (scalar !== undefined && fits) needScalar(type, scalar, { node: argument, reading, what: `${name}()` })
  }
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

const inferBind = ({ variable, bodies: [value, body] }: Binding, reading: Reading): Type => {
  if (value === undefined || body === undefined) return ANY
  const type = reading.infer(value, reading)
  return reading.infer(body, {
    ...reading,
    locals: new Map([...reading.locals, [variable, type]]),
    facts: without(reading.facts, variable),
  })
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
  const range = needValue(reading.infer(receiver, reading), receiver, reading)
  if (isKnown(range) && !isRange(range))
    site.add(receiver, 'type.mismatch', `${name}() goes over a list; ${textOf(receiver)} is ${describeType(range)}`)
  const { item, items } = itemsOf(range)
  const times = reading.times * Math.max(1, items)
  const max = range.kind === 'list' && range.max !== 0 ? range.max : undefined
  let inner: Reading = {
    ...reading,
    times,
    locals: new Map([...reading.locals, [variable, item]]),
    facts: without(reading.facts, variable),
  }
  let result: Type = ANY
  for (const [index, body] of bodies.entries()) {
    result = reading.infer(body, inner)
    if (name === 'map' && index === bodies.length - 1) break
    needScalar(result, 'boolean', { node: body, reading: inner, what: `${name}()` })
    inner = { ...inner, facts: union(inner.facts, narrow(body, true)) }
  }
  if (times > site.spend.times) Object.assign(site.spend, { times, at: node })
  if (name === 'map') return listOf(result, max)
  return name === 'filter' ? listOf(refined(item, variable, inner.facts), max) : BOOLEAN
}

const isRange = ({ kind }: Type): boolean => kind === 'list' || kind === 'map' || kind === 'object'

/** The type of an item that passed a filter. */
const refined = (item: Type, variable: string, facts: Facts): Type => {
  const type = facts.has(`!${variable}`) ? notNull(item) : item
  if (type.kind !== 'object') return type
  const fields = [...type.fields].map(([name, field]): readonly [string, Type] => {
    if (facts.has(`!${variable}.${name}`)) return [name, notNull(field)]
    return [name, facts.has(`?${variable}.${name}`) ? present(field) : field]
  })
  return { ...type, fields: new Map(fields) }
}
