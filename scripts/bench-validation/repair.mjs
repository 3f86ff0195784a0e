// Repair, then the schema of the called function, on what ten models really answered (800 questions each).
import { parseOutput } from '../../services/models/src/output/repair.policy.ts'
import { readLenient } from '../../services/models/src/output/lenient-literal.policy.ts'
import { fitsSchema, isRight, recordedCalls } from './_recorded-calls.mjs'

export const title = 'Repair, then schema, on recorded answers of models (BFCL, 800 a model)'
export const needs = ['bfcl']
export const not =
  'whether a call that fits its schema has the values the user meant (a schema cannot see that); other languages than Python-like calls and JSON.'

const MODELS = [
  ['gpt-4o-2024-08-06', 0.88],
  ['open-mixtral-8x7b', 0.78],
  ['deepseek-ai_deepseek-coder-6.7b-instruct', 0.52],
  ['open-mistral-nemo-2407'],
  ['claude-3-haiku-20240307'],
  ['claude-3-5-sonnet-20240620'],
  ['gpt-4o-mini-2024-07-18'],
  ['gpt-4o-2024-05-13-FC'],
  ['gpt-4o-mini-2024-07-18-FC'],
  ['mistral-small-2402-FC-Auto'],
]

const listOf = (value) => (Array.isArray(value) ? value : [value])

/** Without repair: the whole answer is JSON, or calls as the question asked for, and nothing else. */
const strictly = (text) => {
  try {
    return JSON.parse(text)
  } catch {
    const read = readLenient(text.trim())
    if (read.status === 'read' && read.end === text.trim().length && !/[\\#`]/.test(text)) return read.value
    throw new Error('not readable')
  }
}

const readCalls = (result, read) =>
  typeof result === 'string'
    ? listOf(read(result))
    : listOf(result).map((call) =>
        Object.fromEntries(Object.entries(call).map(([name, text]) => [name, typeof text === 'string' ? read(text) : text])),
      )

const decoded = (text) => text.replaceAll(/\\u([0-9a-f]{4})/gi, (_all, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
const bareText = (text) => JSON.stringify(decoded(text)).replaceAll('\\', '')
const numbersIn = (text) =>
  new Set(
    [...text.matchAll(/\d(?:[\d_,]*\d)?(?:\.\d+)?(?:e[-+]?\d+)?|\.\d+/gi)].flatMap(([one]) => [
      Number(one.replaceAll(/[_,]/g, '')),
      ...one.split(',').map(Number),
    ]),
  )

/** Texts, keys and numbers of a value that stand nowhere in the answer it was read from. */
const inventedIn = (value, raw) => {
  const text = bareText(raw)
  const numbers = numbersIn(raw)
  const look = (one) => {
    if (typeof one === 'string') return text.includes(bareText(one).slice(1, -1)) ? [] : [one]
    if (typeof one === 'number') return numbers.has(Math.abs(one)) ? [] : [one]
    if (Array.isArray(one)) return one.flatMap(look)
    return typeof one === 'object' && one !== null ? Object.entries(one).flatMap(([key, field]) => [...look(key), ...look(field)]) : []
  }
  return look(value)
}

const attempt = (read) => {
  try {
    return read()
  } catch {
    return undefined
  }
}

const scoreOf = (data, model) => {
  const score = { n: 0, before: 0, after: 0, mended: 0, refused: 0, unfit: 0, unfitRight: 0, lost: 0, invented: [] }
  for (const { functions, truths, result, id } of recordedCalls(data, model)) {
    score.n += 1
    const strict = attempt(() => readCalls(result, strictly))
    const wasRight = strict !== undefined && isRight(strict, truths)
    if (wasRight) score.before += 1
    const mended = attempt(() => readCalls(result, (text) => parseOutput(text).value))
    const isRightNow = mended !== undefined && isRight(mended, truths)
    const fits = mended !== undefined && fitsSchema(mended, functions)
    if (mended === undefined) score.refused += 1
    else if (!fits) score.unfit += 1
    if (isRightNow && !fits) score.unfitRight += 1
    if (isRightNow && fits) score.after += 1
    if (wasRight && !(isRightNow && fits)) score.lost += 1
    if (mended === undefined) continue
    if (strict === undefined) score.mended += 1
    const raw = typeof result === 'string' ? result : result.flatMap((call) => Object.entries(call).flat()).join('\n')
    const invented = inventedIn(mended, raw)
    if (invented.length > 0) score.invented.push({ id, invented })
  }
  return score
}

const percent = (part, whole) => `${((100 * part) / whole).toFixed(1)} %`
/** Wilson's interval, 95 %. */
const interval = (part, whole) => {
  const z = 1.96
  const share = part / whole
  const middle = (share + (z * z) / (2 * whole)) / (1 + (z * z) / whole)
  const half = (z * Math.sqrt((share * (1 - share)) / whole + (z * z) / (4 * whole * whole))) / (1 + (z * z) / whole)
  return `${(100 * (middle - half)).toFixed(1)}–${(100 * (middle + half)).toFixed(1)}`
}

export const run = ({ data, say }) => {
  say(
    '| model | n | right before | right after (95 %) | mended | unreadable | refused by schema | of these right | right before, lost |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  )
  const rows = []
  const invented = []
  for (const [model, floor] of MODELS) {
    const score = scoreOf(data, model)
    const { n, before, after, mended, refused, unfit, unfitRight, lost } = score
    say(
      `| ${model} | ${n} | ${percent(before, n)} | ${percent(after, n)} (${interval(after, n)}) | ${mended} | ${refused} | ${unfit} | ${unfitRight} | ${lost} |`,
    )
    if (floor !== undefined)
      rows.push({
        what: model,
        must: `≥ ${percent(floor, 1)}`,
        seen: `${percent(before, n)} → ${percent(after, n)}`,
        ok: after / n >= floor,
      })
    rows.push({ what: `${model} loses nothing`, must: 'after ≥ before', seen: `${before} → ${after} of ${n}`, ok: after >= before })
    invented.push(...score.invented.map((one) => ({ model, ...one })))
  }
  for (const one of invented.slice(0, 10)) say(`invented: ${JSON.stringify(one)}`)
  rows.push({
    what: 'texts and numbers that the answer does not have',
    must: '0',
    seen: String(invented.length),
    ok: invented.length === 0,
  })
  return rows
}
