// What a step does, as data with the type of its output. Fields that hold expressions are values, or functions of what can be seen
// where the step stands.
/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
import type { Json, JsonObject } from '@baton/contracts/json'
import { dataOf, reference, textOf, type Anything, type Condition, type Expr, type Held, type Ref } from './expr.ts'
import { shapeData, type Infer } from './shape.ts'

declare const VIEW: unique symbol
declare const OUTPUT: unique symbol
/** Where a body keeps what it is in a flow file: a step, or a list of steps. */
const DATA: unique symbol = Symbol.for('baton.data')

/** Something that gives an `O` when it has run. */
export interface Built<out O> {
  readonly [DATA]: JsonObject | readonly Json[]
  readonly [OUTPUT]: O
}
/** The body of a step that gives an `O` where a `V` can be seen. */
export interface Body<in V, out O> extends Built<O> {
  readonly [VIEW]: (view: V) => void
}

/** A body from its data. The caller answers for the types. */
export const bodyOf = <V, O>(data: JsonObject | readonly Json[]): Body<V, O> => ({ [DATA]: data }) as Body<V, O> // types only
export const dataIn = (built: Built<unknown>): JsonObject | readonly Json[] => built[DATA]
export const isBody = (value: unknown): value is Built<unknown> => typeof value === 'object' && value !== null && DATA in value

/** Any name is a reference to it: the types say which names there are. */
const VIEW_OF_ALL = new Proxy({}, { get: (_own, name) => (typeof name === 'string' ? reference(name) : undefined) })
/** A value that is written down, computed, or put together from such values. */
export type Value = string | number | boolean | null | Expr<unknown> | readonly unknown[] | { readonly [field: string]: unknown }
/** A value, or what a function makes of what it can see. */
export type From<V, T> = T | ((view: V) => T)
export const resolve = <V, T>(given: From<V, T>): T =>
  // A function here is always one of a view, and the view has every name.
  typeof given === 'function' ? (given as (view: V) => T)(VIEW_OF_ALL as V) : given

/** The output of a step as later steps see it: objects say who made them. */
type StepOutput<O> = O extends Anything ? O : O extends readonly unknown[] ? O : O extends object ? O & { readonly by: string } : O
export type StepRef<O> = Ref<StepOutput<O>>

export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`
type Money = `${number} USD`
export type Count = number | `${number}${'k' | 'M'}`
export type Limits = {
  readonly time?: Duration
  readonly total?: Duration
  readonly steps?: number
  readonly cost?: Money
  readonly tokens?: Count
  readonly calls?: number
  readonly turns?: number
  readonly rounds?: number
  readonly subtasks?: number
  readonly depth?: number
}
export type Retry =
  | number
  | {
      readonly attempts?: number
      readonly backoff?: 'fixed' | 'exponential'
      readonly delay?: Duration
      readonly maxDelay?: Duration
      readonly jitter?: boolean
    }
export type FaultView = { readonly fault: Ref<{ code: string; message: string; step: string }> }

/** A forward jump to a step of the same block. */
const JUMP: unique symbol = Symbol.for('baton.jump')
type Jump = { readonly [JUMP]: string }
export const goTo = (step: string): Jump => ({ [JUMP]: step })

/** What happens next. */
export type Outcome<V> =
  | 'next'
  | 'end'
  | 'fail'
  | Jump
  | Body<V, unknown>
  | { readonly retry: { readonly attempts?: number; readonly model?: string | readonly string[]; readonly prompt?: string } }
/** One line of a gate or of a switch on ranges. */
export type Rule<V> =
  | { readonly when: Condition; readonly then: Outcome<V>; readonly label?: string }
  | { readonly else: Outcome<V>; readonly label?: string }

/** A gate: lines of which the first that fits decides, or one condition with both its outcomes. */
type Gate<V> =
  | readonly Rule<V>[]
  | { readonly when: Condition; readonly then: Outcome<V>; readonly else?: Outcome<V>; readonly label?: string }

export type ContextPart = {
  readonly name: string
  readonly from?: unknown
  readonly buffer?: string
  readonly priority?: number
  readonly tokens?: Count
  readonly least?: Count
  readonly turns?: number
  readonly cut?: 'end' | 'start' | 'middle' | 'summary' | 'never'
}
export type Context<V> = { readonly tokens?: Count; readonly parts: From<V, readonly ContextPart[]> }
/** A body in a branch, an item or a voter: a prompt, a step, or a list of steps. */
export type Part<V> = string | Body<V, unknown>

/** Fields of every step. `W` and `E` tell whether the output may be null. */
export type Common<V, O, W extends boolean, E> = {
  readonly about?: string
  /** Skipped when this is false: the output is null then. */
  readonly when?: From<V, Expr<W>>
  readonly with?: From<V, { readonly [name: string]: unknown } | Expr<object>>
  readonly timeout?: Duration
  readonly retry?: Retry
  readonly failover?: Part<V> | readonly Part<V>[]
  readonly gate?: From<Held<V> & { readonly it: StepRef<O> }, Gate<Held<V> & { readonly it: StepRef<O> }>>
  readonly guard?: readonly (string | { readonly [guard: string]: JsonObject })[]
  readonly cache?:
    | Duration
    | { readonly for: Duration; readonly key?: From<V, Value>; readonly scope?: 'run' | 'session' | 'user' | 'tenant' }
  readonly hedge?: Duration | { readonly after: Duration; readonly max?: number }
  readonly budget?: Money | { readonly cost?: Money; readonly tokens?: Count; readonly calls?: number }
  readonly effect?: 'read' | 'write' | 'irreversible'
  readonly onError?: From<Held<V> & FaultView, E>
  readonly onTimeout?: From<V, Outcome<V>>
  readonly onLimit?: From<V, Outcome<V>>
  readonly undo?: Part<V>
  readonly context?: Context<V>
  readonly media?: From<V, Value>
  readonly writes?: string
}
/** The output of a step with its fields: null when it may be skipped, or when its failure is passed over. */
export type Given<O, W, E> = Held<O | ([W] extends [never] ? never : null) | ('next' extends E ? null : never)>
export type Shaped<R> = Infer<R>

export const outcomeData = (outcome: Outcome<never>): Json => {
  if (typeof outcome === 'string') return outcome
  if (JUMP in outcome) return outcome[JUMP]
  if (!isBody(outcome)) return { retry: dataOf(outcome.retry) }
  const data = dataIn(outcome)
  return Array.isArray(data) ? { do: data } : (data as JsonObject) // a body is a list or an object
}
export const partData = (part: Part<never>): Json => (isBody(part) ? (dataIn(part) as Json) : part) // see `Built`
const conditionData = (condition: Condition): Json => textOf(condition)
export const rulesData = (rules: readonly Rule<never>[]): Json =>
  rules.map((rule) => {
    const label = rule.label === undefined ? {} : { label: rule.label }
    return 'else' in rule
      ? { else: outcomeData(rule.else), ...label }
      : { when: conditionData(rule.when), ...label, then: outcomeData(rule.then) }
  })

const isRules = (gate: Gate<never>): gate is readonly Rule<never>[] => Array.isArray(gate)
const gateData = (gate: Gate<never>): Json => {
  if (isRules(gate)) return rulesData(gate)
  const label = gate.label === undefined ? {} : { label: gate.label }
  return {
    when: conditionData(gate.when),
    ...label,
    then: outcomeData(gate.then),
    ...(gate.else === undefined ? {} : { else: outcomeData(gate.else) }),
  }
}

type Reader = (value: never) => Json
const asValue: Reader = (value) => dataOf(resolve(value))
const asOutcome: Reader = (value) => outcomeData(resolve(value))
const asIs: Reader = (value) => value
const asParts: Reader = (value: Part<never> | readonly Part<never>[]) =>
  Array.isArray(value) ? value.map(partData) : partData(value as Part<never>)
/** How each field of a step becomes data; all others are taken as they are. */
const READERS: Readonly<Record<string, Reader>> = {
  when: (value) => conditionData(resolve(value)),
  until: (value) => conditionData(resolve(value)),
  match: (value) => conditionData(resolve(value)),
  with: asValue,
  key: asValue,
  on: asValue,
  media: asValue,
  map: asValue,
  set: asValue,
  gate: (value) => gateData(resolve(value)),
  cache: (value) => (typeof value === 'string' ? value : fieldsData(value)),
  context: (value: Context<never>) => ({ ...value, parts: partsData(resolve(value.parts)) }),
  onError: asOutcome,
  onTimeout: asOutcome,
  onLimit: asOutcome,
  failover: asParts,
  undo: asParts,
  each: (value) => partData(resolve(value)),
  returns: shapeData,
}
const partsData = (parts: readonly ContextPart[]): Json =>
  parts.map(({ from, ...part }) => ({ ...part, ...(from === undefined ? {} : { from: from === 'history' ? from : dataOf(from) }) }))

/** The fields of a step as a flow file has them, without those that are not given. */
export const fieldsData = (spec: object): JsonObject =>
  Object.fromEntries(
    Object.entries(spec)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, (READERS[key] ?? asIs)(value as never)]), // each reader knows the field it stands for
  )
