// `*.test.yaml`: cases of a flow for people who write no programs.
//   R1. Every mistake of a file is found before anything runs, with its line and what was meant.
import { isFaultCode } from '@baton/contracts/fault'
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts/json'
import { isMap, LineCounter, parseDocument, visit } from 'yaml'
import type { Expected } from '../expect.ts'
import type { Happening } from '../flow-test.ts'
import { actOf, isScript } from '../script/answer.ts'
import { millisecondsOf } from '../units.ts'
import { jsonOf, Reading, type Mistake } from './mistake.ts'
import { CASE_WORDS, EXPECT_WORDS, FILE_WORDS, HAPPENING_WORDS, PERSON_WORDS, SCRIPT_WORDS, STATUSES } from './words.ts'

/** What a file says for one case, or for all. */
type Said = {
  readonly answers: JsonObject
  readonly people: JsonObject
  readonly params: JsonObject
  readonly events: readonly Happening[]
  readonly now?: string
}
export type TestCase = Said & {
  readonly name: string
  readonly line: number
  /** Position among the cases of the file. */
  readonly index: number
  readonly input: Json
  readonly expect: Expected
  /** Whether the file says what is expected at all. */
  readonly expects: boolean
}
export type TestFile = {
  readonly file: string
  /** Relative to the file; undefined: the flow beside it, or in the folder around. */
  readonly flow?: string
  readonly flows: { readonly [name: string]: string }
  readonly cases: readonly TestCase[]
  readonly mistakes: readonly Mistake[]
}

/** Reads a test file; what is wrong with it is in its mistakes. */
export const readTestFile = (file: string, text: string): TestFile => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' })
  const reading = new Reading(file, lines)
  for (const problem of [...document.errors, ...document.warnings]) reading.addAt(problem.pos[0], problem.message)
  visit(document, {
    Alias: (_key, node) => reading.add(node, 'aliases are not read here; what holds for all cases stands above them'),
  })
  const none = { file, flows: {}, cases: [], mistakes: reading.mistakes }
  const fields = reading.mistakes.length > 0 ? undefined : reading.fields(document.contents, 'a test file', FILE_WORDS)
  if (fields === undefined) return none
  const shared = readSaid(reading, fields)
  const list = fields.has('cases') ? reading.list(fields.get('cases'), 'cases') : reading.add(document.contents, 'a test file has cases')
  const cases = (list ?? []).flatMap((node, index) => readCase(reading, node, { index, shared }) ?? [])
  const flow = fields.has('flow') ? reading.text(fields.get('flow'), 'flow') : undefined
  return {
    file,
    flows: readFlows(reading, fields.get('flows')),
    cases,
    mistakes: reading.mistakes,
    ...(flow === undefined ? {} : { flow }),
  }
}

const readFlows = (reading: Reading, node: unknown): { readonly [name: string]: string } =>
  node === undefined
    ? {}
    : Object.fromEntries(
        (reading.entries(node, 'flows') ?? []).flatMap(({ key, value }) => {
          const path = reading.text(value, `the file of ${key}`)
          return path === undefined ? [] : [[key, path]]
        }),
      )

const readCase = (
  reading: Reading,
  node: unknown,
  { index, shared }: { readonly index: number; readonly shared: Said },
): TestCase | undefined => {
  const fields = reading.fields(node, 'a case', CASE_WORDS)
  if (fields === undefined) return undefined
  const own = readSaid(reading, fields)
  const name = fields.has('name') ? reading.text(fields.get('name'), 'name') : reading.add(node, 'a case has a name')
  return {
    ...shared,
    ...own,
    answers: { ...shared.answers, ...own.answers },
    people: { ...shared.people, ...own.people },
    params: { ...shared.params, ...own.params },
    events: [...shared.events, ...own.events],
    name: name ?? `case ${index + 1}`,
    line: reading.lineOf(node),
    index,
    input: fields.has('input') ? jsonOf(fields.get('input')) : {},
    expect: fields.has('expect') ? readExpected(reading, fields.get('expect')) : {},
    expects: fields.has('expect'),
  }
}

type Fields = ReadonlyMap<string, unknown>

const readSaid = (reading: Reading, fields: Fields): Said => {
  const now = fields.has('now') ? reading.text(fields.get('now'), 'now') : undefined
  if (now !== undefined && Number.isNaN(Date.parse(now))) reading.add(fields.get('now'), 'now is a date, as 2026-01-05T09:00:00Z')
  return {
    answers: readAnswers(reading, fields.get('answers')),
    people: readPeople(reading, fields.get('people')),
    params: fields.has('params') ? objectOf(reading, fields.get('params'), 'params') : {},
    events: (fields.has('events') ? (reading.list(fields.get('events'), 'events') ?? []) : []).flatMap(
      (node) => readHappening(reading, node) ?? [],
    ),
    ...(now === undefined ? {} : { now }),
  }
}

const objectOf = (reading: Reading, node: unknown, what: string): JsonObject => {
  const value = jsonOf(node)
  if (isJsonObject(value)) return value
  reading.add(node, `${what} is a map`)
  return {}
}

const readAnswers = (reading: Reading, node: unknown): JsonObject => {
  if (node === undefined) return {}
  for (const { value } of reading.entries(node, 'answers') ?? []) {
    const each = jsonOf(value)
    if (Array.isArray(each)) for (const item of reading.list(value, 'answers') ?? []) checkScript(reading, item)
    else checkScript(reading, value)
  }
  return isMap(node) ? objectOf(reading, node, 'answers') : {}
}

/** A script with a word that is none would be taken for an output. */
const checkScript = (reading: Reading, node: unknown): void => {
  const value = jsonOf(node)
  if (!isJsonObject(value)) return
  const isMeant = Object.hasOwn(value, 'gives') || Object.hasOwn(value, 'calls') || isFaultCode(value['fails'])
  if (isMeant && !isScript(value)) reading.fields(node, 'an answer', SCRIPT_WORDS)
  const act = isScript(value) ? actOf(value) : undefined
  if (act !== undefined && 'wrong' in act) reading.add(node, act.wrong)
}

const readPeople = (reading: Reading, node: unknown): JsonObject => {
  if (node === undefined) return {}
  for (const { value } of reading.entries(node, 'people') ?? []) {
    const each = Array.isArray(jsonOf(value)) ? (reading.list(value, 'people') ?? []) : [value]
    for (const one of each) checkPerson(reading, one)
  }
  return isMap(node) ? objectOf(reading, node, 'people') : {}
}

const checkPerson = (reading: Reading, node: unknown): void => {
  const value = jsonOf(node)
  if (value === 'never') return
  if (!isJsonObject(value)) {
    reading.add(node, 'a person is { decides: approve, after: 2h }, or never')
    return
  }
  const fields = reading.fields(node, 'a person', PERSON_WORDS)
  if (fields !== undefined && !fields.has('decides')) reading.add(node, 'a person decides: approve, edit, reject or respond')
  const act = isScript(value) ? actOf(value) : undefined
  if (act !== undefined && 'wrong' in act) reading.add(node, act.wrong)
}

const readHappening = (reading: Reading, node: unknown): Happening | undefined => {
  const fields = reading.fields(node, 'an event', HAPPENING_WORDS)
  if (fields === undefined) return undefined
  const value = objectOf(reading, node, 'an event')
  const { at = 0 } = value
  if ((typeof at !== 'string' && typeof at !== 'number') || millisecondsOf(at) === undefined)
    return reading.add(fields.get('at'), 'at is a time after the start, as 2h or 3d')
  return (
    happeningOf(at, value) ??
    reading.add(node, 'an event is { at: 2d, event: NAME, data: … } or { at: 2d, do: pause, resume, cancel or patch }')
  )
}

const happeningOf = (at: string | number, value: JsonObject): Happening | undefined => {
  const { event, data = null, id, do: action } = value
  if (typeof event === 'string') return { at, event, data, ...(typeof id === 'string' ? { id } : {}) }
  if (action === 'pause' || action === 'resume' || action === 'cancel') return { at, do: action }
  return action === 'patch' ? { at, do: 'patch', ...patchOf(value) } : undefined
}

const patchOf = ({ input, params }: JsonObject): { readonly input?: JsonObject; readonly params?: JsonObject } => ({
  ...(isJsonObject(input) ? { input } : {}),
  ...(isJsonObject(params) ? { params } : {}),
})

const LISTS = ['path', 'notPath', 'asked', 'notAsked', 'people', 'degraded', 'emitted'] as const

const readExpected = (reading: Reading, node: unknown): Expected => {
  const fields = reading.fields(node, 'expect', EXPECT_WORDS)
  if (fields === undefined) return {}
  const bound = (word: string): { readonly [word: string]: string | number } => {
    const value = jsonOf(fields.get(word))
    if (typeof value === 'string' || typeof value === 'number') return { [word]: value }
    if (fields.has(word)) reading.add(fields.get(word), `${word} is a number or text`)
    return {}
  }
  const lists = LISTS.flatMap((word) => (fields.has(word) ? [[word, readLines(reading, fields.get(word), word)] as const] : []))
  const status = STATUSES.find((one) => one === jsonOf(fields.get('status')))
  if (fields.has('status') && status === undefined) reading.add(fields.get('status'), `status is ${STATUSES.join(', ')}`)
  const fault = fields.has('fault') ? reading.text(fields.get('fault'), 'fault') : undefined
  return {
    ...(status === undefined ? {} : { status }),
    ...(fields.has('output') ? { output: jsonOf(fields.get('output')) } : {}),
    ...Object.fromEntries(lists),
    ...bound('cost'),
    ...bound('steps'),
    ...bound('duration'),
    ...(fault === undefined ? {} : { fault }),
  }
}

/** Lines of text; `facts: refund` may stand as a map of one entry. */
const readLines = (reading: Reading, node: unknown, what: string): readonly string[] =>
  (reading.list(node, what) ?? []).flatMap((item) => {
    const value = jsonOf(item)
    if (typeof value === 'string') return [value]
    const [entry, more] = isJsonObject(value) ? Object.entries(value) : []
    if (entry !== undefined && more === undefined && typeof entry[1] !== 'object') return [`${entry[0]}: ${String(entry[1])}`]
    reading.add(item, `${what} is a list of steps, or of STEP: CHOICE`)
    return []
  })
