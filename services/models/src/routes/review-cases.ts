// Recorded cases put to models as they are today, for the review of a route (B18).
//   C1. A case is asked of every model that the route may use; nothing of the run that it comes from is changed.
//   C2. Right is what fits the expected answer: the fields that are compared, or the whole; text without regard to case and white space.
//   C3. What all of it may cost is bounded before it begins.
import { performance } from 'node:perf_hooks'
import { Fault, toFault } from '@baton/contracts/fault'
import { canonicalJson, isJsonObject, type Json } from '@baton/contracts/json'
import { highestCost, type Trial, type Trials } from '@baton/policy/routing'
import { z } from 'zod'
import type { Model, Question } from '../model.ts'
import { readOutput } from '../output/structured-output.ts'
import { needOf } from './plan-request.ts'

/** One recorded case: what was asked, and what the right answer is taken to be. */
export const ReviewCase = z.looseObject({
  id: z.string().optional(),
  prompt: z.string(),
  system: z.string().optional(),
  input: z.json().optional(),
  schema: z.union([z.record(z.string(), z.json()), z.boolean()]).optional(),
  expect: z.json(),
})
export type ReviewCase = z.infer<typeof ReviewCase>

/** Cases from JSON lines. Throws `config.invalid` with the line. */
export const readReviewCases = (text: string): readonly ReviewCase[] =>
  text.split('\n').flatMap((line, at) => {
    if (line.trim() === '') return []
    const read = ReviewCase.safeParse(JSON.parse(line))
    if (read.success) return [read.data]
    throw new Fault('config.invalid', `line ${at + 1} is no case: ${z.prettifyError(read.error)}`, { line: at + 1 })
  })

const plainText = (text: string): string => text.toLowerCase().replaceAll(/\s+/g, ' ').trim()

const same = (left: Json | undefined, right: Json | undefined): boolean =>
  typeof left === 'string' && typeof right === 'string'
    ? plainText(left) === plainText(right)
    : canonicalJson(left ?? null) === canonicalJson(right ?? null)

/** C2. Expected fields that the answer has besides are no mistake. */
const isRight = (value: Json, expected: Json, fields: readonly string[]): boolean => {
  if (!isJsonObject(expected) || !isJsonObject(value)) return same(value, expected)
  const compared = fields.length > 0 ? fields : Object.keys(expected).filter((field) => field !== 'confidence')
  return compared.every((field) => same(value[field], expected[field]))
}

export type AskCases = {
  readonly fields: readonly string[]
  readonly timeoutMs: number
  readonly atOnce: number
  /** Dollars that all calls together may cost (C3). */
  readonly costMaxUsd: number
  readonly onShare?: (share: number) => void
}

const questionOf = (one: ReviewCase, timeoutMs: number): Question => ({
  prompt: one.prompt,
  input: (one.input ?? null) as Json, // z.json() is JSON.
  signal: AbortSignal.timeout(timeoutMs),
  ...(one.system === undefined ? {} : { system: one.system }),
  ...(one.schema === undefined ? {} : { schema: one.schema as Question['schema'] & {} }), // As above.
})

const ask = async (model: Model, one: ReviewCase, { fields, timeoutMs }: AskCases): Promise<Trial> => {
  const started = performance.now()
  let costMicroUsd = 0
  try {
    const question = questionOf(one, timeoutMs)
    const answer = await model.invoke(question)
    costMicroUsd = answer.usage.costMicroUsd
    const { value, confidence } = readOutput(answer, question.schema)
    return {
      right: isRight(value, one.expect as Json, fields), // z.json() is JSON.
      costMicroUsd,
      latencyMs: performance.now() - started,
      ...(confidence === undefined ? {} : { confidence }),
    }
  } catch (error) {
    const { code } = toFault(error)
    if (code === 'handler.failed') throw error
    return { right: false, failed: true, costMicroUsd, latencyMs: performance.now() - started }
  }
}

const MICRO = 1_000_000

/** The most that it can cost; a model without a known price counts as too dear. */
const highestReviewCost = (models: readonly Model[], cases: readonly ReviewCase[]): number =>
  models.reduce(
    (sum, { about }) =>
      sum +
      cases.reduce(
        (part, one) => part + (about === undefined ? 0 : (highestCost(about, needOf(questionOf(one, 1))) ?? Number.POSITIVE_INFINITY)),
        0,
      ),
    0,
  ) / MICRO

/** Asks every model every case (C1). Throws `budget.exceeded` before the first call where it may cost too much (C3). */
export const askCases = async (models: readonly Model[], cases: readonly ReviewCase[], options: AskCases): Promise<Trials> => {
  const costUsd = highestReviewCost(models, cases)
  if (costUsd > options.costMaxUsd) {
    throw new Fault(
      'budget.exceeded',
      `${cases.length} cases on ${models.length} models may cost ${costUsd.toFixed(2)} dollars, and ${options.costMaxUsd} are allowed.`,
      {
        costUsd,
      },
    )
  }
  const places = models.flatMap((model) => cases.map((one) => ({ model, one })))
  const trials: Trial[] = []
  let next = 0
  let done = 0
  const work = async (): Promise<void> => {
    for (;;) {
      const at = next++
      const place = places[at]
      if (place === undefined) return
      trials[at] = await ask(place.model, place.one, options)
      done += 1
      options.onShare?.(done / places.length)
    }
  }
  await Promise.all(Array.from({ length: Math.min(options.atOnce, places.length) }, work))
  return Object.fromEntries(models.map((model, at) => [model.name, trials.slice(at * cases.length, (at + 1) * cases.length)]))
}
