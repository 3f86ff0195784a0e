// What is left when a text of JSON is damaged in a way that models have no habit of: a generic repair, believed only as far as it can be checked.
//   R6. Every text and number of a mended value stands in the answer: what a repair would have to invent is unreadable.
import { isJsonObject, type Json } from '@baton/contracts/json'
import { jsonrepair } from 'jsonrepair'

/** Calls are read by the reader of literals or not at all: a generic repair makes scraps of text of them. */
const CALLS = /^\[?[\s`]*[\p{L}_][\p{L}\p{N}_.\\]*\(/u
const bare = (text: string): string => JSON.stringify(text).slice(1, -1).replaceAll('\\', '')
const NUMBERS = /(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:e[-+]?\d+)?/gi
/** Texts of a value that may stand elsewhere than behind the one before: searching each from the start takes the square of the length. */
const OUT_OF_ORDER_MAX = 500

/** Whether every text, key and number of a value stands in the text it was read from, escapes and signs aside (R6). */
const standsIn = (value: Json, text: string): boolean => {
  const within = bare(text)
  const numbers = new Set((text.match(NUMBERS) ?? []).map((one) => Number(one.replaceAll('_', ''))))
  let from = 0
  let jumps = 0
  const isWritten = (wanted: string): boolean => {
    let at = within.indexOf(wanted, from)
    if (at < 0 && jumps < OUT_OF_ORDER_MAX) {
      jumps += 1
      at = within.indexOf(wanted)
    }
    if (at >= 0) from = at + wanted.length
    return at >= 0
  }
  const stands = (one: Json): boolean => {
    if (typeof one === 'string') return isWritten(bare(one))
    if (typeof one === 'number') return numbers.has(Math.abs(one))
    if (Array.isArray(one)) return one.every(stands)
    return !isJsonObject(one) || Object.entries(one).every(([key, field]) => isWritten(bare(key)) && stands(field))
  }
  return stands(value)
}

/** The object or list in a damaged text, or nothing. Calls, and what does not stand in the text, are not believed (R6). */
export const mendGenerically = (text: string): Json | undefined => {
  if (!/^[{[]/.test(text) || CALLS.test(text)) return undefined
  try {
    const value = JSON.parse(jsonrepair(text)) as Json // JSON.parse gives JSON.
    return typeof value === 'object' && value !== null && standsIn(value, text) ? value : undefined
  } catch {
    return undefined
  }
}
