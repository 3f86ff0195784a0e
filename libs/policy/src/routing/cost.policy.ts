// What a call costs, in micro-dollars.
//   M1. A price that is not known is never taken for nothing: it is `undefined`, or the cap that the catalogue names.
//   M2. Above a step of the price list the whole call has the price of the step, as the providers bill it.
import type { ModelFacts, Need, TokenPrice } from './facts.ts'

/** Tokens of one call. Cached ones are part of the input. */
export type Tokens = { readonly input: number; readonly cachedInput?: number; readonly output: number }

const stepOf = (price: TokenPrice, inputTokens: number): TokenPrice =>
  (price.above ?? []).reduce<TokenPrice>((current, step) => (inputTokens > step.tokens ? step : current), price) // M2

/** What these tokens cost at this price, rounded up. */
export const costMicroUsd = (price: TokenPrice, { input, cachedInput = 0, output }: Tokens): number => {
  const step = stepOf(price, input)
  const cached = Math.min(cachedInput, input)
  return Math.ceil((input - cached) * step.input + cached * (step.cachedInput ?? step.input) + output * step.output)
}

/** Share of what a model may write that an answer is taken to have, where nobody says better. */
const ANSWER_SHARE = 0.5

const costOf = (facts: ModelFacts, input: number, output: number): number | undefined => {
  if (facts.local) return 0
  return facts.price === undefined ? facts.callCostMaxMicroUsd : costMicroUsd(facts.price, { input, output }) // M1
}

/** What an answer is expected to cost; undefined: not known (M1). */
export const expectedCost = (facts: ModelFacts, need: Need): number | undefined =>
  costOf(facts, need.inputTokens, Math.min(facts.outputTokensMax, need.outputTokens ?? facts.outputTokensMax * ANSWER_SHARE))

/** Estimates of tokens are this far off at most in nearly all texts. */
const ESTIMATE_MARGIN = 1.15

/** The most that an answer can cost: what has to be reserved before it is asked for; undefined: not known (M1). */
export const highestCost = (facts: ModelFacts, need: Need): number | undefined =>
  costOf(facts, Math.ceil(need.inputTokens * ESTIMATE_MARGIN), facts.outputTokensMax)

const WORD_OR_SIGN = /\p{L}+|\p{N}{1,3}|[^\s\p{L}\p{N}]/gu
const CHARS_A_TOKEN = 6
const CHARS_READ_MAX = 20_000

/** About how many tokens a text has, without a tokenizer: words by their length, digits by threes, signs one by one. */
export const estimateTokens = (text: string): number => {
  const read = text.length > CHARS_READ_MAX ? text.slice(0, CHARS_READ_MAX) : text
  let tokens = 0
  for (const [piece] of read.matchAll(WORD_OR_SIGN)) tokens += Math.ceil(piece.length / CHARS_A_TOKEN)
  return Math.ceil((tokens * text.length) / Math.max(1, read.length))
}
