// Steps that hold other steps.
/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
import type { JsonObject } from '@baton/contracts/json'
import {
  bodyOf,
  dataIn,
  fieldsData,
  isBody,
  outcomeData,
  partData,
  resolve,
  rulesData,
  type Body,
  type Built,
  type Common,
  type FaultView,
  type From,
  type Given,
  type Outcome,
  type Part,
  type Rule,
  type Shaped,
  type StepRef,
} from './body.ts'
import { dataOf, type Condition, type Dynamic, type Expr, type Ref } from './expr.ts'
import type { Shape } from './shape.ts'

/** Steps in their order; the output is the last one's. */
export interface Block<V, O> extends Built<O> {
  readonly step: <N extends string, P = string>(
    name: N,
    body: string | Body<V, P> | ((view: V) => string | Body<V, P>),
  ) => Block<V & { readonly [K in N]: StepRef<P> }, P>
}
type Steps = readonly JsonObject[]
const stepsOf = <V, O>(steps: Steps): Block<V, O> => ({
  ...bodyOf<V, O>(steps),
  step: (name, body) => stepsOf([...steps, { [name]: partData(resolve<V, Part<never>>(body as Part<never>)) }]), // only data is read
})
/** Steps where a body is asked for: block((b) => b.step('ticket', …).step('review', …)). */
export const block = <V, O>(build: (start: Block<V, null>, view: V) => Built<O>): Body<V, O> => {
  const start = stepsOf<V, null>([])
  return bodyOf(dataIn(resolve<V, Built<O>>((view) => build(start, view))))
}

/** How the run goes on after a body that stands where something is decided; after an error handler it fails unless this says otherwise. */
export const thenGo = <V, O>(body: Body<V, O>, then: 'next' | 'end' | 'fail'): Body<V, O> => {
  const data = outcomeData(body)
  return bodyOf({ ...(data as JsonObject), then }) // the outcome of a body is an object
}

type Word<T> = T extends string ? T : T extends number | boolean | null ? `${T}` : never
type OutputOf<C> = C extends Built<infer O> ? O : null
type Literal = string | boolean
type Excess<C, T> = { readonly [K in Exclude<keyof C, Word<T>>]: never }
type Around<V, O, W extends boolean> = Pick<
  Common<V, O, W, Exclude<Outcome<V & FaultView>, 'next'>>,
  'about' | 'when' | 'gate' | 'writes' | 'onError'
>
type Ways<V> = { readonly [value: string]: Outcome<V> }

/** One of several ways, by a value. */
type SwitchOn = {
  <V, T extends Literal, const C extends Ways<V>, W extends boolean = never>(
    on: Expr<T>,
    /** A case for every value the expression can have, and for no other. */
    cases: string extends T ? never : C & { readonly [K in Word<T>]: Outcome<V> } & Excess<C, T>,
    fields?: { readonly else?: never } & Around<V, OutputOf<C[keyof C]>, W>,
  ): Body<V, Given<OutputOf<C[keyof C]>, W, 'fail'>>
  <V, T extends Literal, const C extends Ways<V>, L extends Outcome<V>, W extends boolean = never>(
    on: Expr<T>,
    cases: C & Excess<C, T>,
    fields: { readonly else: L } & Around<V, OutputOf<C[keyof C] | L>, W>,
  ): Body<V, Given<OutputOf<C[keyof C] | L>, W, 'fail'>>
}
const switchData = (on: Expr<unknown>, cases: Ways<never>, fields: { readonly else?: Outcome<never> } = {}): Body<never, never> => {
  const { else: otherwise, ...rest } = fields
  const ways = Object.fromEntries(Object.entries(cases).map(([value, outcome]) => [value, outcomeData(outcome)]))
  return bodyOf({
    switch: dataOf(on),
    cases: ways,
    ...(otherwise === undefined ? {} : { else: outcomeData(otherwise) }),
    ...fieldsData(rest),
  })
}
/**
 * One of several ways, by a value. Every value needs a case, or there is an `else`; where any text is possible, there must be one.
 * The output is that of the way taken.
 */
export const switchOn = switchData as unknown as SwitchOn // the types only add what is known of the values

/** A yes or no question: one of two ways. */
export const ifElse = <V, A extends Outcome<V>, B extends Outcome<V> = 'next'>(
  when: Condition,
  then: A,
  otherwise?: B,
): Body<V, OutputOf<A> | OutputOf<B>> =>
  bodyOf({ switch: rulesData([{ when, then: then as Outcome<never> }, { else: (otherwise ?? 'next') as Outcome<never> }]) }) // only data is read

type LineOutput<Line> = Line extends { then: infer A } ? OutputOf<A> : Line extends { else: infer A } ? OutputOf<A> : never
/** One of several ways, by conditions in their order; the last line is { else: … }. */
export const switchWhen = <V, const R extends readonly Rule<V>[], W extends boolean = never>(
  rules: From<V, R>,
  fields: Around<V, LineOutput<R[number]>, W> = {},
): Body<V, Given<LineOutput<R[number]>, W, 'fail'>> => bodyOf({ switch: rulesData(resolve(rules)), ...fieldsData(fields) })

type OnFailure = 'fail' | 'collect' | 'null' | null
type Join = 'all' | 'any' | 'first' | { readonly quorum: number }
type PartOutput<B> = B extends Built<infer O> ? O : string
type Missing<J, F> = J extends undefined | 'all' ? (F extends 'null' | 'collect' | null ? null : never) : null
type Branches<B, J, F> = { [K in keyof B]: PartOutput<B[K]> | Missing<J, F> } & (F extends 'collect'
  ? { failures: readonly { branch: string; code: string; message: string }[] }
  : unknown)
/** Branches side by side. The output has a field a branch. */
export const parallel = <
  V,
  const B extends { readonly [branch: string]: Part<V> },
  const J extends Join | undefined = undefined,
  const F extends OnFailure | undefined = undefined,
  W extends boolean = never,
  E extends Outcome<V & FaultView> = 'fail',
>(
  branches: B,
  spec: { readonly join?: J; readonly onFailure?: F } & Common<V, Branches<B, J, F>, W, E> = {},
): Body<V, Given<Branches<B, J, F>, W, E>> => {
  const parts = Object.fromEntries(Object.entries(branches).map(([name, part]) => [name, partData(part as Part<never>)])) // only data is read
  return bodyOf({ parallel: parts, ...fieldsData(spec) })
}

type Items<O, F> = readonly (F extends 'null' | 'collect' | null ? O | null : O)[]
/** The same work for each item of a list. */
export const forEach = <
  V,
  T,
  P extends Part<V & Item<A, T>>,
  const A extends string = 'item',
  const F extends OnFailure | undefined = undefined,
  W extends boolean = never,
  E extends Outcome<V & FaultView> = 'fail',
>(
  spec: {
    readonly over: From<V, Expr<readonly T[]>>
    /** What the item is called inside; `item` where this is absent. */
    readonly as?: A
    readonly each: From<V & Item<A, T>, P>
    readonly concurrency?: number
    readonly chunk?: number
    readonly max?: number
    readonly onFailure?: F
  } & Common<V, Items<PartOutput<P>, F>, W, E>,
): Body<V, Given<Items<PartOutput<P>, F>, W, E>> => {
  const { over, ...rest } = spec
  return bodyOf(fieldsData({ map: over, ...rest }))
}
type Item<A extends string, T> = { readonly [K in A]: Ref<T> } & { readonly index: Expr<number> }

type Voter<V> = Part<V> | { readonly body: Part<V>; readonly weight: number }
const voterData = (voter: Voter<never>): JsonObject | string => {
  if (typeof voter === 'string') return voter
  if (isBody(voter)) return partData(voter) as JsonObject // a voter with fields of its own is a step
  const data = partData(voter.body)
  return { ...(typeof data === 'string' ? { prompt: data } : (data as JsonObject)), weight: voter.weight } // as above
}
type VoterOutput<B> = B extends { readonly body: infer P } ? PartOutput<P> : PartOutput<B>
type Ballot<R, N> = [R] extends [undefined] ? (N extends readonly (infer B)[] ? VoterOutput<B> : string) : Shaped<R>
/** Several answers to one question, of which one wins. With a number or models as voters, `prompt`, `with` and `returns` are the ballot. */
export const vote = <
  V,
  const N extends number | readonly Voter<V>[],
  const R extends Shape | undefined = undefined,
  W extends boolean = never,
  E extends Outcome<V & FaultView> = 'fail',
>(
  spec: {
    readonly voters: N
    readonly on?: (ballot: { readonly it: StepRef<Ballot<R, N>> }) => Expr<unknown>
    readonly rule?: 'majority' | 'weighted' | 'judge'
    readonly judge?: Part<V>
    readonly tie?: Outcome<V>
    readonly early?: boolean
    readonly model?: string | readonly string[]
    readonly prompt?: string
    readonly returns?: R
  } & Common<V, Ballot<R, N>, W, E>,
): Body<V, Given<Ballot<R, N>, W, E>> => {
  const { voters, on, rule, judge, tie, early, ...rest } = spec
  const given = {
    voters: typeof voters === 'number' ? voters : voters.map((voter) => voterData(voter as Voter<never>)), // only data is read
    ...fieldsData({ on, rule, early }),
    ...(judge === undefined ? {} : { judge: partData(judge as Part<never>) }),
    ...(tie === undefined ? {} : { tie: outcomeData(tie as Outcome<never>) }),
  }
  return bodyOf({ vote: given, ...fieldsData(rest) })
}

/** Rounds of steps until a condition holds, at most `max`. The output is the last round's. */
export const loop = <V, O, W extends boolean = never, E extends Outcome<V & FaultView> = 'fail'>(
  /** In it, `it` is the output of the round before, null in the first. */
  steps: (start: Block<V & Round, null>, view: V & Round) => Built<O>,
  spec: {
    readonly max: number
    /** `it` is the round's output. */
    readonly until?: (round: V & { readonly it: StepRef<NoInfer<O>>; readonly index: Expr<number> }) => Condition
  } & Common<V, NoInfer<O>, W, E>,
): Body<V, Given<O, W, E>> => {
  const { max, until, ...rest } = spec
  const data = dataIn(block<V & Round, O>(steps))
  return bodyOf({ loop: { max, ...fieldsData({ until }) }, do: data as JsonObject, ...fieldsData(rest) }) // a list of steps
}
type Round = { readonly it: Dynamic; readonly index: Expr<number> }
