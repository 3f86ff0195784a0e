// What a change of a run may say, checked against the plan that the run was begun with.
//   W1. A field that is named fits its schema; what is not named stays, so nothing is missing.
//   W2. A param that is named fits its range, and travels as the engine keeps it: durations in milliseconds.
import { Fault, isJsonObject, type JsonObject } from '@baton/contracts'
import { didYouMean, resolveParams, type Plan } from '@baton/flow'
import { compileInputCheck } from '../flows/input-check.ts'

type Change = { readonly input?: JsonObject | undefined; readonly params?: JsonObject | undefined }

/** The change as the engine takes it. Throws `input.invalid` or `params.invalid`. */
export const patchOf = (
  plan: Pick<Plan, 'flow' | 'input' | 'params'>,
  { input, params }: Change,
): { input?: JsonObject; params?: JsonObject } => {
  if (input !== undefined) partialCheck(plan)(input) // W1
  const resolved = params === undefined ? {} : resolveParams(plan, params)
  return {
    ...(input === undefined ? {} : { input }),
    ...(params === undefined
      ? {}
      : { params: Object.fromEntries(Object.entries(resolved).filter(([name]) => Object.hasOwn(params, name))) }), // W2
  }
}

const partialCheck = ({ flow, input }: Pick<Plan, 'flow' | 'input'>): ((fields: JsonObject) => void) => {
  if (!isJsonObject(input)) return () => undefined
  const { required: _, minProperties: __, ...partial } = input
  // What the schema does not name nobody reads: in a patch it is a slip of the pen.
  const closed = isJsonObject(input['properties']) ? { additionalProperties: false, ...partial } : partial
  return compileInputCheck({ flow, input: closed }, { defaults: false })
}

/** Refuses a step from which a run cannot begin; only those of the flow itself, not those inside others, can be. */
export const requireFirstStep = ({ flow, blocks, entry, nodes }: Pick<Plan, 'flow' | 'blocks' | 'entry' | 'nodes'>, from: string): void => {
  const names = (blocks[entry] ?? []).map((id) => nodes[id]?.name ?? id)
  if (names.includes(from)) return
  const outer = names.find((name) => from.startsWith(`${name}/`) || from.startsWith(`${name}[`))
  const hint = outer === undefined ? didYouMean(from, names) : `; it is inside of ${outer}, begin from there`
  throw new Fault('step.unknown', `${flow} has no step ${from} to begin from${hint}`, { field: 'from' })
}
