// The texts in a value: a guard reads every one of them, wherever it stands.
//   X2. A key that may itself be what a guard looks for stands in a place by its number, never as it is.
//   X1. Keys are texts too: a tool may answer with an object whose keys came from outside.
import { isJsonObject, type Json } from '@baton/contracts'

/** A text and where it stands, as a JSON pointer, `''` for the value itself; `#2` is the third key, or what stands under it (X2). */
export type PlacedText = { readonly at: string; readonly text: string }

const PLAIN_KEY = /^[A-Za-z_][A-Za-z_-]{0,31}$/
const nameOf = (key: string, index: number): string => (PLAIN_KEY.test(key) ? key : `#${index}`)

/** Every text of a value, in order. */
export const textsOf = (value: Json, at = ''): readonly PlacedText[] => {
  if (typeof value === 'string') return [{ at, text: value }]
  if (typeof value === 'number') return [{ at, text: String(value) }]
  if (Array.isArray(value)) return value.flatMap((item: Json, index) => textsOf(item, `${at}/${index}`))
  if (!isJsonObject(value)) return []
  return Object.entries(value).flatMap(([key, field], index) => [
    { at: `${at}/#${index}`, text: key },
    ...textsOf(field, `${at}/${nameOf(key, index)}`),
  ]) // X1
}

/** The value with each text as `change` makes it; a number stays one unless its digits change. */
export const mapTexts = (value: Json, change: (text: string) => string): Json => {
  if (typeof value === 'string') return change(value)
  if (typeof value === 'number') {
    const text = change(String(value))
    return text === String(value) ? value : text
  }
  if (Array.isArray(value)) return value.map((item: Json) => mapTexts(item, change))
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [change(key), mapTexts(field, change)]))
}
