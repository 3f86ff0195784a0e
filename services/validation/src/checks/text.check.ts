// Checks on one text: its length, words it must have, words it must not have. Plain strings, never patterns.
import { z } from 'zod'
import type { Check, CheckResult } from './check.ts'
import { parseInput, parseOptions } from './parse.ts'

const Text = z.union([z.string(), z.looseObject({ text: z.string() }).transform(({ text }) => text)])
const Words = z.array(z.string().min(1).max(200)).min(1).max(1_000)
const WordOptions = z.strictObject({ words: Words })
const LengthOptions = z
  .strictObject({ min: z.number().int().nonnegative().optional(), max: z.number().int().positive().optional() })
  .refine(({ min, max }) => min !== undefined || max !== undefined, 'min or max is required')

const comparable = (text: string): string => text.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ')
const isWordPart = (character: string | undefined): boolean => character !== undefined && /[\p{L}\p{N}_]/u.test(character)

/** Whether the words stand in the text as words of their own, whatever their case and the white space between them. */
export const mentions = (text: string, words: string): boolean => {
  const within = comparable(text)
  const wanted = comparable(words)
  for (let at = within.indexOf(wanted); at >= 0; at = within.indexOf(wanted, at + 1)) {
    const startsWord = !isWordPart(wanted[0]) || !isWordPart(within[at - 1])
    const endsWord = !isWordPart(wanted.at(-1)) || !isWordPart(within[at + wanted.length])
    if (startsWord && endsWord) return true
  }
  return false
}

export const length: Check = {
  name: 'length',
  evaluate: (input, options): CheckResult => {
    const { min = 0, max = Number.MAX_SAFE_INTEGER } = parseOptions('length', LengthOptions, options)
    const chars = parseInput('length', Text, input).length
    if (chars < min)
      return { pass: false, score: 0, reason: `the text has ${chars} characters, at least ${min} are asked for`, more: { chars } }
    if (chars > max)
      return { pass: false, score: 0, reason: `the text has ${chars} characters, at most ${max} are allowed`, more: { chars } }
    return { pass: true, score: 1, reason: `the text has ${chars} characters`, more: { chars } }
  },
}

export const contains: Check = {
  name: 'contains',
  evaluate: (input, options): CheckResult => {
    const { words } = parseOptions('contains', WordOptions, options)
    const text = parseInput('contains', Text, input)
    const missing = words.filter((word) => !mentions(text, word))
    const score = 1 - missing.length / words.length
    return {
      pass: missing.length === 0,
      score,
      reason: missing.length === 0 ? 'every word is there' : `missing: ${missing.join(', ')}`,
      more: { missing },
    }
  },
}

export const forbidden: Check = {
  name: 'forbidden',
  evaluate: (input, options): CheckResult => {
    const { words } = parseOptions('forbidden', WordOptions, options)
    const text = parseInput('forbidden', Text, input)
    const found = words.filter((word) => mentions(text, word))
    const pass = found.length === 0
    return { pass, score: pass ? 1 : 0, reason: pass ? 'none of the words is there' : `found: ${found.join(', ')}`, more: { found } }
  },
}
