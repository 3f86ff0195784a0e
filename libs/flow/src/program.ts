// A plan made ready to run: every expression compiled once.
import type { Json } from '@baton/contracts/json'
import type { Plan, ValueExpr } from './plan.ts'

/**
 * What expressions see. Step outputs appear under their names with `by` added to objects; a skipped step is null.
 * An output in the payload store appears as its inline fields plus `$payload`; a path into a field that is not inline
 * evaluates to `{ $payload, at }`, which the worker fetches; any other use of it faults with `payload.not_inline`.
 */
export type Scope = {
  readonly input: Json
  readonly params: { readonly [name: string]: Json }
  readonly run: Json
  /** Outputs by the names of steps; beside them the item of a map, `index` of a map or loop, and the `event` that arrived. */
  readonly steps: { readonly [name: string]: Json }
  /** What a gate, a loop, a vote or a fallback looks at. */
  readonly it?: Json
  /**
   * What did not fit the context of a step, by the name of the step, and of `it`. It is read as `answer.leftOut` and `it.leftOut`, and is no
   * part of the output: `=answer` is without it.
   */
  readonly leftOut?: (name: string) => Json | undefined
  /** The fault an error handler looks at. */
  readonly fault?: Json
}

export type Program = {
  readonly plan: Plan
  /** Evaluates a condition; anything but a boolean is `expression.failed`. */
  test(condition: string, scope: Scope): boolean
  /** Evaluates a value with its expressions. Throws `expression.failed` or `payload.not_inline`. */
  value(value: ValueExpr, scope: Scope): Json
}
