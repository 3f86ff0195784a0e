// A function for each kind of step that does one thing.
import type { JsonObject } from '@baton/contracts/json'
import {
  bodyOf,
  fieldsData,
  resolve,
  type Body,
  type Common,
  type Count,
  type Duration,
  type FaultView,
  type From,
  type Given,
  type Limits,
  type Outcome,
  type Shaped,
  type Value,
} from './body.ts'
import { dataOf, type Anything, type Condition, type Dynamic, type Expr } from './expr.ts'
import type { Shape } from './shape.ts'

/** A prompt to a model: its text, or NAME@N of a file. Without `returns` the output is the text of the answer. */
export const model = <V, const R extends Shape = 'string', W extends boolean = never, E extends Outcome<V & FaultView> = 'fail'>(
  spec: {
    /** A model or route; a list is failover in that order. */
    readonly model?: string | readonly string[]
    readonly prompt: string
    readonly returns?: R
  } & Common<V, Shaped<R>, W, E>,
): Body<V, Given<Shaped<R>, W, E>> => bodyOf(fieldsData(spec))

/** A tool, or several that are tried in their order. What it gives is anything, unless `returns` says. */
export const tool = <V, const R extends Shape = 'any', W extends boolean = never, E extends Outcome<V & FaultView> = 'fail'>(
  name: string | readonly string[],
  spec: { readonly returns?: R } & Common<V, Shaped<R>, W, E> = {},
): Body<V, Given<Shaped<R>, W, E>> => bodyOf(fieldsData({ tool: name, ...spec }))

/** Passages of documents. */
export type Retrieved = {
  items: readonly { id: string; title: string; text: string; score: number }[]
}
/** The passages of an index that fit a query. */
export const retrieve = <V, W extends boolean = never, E extends Outcome<V & FaultView> = 'fail'>(
  index: string,
  spec: { readonly query: From<V, string | Expr<string>>; readonly top?: number | From<V, Expr<number>> } & Omit<
    Common<V, Retrieved, W, E>,
    'with'
  >,
): Body<V, Given<Retrieved, W, E>> => {
  const { query, top, ...rest } = spec
  const given = fieldsData({ with: query })['with'] ?? ''
  return bodyOf({
    retrieve: index,
    with: { query: given, ...(top === undefined ? {} : { top: dataOf(resolve(top)) }) },
    ...fieldsData(rest),
  })
}

/** Checks of what stands in `with`. */
export const check = <V, const R extends Shape = 'any', W extends boolean = never, E extends Outcome<V & FaultView> = 'fail'>(
  checks: string | readonly (string | { readonly [check: string]: JsonObject })[] | { readonly [check: string]: JsonObject },
  spec: { readonly returns?: R } & Common<V, Shaped<R>, W, E> = {},
): Body<V, Given<Shaped<R>, W, E>> => bodyOf(fieldsData({ check: checks, ...spec }))

export type Human = {
  readonly queue: string
  readonly priority?: 'emergency' | 'high' | 'normal' | 'low' | number
  readonly sla?: Duration
  readonly title?: string
  readonly onTimeout?: 'fail' | 'escalate'
  readonly claim?: Duration
  readonly chain?: readonly (
    | string
    | { readonly queue: string; readonly sla?: Duration; readonly claim?: Duration; readonly roles?: readonly string[] }
  )[]
  readonly roles?: readonly string[]
  readonly skills?: readonly string[]
  readonly quorum?:
    | number
    | { readonly n: number; readonly of?: number; readonly distinctRoles?: boolean; readonly excludeRequester?: boolean }
  readonly risk?: 'advisory' | 'reversible' | 'irreversible'
  readonly kind?: 'approval' | 'edit' | 'question' | 'label'
  readonly reasons?: readonly string[] | { readonly [name: string]: string }
}
/** A person of a queue, whose answer becomes the output. */
export const human = <V, const R extends Shape = 'any', W extends boolean = never, E extends Outcome<V & FaultView> = 'fail'>(
  queue: string | Human,
  spec: { readonly returns?: R } & Omit<Common<V, Shaped<R>, W, E>, 'timeout' | 'retry'> = {},
): Body<V, Given<Shaped<R>, W, E>> => bodyOf(fieldsData({ human: queue, ...spec }))

/** Work that another team's consumer of a task topic does. */
export const task = <V, const R extends Shape = 'any', W extends boolean = never, E extends Outcome<V & FaultView> = 'fail'>(
  name: string,
  spec: { readonly returns?: R } & Common<V, Shaped<R>, W, E> = {},
): Body<V, Given<Shaped<R>, W, E>> => bodyOf(fieldsData({ task: name, ...spec }))

type SetValue<T> = [T] extends [Expr<infer U>]
  ? [U] extends [never]
    ? Anything
    : U
  : T extends string | number | boolean | null
    ? T
    : T extends object
      ? { -readonly [K in keyof T]: SetValue<T[K]> }
      : Anything
/** A value put together from others. Takes the value, or a function that gives it; nothing is asked. */
export const set = <V, T, W extends boolean = never>(
  value: From<V, T>,
  fields: Pick<Common<V, SetValue<T>, W, 'fail'>, 'about' | 'when' | 'gate' | 'writes'> = {},
): Body<V, Given<SetValue<T>, W, 'fail'>> => bodyOf(fieldsData({ set: value, ...fields }))

/** Waits for a time. The output is null. */
export const wait = <V>(time: Duration, fields: Pick<Common<V, null, boolean, 'fail'>, 'about' | 'when'> = {}): Body<V, null> =>
  bodyOf({ wait: time, ...fieldsData(fields) })

/** A body as a flow file writes it, for what has no function here. The caller says what it gives. */
export const raw = <O = Anything>(data: JsonObject): Body<unknown, O> => bodyOf(data)

/** Waits for an event. The output is its data. */
export const waitFor = <V, const R extends Shape = 'any', W extends boolean = never, E extends Outcome<V & FaultView> = 'fail'>(
  event: string,
  spec: {
    readonly match?: From<V & { readonly event: Dynamic }, Condition>
    readonly key?: From<V, Value>
    readonly timeout?: Duration
    readonly returns?: R
  } & Omit<Common<V, Shaped<R>, W, E>, 'timeout' | 'with'> = {},
): Body<V, Given<Shaped<R>, W, E>> => {
  const { match, key, timeout, ...rest } = spec
  return bodyOf({ wait: { event, ...fieldsData({ match, key, timeout }) }, ...fieldsData(rest) })
}

/** Publishes `with` to a topic. */
export const emit = <V, W extends boolean = never, E extends Outcome<V & FaultView> = 'fail'>(
  topic: string,
  spec: { readonly type?: string; readonly key?: From<V, Value> } & Common<V, null, W, E> = {},
): Body<V, null> => {
  const { type, key, ...rest } = spec
  const named = fieldsData({ type, key })
  return bodyOf({ emit: Object.keys(named).length === 0 ? topic : { topic, ...named }, ...fieldsData(rest) })
}

/** Another flow, `namespace/name`, with a version or alias. */
export const subflow = <V, const R extends Shape = 'any', W extends boolean = never, E extends Outcome<V & FaultView> = 'fail'>(
  name: string,
  spec: { readonly limits?: Limits; readonly returns?: R } & Common<V, Shaped<R>, W, E> = {},
): Body<V, Given<Shaped<R>, W, E>> => bodyOf(fieldsData({ flow: name, ...spec }))

/** An agent by name, or the one whose `for` has the value of an expression. */
export const agent = <V, const R extends Shape = 'any', W extends boolean = never, E extends Outcome<V & FaultView> = 'fail'>(
  who: string | { readonly for: From<V, Expr<string>> },
  spec: { readonly limits?: Limits; readonly returns?: R } & Common<V, Shaped<R>, W, E> = {},
): Body<V, Given<Shaped<R>, W, E>> =>
  bodyOf({ agent: typeof who === 'string' ? who : { for: fieldsData({ with: who.for })['with'] ?? null }, ...fieldsData(spec) })

/** A planner, workers that share its subtasks, and who puts their work together. */
export const team = <V, const R extends Shape = 'any', W extends boolean = never, E extends Outcome<V & FaultView> = 'fail'>(
  members: {
    readonly planner: string
    readonly workers: readonly string[]
    readonly synthesis: string
    readonly concurrency?: number
    readonly limits?: Limits & { readonly rounds?: number; readonly subtasks?: number; readonly depth?: number; readonly tokens?: Count }
  },
  spec: { readonly returns?: R } & Common<V, Shaped<R>, W, E> = {},
): Body<V, Given<Shaped<R>, W, E>> => bodyOf(fieldsData({ team: members, ...spec }))
