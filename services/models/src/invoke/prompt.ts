// The prompt of a plan, filled.
//   N1. The prompt of an agent that takes nothing of its input is its role: the model gets the role as system and the input as the first
//       message. A prompt with slots says itself where the input goes.
import { Fault } from '@baton/contracts/fault'
import { isJsonObject, type Json } from '@baton/contracts/json'
import { renderPrompt } from '@baton/flow'
import type { Plan } from '@baton/flow/plan'

export type Prompt = { readonly prompt: string; readonly system?: string }

const find = (plan: Plan, name: string): Plan['prompts'][string] => {
  const prompt = plan.prompts[name]
  if (prompt === undefined) throw new Fault('flow.invalid', `The plan has no prompt ${name}.`, { prompt: name })
  return prompt
}

/** The prompt of a step. Throws `expression.failed` for a slot that the input does not have. */
export const promptOf = (plan: Plan, name: string, input: Json): Prompt => {
  const { parts, system } = find(plan, name)
  return { prompt: renderPrompt(parts, input), ...(system === undefined ? {} : { system: renderPrompt(system, input) }) }
}

const INPUT_SLOT = [{ slot: ['input'] }]
const isNothing = (input: Json): boolean => input === null || (isJsonObject(input) && Object.keys(input).length === 0)

/** The prompt of an agent (N1). */
export const agentPromptOf = (plan: Plan, name: string, input: Json): Prompt => {
  const { parts, system = [] } = find(plan, name)
  const told = promptOf(plan, name, input)
  if ([...parts, ...system].some((part) => 'slot' in part) || isNothing(input)) return told
  const role = told.system === undefined ? told.prompt : `${told.system}\n\n${told.prompt}`
  return { system: role, prompt: renderPrompt(INPUT_SLOT, { input }) }
}
