// The prompt of a plan, filled.
//   N1. The prompt of an agent that takes nothing of its input is its role: the model gets the role as system and the input as the first
//       message. A prompt with slots says itself where the input goes.
import { Fault } from '@baton/contracts/fault'
import { isJsonObject, type Json } from '@baton/contracts/json'
import { blocksOf, fillingOf, type Shown } from '@baton/flow'
import type { Plan, Sampling } from '@baton/flow/plan'
import { fillPrompt, withoutRoleMarks } from '../prompts/fill.policy.ts'

export type Prompt = { readonly prompt: string; readonly system?: string; readonly sampling?: Sampling }

const find = (plan: Plan, name: string): Plan['prompts'][string] => {
  const prompt = plan.prompts[name]
  if (prompt === undefined) throw new Fault('flow.invalid', `The plan has no prompt ${name}.`, { prompt: name })
  return prompt
}

const NO_PARTS: Shown = {}

/** The prompt of a step, with the parts of its context in their slots or behind it. Throws `expression.failed` for a slot that has nothing. */
export const promptOf = (plan: Plan, name: string, input: Json, shown: Shown = NO_PARTS): Prompt => {
  const { parts, system, sampling } = find(plan, name)
  const { values, rest } = fillingOf([...parts, ...(system ?? [])], input, shown)
  return {
    prompt: `${fillPrompt(parts, values)}${withoutRoleMarks(blocksOf(rest))}`,
    ...(system === undefined ? {} : { system: fillPrompt(system, values) }),
    ...(sampling === undefined ? {} : { sampling }),
  }
}

const INPUT_SLOT = [{ slot: ['input'] }]
const isNothing = (input: Json): boolean => input === null || (isJsonObject(input) && Object.keys(input).length === 0)

/** The prompt of an agent (N1). */
export const agentPromptOf = (plan: Plan, name: string, input: Json, shown: Shown = NO_PARTS): Prompt => {
  const { parts, system = [] } = find(plan, name)
  if ([...parts, ...system].some((part) => 'slot' in part) || isNothing(input)) return promptOf(plan, name, input, shown)
  const told = promptOf(plan, name, input)
  const role = told.system === undefined ? told.prompt : `${told.system}\n\n${told.prompt}`
  return {
    ...(told.sampling === undefined ? {} : { sampling: told.sampling }),
    system: role,
    prompt: `${fillPrompt(INPUT_SLOT, { input })}${withoutRoleMarks(blocksOf(shown))}`,
  }
}
