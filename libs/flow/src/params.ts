import { Fault } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import { didYouMean } from './diagnostic.ts'
import type { ParamSpec, Plan } from './plan.ts'
import { parseDuration } from './source/literals.ts'

/** Why a value does not fit a param, in words that go on after its name; undefined when it does. */
export const paramProblem = (spec: ParamSpec, value: Json): string | undefined => {
  const resolved = spec.type === 'duration' ? durationOf(value) : value
  if (!isOfType(spec.type, resolved)) return `must be ${ARTICLES[spec.type]}, not ${JSON.stringify(value)}`
  if (typeof resolved !== 'number') return undefined
  if (spec.min !== undefined && resolved < spec.min) return `is ${resolved}, below its minimum ${spec.min}`
  return spec.max !== undefined && resolved > spec.max ? `is ${resolved}, above its maximum ${spec.max}` : undefined
}

/** Why a flow cannot take a value for a param, in words that go on after its name; undefined when it can. */
export const overrideProblem = (plan: Pick<Plan, 'params'>, name: string, value: Json): string | undefined => {
  const spec = Object.hasOwn(plan.params, name) ? plan.params[name] : undefined
  return spec === undefined ? `is not a param of this flow${didYouMean(name, Object.keys(plan.params))}` : paramProblem(spec, value)
}

const ARTICLES: Readonly<Record<ParamSpec['type'], string>> = {
  number: 'a number',
  integer: 'a whole number',
  string: 'text',
  boolean: 'true or false',
  duration: 'a duration like 5s',
}

const isOfType = (type: ParamSpec['type'], value: Json | undefined): boolean => {
  if (type === 'integer') return Number.isSafeInteger(value)
  return type === 'duration' ? typeof value === 'number' && value > 0 : typeof value === type
}

const durationOf = (value: Json): number | undefined =>
  typeof value === 'string' ? parseDuration(value) : typeof value === 'number' ? value : undefined

/**
 * The values expressions see as `params`: defaults with overrides laid over them, durations in milliseconds.
 * Throws `params.invalid` for an override that the flow does not have or that is out of its range.
 */
export const resolveParams = (
  plan: Pick<Plan, 'params'>,
  overrides: { readonly [name: string]: Json } = {},
): { readonly [name: string]: Json } => {
  for (const [name, value] of Object.entries(overrides)) {
    const problem = overrideProblem(plan, name, value)
    if (problem !== undefined) throw new Fault('params.invalid', `${name} ${problem}`, { field: `params.${name}` })
  }
  return Object.fromEntries(
    Object.entries(plan.params).map(([name, spec]) => {
      const value = Object.hasOwn(overrides, name) ? (overrides[name] ?? spec.default) : spec.default
      return [name, spec.type === 'duration' ? (durationOf(value) ?? null) : value]
    }),
  )
}
