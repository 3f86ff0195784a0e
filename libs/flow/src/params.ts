import { Fault } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import type { ParamSpec, Plan } from './plan.ts'
import { parseDuration } from './source/literals.ts'

/** Why a value does not fit a param, in words that go on after its name; undefined when it does. */
export const paramProblem = (spec: ParamSpec, value: Json): string | undefined => {
  const number = spec.type === 'duration' ? durationOf(value) : value
  if (spec.type === 'duration' && number === undefined) return `must be a duration like 5s, not ${JSON.stringify(value)}`
  if (spec.type === 'integer' && !Number.isInteger(value)) return `must be a whole number, not ${JSON.stringify(value)}`
  if ((spec.type === 'number' || spec.type === 'string' || spec.type === 'boolean') && typeof value !== spec.type) return `must be a ${spec.type}, not ${JSON.stringify(value)}`
  if (typeof number !== 'number') return undefined
  if (spec.min !== undefined && number < spec.min) return `is ${number}, below its minimum ${spec.min}`
  if (spec.max !== undefined && number > spec.max) return `is ${number}, above its maximum ${spec.max}`
  return undefined
}

const durationOf = (value: Json): number | undefined => (typeof value === 'string' ? parseDuration(value) : typeof value === 'number' ? value : undefined)

/**
 * The values expressions see as `params`: defaults with overrides laid over them, durations in milliseconds.
 * Throws `flow.invalid` for an override that the flow does not have or that is out of its range.
 */
export const resolveParams = (plan: Pick<Plan, 'params'>, overrides: { readonly [name: string]: Json } = {}): { readonly [name: string]: Json } => {
  for (const [name, value] of Object.entries(overrides)) {
    const spec = Object.hasOwn(plan.params, name) ? plan.params[name] : undefined
    const problem = spec === undefined ? 'is not a param of this flow' : paramProblem(spec, value)
    if (problem !== undefined) throw new Fault('flow.invalid', `${name} ${problem}`, { field: `params.${name}` })
  }
  return Object.fromEntries(
    Object.entries(plan.params).map(([name, spec]) => {
      const value = Object.hasOwn(overrides, name) ? (overrides[name] ?? spec.default) : spec.default
      return [name, spec.type === 'duration' ? (durationOf(value) ?? null) : value]
    }),
  )
}
