// Values whose type is fixed where they stand: the arguments of a search, what `set` says it returns.
import { isJsonObject, type Json, type JsonSchema } from '@baton/contracts/json'
import type { View } from '../check/walk.ts'
import type { StepTree, TriggerTree, ValueTree } from '../tree.ts'
import { mismatch } from './mismatch.ts'
import { typeOfLiteral, typeOfSchema } from './schema-type.ts'
import { ANY, describeType, listOf, notNull, NUMBER, STRING, type Type } from './type.ts'
import { placeIn, type Add, type Typing } from './typing.ts'

type Site = { readonly view: View; readonly typing: Typing; readonly add: Add }

/** What steps in outcomes owe: the last of them gives the output of the step around, in its schema. */
export const owedOf = (steps: Iterable<StepTree>): ReadonlyMap<StepTree, JsonSchema> => {
  const owed = new Map<StepTree, JsonSchema>()
  // Outer steps come first, so that what they owe is known where it is handed on.
  for (const step of steps) {
    const returns = step.returns ?? owed.get(step)
    if (returns === undefined) continue
    const rules = [...(step.gate ?? []), ...(step.kind === 'switch' ? step.rules : [])]
    for (const outcome of [...rules.map((rule) => rule.outcome), step.onError, step.onTimeout, step.onLimit]) {
      const last = outcome?.then === 'run' && outcome.after !== 'fail' ? outcome.steps.at(-1) : undefined
      if (last !== undefined) owed.set(last, returns)
    }
  }
  return owed
}

/** Reports values that a kind of step cannot take. */
export const checkGiven = (step: StepTree, { owed, ...site }: Site & { readonly owed: ReadonlyMap<StepTree, JsonSchema> }): void => {
  const returns = step.returns ?? owed.get(step)
  if (step.kind === 'set' && returns !== undefined) checkValue(step.value, typeOfSchema(returns), { ...site, path: '' })
  if (step.kind !== 'retrieve' || step.with === undefined || !('object' in step.with)) return
  for (const [key, value] of step.with.object) {
    const type = Object.hasOwn(SEARCH, key) ? SEARCH[key] : undefined
    if (type !== undefined) checkValue(value, type, { ...site, path: key })
  }
}

const SEARCH: Readonly<Record<string, Type>> = { query: STRING, top: NUMBER }

type ValueSite = Site & { readonly path: string }

/** What starts a flow has to give the input that the flow takes; what arrives is not known, what is made of it is. */
export const checkTrigger = ({ input }: TriggerTree, schema: JsonSchema, { typing, add }: Omit<Site, 'view'>): void => {
  if (input !== undefined) checkValue(input, typeOfSent(schema), { typing, add, view: ARRIVED, path: '' })
}

/** What has to be sent to fit a schema: a field with a default is there when it is read, and need not be sent. */
const typeOfSent = (schema: Json | undefined): Type => {
  const type = isJsonObject(schema) ? typeOfSchema(schema) : ANY
  if (type.kind !== 'object' || !isJsonObject(schema)) return type
  const { properties, required } = schema
  const needed = Array.isArray(required) ? required : []
  const fields = [...type.fields].map(([name]): readonly [string, Type] => {
    const sent = typeOfSent(isJsonObject(properties) ? properties[name] : undefined)
    return [name, needed.includes(name) ? sent : { ...sent, absent: true }]
  })
  return { ...type, fields: new Map(fields) }
}

const ARRIVED: View = {
  steps: new Map(),
  self: undefined,
  it: undefined,
  fault: false,
  bound: new Map([['event', { from: 'event', schema: undefined }]]),
  trigger: true,
}

/** A value against the type it has to have, each part at its own place. */
const checkValue = (value: ValueTree, wanted: Type, site: ValueSite): void => {
  if ('object' in value && wanted.kind === 'object') checkFields(value, wanted, site)
  else if ('list' in value && wanted.kind === 'list') {
    for (const item of value.list) checkValue(item, wanted.of, { ...site, path: `${site.path}[]` })
  } else {
    const problem = mismatch(notNull(givenType(value, site)), wanted, site.path)
    if (problem !== undefined) site.add('expr' in value ? placeIn(value.expr, 0) : value.at, 'type.mismatch', problem)
  }
}

const givenType = (value: ValueTree, { typing, view }: Site): Type => {
  if ('lit' in value) return typeOfLiteral(value.lit)
  if ('expr' in value) return typing.typeOf(value.expr, view)?.type ?? ANY
  return 'object' in value ? { kind: 'map', of: ANY } : listOf(ANY)
}

type Fields = Extract<ValueTree, { readonly object: unknown }>

const checkFields = (value: Fields, wanted: Extract<Type, { kind: 'object' }>, site: ValueSite): void => {
  const given = new Map(value.object)
  for (const [name, type] of wanted.fields) {
    const path = site.path === '' ? name : `${site.path}.${name}`
    const field = given.get(name)
    if (field !== undefined) checkValue(field, type, { ...site, path })
    else if (type.absent === undefined) site.add(value.at, 'type.mismatch', `${path} is missing; it must be ${describeType(notNull(type))}`)
  }
}
