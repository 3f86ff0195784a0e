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

// Fitted to o200k on bank customers' questions, this project's documents and its code: 4 to 10 % off there; German words come out a quarter low.
const A_TOKEN = { letters: 8, digits: 3, signs: 2 } as const
const CHARS_READ_MAX = 20_000
/** Writing without spaces, where about every sign is a token of its own. */
const CJK_FROM = 0x2e_80
const BLANK = 32
const ACCENTED_FROM = 192

type Run = keyof typeof A_TOKEN | 'blank' | 'cjk'

const runOf = (code: number): Run => {
  if (code <= BLANK) return 'blank'
  if (code >= CJK_FROM) return 'cjk'
  if (code >= 48 && code <= 57) return 'digits'
  const isLetter = (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 39 || code >= ACCENTED_FROM
  return isLetter ? 'letters' : 'signs'
}

/** About how many tokens a text has, without a tokenizer: from runs of letters, digits and signs. In microseconds; long texts by their beginning. */
export const estimateTokens = (text: string): number => {
  const read = Math.min(text.length, CHARS_READ_MAX)
  let [tokens, length] = [0, 0]
  let run: Run = 'blank'
  for (let at = 0; at <= read; at++) {
    const code = at < read ? text.charCodeAt(at) : BLANK
    const next = runOf(code)
    if (next !== run) {
      if (run === 'cjk') tokens += length
      else if (run !== 'blank') tokens += Math.ceil(length / A_TOKEN[run])
      run = next
      length = 0
    }
    length += code >= ACCENTED_FROM && run === 'letters' ? 2 : 1
  }
  return Math.ceil((tokens * text.length) / Math.max(1, read))
}
