// The values of steps: as they are written, or what a step gets when it does not say.
import type { JsonObject } from '@baton/contracts/json'
import { agentsOf, isFilledByPart } from './check/walk.ts'
import type { ValueExpr } from './plan.ts'
import type { FlowTree, Place, SlotTree, StepTree, ValueTree } from './tree.ts'

/** A value with its expressions. */
export const emitValue = (value: ValueTree): ValueExpr => {
  if ('lit' in value) return { lit: value.lit }
  if ('expr' in value) return { cel: value.expr.cel }
  if ('list' in value) return { list: value.list.map(emitValue) }
  return { object: Object.fromEntries(value.object.map(([key, field]) => [key, emitValue(field)])) }
}

const cel = (expression: string): ValueExpr => ({ cel: expression })

/** What a person, check or task sees beside the input, by where it stands. */
const SEEN: Readonly<Record<Place, Readonly<Record<string, string>>>> = {
  steps: {},
  case: {},
  gate: { draft: 'it' },
  onError: { fault: 'fault' },
  branch: {},
  each: {},
  loop: {},
  undo: {},
}

/** The values of a step without `with`: a prompt gets what its slots name, people and checks what they have to judge. */
export const defaultWith = (step: StepTree, previous: string | null, tree: FlowTree): ValueExpr => {
  switch (step.kind) {
    case 'model':
      return slotValues(step.prompt.slots.filter((slot) => !isFilledByPart(slot, step, tree)))
    case 'agent':
      return slotValues(agentsOf(step, tree).flatMap(({ prompt }) => prompt.slots.filter((slot) => !isFilledByPart(slot, step, tree))))
    case 'flow':
      return cel('input')
    case 'human':
      return judged(step, { name: 'draft', previous })
    case 'check':
    case 'task':
    case 'emit':
    case 'team':
      return judged(step, { name: 'it', previous })
    case 'tool':
      return step.place === 'onError' ? { object: { fault: cel('fault'), run: cel('run') } } : { lit: {} }
    default:
      return { lit: {} }
  }
}

/** The input, the output before, and what is seen where the step stands. */
const judged = (step: StepTree, { name, previous }: { readonly name: string; readonly previous: string | null }): ValueExpr => {
  const seen = Object.entries(SEEN[step.place]).map(([key, expression]) => [key, cel(expression)] as const)
  const before = previous === null || step.place === 'gate' ? [] : [[name, cel(previous)] as const]
  return { object: Object.fromEntries([['input', cel('input')], ...before, ...seen]) }
}

type Slots = { readonly [key: string]: Slots | null }

/** Slots `input.text` and `facts` become `{ input: { text: =input.text }, facts: =facts }`. */
const slotValues = (slots: readonly SlotTree[]): ValueExpr => {
  let tree: Slots = {}
  for (const { path } of slots) tree = withPath(tree, path)
  return slotsValue(tree, '')
}

const withPath = (tree: Slots, [key, ...rest]: readonly string[]): Slots => {
  if (key === undefined) return tree
  const below = tree[key]
  if (below === null || rest.length === 0 || /^\d+$/.test(rest[0] ?? '')) return { ...tree, [key]: null }
  return { ...tree, [key]: withPath(below ?? {}, rest) }
}

const slotsValue = (tree: Slots, prefix: string): ValueExpr => {
  const entries = Object.entries(tree).map(
    ([key, below]) => [key, below === null ? cel(prefix + key) : slotsValue(below, `${prefix}${key}.`)] as const,
  )
  return entries.length === 0 ? { lit: EMPTY } : { object: Object.fromEntries(entries) }
}
const EMPTY: JsonObject = {}
