// Trees and plans as plain data, without places: what two versions of a flow are compared by.
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

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null

/** Any piece of a tree as data; places and blocks are left out. Undefined where nothing remains. */
export const plain = (value: unknown): Json | undefined => {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  if (Array.isArray(value)) return value.flatMap((item) => plain(item) ?? [])
  return isRecord(value) ? plainRecord(value) : undefined
}

const plainRecord = (value: Readonly<Record<string, unknown>>): Json | undefined => {
  if (typeof value['cel'] === 'string') return `=${value['cel']}`
  if ('lit' in value) return plain(value['lit'])
  if ('expr' in value) return plain(value['expr'])
  if ('slots' in value && 'parts' in value) return promptOf(value)
  if ('source' in value) return undefined
  return 'at' in value ? plainPlaced(value) : plainFields(Object.entries(value))
}

/** Of a piece of the tree that says where it stands. */
const plainPlaced = (value: Readonly<Record<string, unknown>>): Json | undefined => {
  if ('steps' in value) return undefined
  if (Array.isArray(value['object'])) return plainFields(value['object'].map(([key, field]: [string, unknown]) => [key, field]))
  if (Array.isArray(value['list'])) return plain(value['list'])
  return plainFields(Object.entries(value).filter(([key]) => key !== 'at' && !key.endsWith('At')))
}

const plainFields = (fields: readonly (readonly [string, unknown])[]): Json =>
  Object.fromEntries(
    fields.flatMap(([key, field]): [string, Json][] => {
      const data = plain(field)
      return data === undefined ? [] : [[key, data]]
    }),
  )

const isParts = (value: unknown): value is readonly PromptPart[] => Array.isArray(value)

const promptOf = ({ parts, system }: Readonly<Record<string, unknown>>): string =>
  promptText({ parts: isParts(parts) ? parts : [], ...(isParts(system) ? { system } : {}) })
