// Figures and steps in words for people.
import type { JsonSchema } from '@baton/contracts/json'
import type { LimitsSpec } from '../plan.ts'

const UNITS: readonly (readonly [number, string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
]

/** `90000` as `1 min 30 s`; the two largest units. */
export const durationWords = (ms: number): string => {
  if (ms < 1_000) return `${ms} ms`
  const parts: string[] = []
  let rest = ms
  for (const [size, unit] of UNITS) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) parts.push(`${count} ${unit}`)
  }
  return parts.slice(0, 2).join(' ')
}

/** `50000` as `0.05 USD`. */
export const moneyWords = (microUsd: number): string => `${(microUsd / 1_000_000).toFixed(6).replace(/0{1,4}$/, '')} USD`

/** Names as a list in a sentence: `a, b and c`. */
export const listWords = (words: readonly string[], last = 'and'): string =>
  words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1) ?? ''}`

/** `1 step`, `2 steps`. */
export const countWords = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** Limits in words, in a fixed order. */
export const limitWords = (limits: LimitsSpec): readonly string[] => {
  const { timeMs, totalMs, costMicroUsd, ...counts } = limits
  const number = (key: keyof typeof counts, noun: string): string | undefined => {
    const count = counts[key]
    return count === undefined ? undefined : countWords(count, noun)
  }
  return [
    timeMs === undefined ? undefined : `${durationWords(timeMs)} of work`,
    totalMs === undefined ? undefined : `${durationWords(totalMs)} by the clock`,
    costMicroUsd === undefined ? undefined : moneyWords(costMicroUsd),
    number('steps', 'step'),
    number('tokens', 'token'),
    number('calls', 'call'),
    number('turns', 'turn'),
    number('rounds', 'round'),
    number('subtasks', 'subtask'),
    counts.depth === undefined ? undefined : `${counts.depth} deep`,
  ].filter((words) => words !== undefined)
}

/** A schema in a few words: `text (string), note (string, optional)`. */
export const schemaWords = (schema: JsonSchema): string => {
  if (typeof schema === 'boolean') return 'anything'
  const { properties, required } = schema
  if (typeof properties !== 'object' || properties === null || Array.isArray(properties)) return typeWords(schema)
  const needed = Array.isArray(required) ? required : []
  const fields = Object.entries(properties).map(([name, field]) => {
    const optional = needed.includes(name) ? '' : hasDefault(field) ? `, else ${JSON.stringify(hasDefault(field)?.default)}` : ', optional'
    return `${name} (${typeWords(field)}${optional})`
  })
  return fields.length === 0 ? 'an object' : fields.join(', ')
}

const hasDefault = (field: unknown): { readonly default: unknown } | undefined =>
  typeof field === 'object' && field !== null && 'default' in field ? field : undefined

const typeWords = (field: unknown): string => {
  if (typeof field !== 'object' || field === null) return 'anything'
  if ('enum' in field && Array.isArray(field.enum)) return field.enum.map(String).join(' | ')
  if ('const' in field) return JSON.stringify(field.const)
  if ('format' in field && typeof field.format === 'string') return field.format
  if (!('type' in field)) return 'anything'
  if (field.type === 'array') return `list of ${'items' in field ? typeWords(field.items) : 'anything'}`
  return `${Array.isArray(field.type) ? field.type.join(' or ') : String(field.type)}${rangeWords(field)}`
}

const rangeWords = (field: object): string =>
  'minimum' in field && 'maximum' in field ? ` ${String(field.minimum)}..${String(field.maximum)}` : ''
