// Repair measured on what real models answered to real function-calling questions (BFCL, recorded 2024-08-11). The recordings name no
// licence, so they are read from where BATON_SHARED points and are never part of this repository.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts/json'
import { parseOutput } from './repair.policy.ts'

const bfcl = join(process.env['BATON_SHARED'] ?? '', 'data/bfcl')
const there = process.env['BATON_SHARED'] !== undefined && existsSync(bfcl)
const suite = there ? describe : describe.skip
const reason = there ? '' : ' (skipped: BATON_SHARED does not point to a folder with data/bfcl)'

type Row = { readonly id: string; readonly result?: Json; readonly ground_truth?: readonly JsonObject[] }
const rowsOf = (path: string): readonly Row[] =>
  gunzipSync(readFileSync(join(bfcl, path)))
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row) // The recordings' own format.

const FILES = [
  ['simple_python', 'simple'],
  ['multiple', 'multiple_function'],
  ['parallel', 'parallel_function'],
] as const

/** The benchmark compares texts without case, blanks and punctuation. */
const plain = (value: Json): Json => {
  if (typeof value === 'string') return value.toLowerCase().replace(/[ ,./\-_*^]/g, '')
  if (Array.isArray(value)) return value.map(plain)
  return isJsonObject(value) ? Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)])) : value
}
const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : [])
const accepts = (accepted: readonly Json[], value: Json): boolean =>
  accepted.some(
    (one) =>
      JSON.stringify(plain(one)) === JSON.stringify(plain(value)) || (isJsonObject(one) && isJsonObject(value) && fieldsFit(value, one)),
  )
const fieldsFit = (given: JsonObject, accepted: JsonObject): boolean =>
  Object.entries(given).every(([key, value]) => accepts(listOf(accepted[key]), value)) &&
  Object.entries(accepted).every(([key, values]) => Object.hasOwn(given, key) || listOf(values).includes(''))

/** Function-calling interfaces do not allow dots in names. */
const bare = (name: string): string => name.replaceAll('.', '_')
const fits = (call: Json, truth: JsonObject): boolean => {
  const [name, given] = isJsonObject(call) ? (Object.entries(call)[0] ?? []) : []
  const [wanted, accepted] = Object.entries(truth)[0] ?? []
  return (
    name !== undefined &&
    wanted !== undefined &&
    bare(name) === bare(wanted) &&
    isJsonObject(given) &&
    isJsonObject(accepted) &&
    fieldsFit(given, accepted)
  )
}
const isRight = (calls: Json, truths: readonly JsonObject[]): boolean => {
  const left = [...truths]
  for (const call of listOf(calls)) {
    const at = left.findIndex((truth) => fits(call, truth))
    if (at < 0) return false
    left.splice(at, 1)
  }
  return left.length === 0
}

const read = (result: Json): Json => {
  if (typeof result === 'string') {
    const { value } = parseOutput(result)
    return Array.isArray(value) ? value : [value]
  }
  // Function-calling mode: a list of { name: arguments as text }.
  return listOf(result).map((call) =>
    isJsonObject(call)
      ? Object.fromEntries(Object.entries(call).map(([name, text]) => [name, typeof text === 'string' ? parseOutput(text).value : text]))
      : call,
  )
}

const scoreOf = (model: string): { rows: number; right: number } => {
  let right = 0
  let rows = 0
  for (const [questions, file] of FILES) {
    const truths = rowsOf(`questions/${questions}_answers.jsonl.gz`)
    const results = rowsOf(`results/${model}/${file}.jsonl.gz`)
    truths.forEach(({ ground_truth: truth = [] }, at) => {
      rows += 1
      try {
        if (isRight(read(results[at]?.result ?? ''), truth)) right += 1
      } catch {
        // Not readable: not right.
      }
    })
  }
  return { rows, right }
}

suite(`recorded outputs${reason}`, () => {
  // Without repair the first scores 0.13 and mixtral 0.29; the clean ones must not lose.
  const floors = [
    ['gpt-4o-2024-08-06', 0.8],
    ['open-mixtral-8x7b', 0.75],
    ['deepseek-ai_deepseek-coder-6.7b-instruct', 0.48],
    ['claude-3-5-sonnet-20240620', 0.94],
    ['gpt-4o-mini-2024-07-18', 0.9],
    ['gpt-4o-2024-05-13-FC', 0.85],
    ['gpt-4o-mini-2024-07-18-FC', 0.85],
  ] as const
  it.each(floors)('D2: %s answers at least %d of its calls right after repair', (model, floor) => {
    const { rows, right } = scoreOf(model)
    expect(rows).toBe(800)
    expect(right / rows).toBeGreaterThanOrEqual(floor)
  })
})
