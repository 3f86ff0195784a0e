// CSV and JSON lines: a document for each row.
//   D1. `id`, `title` and `text` (or `content`, `body`) are what they say. The other columns are `meta`, by which a search can filter.
//   D2. A row without a text has all of its columns as text, a line each; a row without an id is named by its place.
//   D3. A row that cannot be read is a fault with its line, and nothing of the file is added.
import { parse } from 'csv-parse/sync'
import { Fault, isJsonObject, parseJson, type Json, type JsonObject } from '@baton/contracts'
import { placeOf, type SourceDocument, type SourceFile } from './source-document.ts'

const TEXTS = ['text', 'content', 'body'] as const

const wordOf = (value: Json | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined

const documentOf = (row: JsonObject, place: number, file: SourceFile): SourceDocument => {
  const { id, title, meta, ...rest } = row
  const name = TEXTS.find((key) => typeof rest[key] === 'string')
  const text = name === undefined ? undefined : rest[name]
  const lines = Object.entries(rest).map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const named = wordOf(id) ?? `${file.id}#${place}`
  const others = Object.fromEntries(Object.entries(rest).filter(([key]) => key !== name))
  const given: JsonObject = { ...others, ...(isJsonObject(meta) ? meta : {}) }
  return {
    id: named,
    title: wordOf(title) ?? named,
    text: typeof text === 'string' ? text : lines.join('\n'), // D2
    ...placeOf(file),
    ...(Object.keys(given).length === 0 ? {} : { meta: given }),
  }
}

const cell = (text: string): Json => (/^-?\d{1,15}(\.\d{1,10})?$/.test(text) && !/^-?0\d/.test(text) ? Number(text) : text)

/** The rows of a CSV file whose first line names the columns. */
export const readCsv = (file: SourceFile): readonly SourceDocument[] => {
  try {
    const rows = parse(file.bytes, {
      bom: true,
      columns: true,
      skip_empty_lines: true,
      relax_column_count_less: true,
      max_record_size: 1_000_000,
    }) as readonly Record<string, string>[] // With `columns: true` each record is an object of texts.
    return rows.map((row, at) => {
      const kept = Object.entries(row).map(([key, value]): [string, Json] => [
        key.trim().toLowerCase(),
        key.trim().toLowerCase() === 'id' || TEXTS.some((name) => name === key) ? value : cell(value),
      ])
      return documentOf(Object.fromEntries(kept), at + 1, file)
    })
  } catch (error) {
    throw new Fault('request.malformed', `${file.source}: ${error instanceof Error ? error.message : 'not CSV'}`) // D3
  }
}

/** The rows of a file of JSON lines. */
export const readJsonLines = (file: SourceFile): readonly SourceDocument[] =>
  file.bytes
    .toString('utf8')
    .split('\n')
    .flatMap((line, at) => {
      if (line.trim() === '') return []
      const row = rowOf(line)
      if (row === undefined) throw new Fault('request.malformed', `${file.source}:${at + 1}: not a JSON object`) // D3
      return [documentOf(row, at + 1, file)]
    })

const rowOf = (line: string): JsonObject | undefined => {
  try {
    const row = parseJson(Buffer.from(line)) as Json // Only whether it is an object matters.
    return isJsonObject(row) ? row : undefined
  } catch {
    return undefined
  }
}
