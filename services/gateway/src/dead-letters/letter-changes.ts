// What an edit changed, from what to what, with secrets masked.
import { isDeepStrictEqual } from 'node:util'
import type { LetterChange } from '@baton/bus'
import { isJsonObject, type Json } from '@baton/contracts'
import { redactJson, redactText } from '@baton/service'
import { maskHeaders } from './letter-mask.ts'

const CHARS_MAX = 300

/** What lies below a key; undefined when nothing does. */
export const child = (value: Json | undefined, key: string | number): Json | undefined => {
  if (Array.isArray(value)) return typeof key === 'number' ? value[key] : undefined
  return isJsonObject(value) && typeof key === 'string' && Object.hasOwn(value, key) ? value[key] : undefined
}

/** Changed headers. */
export const headerChanges = (
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): readonly LetterChange[] => {
  const [was, is] = [maskHeaders(before), maskHeaders(after)]
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => before[name] !== after[name])
    .map((name) => changeOf(`headers.${name}`, was[name], is[name]))
}

/** Changed places of the body; the whole of it where it is no JSON. */
export const bodyChanges = (
  valueBefore: Buffer,
  valueAfter: Buffer,
  { before, after }: { before: Json | undefined; after: Json | undefined },
): readonly LetterChange[] => {
  if (valueBefore.equals(valueAfter)) return []
  if (before === undefined || after === undefined)
    return [changeOf('body', redactText(valueBefore.toString('utf8')), redactText(valueAfter.toString('utf8')))]
  const changes: LetterChange[] = []
  compare(before, after, { was: redactJson(before), is: redactJson(after), at: 'body', changes })
  return changes.length > 0 ? changes : [changeOf('body', '(other spacing)', '(other spacing)')]
}

type Walk = { readonly was: Json | undefined; readonly is: Json | undefined; readonly at: string; readonly changes: LetterChange[] }

const compare = (before: Json | undefined, after: Json | undefined, { was, is, at, changes }: Walk): void => {
  if (isDeepStrictEqual(before, after)) return
  const inside = (key: string | number, name: string): void =>
    compare(child(before, key), child(after, key), { was: child(was, key), is: child(is, key), at: `${at}${name}`, changes })
  if (Array.isArray(before) && Array.isArray(after)) {
    for (let n = 0; n < Math.max(before.length, after.length); n++) inside(n, `[${n}]`)
  } else if (isJsonObject(before) && isJsonObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) inside(key, `.${key}`)
  } else changes.push(changeOf(at, shown(was), shown(is)))
}

const shown = (value: Json | undefined): string | undefined => (value === undefined ? undefined : JSON.stringify(value))

const changeOf = (at: string, before: string | undefined, after: string | undefined): LetterChange => ({
  at,
  ...(before === undefined ? {} : { before: before.slice(0, CHARS_MAX) }),
  ...(after === undefined ? {} : { after: after.slice(0, CHARS_MAX) }),
})
