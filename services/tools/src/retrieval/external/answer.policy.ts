// The answer of a retriever of others as passages.
//   X1. The order is theirs. A score of theirs is taken where it lies between 0 and 1; else a passage has none, which is 0: numbers of
//       unknown meaning must not pass a gate.
//   X2. What has no text is no passage. Texts are cut at `TEXT_CHARS_MAX`.
import { isJsonObject, sha256, type Json, type JsonObject } from '@baton/contracts'
import type { Passage } from '../search-index.repository.ts'
import type { Retriever } from './retrievers.config.ts'

const TEXT_CHARS_MAX = 8_000

const at = (value: Json | undefined, path: string): Json | undefined => {
  let found = value
  for (const key of path.split('.')) found = isJsonObject(found) && Object.hasOwn(found, key) ? found[key] : undefined
  return found
}

/** JSON in a text, as tools of MCP servers often answer. */
const opened = (output: Json): Json => {
  if (typeof output !== 'string' || !/^\s*[[{]/.test(output)) return output
  try {
    return JSON.parse(output) as Json // The text of a tool: JSON or not.
  } catch {
    return output
  }
}

const listIn = (output: Json, path: string | undefined): readonly Json[] => {
  if (path !== undefined) {
    const found = at(output, path)
    return Array.isArray(found) ? found : []
  }
  if (Array.isArray(output)) return output
  if (typeof output === 'string') return output === '' ? [] : [output]
  if (!isJsonObject(output)) return []
  return Object.values(output).find((value) => Array.isArray(value)) ?? []
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

/** The passages of an answer, at most `top`. */
export const passagesOfAnswer = (output: Json, { items, fields }: Pick<Retriever, 'items' | 'fields'>, top: number): readonly Passage[] =>
  listIn(opened(output), items)
    .flatMap((entry): readonly Omit<Passage, 'rank'>[] => {
      const item: JsonObject = isJsonObject(entry) ? entry : { text: entry }
      const text = textOf(field(item, 'text', fields))
        ?.trim()
        .slice(0, TEXT_CHARS_MAX)
      if (text === undefined || text === '') return [] // X2
      const id = textOf(field(item, 'id', fields)) ?? sha256(text).slice(0, 16)
      const score = field(item, 'score', fields)
      return [
        {
          id,
          title: textOf(field(item, 'title', fields)) ?? id,
          text,
          score: typeof score === 'number' && score >= 0 && score <= 1 ? score : 0, // X1
          source: textOf(field(item, 'source', fields)) ?? id,
          heading: '',
          meta: {},
          at: null,
        },
      ]
    })
    .slice(0, top)
    .map((passage, place) => ({ ...passage, rank: place + 1 }))
