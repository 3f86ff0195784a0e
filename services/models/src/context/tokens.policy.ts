// How many tokens a text has: a cheap bound far from a limit, a count near it.
//   N1. The bound is never below the count: what fits by it fits.
//   N2. Texts that were counted are remembered: a conversation is counted once, not at every turn.

/** Counts the tokens of a text exactly, as one family of models does. */
export type CountTokens = (text: string) => number

/** Families of tokenizers; others are counted as o200k with a reserve. */
export type Encoding = 'o200k' | 'cl100k'

/** The tokenizer of a model, by the name its server knows it by. */
export const encodingOf = (model: string | undefined): Encoding =>
  /^(gpt-3\.5|gpt-4(-|$)(?!.*4o)|text-embedding)/.test(model ?? '') ? 'cl100k' : 'o200k'

/** Share of a window that is kept free where the tokenizer is only akin to the model's own. */
const RESERVE = 0.1
/** Tokens that a window of this model is counted as. */
export const windowOf = (contextTokens: number, model: string | undefined): number =>
  /^(gpt-|o\d|chatgpt)/.test(model ?? '') ? contextTokens : Math.floor(contextTokens * (1 - RESERVE))

/** Every token is a byte of the text or more. */
export const tokensAtMost = (text: string): number => Buffer.byteLength(text, 'utf8')

const KEPT_MAX = 20_000
/** Shorter texts are counted faster than they are looked up. */
const KEPT_CHARS_MIN = 40

/** A counter that remembers (N2). */
export const remembering = (count: CountTokens, keptMax: number = KEPT_MAX): CountTokens => {
  const kept = new Map<string, number>()
  return (text) => {
    if (text.length < KEPT_CHARS_MIN) return count(text)
    const known = kept.get(text)
    if (known !== undefined) return known
    const tokens = count(text)
    if (kept.size >= keptMax) {
      const [oldest] = kept.keys()
      if (oldest !== undefined) kept.delete(oldest)
    }
    kept.set(text, tokens)
    return tokens
  }
}
