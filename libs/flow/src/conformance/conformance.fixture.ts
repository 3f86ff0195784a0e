// Our expressions beside the reference implementation, on the official cases.
import { isCelError, isCelList, isCelMap, run } from '@bufbuild/cel'
import type { Json } from '@baton/contracts/json'
import { createCompiler } from '../expression.ts'
import type { OfficialCase } from './official-cases.fixture.ts'

/** What an implementation makes of a case: a value of JSON, or an error. */
export type Answer = { readonly value: Json } | { readonly error: string }

/** Evaluates as flows do: the bindings are outputs of steps. */
export const oursOf = ({ expression, bindings }: OfficialCase): Answer => {
  try {
    const evaluate = createCompiler(Object.keys(bindings))(expression)
    return { value: evaluate({ input: null, params: {}, run: {}, steps: bindings }) }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

/** Evaluates with @bufbuild/cel. */
export const referenceOf = ({ expression, typed }: OfficialCase): Answer => {
  try {
    const result = run(expression, typed)
    return isCelError(result) ? { error: result.message } : { value: plainOf(result) }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

const plainOf = (value: unknown): Json => {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (isCelList(value)) return [...value].map(plainOf)
  if (isCelMap(value))
    return Object.fromEntries([...value].map(([key, item]) => [JSON.stringify(plainOf(key)).replaceAll('"', ''), plainOf(item)]))
  return `not JSON: ${typeof value}`
}

/** Whether an answer is what a case asks for. */
export const fits = (answer: Answer, { expected }: OfficialCase): boolean =>
  'error' in answer ? expected === undefined : expected !== undefined && equal(answer.value, expected)

const equal = (a: Json, b: Json): boolean => sorted(a) === sorted(b)
const sorted = (value: Json): string =>
  JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : item === 0
        ? 0
        : item,
  )
