// The answer of a model as the output of a step (B15).
//   S1. With a schema the output fits it, or there is a fault; without one the output is the text itself.
//   S2. A mended answer is marked and its confidence lowered by a tenth: what had to be guessed deserves less trust.
//   S4. A calibrated confidence stands wherever the raw one stood, and the raw one is kept beside it; calibrating twice is calibrating once.
//   S3. A confidence outside 0..1 is `confidence.invalid`, whatever the schema says: a model that writes 2e15 is not very sure, it is wrong.
import { Fault } from '@baton/contracts/fault'
import { isJsonObject, type Json, type JsonSchema } from '@baton/contracts/json'
import { calibrated, type Calibrator } from '@baton/policy/calibration'
import type { Answer } from '../model.ts'
import { parseOutput } from './repair.policy.ts'
import { schemaProblems } from './schema-check.ts'

/** Factor on the confidence of a mended answer (S2). */
const REPAIRED_CONFIDENCE = 0.9

/** `rawConfidence`: what the model gave, where a calibration made `confidence` of it. */
export type Output = { readonly value: Json; readonly repaired: boolean; readonly confidence?: number; readonly rawConfidence?: number }

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

const rounded = (confidence: number): number => Math.round(confidence * 10_000) / 10_000
const lowered = (confidence: number): number => rounded(confidence * REPAIRED_CONFIDENCE)

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
  return { value: withConfidence(value, trusted), repaired, confidence: trusted }
}

const withConfidence = (value: Json, confidence: number): Json =>
  isJsonObject(value) && typeof value['confidence'] === 'number' ? { ...value, confidence } : value

/** The output with the confidence that outcomes of its route say it deserves (S4). */
export const calibratedOutput = <O extends Output>(output: O, calibrator: Calibrator | undefined): O => {
  const { confidence, rawConfidence } = output
  if (calibrator === undefined || confidence === undefined || rawConfidence !== undefined) return output
  const believed = rounded(calibrated(calibrator, confidence))
  return { ...output, value: withConfidence(output.value, believed), confidence: believed, rawConfidence: confidence }
}
