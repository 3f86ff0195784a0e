import { sha256 } from '@baton/contracts/ids'
import { canonicalJson, isJsonObject, type Json, type JsonSchema } from '@baton/contracts/json'
import type { Plan } from './plan.ts'

/** SHA-256 of the plan's canonical text without its hash, in hex (P1). In which order a schema names its fields means nothing. */
export const planHash = (plan: Omit<Plan, 'hash'> | Plan): string => {
  const { agents } = plan
  const nodes = mapped(plan.nodes, withOrderedReturns)
  const same = {
    ...plan,
    input: ordered(plan.input),
    nodes,
    ...(agents === undefined ? {} : { agents: mapped(agents, withOrderedReturns) }),
  }
  return sha256(canonicalJson({ ...same, hash: undefined }))
}

const mapped = <T>(record: Readonly<Record<string, T>>, change: (value: T) => T): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))

const withOrderedReturns = <T extends { readonly returns?: JsonSchema }>(value: T): T =>
  value.returns === undefined ? value : { ...value, returns: ordered(value.returns) }

/** A schema with the names of its required fields in order, at every depth. */
const ordered = (schema: JsonSchema): JsonSchema => {
  if (!isJsonObject(schema)) return schema
  const changed = orderedValue(schema)
  return isJsonObject(changed) ? changed : schema
}

/** Keywords whose value is data and no schema. */
const DATA: ReadonlySet<string> = new Set(['default', 'const', 'enum', 'examples'])

const orderedValue = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(orderedValue)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, field]): [string, Json] => {
      if (DATA.has(key)) return [key, field]
      const names = key === 'required' && Array.isArray(field) && field.every((name) => typeof name === 'string')
      return [key, names ? field.toSorted() : orderedValue(field)]
    }),
  )
}
