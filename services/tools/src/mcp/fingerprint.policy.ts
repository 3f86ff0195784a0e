// What a tool is, so that a change of it is noticed (C13).
//   F1. The fingerprint covers all that a model or a caller goes by: name, title, description, schemas, annotations, and whether it is a
//       task. The order of keys makes no difference.
//   F2. A difference names each place that changed, with both values shortened.
import { canonicalJson, isJsonObject, sha256, type Json, type JsonObject } from '@baton/contracts'

/** A tool as its server describes it. */
export type Definition = JsonObject & { readonly name: string }
export type Change = { readonly at: string; readonly from?: string; readonly to?: string }

const PARTS = ['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations', 'execution'] as const
/** What every tool is; servers of the new era do not say it any more. */
const NO_TASK = canonicalJson({ taskSupport: 'forbidden' })
const VALUE_CHARS_MAX = 400
const CHANGES_MAX = 50

/** The parts of a definition that count (F1). */
export const definitionOf = (tool: JsonObject & { readonly name: string }): Definition => {
  const isPlain = (part: string): boolean => part === 'execution' && canonicalJson(tool[part] ?? null) === NO_TASK
  const parts = PARTS.flatMap((part) => (tool[part] === undefined || isPlain(part) ? [] : [[part, tool[part]] as const]))
  return { ...Object.fromEntries(parts), name: tool.name }
}

export const fingerprintOf = (definition: Definition): string => sha256(canonicalJson(definitionOf(definition)))

const shown = (value: Json | undefined): string | undefined => {
  if (value === undefined) return undefined
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length <= VALUE_CHARS_MAX ? text : `${text.slice(0, VALUE_CHARS_MAX - 1)}…`
}

const changeOf = (at: string, from: Json | undefined, to: Json | undefined): Change => {
  const [was, is] = [shown(from), shown(to)]
  return { at, ...(was === undefined ? {} : { from: was }), ...(is === undefined ? {} : { to: is }) }
}

const compare = (at: string, from: Json | undefined, to: Json | undefined, found: Change[]): void => {
  if (found.length >= CHANGES_MAX || canonicalJson(from ?? null) === canonicalJson(to ?? null)) return
  if (!isJsonObject(from) || !isJsonObject(to)) {
    found.push(changeOf(at, from, to))
    return
  }
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)]))
    compare(at === '' ? key : `${at}.${key}`, from[key], to[key], found)
}

/** Where two definitions differ (F2). */
export const changesBetween = (from: Definition | undefined, to: Definition): readonly Change[] => {
  const found: Change[] = []
  compare('', from ?? {}, to, found)
  return found
}
