// Rows of labelled text from CSV (RFC 4180) or JSON lines.
import { Fault } from '@baton/contracts/fault'

export type LabelledText = { readonly text: string; readonly label: string }

/** Records of a CSV file. Quoted fields may hold commas, quotes and line breaks. */
const parseCsv = (csv: string): readonly (readonly string[])[] => {
  const rows: string[][] = []
  let row: string[] = []
  for (const [, quoted, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^,"\r\n]*))(,|\r?\n|$)/g)) {
    row.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
    if (end === ',') continue
    if (row.length > 1 || row[0] !== '') rows.push(row)
    row = []
  }
  return rows
}

/** The rows of a CSV file with a head line, as objects. */
export const csvRecords = (csv: string): readonly Readonly<Record<string, string>>[] => {
  const [head = [], ...rows] = parseCsv(csv)
  return rows.map((row) => Object.fromEntries(head.map((name, at) => [name, row[at] ?? ''])))
}

const jsonRecords = (lines: string): readonly Readonly<Record<string, unknown>>[] =>
  lines.split('\n').flatMap((line, at) => {
    if (line.trim() === '') return []
    try {
      const value: unknown = JSON.parse(line)
      return typeof value === 'object' && value !== null ? [value as Record<string, unknown>] : [{}] // Any object is a record of unknowns.
    } catch {
      throw new Fault('input.invalid', `Line ${at + 1} is not JSON.`, { line: at + 1 })
    }
  })

/** Reads `text` and `label` (or `category`) of each row; the first bad row is named. */
export const parseLabelledText = (content: string, format: 'csv' | 'jsonl'): readonly LabelledText[] =>
  (format === 'csv' ? csvRecords(content) : jsonRecords(content)).map((record, at) => {
    const text = record['text']
    const label = record['label'] ?? record['category']
    if (typeof text === 'string' && typeof label === 'string' && text !== '' && label !== '') return { text, label }
    throw new Fault('input.invalid', `Row ${at + 1} needs a text and a label.`, { row: at + 1 })
  })
