// What a value may be: a small lattice over JSON, with what may be null or missing. Unknown is `any`, and nothing is said about it.
import type { JsonScalar } from './scalar.ts'

/** Why a value may be null; where `unless` holds, it is not. */
export type Nullable = { readonly why: string; readonly unless?: string }

type Shape =
  | { readonly kind: 'any' | 'null' | 'boolean' | 'number' | 'integer' | 'string' }
  | { readonly kind: 'enum'; readonly values: readonly JsonScalar[] }
  | { readonly kind: 'list'; readonly of: Type; readonly max?: number }
  | { readonly kind: 'map'; readonly of: Type }
  | { readonly kind: 'object'; readonly fields: ReadonlyMap<string, Type>; readonly open: boolean }

export type Type = Shape & {
  readonly nullable?: Nullable
  /** A field that may not be there at all; reading it then fails. */
  readonly absent?: true
}
export type ObjectType = Extract<Type, { kind: 'object' }>

export const ANY: Type = { kind: 'any' }
export const NULL: Type = { kind: 'null' }
export const BOOLEAN: Type = { kind: 'boolean' }
export const NUMBER: Type = { kind: 'number' }
export const INTEGER: Type = { kind: 'integer' }
export const STRING: Type = { kind: 'string' }

export const listOf = (of: Type, max?: number): Type => ({ kind: 'list', of, ...(max === undefined ? {} : { max }) })

export const objectOf = (fields: Readonly<Record<string, Type>>, open = false): Type => ({
  kind: 'object',
  fields: new Map(Object.entries(fields)),
  open,
})

/** The type and null. */
export const orNull = (type: Type, nullable: Nullable): Type =>
  type.kind === 'any' || type.kind === 'null' || (type.nullable !== undefined && type.nullable.unless === undefined)
    ? type
    : { ...type, nullable: type.nullable === undefined ? nullable : { why: type.nullable.why } }

/** Null, and why. */
export const nullFor = (why: string): Type => ({ kind: 'null', nullable: { why } })

/** The type without null and without being missing. */
export const notNull = (type: Type): Type => {
  if (type.nullable === undefined && type.absent === undefined) return type
  const { nullable: _nullable, absent: _absent, ...rest } = type
  return rest
}

/** The type as it is once it is there. */
export const present = (type: Type): Type => {
  if (type.absent === undefined) return type
  const { absent: _absent, ...rest } = type
  return rest
}

/** A step's output as later steps see it: objects say who made them. */
export const withMaker = (type: Type): Type =>
  type.kind === 'object' ? { ...type, fields: new Map([...type.fields, ['by', STRING] as const]) } : type

/** The type with a field that it has beside its own. */
export const withField = (type: Type, name: string, field: Type): Type =>
  type.kind === 'object' && !type.fields.has(name) ? { ...type, fields: new Map([...type.fields, [name, field] as const]) } : type

/** What either may be. */
export const join = (a: Type, b: Type): Type => {
  if (a === b) return a
  if (a.kind === 'null') return orNull(b, a.nullable ?? { why: 'it may be null' })
  if (b.kind === 'null') return orNull(a, b.nullable ?? { why: 'it may be null' })
  const joined = joinShapes(notNull(a), notNull(b))
  const nullable = joined.kind === 'any' ? undefined : (a.nullable ?? b.nullable)
  const there = a.absent === undefined && b.absent === undefined
  return { ...joined, ...(nullable === undefined ? {} : { nullable: { why: nullable.why } }), ...(there ? {} : { absent: true as const }) }
}

/** What any of them may be; null of none. */
export const joinAll = (types: readonly Type[]): Type => (types.length === 0 ? NULL : types.reduce(join))

const joinShapes = (a: Type, b: Type): Type => {
  if (a.kind === 'list' && b.kind === 'list') return joinLists(a, b)
  if (a.kind === 'map' && b.kind === 'map') return { kind: 'map', of: join(a.of, b.of) }
  if (a.kind === 'object' && b.kind === 'object') return joinObjects(a, b)
  if (a.kind === 'enum' && b.kind === 'enum') return { kind: 'enum', values: [...new Set([...a.values, ...b.values])] }
  const scalar = scalarOf(a)
  if (scalar === undefined || scalar !== scalarOf(b)) return ANY
  return a.kind === b.kind ? a : { kind: scalar }
}

type ListType = Extract<Type, { kind: 'list' }>
const joinLists = (a: ListType, b: ListType): Type => {
  // The empty list has items of type null; it says nothing about the other's.
  const of = a.max === 0 ? b.of : b.max === 0 ? a.of : join(a.of, b.of)
  return a.max === undefined || b.max === undefined ? { kind: 'list', of } : { kind: 'list', of, max: Math.max(a.max, b.max) }
}

const joinObjects = (a: ObjectType, b: ObjectType): Type => {
  const fields = new Map<string, Type>()
  for (const name of new Set([...a.fields.keys(), ...b.fields.keys()])) {
    const left = a.fields.get(name)
    const right = b.fields.get(name)
    if (left !== undefined && right !== undefined) fields.set(name, join(left, right))
    else if (left === undefined ? a.open : b.open) fields.set(name, ANY)
    else fields.set(name, { ...(left ?? right ?? ANY), absent: true })
  }
  return { kind: 'object', fields, open: a.open || b.open }
}

export type Scalar = 'boolean' | 'number' | 'string'

/** The type of a scalar without its values; undefined for what is none, or mixed. */
export const scalarOf = (type: Type): Scalar | undefined => {
  switch (type.kind) {
    case 'boolean':
    case 'number':
    case 'string':
      return type.kind
    case 'integer':
      return 'number'
    case 'enum':
      return commonScalar(type.values)
    default:
      return undefined
  }
}

const commonScalar = (values: readonly JsonScalar[]): Scalar | undefined => {
  const [first, ...rest] = values.map((value) => typeof value)
  return first !== undefined && rest.every((kind) => kind === first) && isScalarName(first) ? first : undefined
}

const isScalarName = (name: string): name is Scalar => name === 'boolean' || name === 'number' || name === 'string'

/** Whether something is known about what it is. */
export const isKnown = (type: Type): boolean => type.kind !== 'any' && !(type.kind === 'enum' && scalarOf(type) === undefined)

const WORDS: Readonly<Record<Exclude<Type['kind'], 'enum' | 'list'>, string>> = {
  any: 'anything',
  null: 'null',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  string: 'text',
  map: 'an object',
  object: 'an object',
}

/** The type in words for a message. */
export const describeType = (type: Type): string => {
  if (type.kind === 'enum') return describeEnum(type)
  if (type.kind !== 'list') return WORDS[type.kind]
  return type.of.kind === 'any' || type.max === 0 ? 'a list' : `a list (of ${describeType(notNull(type.of))})`
}

/** One value stands for its kind. */
const describeEnum = (type: Extract<Type, { kind: 'enum' }>): string => {
  const scalar = type.values.length === 1 ? scalarOf(type) : undefined
  return scalar === undefined ? `one of ${wordsOf(type.values)}` : describeType({ kind: scalar })
}

/** Values as a message lists them. */
export const wordsOf = (values: readonly JsonScalar[]): string =>
  values.map((value) => (typeof value === 'string' ? value : String(value))).join(', ')

/** A literal stands for its kind: another run may have another. */
export const widened = (type: Type): Type => {
  switch (type.kind) {
    case 'enum':
      return typeof type.values[0] === 'string' ? STRING : typeof type.values[0] === 'number' ? NUMBER : BOOLEAN
    case 'list':
      return listOf(widened(type.of), type.max)
    case 'object':
      return { ...type, fields: new Map([...type.fields].map(([key, field]) => [key, widened(field)])) }
    default:
      return type
  }
}
