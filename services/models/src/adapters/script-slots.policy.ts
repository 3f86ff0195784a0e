// Slots in the answers of a script: `{{ input.text }}`. They are filled with data, never evaluated.
//   Z1. A string that is one slot becomes the value itself; a slot within text becomes text; what is not there is null, or nothing.
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts/json'
import type { Question } from '../model.ts'
import { lastOf } from './script.ts'

const SLOT = /\{\{\s*([A-Za-z_]\w*(?:\.\w+)*)\s*\}\}/g
const WHOLE = /^\{\{\s*([A-Za-z_]\w*(?:\.\w+)*)\s*\}\}$/

const read = (text: string): Json => {
  try {
    return JSON.parse(text) as Json // JSON.parse gives JSON.
  } catch {
    return text
  }
}

/** What slots can name: `input`, `last` (the last message), `results` (what the calls before gave) and `result`, the last of them. */
export const slotValues = (question: Question): JsonObject => {
  const { conversation = [], input } = question
  const from = conversation.findLastIndex(({ role }) => role === 'assistant')
  const results = conversation.slice(from + 1).flatMap((said) => (said.role === 'tool' ? [read(said.text)] : []))
  return { input, last: lastOf(question), results, result: results.at(-1) ?? null }
}

const valueAt = (values: JsonObject, path: string): Json =>
  path.split('.').reduce<Json>((value, key) => {
    if (Array.isArray(value)) return value[Number(key)] ?? null
    return isJsonObject(value) && Object.hasOwn(value, key) ? (value[key] ?? null) : null
  }, values)

const asText = (value: Json): string => (value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value))

/** Text with its slots filled. */
export const fillText = (text: string, values: JsonObject): string =>
  text.replaceAll(SLOT, (_all, path: string) => asText(valueAt(values, path)))

/** A value with the slots of all its strings filled (Z1). */
export const fill = (value: Json, values: JsonObject): Json => {
  if (typeof value === 'string') {
    const path = WHOLE.exec(value)?.[1]
    return path === undefined ? fillText(value, values) : valueAt(values, path)
  }
  if (Array.isArray(value)) return value.map((item: Json) => fill(item, values))
  return isJsonObject(value) ? Object.fromEntries(Object.entries(value).map(([key, field]) => [key, fill(field, values)])) : value
}
