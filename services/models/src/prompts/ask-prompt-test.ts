import { toFault } from '@baton/contracts/fault'
import { canonicalJson, isJsonObject, type Json } from '@baton/contracts/json'
import type { Model } from '../model.ts'
import { readOutput } from '../output/structured-output.ts'
import type { FilledPrompt, PromptTest } from './prompt-file.ts'

const TIMEOUT_MS = 120_000

const equal = (left: Json | undefined, right: Json | undefined): boolean => canonicalJson(left ?? null) === canonicalJson(right ?? null)

/** Asks a model what a test fills, and says what of the answer is not as expected. */
export const askPromptTest = async (model: Model, { prompt, system }: FilledPrompt, test: PromptTest): Promise<readonly string[]> => {
  const expected = test.expect as Json // z.json() is JSON.
  const schema = isJsonObject(expected) ? { type: 'object', required: Object.keys(expected) } : undefined
  try {
    const answer = await model.invoke({
      prompt,
      input: test.with as Json, // As above.
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(system === undefined ? {} : { system }),
      ...(schema === undefined ? {} : { schema }),
    })
    const { value } = readOutput(answer, schema)
    if (!isJsonObject(expected))
      return equal(value, expected) || (typeof value === 'string' && typeof expected === 'string' && value.includes(expected))
        ? []
        : [`it answered ${JSON.stringify(value)}`]
    const given = isJsonObject(value) ? value : {}
    return Object.entries(expected).flatMap(([field, want]) =>
      equal(given[field], want) ? [] : [`${field} is ${JSON.stringify(given[field])}, not ${JSON.stringify(want)}`],
    )
  } catch (error) {
    const { code, message } = toFault(error)
    return [`${code}: ${message}`]
  }
}
