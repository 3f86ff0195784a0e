// A flow that is data already: its JSON text, and that text as a tree, without a parser of YAML.
//   J1. The tree, its places and its bounds are those that the parser of YAML finds in the same text.
import type { JsonObject } from '@baton/contracts/json'
import type { Report } from '../diagnostic.ts'
import { createBounds, reportLength } from './bounds.ts'
import { reportEncoding } from './encoding.ts'
import type { Source, Span } from './source.ts'
import type { EntrySyntax, Parse, ScalarSyntax, Syntax } from './syntax.ts'

/** The text of data, in which places of diagnostics are found. */
export const dataText = (data: JsonObject): string => JSON.stringify(data, null, 2)

/** Reads a text that `dataText` made: it is not looked for mistakes, there are none. */
export const parseDataText: Parse = (source, report) => {
  if (reportLength(source, report) || reportEncoding(source, report)) return undefined
  return createReader(source, report)(0, 0)
}

const SPACE = /[\s,]*/y
const WORD = /[^\s,\]}]+/y

const createReader = (source: Source, report: Report): ((start: number, depth: number) => Syntax | undefined) => {
  const { text } = source
  const bounds = createBounds(report)
  const match = (pattern: RegExp, start: number): Span => {
    pattern.lastIndex = start
    return { source, start, end: start + (pattern.exec(text)?.[0].length ?? 0) }
  }
  /** Past the space and commas between two values. */
  const next = (start: number): number => match(SPACE, start).end

  const readText = (start: number): ScalarSyntax & { readonly value: string } => {
    const at = { source, start, end: endOfText(text, start) }
    return { ...at, kind: 'scalar', value: JSON.parse(text.slice(at.start, at.end)) as string, style: 'quoted' } // it stands in quotes
  }
  const readWord = (start: number): ScalarSyntax => {
    const at = match(WORD, start)
    const value = JSON.parse(text.slice(at.start, at.end)) as number | boolean | null // neither quotes nor brackets stand there
    return { ...at, kind: 'scalar', value, style: 'plain' }
  }
  const readList = (start: number, depth: number): Syntax | undefined => {
    const items: Syntax[] = []
    let place = next(start + 1)
    while (text[place] !== ']') {
      const item = read(place, depth + 1)
      if (item === undefined) return undefined
      items.push(item)
      place = next(item.end)
    }
    return { source, start, end: place + 1, kind: 'list', items }
  }
  const readMap = (start: number, depth: number): Syntax | undefined => {
    const entries: EntrySyntax[] = []
    let place = next(start + 1)
    while (text[place] !== '}') {
      const { value: key, ...keyAt } = readText(place)
      const value = read(next(keyAt.end + 1), depth + 1)
      if (value === undefined) return undefined
      entries.push({ key, keyAt: { source, start: keyAt.start, end: keyAt.end }, keyValue: key, value })
      place = next(value.end)
    }
    return { source, start, end: place + 1, kind: 'map', entries }
  }
  const read = (start: number, depth: number): Syntax | undefined => {
    if (!bounds.holds({ source, start, end: start }, depth)) return undefined
    const sign = text[start]
    if (sign === '{') return readMap(start, depth)
    if (sign === '[') return readList(start, depth)
    return sign === '"' ? readText(start) : readWord(start)
  }
  return read
}

/** Behind the quote that ends a text: the first that no odd number of backslashes stands before. */
const endOfText = (text: string, start: number): number => {
  let quote = start
  let before: number
  do {
    quote = text.indexOf('"', quote + 1)
    before = quote
    while (text[before - 1] === '\\') before -= 1
  } while ((quote - before) % 2 === 1)
  return quote + 1
}
