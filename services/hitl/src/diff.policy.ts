// What is different between two values, place by place, for somebody who has seconds to see it.
import { isJsonObject, type Json } from '@baton/contracts/json'

/** `from` absent: it is new. `to` absent: it is gone. */
export type Difference = { readonly at: string; readonly from?: Json; readonly to?: Json }

/** More differences than a person looks at. */
const DIFFERENCES_MAX = 100

const joined = (at: string, key: string | number): string => {
  if (typeof key === 'number') return `${at}[${key}]`
  return at === '' ? key : `${at}.${key}`
}

const partsOf = (value: Json): ReadonlyMap<string | number, Json> | undefined => {
  if (Array.isArray(value)) return new Map(value.map((item, index) => [index, item]))
  return isJsonObject(value) ? new Map(Object.entries(value)) : undefined
}

function* compare(from: Json | undefined, to: Json | undefined, at: string): Generator<Difference> {
  if (from === undefined || to === undefined) {
    yield { at, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
    return
  }
  const [left, right] = [partsOf(from), partsOf(to)]
  if (left === undefined || right === undefined || Array.isArray(from) !== Array.isArray(to)) {
    if (JSON.stringify(from) !== JSON.stringify(to)) yield { at, from, to }
    return
  }
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const [before, after] = [left.get(key), right.get(key)]
    if (before !== undefined || after !== undefined) yield* compare(before, after, joined(at, key))
  }
}

/** The differences in the order in which they stand, at most a hundred. */
export const differences = (from: Json, to: Json): readonly Difference[] => {
  const found: Difference[] = []
  for (const difference of compare(from, to, '')) {
    found.push(difference)
    if (found.length >= DIFFERENCES_MAX) break
  }
  return found
}
