// `matches` in linear time: the pattern comes from a flow and the text from outside, and together they must not stop the engine.
import { RE2JS } from 're2js'

/** Compiled patterns, the oldest dropped first; a pattern that is computed from data must not fill the memory. */
const MAX_PATTERNS = 200
const MAX_PATTERN_CHARACTERS = 1_000
const patterns = new Map<string, RE2JS>()

/** True when the pattern is found in the text. Throws for what is not a pattern of RE2. */
export const matchesLinear = (text: string, pattern: string): boolean => compilePattern(pattern).matcher(text).find()

/** Why a text is not a pattern; undefined when it is one. */
export const patternProblem = (pattern: string): string | undefined => {
  try {
    compilePattern(pattern)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const compilePattern = (pattern: string): RE2JS => {
  if (pattern.length > MAX_PATTERN_CHARACTERS) throw new Error(`the pattern has more than ${MAX_PATTERN_CHARACTERS} characters`)
  const known = patterns.get(pattern)
  if (known !== undefined) return known
  const compiled = RE2JS.compile(pattern)
  const [oldest] = patterns.keys()
  if (patterns.size >= MAX_PATTERNS && oldest !== undefined) patterns.delete(oldest)
  patterns.set(pattern, compiled)
  return compiled
}
