// Recorded answers of real models to real function-calling questions, and the accepted answers (BFCL, recorded 2024-08-11). The
// recordings name no licence: they are read from where BATON_SHARED points and are no part of this repository.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { schemaProblems } from '../../services/models/src/output/schema-check.ts'

const FILES = [
  ['simple_python', 'simple'],
  ['multiple', 'multiple_function'],
  ['parallel', 'parallel_function'],
]
const linesOf = (path) =>
  gunzipSync(readFileSync(path))
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

/** Every question with its functions, its accepted calls and what a model answered. */
export const recordedCalls = (data, model) =>
  FILES.flatMap(([questions, results]) => {
    const asked = linesOf(join(data, 'bfcl', 'questions', `${questions}.jsonl.gz`))
    const accepted = linesOf(join(data, 'bfcl', 'questions', `${questions}_answers.jsonl.gz`))
    const answered = linesOf(join(data, 'bfcl', 'results', model, `${results}.jsonl.gz`))
    return asked.map(({ id, function: functions }, at) => ({
      id,
      functions,
      truths: accepted[at].ground_truth,
      result: answered[at]?.result ?? '',
    }))
  })

// Comparison as the benchmark makes it: texts without case, blanks and punctuation; an accepted '' is a field that may be left out.
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
const plain = (value) => {
  if (typeof value === 'string') return value.toLowerCase().replace(/[ ,./\-_*^]/g, '')
  if (Array.isArray(value)) return value.map(plain)
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)])) : value
}
const listOf = (value) => (Array.isArray(value) ? value : [])
const fieldsFit = (given, accepted) =>
  Object.entries(given).every(([key, value]) => accepts(listOf(accepted[key]), value)) &&
  Object.entries(accepted).every(([key, values]) => Object.hasOwn(given, key) || listOf(values).includes(''))
const accepts = (accepted, value) =>
  accepted.some(
    (one) => JSON.stringify(plain(one)) === JSON.stringify(plain(value)) || (isObject(one) && isObject(value) && fieldsFit(value, one)),
  )

/** Function-calling interfaces do not allow dots in names. */
const bare = (name) => name.replaceAll('.', '_')

const fits = (call, truth) => {
  const [name, given] = isObject(call) ? (Object.entries(call)[0] ?? []) : []
  const [wanted, accepted] = Object.entries(truth)[0] ?? []
  return name !== undefined && wanted !== undefined && bare(name) === bare(wanted) && isObject(given) && fieldsFit(given, accepted)
}

/** Whether the calls are the accepted ones, in any order. */
export const isRight = (calls, truths) => {
  const left = [...truths]
  for (const call of calls) {
    const at = left.findIndex((truth) => fits(call, truth))
    if (at < 0) return false
    left.splice(at, 1)
  }
  return left.length === 0
}

const TYPES = { dict: 'object', float: 'number', tuple: 'array', any: undefined }

/** The parameters of a function as JSON Schema. */
const schemaOf = (parameters) => {
  const { type, properties, items, required, enum: values, additionalProperties } = parameters
  const known = Object.hasOwn(TYPES, type) ? TYPES[type] : type
  return {
    ...(known === undefined ? {} : { type: known }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(Object.entries(properties).map(([key, field]) => [key, schemaOf(field)])),
          ...(required === undefined ? {} : { required }),
          additionalProperties: additionalProperties ?? false,
        }),
    ...(items === undefined ? {} : { items: schemaOf(items) }),
    ...(values === undefined ? {} : { enum: values }),
  }
}

/** Every call names a function of the question and its arguments fit the schema. */
export const fitsSchema = (calls, functions) =>
  calls.length > 0 &&
  calls.every((call) => {
    const entries = typeof call === 'object' && call !== null ? Object.entries(call) : []
    const [name, args] = entries[0] ?? []
    const called = entries.length === 1 ? functions.find((one) => bare(one.name) === bare(name)) : undefined
    return called !== undefined && schemaProblems(args, schemaOf(called.parameters)).length === 0
  })
