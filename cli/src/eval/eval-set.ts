import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { Fault, isJsonObject, toFault, type Json, type RunResult } from '@baton/contracts'
import type { EvalFigures } from './verdict.ts'

const Json_ = z.custom<Json>((value) => value !== undefined)
const EvalFile = z.strictObject({
  flow: z.string(),
  cases: z.array(z.string()).min(1),
  documents: z.record(z.string(), z.string()).default({}),
  margin: z.number().min(0).max(1).default(0.02),
})
const EvalCase = z.looseObject({ id: z.string(), input: Json_, expect: z.record(z.string(), Json_) })
const Baseline = z.looseObject({ cases: z.number(), automatic: z.number(), accuracy: z.number(), failed: z.number() })

export type EvalCase = z.infer<typeof EvalCase>
export type EvalSet = {
  readonly flow: string
  readonly cases: readonly EvalCase[]
  /** Index name to file of documents. */
  readonly documents: Readonly<Record<string, string>>
  readonly margin: number
  readonly baselineFile: string
  readonly baseline: EvalFigures | undefined
}

const checked = <T>(schema: z.ZodType<T>, value: unknown, where: string): T => {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new Fault('config.invalid', `${where}: ${z.prettifyError(result.error)}`)
}

const readCases = async (file: string): Promise<readonly EvalCase[]> => {
  const lines = (await readFile(file, 'utf8')).split('\n')
  return lines.flatMap((line, index) => (line.trim() === '' ? [] : [checked(EvalCase, JSON.parse(line), `${file}:${index + 1}`)]))
}

const readBaseline = async (file: string): Promise<EvalFigures | undefined> => {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : checked(Baseline, JSON.parse(text), file)
}

/** Reads `FLOW/evals/eval.yaml` with its cases and baseline. */
export const readEvalSet = async (flowFolder: string): Promise<EvalSet> => {
  const file = join(flowFolder, 'evals', 'eval.yaml')
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Fault('request.not_found', `${flowFolder} has no evaluation: ${toFault(error).message}`)
  })
  const { flow, cases, documents, margin } = checked(EvalFile, parse(text), file)
  const folder = dirname(file)
  const baselineFile = join(folder, 'baseline.json')
  return {
    flow,
    cases: (await Promise.all(cases.map((name) => readCases(join(folder, name))))).flat(),
    documents: Object.fromEntries(Object.entries(documents).map(([index, path]) => [index, join(folder, path)])),
    margin,
    baselineFile,
    baseline: await readBaseline(baselineFile),
  }
}

/** Whether the output has every expected field with the expected value. */
export const isRight = (result: RunResult, expected: EvalCase['expect']): boolean => {
  const { output } = result
  return isJsonObject(output) && Object.entries(expected).every(([field, value]) => JSON.stringify(output[field]) === JSON.stringify(value))
}
