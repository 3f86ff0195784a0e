// The answer of a model as the output of a step (B15).
//   S1. With a schema the output fits it, or there is a fault; without one the output is the text itself.
//   S2. A mended answer is marked and its confidence lowered by a tenth: what had to be guessed deserves less trust.
//   S3. A confidence outside 0..1 is `confidence.invalid`, whatever the schema says: a model that writes 2e15 is not very sure, it is wrong.
import { Fault } from '@baton/contracts/fault'
import { isJsonObject, type Json, type JsonSchema } from '@baton/contracts/json'
import type { Answer } from '../model.ts'
import { parseOutput } from './repair.policy.ts'
import { schemaProblems } from './schema-check.ts'

/** Factor on the confidence of a mended answer (S2). */
const REPAIRED_CONFIDENCE = 0.9

export type Output = { readonly value: Json; readonly repaired: boolean; readonly confidence?: number }

const wantsText = (schema: JsonSchema | undefined): boolean =>
  schema === undefined || schema === true || (isJsonObject(schema) && schema['type'] === 'string')
const SCALARS: readonly Json[] = ['number', 'integer', 'boolean', 'null']
const wantsContainer = (schema: JsonSchema): boolean => !isJsonObject(schema) || !SCALARS.includes(schema['type'] ?? '')

const scalar = (text: string): Json => {
  try {
    return JSON.parse(text.trim()) as Json // JSON.parse gives JSON.
  } catch {
    throw new Fault('output.malformed', 'The answer is not a single JSON value.', { chars: text.length })
  }
}

const readAnswer = (answer: Answer, schema: JsonSchema | undefined): { value: Json; repaired: boolean } => {
  if ('value' in answer) return { value: answer.value, repaired: false }
  if (schema === undefined || wantsText(schema)) return { value: answer.text, repaired: false } // S1
  return wantsContainer(schema) ? parseOutput(answer.text) : { value: scalar(answer.text), repaired: false }
}

const confidenceOf = (value: Json, reported: number | undefined): number | undefined => {
  const own = isJsonObject(value) ? value['confidence'] : undefined
  const confidence = typeof own === 'number' ? own : reported
  if (confidence !== undefined && !(confidence >= 0 && confidence <= 1)) {
    throw new Fault('confidence.invalid', 'The answer gives a confidence that is not between 0 and 1.', {
      problem: '/confidence must be between 0 and 1',
    }) // S3
  }
  return confidence
}

const lowered = (confidence: number): number => Math.round(confidence * REPAIRED_CONFIDENCE * 10_000) / 10_000

/** Extracts, mends and checks. Throws `output.malformed`, `output.truncated` or `output.schema_invalid`; `detail.problem` is for the model. */
export const readOutput = (answer: Answer, schema: JsonSchema | undefined): Output => {
  if (answer.unusable !== undefined) throw answer.unusable
  const { value, repaired } = readAnswer(answer, schema)
  const problems = schema === undefined ? [] : schemaProblems(value, schema)
  if (problems.length > 0) {
    throw new Fault('output.schema_invalid', `The answer does not fit the schema: ${problems[0] ?? ''}.`, { problem: problems.join('; ') })
  }
  const confidence = confidenceOf(value, answer.confidence)
  if (confidence === undefined) return { value, repaired }
  if (!repaired) return { value, repaired, confidence }
  const trusted = lowered(confidence) // S2
  return {
    value: isJsonObject(value) && typeof value['confidence'] === 'number' ? { ...value, confidence: trusted } : value,
    repaired,
    confidence: trusted,
  }
}
