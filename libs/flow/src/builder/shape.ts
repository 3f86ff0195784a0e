// Schemas in a program: the short form of a flow file, a JSON Schema, or any schema of the Standard JSON Schema interface, such as
// zod's. The type of what fits is inferred from all of them; no schema library is loaded here.
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts/json'
import type { Anything } from './expr.ts'

/** What zod and others give beside their own ways: a JSON Schema of what goes in, and the type of what comes out. */
type StandardSchema<T> = {
  readonly '~standard': {
    readonly types?: { readonly output: T } | undefined
    readonly jsonSchema: { readonly input: (options: { readonly target: 'draft-2020-12' }) => object }
  }
}
declare const TYPE: unique symbol
const SCHEMA: unique symbol = Symbol.for('baton.schema')
/** A schema whose type was told, not inferred. */
export type TypedSchema<out T> = { readonly [SCHEMA]: Json; readonly [TYPE]: T }
/** A schema in any form. */
export type Shape = string | true | StandardSchema<unknown> | TypedSchema<unknown> | { readonly [field: string]: unknown }

/** A schema by its name (`answer@1`) or as data, with the type of what fits it: schema<{ text: string }>('answer@1'). */
export const schema = <T = Anything>(data: Json): TypedSchema<T> => ({ [SCHEMA]: data }) as TypedSchema<T> // TYPE is never there at run time

/** Media by reference: the bytes stay in the payload store. */
type Media = { ref: string; mediaType?: string | undefined; bytes?: number | undefined }
type Words = {
  string: string
  text: string
  date: string
  datetime: string
  number: number
  integer: number
  int: number
  boolean: boolean
  bool: boolean
  object: Anything
  list: readonly Anything[]
  array: readonly Anything[]
  null: null
  any: Anything
  image: Media
  audio: Media
  file: Media
}
type Trim<T extends string> = T extends ` ${infer Rest}` ? Trim<Rest> : T extends `${infer Rest} ` ? Trim<Rest> : T
type Parts<T extends string> = T extends `${infer Head}|${infer Tail}` ? Trim<Head> | Parts<Tail> : Trim<T>
type Unquoted<T extends string> = T extends `'${infer Word}'` | `"${infer Word}"` ? Word : T extends 'null' ? null : T
type Union<T extends string> = [T] extends [keyof Words] ? Words[T] : Unquoted<T>
/** The type of `string`, `a | b`, `0..1` and `string[]`. */
type Short<T extends string> = string extends T
  ? Anything
  : T extends `${number}..${number}`
    ? number
    : T extends `${infer Item}[]`
      ? readonly Short<Trim<Item>>[]
      : T extends `${string}|${string}`
        ? Union<Parts<T>>
        : T extends keyof Words
          ? Words[T]
          : Anything

type Keyword =
  | 'type'
  | 'default'
  | 'min'
  | 'max'
  | 'enum'
  | 'const'
  | 'items'
  | 'optional'
  | 'about'
  | 'description'
  | 'title'
  | 'examples'
  | 'format'
  | 'pattern'
  | 'minLength'
  | 'maxLength'
  | 'minItems'
  | 'maxItems'
  | 'uniqueItems'
  | 'minimum'
  | 'maximum'
  | 'exclusiveMinimum'
  | 'exclusiveMaximum'
  | 'multipleOf'
  | 'required'
  | 'additionalProperties'
type Typed<S> = S extends { readonly enum: readonly (infer Word)[] }
  ? Word
  : S extends { readonly const: infer Word }
    ? Word
    : S extends { readonly items: infer Item }
      ? readonly Infer<Item>[]
      : S extends { readonly type: infer Type extends string }
        ? Short<Type>
        : S extends { readonly type: readonly (infer Type extends string)[] }
          ? Short<Type>
          : Anything
type Raw<S> = S extends { readonly properties: infer Fields }
  ? S extends { readonly required: readonly (infer Name)[] }
    ? { [K in keyof Fields as K extends Name ? K : never]: Infer<Fields[K]> } & {
        [K in keyof Fields as K extends Name ? never : K]?: Infer<Fields[K]> | undefined
      }
    : { [K in keyof Fields]?: Infer<Fields[K]> | undefined }
  : never
type OptionalKeys<S> = {
  [K in keyof S]: S[K] extends `${string}?` ? K : S[K] extends { readonly optional: true } ? K : never
}[keyof S]
type Field<T> = T extends `${infer Type}?` ? Short<Trim<Type>> : Infer<T>
type Fields<S> = { [K in Exclude<keyof S, OptionalKeys<S>>]: Field<S[K]> } & { [K in OptionalKeys<S>]?: Field<S[K]> | undefined }
type Flat<T> = { [K in keyof T]: T[K] }

/** The type of what fits a schema. `Anything` where nothing is declared. */
export type Infer<S> =
  S extends StandardSchema<infer T>
    ? unknown extends T
      ? Anything
      : T
    : S extends TypedSchema<infer T>
      ? T
      : S extends string
        ? Short<S>
        : S extends { readonly properties: unknown }
          ? Flat<Raw<S>>
          : S extends { readonly type: string | readonly string[] } | { readonly enum: unknown } | { readonly const: unknown }
            ? keyof S extends Keyword
              ? Typed<S>
              : Flat<Fields<S>>
            : S extends object
              ? Flat<Fields<S>>
              : Anything

const isStandard = (value: object): value is StandardSchema<unknown> => '~standard' in value
const isTyped = (value: object): value is TypedSchema<unknown> => SCHEMA in value

/** A schema as a flow file has it. */
export const shapeData = (shape: unknown): Json => {
  if (typeof shape !== 'object' || shape === null) return shape as Json // words of the short form
  if (Array.isArray(shape)) return shape.map(shapeData)
  if (isTyped(shape)) return shape[SCHEMA]
  if (isStandard(shape)) return normalised(shape['~standard'].jsonSchema.input({ target: 'draft-2020-12' }) as JsonObject) // JSON by that interface
  return Object.fromEntries(Object.entries(shape).map(([key, value]) => [key, shapeData(value)]))
}

/** Takes out what says nothing, so that the same schema in two ways gives the same plan: `$schema`, all safe integers, the type of words. */
const normalised = (schema: JsonObject): JsonObject => {
  const { $schema: _said, ...rest } = schema
  const words = Array.isArray(rest['enum']) && rest['enum'].every((word) => typeof word === 'string')
  const kept = Object.entries(rest).filter(([key, value]) => {
    if (key === 'type') return !words
    return !((key === 'minimum' && value === Number.MIN_SAFE_INTEGER) || (key === 'maximum' && value === Number.MAX_SAFE_INTEGER))
  })
  return Object.fromEntries(kept.map(([key, value]) => [key, below(key, value)]))
}

/** Schemas inside a schema are normalised too; values of `default`, `enum` and the like are left alone. */
const below = (key: string, value: Json): Json => {
  if (key === 'properties' || key === '$defs' || key === 'patternProperties')
    return isJsonObject(value) ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, nested(item)])) : value
  if (['anyOf', 'oneOf', 'allOf', 'prefixItems'].includes(key)) return Array.isArray(value) ? value.map(nested) : value
  return ['items', 'additionalProperties', 'not', 'propertyNames'].includes(key) ? nested(value) : value
}
const nested = (schema: Json): Json => (isJsonObject(schema) ? normalised(schema) : schema)
