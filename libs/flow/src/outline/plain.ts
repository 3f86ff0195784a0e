// Values of a plan as they are written: what two versions of a flow are compared by.
import type { Json } from '@baton/contracts/json'
import type { PlanPrompt, PromptPart, ValueExpr } from '../plan.ts'

/** The text of a prompt as it is written. */
export const promptText = ({ parts, system, sampling }: PlanPrompt): string =>
  [
    ...Object.entries(sampling ?? {}).map(([what, value]) => `[${what}] ${value}`),
    ...(system === undefined ? [] : [`[system] ${partsText(system)}`]),
    partsText(parts),
  ].join('\n')

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
