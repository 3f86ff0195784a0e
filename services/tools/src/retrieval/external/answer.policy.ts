// The answer of a retriever of others as passages.
//   X1. The order is theirs. A score of theirs is taken where it lies between 0 and 1; else a passage has none, which is 0: numbers of
//       unknown meaning must not pass a gate.
//   X2. What has no text is no passage. Texts are cut at `TEXT_CHARS_MAX`.
//   X3. A document that comes twice is one passage, where it came first.
//   X4. An answer without the list, or with a list of which nothing has a text, is a fault: "nothing found" is an empty list.
import { Fault, isJsonObject, sha256, type Json, type JsonObject } from '@baton/contracts'
import type { Passage } from '../search-index.repository.ts'
import type { Retriever } from './retrievers.config.ts'

const TEXT_CHARS_MAX = 8_000

const at = (value: Json | undefined, path: string): Json | undefined => {
  let found = value
  for (const key of path.split('.')) found = isJsonObject(found) && Object.hasOwn(found, key) ? found[key] : undefined
  return found
}

/** JSON in a text, as tools of MCP servers often answer: the text alone, or beside other content. */
const opened = (output: Json): Json => {
  const said = isJsonObject(output) && !Object.values(output).some(Array.isArray) ? output['text'] : output
  if (typeof said !== 'string') return output
  if (!/^\s*[[{]/.test(said)) return said
  try {
    return JSON.parse(said) as Json // The text of a tool: JSON or not.
  } catch {
    return said
  }
}

const wrongShape = (problem: string): Fault => new Fault('tool.result_invalid', `What the index answered has ${problem}.`, { problem })

const listIn = (output: Json, path: string | undefined): readonly Json[] => {
  if (path !== undefined) {
    const found = at(output, path)
    if (Array.isArray(found)) return found
    throw wrongShape(`no list at ${path}`) // X4
  }
  if (Array.isArray(output)) return output
  if (output === null || output === '') return []
  if (typeof output === 'string') return [output]
  const list = isJsonObject(output) ? Object.values(output).find((value) => Array.isArray(value)) : undefined
  if (list === undefined) throw wrongShape('no list of passages') // X4
  return list
}

const FIELDS = {
  id: ['id', 'uri', 'url', 'path'],
  title: ['title', 'name', 'heading'],
  text: ['text', 'content', 'snippet', 'body'],
  score: ['score', 'relevance'],
  source: ['source', 'url', 'uri', 'path'],
} as const

const textOf = (value: Json | undefined): string | undefined =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined

const field = (item: JsonObject, name: keyof typeof FIELDS, fields: Retriever['fields']): Json | undefined => {
  const path = fields[name]
  if (path !== undefined) return at(item, path)
  const known = FIELDS[name].find((key) => item[key] !== undefined && item[key] !== null)
  return known === undefined ? undefined : item[known]
}

type Unranked = Omit<Passage, 'rank'>

const passageOf = (entry: Json, fields: Retriever['fields']): Unranked | undefined => {
  const item: JsonObject = isJsonObject(entry) ? entry : { text: entry }
  const text = textOf(field(item, 'text', fields))
    ?.trim()
    .slice(0, TEXT_CHARS_MAX)
  if (text === undefined || text === '') return undefined // X2
  const id = textOf(field(item, 'id', fields)) ?? sha256(text).slice(0, 16)
  const score = field(item, 'score', fields)
  return {
    id,
    title: textOf(field(item, 'title', fields)) ?? id,
    text,
    score: typeof score === 'number' && score >= 0 && score <= 1 ? score : 0, // X1
    source: textOf(field(item, 'source', fields)) ?? id,
    heading: '',
    meta: {},
    at: null,
  }
}

/** The passages of an answer, at most `top`. Throws `tool.result_invalid` (X4). */
export const passagesOfAnswer = (output: Json, { items, fields }: Pick<Retriever, 'items' | 'fields'>, top: number): readonly Passage[] => {
  const list = listIn(opened(output), items)
  const byId = new Map<string, Unranked>()
  for (const entry of list) {
    const passage = passageOf(entry, fields)
    if (passage !== undefined && !byId.has(passage.id)) byId.set(passage.id, passage) // X3
  }
  if (list.length > 0 && byId.size === 0) throw wrongShape('a list of which nothing has a text') // X4
  return [...byId.values()].slice(0, top).map((passage, place) => ({ ...passage, rank: place + 1 }))
}
