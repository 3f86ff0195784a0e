// The builder of a whole flow: each call adds to the data of a flow file, and to what later steps can see.
//   F1. The data are those of the same flow written as YAML, word for word; both give one plan.
import type { Json, JsonObject } from '@baton/contracts/json'
import type { CompileResult } from '../compile-text.ts'
import type { FlowDefaults } from '../read/context.ts'
import {
  fieldsData,
  outcomeData,
  partData,
  resolve,
  type Body,
  type Context,
  type Count,
  type Duration,
  type FaultView,
  type From,
  type Limits,
  type Outcome,
  type Part,
  type StepRef,
  type Value,
} from './body.ts'
import { compileData } from './compile-data.ts'
import type { FlowData } from './data.ts'
import { dataOf, type Condition, type Dynamic, type Expr, type Ref } from './expr.ts'
import { shapeData, type Infer, type Shape } from './shape.ts'

/** A param as a product manager sees it, or just its default. */
export type Param =
  | number
  | string
  | boolean
  | {
      readonly type: 'number' | 'integer' | 'string' | 'boolean' | 'duration'
      readonly default: Json
      readonly min?: number | string
      readonly max?: number | string
      readonly about?: string
    }
type ParamValue<P> = P extends { readonly type: infer T }
  ? T extends 'string'
    ? string
    : T extends 'boolean'
      ? boolean
      : number
  : P extends number
    ? number
    : P extends boolean
      ? boolean
      : string

export type Buffer = { readonly of: Shape; readonly expires?: Duration; readonly items?: number }
export type Agent = {
  readonly about?: string
  readonly model?: string | readonly string[]
  readonly prompt: string
  readonly tools?: readonly string[]
  readonly for?: readonly string[]
  readonly limits?: Limits
  readonly minConfidence?: number | `${number}%`
  readonly selfCheck?: string
  /** Another agent's name, `next`, `end`, `fail`, or a step. */
  readonly fallback?: string | From<Start, Exclude<Outcome<unknown>, string>>
  readonly handoff?: readonly string[]
  readonly context?: Context<Start>
  readonly returns?: Shape
}
type Arrived = { readonly event: Dynamic }
export type Trigger =
  | {
      readonly topic: string
      readonly key?: From<Arrived, Value>
      readonly when?: From<Arrived, Condition>
      readonly input?: From<Arrived, Value>
    }
  | { readonly http: `${'GET' | 'POST' | 'PUT'} /${string}`; readonly input?: From<Arrived, Value> }
  | { readonly schedule: string; readonly zone?: string; readonly input?: From<Arrived, Value> }
  | { readonly every: Duration; readonly input?: From<Arrived, Value> }

type Start = { readonly input: Dynamic; readonly params: object; readonly buffers: object; readonly run: Dynamic }
type Prompt = string | { readonly system?: string; readonly text: string; readonly temperature?: number; readonly seed?: number }

/** A flow that is being written. `V` is what the next step can see, `O` what the last one gives. */
export type Flow<V, O> = {
  /** The flow as data, with the words of a flow file. */
  readonly data: FlowData
  readonly about: (text: string) => Flow<V, O>
  readonly labels: (labels: { readonly [name: string]: string }) => Flow<V, O>
  readonly limits: (limits: Limits) => Flow<V, O>
  readonly params: <const P extends { readonly [name: string]: Param }>(
    params: P,
  ) => Flow<Omit<V, 'params'> & { readonly params: { readonly [K in keyof P]: Expr<ParamValue<P[K]>> } }, O>
  readonly input: <const S extends Shape>(shape: S) => Flow<Omit<V, 'input'> & { readonly input: Ref<Infer<S>> }, O>
  readonly prompts: (prompts: { readonly [name: string]: Prompt }) => Flow<V, O>
  readonly schemas: (schemas: { readonly [name: string]: Shape }) => Flow<V, O>
  readonly agents: (agents: { readonly [name: string]: Agent }) => Flow<V, O>
  readonly buffers: <const B extends { readonly [name: string]: Buffer }>(
    buffers: B,
  ) => Flow<Omit<V, 'buffers'> & { readonly buffers: { readonly [K in keyof B]: Ref<readonly Infer<B[K]['of']>[]> } }, O>
  readonly history: (history: { readonly turns: number; readonly tokens?: Count }) => Flow<V, O>
  readonly triggers: (...triggers: readonly Trigger[]) => Flow<V, O>
  /** A step: a prompt, a body, or a function of what the step can see that gives one. */
  readonly step: <N extends string, P = string>(
    name: N,
    body: string | Body<V, P> | ((view: V) => string | Body<V, P>),
  ) => Flow<V & { readonly [K in N]: StepRef<P> }, P>
  readonly onError: (outcome: From<V & FaultView, Outcome<V & FaultView>>) => Flow<V, O>
  readonly onLimit: (outcome: From<V, Outcome<V>>) => Flow<V, O>
  /** Topic of results beside the common one. */
  readonly results: (topic: string | { readonly topic: string }) => Flow<V, O>
  /** Fields of a flow file that have no method here. */
  readonly also: (fields: JsonObject) => Flow<V, O>
  readonly output: <T>(value: From<V, T>) => Flow<V, T>
  /** Checks the flow and makes its plan, as `baton check` does with a file. */
  readonly compile: (options?: { readonly files?: ReadonlyMap<string, string>; readonly defaults?: FlowDefaults }) => CompileResult
}

const named = (entries: { readonly [name: string]: unknown }, read: (value: never) => Json): JsonObject =>
  Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, read(value as never)])) // the caller pairs them
const agentData = ({ fallback, ...agent }: Agent): Json => ({
  ...fieldsData(agent),
  ...(fallback === undefined
    ? {}
    : { fallback: typeof fallback === 'string' ? fallback : outcomeData(resolve(fallback) as Outcome<never>) }), // only data is read
})
const bufferData = ({ of, ...rest }: Buffer): Json => ({ of: shapeData(of), ...rest })
const triggerData = ({ input, ...rest }: Trigger): Json => ({
  ...fieldsData(rest),
  ...(input === undefined ? {} : { input: dataOf(resolve(input)) }),
})

const build = <V, O>(data: JsonObject): Flow<V, O> => {
  const add = <W, P>(more: JsonObject): Flow<W, P> => build({ ...data, ...more })
  const steps = Array.isArray(data['steps']) ? data['steps'] : []
  return {
    data,
    about: (about) => add({ about }),
    labels: (labels) => add({ labels }),
    limits: (limits) => add({ limits }),
    params: (params) => add({ params }),
    input: (shape) => add({ input: shapeData(shape) }),
    prompts: (prompts) => add({ prompts }),
    schemas: (schemas) => add({ schemas: named(schemas, shapeData) }),
    agents: (agents) => add({ agents: named(agents, agentData) }),
    buffers: (buffers) => add({ buffers: named(buffers, bufferData) }),
    history: (history) => add({ history }),
    triggers: (...triggers) => add({ triggers: triggers.map(triggerData) }),
    step: (name, body) => add({ steps: [...steps, { [name]: partData(resolve<V, Part<never>>(body as Part<never>)) }] }), // only data is read
    onError: (outcome) => add({ onError: outcomeData(resolve(outcome)) }),
    onLimit: (outcome) => add({ onLimit: outcomeData(resolve(outcome)) }),
    results: (results) => add({ results }),
    also: (fields) => add(fields),
    output: (value) => add({ output: dataOf(resolve(value)) }),
    compile: (options) => compileData(data, options),
  }
}

/** A flow by its name, `namespace/name@1.0.0`; without one it is local. */
export const flow = (name?: string): Flow<Start, null> => build(name === undefined ? {} : { flow: name })
