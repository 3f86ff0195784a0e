// What training reads and writes.
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { JsonObject } from '@baton/contracts/json'
import { type OutcomeRow, readOutcomes } from './outcome-table.policy.ts'

export type OutcomeFile = { readonly rows: readonly OutcomeRow[]; readonly sha256: string }

/** Reads a table of outcomes: `.csv` or JSON lines, each also as `.gz`. */
export const readOutcomeFile = async (file: string): Promise<OutcomeFile> => {
  const bytes = await readFile(file)
  const content = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  const format = extname(file.replace(/\.gz$/, '')) === '.csv' ? 'csv' : 'jsonl'
  return { rows: readOutcomes(content, format), sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** Writes JSON, packed where the name ends in `.gz`; gives its size in bytes. */
export const writeJson = async (file: string, json: JsonObject): Promise<number> => {
  const text = `${JSON.stringify(json)}\n`
  const bytes = file.endsWith('.gz') ? gzipSync(text, { level: 9 }) : Buffer.from(text)
  await writeFile(file, bytes)
  return bytes.length
}
