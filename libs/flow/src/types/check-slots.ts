// Slots of prompts: each key of the path has to be there.
import { isFilledByPart, type View } from '../check/walk.ts'
import { nearest } from '../diagnostic.ts'
import type { Span } from '../source/source.ts'
import type { SlotTree, StepTree, ValueTree } from '../tree.ts'
import { describeType, isKnown, type ObjectType, type Type } from './type.ts'
import { NAMED, type Add, type Seen, type Typing } from './typing.ts'

/** A slot without `with` is read like an expression; with one, it is a path into what `with` gives. */
export const checkSlot = ({ slot, step, view }: Extract<Seen, { is: 'slot' }>, typing: Typing, add: Add): void => {
  const [root = ''] = slot.path
  if (isFilledByPart(slot, step, typing.tree)) return
  const bare = step.with === undefined
  const type = bare ? typing.variable(root, view, typing.factsOf(undefined, view)) : givenBy(step, root, { view, typing })
  followSlot(slot, type, { bare, add })
}

/** Goes along the path of a slot, from the type of its first word. `bare`: it is read from the flow itself. */
export const followSlot = (
  { path: [root = '', ...keys], at }: SlotTree,
  first: Type | undefined,
  { bare, add }: Pick<Site, 'bare' | 'add'>,
): void => {
  let type = first
  let path = root
  for (const key of keys) {
    if (type === undefined) return
    const start = at.start + path.length + 1
    type = follow(type, key, { path, at: { ...at, start, end: start + key.length }, whole: at, bare, add })
    path = `${path}.${key}`
  }
}

type Reading = { readonly view: View; readonly typing: Typing }

const givenBy = (step: StepTree, key: string, { view, typing }: Reading): Type | undefined => {
  const value: ValueTree | undefined = step.with
  if (value === undefined) return undefined
  if ('object' in value) {
    const field = value.object.find(([name]) => name === key)?.[1]
    return field === undefined ? undefined : typing.outputs.value(field, view)
  }
  const whole = typing.outputs.value(value, view)
  return whole.kind === 'object' ? whole.fields.get(key) : undefined
}

type Site = { readonly path: string; readonly at: Span; readonly whole: Span; readonly bare: boolean; readonly add: Add }

/** The type behind one key; undefined where nothing more is known, or where it was reported. */
const follow = (type: Type, key: string, site: Site): Type | undefined => {
  const { path, whole, bare, add } = site
  // Inside what `with` gives, null is shown as "(none)".
  if (type.nullable !== undefined && bare) {
    const fix = `with: { ${key}: '=${path} == null ? null : ${path}.${key}' }`
    add(whole, 'type.nullable', `{{ ${path}.${key} }}: ${path} may be null: ${type.nullable.why}`, fix)
    return undefined
  }
  if (type.kind === 'map') return type.of
  if (type.kind === 'list' && /^\d+$/.test(key)) return type.of
  if (type.kind === 'object') return fieldOf(type, key, site)
  if (isKnown(type) && type.kind !== 'null')
    add(site.at, 'type.mismatch', `{{ ${path}.${key} }}: ${path} is ${describeType(type)} and has no fields`, `{{ ${path} }}`)
  return undefined
}

const fieldOf = (type: ObjectType, key: string, { path, at, whole, bare, add }: Site): Type | undefined => {
  const field = type.fields.get(key)
  if (field === undefined) {
    const near = nearest(key, type.fields.keys())
    if (type.open || (bare && NAMED.has(path))) return undefined // T3
    const meant = near === undefined ? '' : `; did you mean "${path}.${near}"?`
    add(at, 'type.unknown_field', `${path} has no field "${key}"${meant}`, near === undefined ? undefined : `{{ ${path}.${near} }}`)
    return undefined
  }
  if (field.absent === undefined) return field
  const fix = `with: { ${key}: '=has(${path}.${key}) ? ${path}.${key} : null' }`
  add(whole, 'type.nullable', `{{ ${path}.${key} }} may be missing: the schema does not require it`, fix)
  return undefined
}
