// Whether every value of one schema fits another: what callers sent has to fit the new input, what comes out the old output.
import { canonicalJson, isJsonObject, type Json, type JsonObject, type JsonSchema } from '@baton/contracts/json'

/** Why a value of the one schema may not fit the other, in words that go on after the path. */
export type Misfit = { readonly path: string; readonly kind: 'missing' | 'type' | 'value' | 'range' | 'extra'; readonly detail: string }

/** The misfits of values of `given` with `wanted`. What a schema leaves to be worked out (`anyOf`, `$ref`, …) is not looked into. */
export const misfits = (given: JsonSchema, wanted: JsonSchema, path: string): readonly Misfit[] => {
  if (!isJsonObject(wanted) || isComposed(wanted) || canonicalJson(given) === canonicalJson(wanted)) return []
  const from = isJsonObject(given) ? given : {}
  if (isComposed(from)) return []
  const types = typeMisfit(from, wanted, path)
  if (types !== undefined) return [types]
  return [...valueMisfits(from, wanted, path), ...fieldMisfits(from, wanted, path), ...itemMisfits(from, wanted, path)]
}

const COMPOSED = ['$ref', 'anyOf', 'oneOf', 'allOf', 'not', 'if', 'patternProperties']
const isComposed = (schema: JsonObject): boolean => COMPOSED.some((key) => Object.hasOwn(schema, key))

const ALL_TYPES = ['null', 'boolean', 'number', 'string', 'array', 'object'] as const

const typesOf = (schema: JsonObject): ReadonlySet<string> => {
  const { type } = schema
  if (typeof type === 'string') return new Set([type])
  if (Array.isArray(type)) return new Set(type.filter((name) => typeof name === 'string'))
  const values = valuesOf(schema)
  if (values !== undefined) return new Set(values.map(typeOf))
  return isJsonObject(schema['properties']) ? new Set(['object']) : new Set(ALL_TYPES)
}

const typeOf = (value: Json): string => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}

const valuesOf = ({ enum: values, const: only }: JsonObject): readonly Json[] | undefined =>
  Array.isArray(values) ? values : only === undefined ? undefined : [only]

const typeMisfit = (given: JsonObject, wanted: JsonObject, path: string): Misfit | undefined => {
  const taken = typesOf(wanted)
  const more = [...typesOf(given)].filter((type) => !taken.has(type) && !(type === 'integer' && taken.has('number')))
  return more.length === 0 ? undefined : { path, kind: 'type', detail: more.length > 3 ? 'anything' : more.join(' or ') }
}

const LOWEST = ['minimum', 'minLength', 'minItems'] as const
const HIGHEST = ['maximum', 'maxLength', 'maxItems'] as const

const valueMisfits = (given: JsonObject, wanted: JsonObject, path: string): readonly Misfit[] => {
  const taken = valuesOf(wanted)?.map(canonicalJson)
  const values = valuesOf(given)
  const more = taken === undefined ? [] : (values?.filter((value) => !taken.includes(canonicalJson(value))) ?? ['any other value'])
  const beyond = [...LOWEST, ...HIGHEST].filter((key) =>
    exceeds(
      given[key],
      wanted[key],
      HIGHEST.some((name) => name === key),
    ),
  )
  return [
    ...more.map((value): Misfit => ({ path, kind: 'value', detail: typeof value === 'string' ? value : JSON.stringify(value) })),
    ...(values === undefined ? beyond : []).map((key): Misfit => ({
      path,
      kind: 'range',
      detail: `${key} ${JSON.stringify(wanted[key])}`,
    })),
  ]
}

const exceeds = (given: Json | undefined, wanted: Json | undefined, isHighest: boolean): boolean => {
  if (typeof wanted !== 'number') return false
  return typeof given !== 'number' || (isHighest ? given > wanted : given < wanted)
}

const fieldsOf = ({ properties }: JsonObject): JsonObject => (isJsonObject(properties) ? properties : {})

const requiredIn = ({ required }: JsonObject): readonly string[] =>
  Array.isArray(required) ? required.filter((name) => typeof name === 'string') : []

const fieldMisfits = (given: JsonObject, wanted: JsonObject, path: string): readonly Misfit[] => {
  const from = fieldsOf(given)
  const to = fieldsOf(wanted)
  const sure = new Set(requiredIn(given))
  const missing = requiredIn(wanted).filter((name) => !sure.has(name) && !hasDefault(from[name]) && !hasDefault(to[name]))
  const extra = wanted['additionalProperties'] === false ? Object.keys(from).filter((name) => !Object.hasOwn(to, name)) : []
  return [
    ...missing.map((name): Misfit => ({
      path: `${path}.${name}`,
      kind: 'missing',
      detail: Object.hasOwn(from, name) ? 'optional' : 'gone',
    })),
    ...extra.map((name): Misfit => ({ path: `${path}.${name}`, kind: 'extra', detail: name })),
    ...Object.entries(to).flatMap(([name, schema]) => {
      const own = Object.hasOwn(from, name) ? from[name] : undefined
      return isSchema(own) && isSchema(schema) ? misfits(own, schema, `${path}.${name}`) : []
    }),
  ]
}

const itemMisfits = (given: JsonObject, wanted: JsonObject, path: string): readonly Misfit[] => {
  const { items } = wanted
  return isSchema(items) && isSchema(given['items']) ? misfits(given['items'], items, `${path}[]`) : []
}

const isSchema = (value: Json | undefined): value is JsonSchema => typeof value === 'boolean' || isJsonObject(value)
const hasDefault = (schema: Json | undefined): boolean => isJsonObject(schema) && Object.hasOwn(schema, 'default')
