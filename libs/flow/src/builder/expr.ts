// Expressions as typed values. A reference is a path that knows what stands at its end; helpers put references together.
//   E1. What an expression is typed as is what its CEL gives; a value that may be null or missing never passes as one that is there.
//   E2. The text of an expression has no more parentheses than its meaning needs, so that it reads like one written by hand.
import type { Json } from '@baton/contracts/json'

/** Where an expression keeps its CEL text. */
const CEL: unique symbol = Symbol.for('baton.cel')
declare const TYPE: unique symbol

/** A CEL expression that gives a `T`. */
export interface Expr<out T> {
  readonly [CEL]: { readonly text: string; readonly rank: number }
  readonly [TYPE]: T
}

/** A reference to a value of which nothing is declared: it has every field, and fits everywhere. */
export interface Dynamic extends Expr<never> {
  readonly [field: string]: Dynamic
}

declare const ANYTHING: unique symbol
/** The type of a value of which nothing is declared. */
export interface Anything {
  readonly [ANYTHING]: true
}
type IsOpen<T> = unknown extends T ? true : [T] extends [never] ? true : [Extract<T, Anything>] extends [never] ? false : true

/** A reference to a `T`: an expression with the fields of `T`. A value that may be null or missing has no fields before that is dealt with (E1). */
export type Ref<T> = unknown extends T
  ? Dynamic
  : null extends T
    ? Expr<T>
    : undefined extends T
      ? Expr<T>
      : IsOpen<T> extends true
        ? Dynamic
        : Expr<T> & ([T] extends [readonly unknown[]] ? unknown : [T] extends [object] ? { readonly [K in keyof T]-?: Ref<T[K]> } : unknown)

/** `T`, without letting anything be inferred from where it is asked for. */
export type Held<T> = [T][T extends unknown ? 0 : never]
/** A value written down or computed. */
export type Operand<T> = IsOpen<T> extends true ? Json | Expr<unknown> : T | Expr<T>
/** True, false, or an expression that says which. */
export type Condition = Expr<boolean>

/** How tightly the operators of CEL bind. */
const RANK = { ternary: 1, or: 2, and: 3, compare: 4, add: 5, multiply: 6, unary: 7, atom: 9 } as const

const isExpr = (value: unknown): value is Expr<unknown> => typeof value === 'object' && value !== null && CEL in value

/** An expression from its text. The caller says what it gives: CEL itself is checked by the compiler. */
const make = <T>(text: string, rank: number): Expr<T> =>
  ({ [CEL]: { text, rank }, [Symbol.toPrimitive]: () => refuse(text) }) as unknown as Expr<T> // TYPE is never there at run time

/** In a template string an expression would silently become something else. */
const refuse = (text: string): never => {
  throw new TypeError(
    `${text} has no value before the flow runs: a prompt names it as {{ ${text} }}, an expression is put together with cel\`…\``,
  )
}

/** The text of a literal in CEL, which takes JSON as it is. */
const literal = (value: unknown): Expr<unknown> =>
  make(JSON.stringify(value), typeof value === 'number' && value < 0 ? RANK.unary : RANK.atom)
const exprOf = (value: unknown): Expr<unknown> => (isExpr(value) ? value : isContainer(value) ? container(value) : literal(value))
const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null
const container = (value: object): Expr<unknown> =>
  make(
    Array.isArray(value)
      ? `[${value.map((item) => celOf(item)).join(', ')}]`
      : `{${Object.entries(value)
          .map(([key, item]) => `${JSON.stringify(key)}: ${celOf(item)}`)
          .join(', ')}}`,
    RANK.atom,
  )

/** The CEL of an operand, in parentheses where it binds more loosely than its place asks for (E2). */
const celOf = (value: unknown, rank = 0): string => {
  const { text, rank: own } = exprOf(value)[CEL]
  return own < rank ? `(${text})` : text
}

/** The CEL text of an expression. */
export const textOf = (expr: Expr<unknown>): string => expr[CEL].text

const FIELD = /^[A-Za-z_]\w*$/

/** A reference by its path. Every field of it is a reference; the types say which there are. */
export const reference = (text: string): Dynamic => {
  const known = new Map<string, Dynamic>()
  const target = { [CEL]: { text, rank: RANK.atom }, [Symbol.toPrimitive]: () => refuse(text) }
  return new Proxy(target, {
    get: (own, key) => {
      if (typeof key === 'symbol') return Reflect.get(own, key)
      const field = known.get(key) ?? reference(FIELD.test(key) ? `${text}.${key}` : `${text}[${JSON.stringify(key)}]`)
      known.set(key, field)
      return field
    },
  }) as unknown as Dynamic // a proxy has the fields it answers for
}

/** A field of a value of which nothing is declared, for programs that read fields of such values as perhaps missing. */
export const field = (of: Dynamic, name: string): Dynamic => of[name] ?? of

const compare =
  (operator: string) =>
  <T>(left: Expr<T>, right: Operand<Held<T>>): Condition =>
    make(`${celOf(left, RANK.compare + 1)} ${operator} ${celOf(right, RANK.compare + 1)}`, RANK.compare)
type Ordered = number | string
const order =
  (operator: string) =>
  <T extends Ordered>(left: Expr<T>, right: Operand<[T] extends [never] ? never : [T] extends [number] ? number : string>): Condition =>
    make(`${celOf(left, RANK.compare + 1)} ${operator} ${celOf(right, RANK.compare + 1)}`, RANK.compare)

/** `left == right`. The right side must be a value the left can have. */
export const eq = compare('==')
/** `left != right`. */
export const ne = compare('!=')
/** `left < right`. */
export const lt = order('<')
/** `left <= right`. */
export const lte = order('<=')
/** `left > right`. */
export const gt = order('>')
/** `left >= right`. */
export const gte = order('>=')

/** All of the conditions. */
export const and = (...all: readonly [Condition, ...Condition[]]): Condition =>
  make(all.map((one) => celOf(one, RANK.and)).join(' && '), all.length === 1 ? RANK.unary : RANK.and)
/** At least one of the conditions. */
export const or = (...all: readonly [Condition, ...Condition[]]): Condition =>
  make(all.map((one) => celOf(one, RANK.or)).join(' || '), all.length === 1 ? RANK.unary : RANK.or)
/** Not the condition. */
export const not = (one: Condition): Condition => make(`!${celOf(one, RANK.unary + 1)}`, RANK.unary)
/** Whether an optional field is there. */
export const has = (field: Expr<unknown>): Condition => make(`has(${celOf(field)})`, RANK.atom)
/** Whether a value is null, as the output of a step that was skipped. */
export const isNull = (value: Expr<unknown>): Condition => make(`${celOf(value, RANK.compare + 1)} == null`, RANK.compare)
/** Whether a value is not null. */
export const isPresent = (value: Expr<unknown>): Condition => make(`${celOf(value, RANK.compare + 1)} != null`, RANK.compare)

/** One of two values. */
export const choose = <T>(condition: Condition, then: Operand<T>, otherwise: Operand<T>): Expr<T> =>
  make(`${celOf(condition, RANK.or)} ? ${celOf(then, RANK.or)} : ${celOf(otherwise, RANK.ternary)}`, RANK.ternary)

type Present<T> = Exclude<T, null | undefined>
/** The value of a step that may have been skipped, or another instead of null. */
export const orElse = <T>(value: Expr<T>, otherwise: Operand<Present<Held<T>>>): Ref<Present<T>> => {
  const text = celOf(value, RANK.compare + 1)
  const there = textOf(value).includes('.') ? `has(${text}) && ${text} != null` : `${text} != null`
  return fields(make(`${there} ? ${text} : ${celOf(otherwise, RANK.ternary)}`, RANK.ternary))
}
/** What `use` makes of a value that may be null, or `otherwise` (null where it is left out). */
export const whenPresent = <T, U extends Json, V extends Json = null>(
  value: Expr<T>,
  use: (present: Ref<Present<T>>) => Expr<U>,
  otherwise?: V,
): Ref<U | V> => {
  const text = celOf(value, RANK.compare + 1)
  const inside = use(fields(make(text, RANK.atom)))
  return fields(make(`${text} == null ? ${celOf(otherwise ?? null)} : ${celOf(inside, RANK.ternary)}`, RANK.ternary))
}

/** An expression as a reference, so that its fields can be named. */
const fields = <T>(expr: Expr<T>): Ref<T> => {
  const { text, rank } = expr[CEL]
  const below = reference(rank < RANK.atom ? `(${text})` : text)
  return new Proxy(below, { get: (own, key) => (key === CEL ? expr[CEL] : Reflect.get(own, key)) }) as unknown as Ref<T> // as `reference`
}

/** How many items, characters or fields there are. */
export const size = (value: Expr<readonly unknown[] | string>): Expr<number> => make(`size(${celOf(value)})`, RANK.atom)
/** Whether `item` is in the list. */
export const includes = <T>(list: Operand<readonly T[]>, item: Operand<Held<T>>): Condition =>
  make(`${celOf(item, RANK.compare + 1)} in ${celOf(list, RANK.compare + 1)}`, RANK.compare)
/** The item at a place of a list, counted from 0. */
export const at = <T>(list: Expr<readonly T[]>, place: Operand<number>): Ref<T> =>
  fields(make(`${celOf(list, RANK.atom)}[${celOf(place)}]`, RANK.atom))

let depth = 0
/** Runs `body` with a name for an item that no list around it uses. */
const withItem = <R>(body: (name: string) => R): R => {
  depth += 1
  try {
    return body(depth === 1 ? 'x' : `x${depth}`)
  } finally {
    depth -= 1
  }
}
const macro =
  (name: string) =>
  <T>(list: Expr<readonly T[]>, test: (item: Ref<T>) => Expr<unknown>): string =>
    withItem((item) => {
      const inside = test(reference(item) as Ref<T>) // the item of a list of `T`
      return `${celOf(list, RANK.atom)}.${name}(${item}, ${celOf(inside)})`
    })
const textFilter = macro('filter')
const textMap = macro('map')
const textExists = macro('exists')
const textAll = macro('all')
/** The items for which a condition holds. */
export const filter = <T>(list: Expr<readonly T[]>, keep: (item: Ref<T>) => Condition): Expr<readonly T[]> =>
  make(textFilter(list, keep), RANK.atom)
/** What is made of each item. */
export const mapped = <T, U>(list: Expr<readonly T[]>, use: (item: Ref<T>) => Expr<U>): Expr<readonly U[]> =>
  make(textMap(list, use), RANK.atom)
/** Whether a condition holds for an item. */
export const some = <T>(list: Expr<readonly T[]>, test: (item: Ref<T>) => Condition): Condition => make(textExists(list, test), RANK.atom)
/** Whether a condition holds for each item. */
export const every = <T>(list: Expr<readonly T[]>, test: (item: Ref<T>) => Condition): Condition => make(textAll(list, test), RANK.atom)

const textTest =
  (name: string) =>
  (text: Expr<string>, part: Operand<string>): Condition =>
    make(`${celOf(text, RANK.atom)}.${name}(${celOf(part)})`, RANK.atom)
/** Whether a text begins with another. */
export const startsWith = textTest('startsWith')
/** Whether a text ends with another. */
export const endsWith = textTest('endsWith')
/** Whether a text has another in it. */
export const contains = textTest('contains')
/** Whether a text has a part that fits a pattern (RE2). */
export const matches = textTest('matches')

/**
 * CEL as it is, with references and values put in: cel<number>`${a.score} * 2`, or a whole text: cel('size(docs.items) > 2').
 * Its type is what the caller says; names and types in it are checked when the flow is compiled.
 */
export const cel = <T = Anything>(text: TemplateStringsArray | string, ...values: readonly unknown[]): Ref<T> => {
  if (typeof text === 'string') return fields(make<T>(text, FIELD.test(text) ? RANK.atom : 0))
  return fields(make<T>(text.map((part, index) => part + (index < values.length ? celOf(values[index], RANK.atom) : '')).join(''), 0))
}

/** Values with expressions in them, as a flow file has them: `=` marks an expression. */
export const dataOf = (value: unknown): Json => {
  if (isExpr(value)) return `=${textOf(value)}`
  // A text that begins with "=" would be read as an expression.
  if (typeof value === 'string') return value.startsWith('=') ? `=${JSON.stringify(value)}` : value
  if (Array.isArray(value)) return value.map(dataOf)
  if (isContainer(value))
    return Object.fromEntries(Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, dataOf(item)]])))
  return value as Json // what is left is a number, true, false or null
}
