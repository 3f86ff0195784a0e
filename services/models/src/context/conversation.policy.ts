// The conversation of an agent within the window of its model: what an agent needs least is what its tools said long ago.
//   A1. Nothing that was said by a person or by the model is touched, and every call keeps its answer: only texts of results get shorter.
//   A2. The oldest results go first, whole; the newest `NEWEST` stay, shortened to their ends where nothing else is left.
//   A3. In the place of what was left out stands how much it was. The whole is in the transcript, and the same call gives it again.
import type { Said } from '../model.ts'
import type { LeftOut } from './assemble.policy.ts'
import { tokensAtMost, type CountTokens } from './tokens.policy.ts'

const NEWEST = 2
/** Tokens of a message beside its text. */
const MESSAGE_TOKENS = 6
/** Tokens of a result below which leaving it out gains nothing. */
const RESULT_TOKENS_MIN = 40

type Result = Extract<Said, { readonly role: 'tool' }>

const sizeOf = (said: Said, count: CountTokens): number =>
  count(said.text) + MESSAGE_TOKENS + (said.role === 'assistant' && said.calls.length > 0 ? count(JSON.stringify(said.calls)) : 0)

const isResult = (said: Said): said is Result => said.role === 'tool'

/** Whether it fits by the cheap bound. */
export const conversationFits = (said: readonly Said[], tokens: number): boolean => {
  let all = 0
  for (const one of said) all += sizeOf(one, tokensAtMost)
  return all <= tokens
}

const shortened = (text: string, tokens: number, count: CountTokens): string => {
  const share = tokens / Math.max(1, count(text))
  const half = Math.floor((text.length * share) / 2)
  return `${text.slice(0, half)}\n[${Math.ceil(count(text) * (1 - share))} tokens left out here: the middle]\n${text.slice(text.length - half)}`
}

/** The conversation with results left out until it has at most `tokens`, or nothing more can be left out. */
export const fitConversation = (
  said: readonly Said[],
  tokens: number,
  count: CountTokens,
): { readonly said: readonly Said[]; readonly leftOut: readonly LeftOut[] } => {
  const sizes = said.map((one) => sizeOf(one, count))
  let excess = sizes.reduce((sum, size) => sum + size, 0) - tokens
  if (excess <= 0) return { said, leftOut: [] }
  const out = [...said]
  const results = said.flatMap((one, at) => (isResult(one) && (sizes[at] ?? 0) > RESULT_TOKENS_MIN ? [at] : []))
  let gone = 0
  const replace = (at: number, text: string): void => {
    const before = out[at]
    if (before === undefined || !isResult(before)) return
    const after = { ...before, text }
    const gain = sizeOf(before, count) - sizeOf(after, count)
    out[at] = after // A1
    excess -= gain
    gone += gain
  }
  for (const at of results.slice(0, Math.max(0, results.length - NEWEST))) {
    if (excess <= 0) break
    replace(at, `[this result of ${sizes[at] ?? 0} tokens was left out to make room; call the tool again if it is needed]`) // A2, A3
  }
  for (const at of results.slice(-NEWEST)) {
    if (excess <= 0) break
    const text = out[at]?.text ?? ''
    replace(at, shortened(text, Math.max(RESULT_TOKENS_MIN, count(text) - excess - 20), count))
  }
  return { said: out, leftOut: gone > 0 ? [{ part: 'conversation', tokens: gone, how: 'results' }] : [] }
}
