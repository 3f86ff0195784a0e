// Outcomes of questions as a table: the prompt, which models answered it rightly, and their answers where they were kept.
//   O1. A column is a model when its cells hold true or false (or 1 and 0), or nothing; every other column is left alone.
//   O2. The first row that cannot be used is named; none is skipped in silence.
import { Fault } from '@baton/contracts/fault'
import { csvRecords } from '../classifier/labelled-text.policy.ts'

export type OutcomeRow = {
  readonly prompt: string
  /** By model; one that was not asked is absent. */
  readonly ok: Readonly<Record<string, boolean>>
  /** What models said, where it is known: column `MODEL_response`, or `answers` of a JSON line. */
  readonly answers: Readonly<Record<string, string>>
}

const TRUE = new Set(['true', '1', 'yes'])
const FALSE = new Set(['false', '0', 'no'])
const ANSWER = '_response'

const truthOf = (cell: unknown): boolean | undefined => {
  if (typeof cell === 'boolean') return cell
  if (typeof cell !== 'string' && typeof cell !== 'number') return undefined
  const text = String(cell).trim().toLowerCase()
  return TRUE.has(text) ? true : FALSE.has(text) ? false : undefined
}

type Unknowns = Readonly<Record<string, unknown>>
const isRecord = (value: unknown): value is Unknowns => typeof value === 'object' && value !== null && !Array.isArray(value)

const jsonLines = (content: string): readonly Unknowns[] =>
  content.split('\n').flatMap((line, at) => {
    if (line.trim() === '') return []
    try {
      const value: unknown = JSON.parse(line)
      if (isRecord(value)) return [value]
    } catch {
      // Said below, with the number of the line.
    }
    throw new Fault('input.invalid', `Line ${at + 1} is not a JSON object.`, { line: at + 1 })
  })

/** Columns that hold outcomes in every row that has something in them (O1). */
const modelColumns = (records: readonly Unknowns[]): readonly string[] => {
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))]
  return names.filter((name) => {
    const cells = records.map((record) => record[name]).filter((cell) => cell !== undefined && cell !== '' && cell !== null)
    return cells.length > 0 && name !== 'prompt' && cells.every((cell) => truthOf(cell) !== undefined)
  })
}

const truths = (record: Unknowns, names: readonly string[]): Readonly<Record<string, boolean>> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const truth = truthOf(record[name])
      return truth === undefined ? [] : [[name, truth]]
    }),
  )

const texts = (record: Unknowns): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(record).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])))

const answersOf = (record: Unknowns): Readonly<Record<string, string>> => {
  const columns = Object.entries(texts(record)).filter(([name]) => name.endsWith(ANSWER))
  const inside = record['answers']
  return {
    ...Object.fromEntries(columns.map(([name, text]) => [name.slice(0, -ANSWER.length), text])),
    ...(isRecord(inside) ? texts(inside) : {}),
  }
}

/** Reads a table. JSON lines may keep outcomes in `ok` and answers in `answers` instead of columns. Throws `input.invalid` (O2). */
export const readOutcomes = (content: string, format: 'csv' | 'jsonl'): readonly OutcomeRow[] => {
  const records: readonly Unknowns[] = format === 'csv' ? csvRecords(content) : jsonLines(content)
  const columns = modelColumns(records)
  const rows = records.map((record, at): OutcomeRow => {
    const prompt = record['prompt']
    if (typeof prompt !== 'string' || prompt === '') throw new Fault('input.invalid', `Row ${at + 1} needs a prompt.`, { row: at + 1 })
    const own = record['ok']
    const ok = { ...truths(record, columns), ...(isRecord(own) ? truths(own, Object.keys(own)) : {}) }
    if (Object.keys(ok).length === 0)
      throw new Fault('input.invalid', `Row ${at + 1} says of no model whether it was right.`, { row: at + 1 })
    return { prompt, ok, answers: answersOf(record) }
  })
  if (rows.length === 0) throw new Fault('input.invalid', 'The table has no rows.')
  return rows
}
