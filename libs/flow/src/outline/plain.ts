// Values of a plan as they are written: what two versions of a flow are compared by.
import type { Json } from '@baton/contracts/json'
import type { PromptPart, ValueExpr } from '../plan.ts'

/** The text of a prompt as it is written. */
export const promptText = (prompt: { readonly parts: readonly PromptPart[]; readonly system?: readonly PromptPart[] }): string =>
  prompt.system === undefined ? partsText(prompt.parts) : `[system] ${partsText(prompt.system)}\n${partsText(prompt.parts)}`

const partsText = (parts: readonly PromptPart[]): string =>
  parts
    .map((part) => ('text' in part ? part.text : `{{ ${part.slot.join('.')} }}`))
    .join('')
    .trim()

/** A value of a plan as it is written: expressions begin with "=". */
export const writtenValue = (value: ValueExpr): Json => {
  if ('lit' in value) return value.lit
  if ('cel' in value) return `=${value.cel}`
  if ('list' in value) return value.list.map(writtenValue)
  return Object.fromEntries(Object.entries(value.object).map(([key, field]) => [key, writtenValue(field)]))
}
