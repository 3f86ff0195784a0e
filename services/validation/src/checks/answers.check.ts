// Is a text an answer to this question, or a good one to another? Shared words of meaning, numbers and pieces of words: an essay about
// something else shares few of them. It cannot see a wrong answer in the right words.
//   Z1. Words and numbers of the question that the answer takes up count, and so do the pieces of words they share, whatever their order.
//   Z2. A question without words of meaning passes nothing; an answer that only repeats the question is told apart as an echo.
import { z } from 'zod'
import type { Check, CheckResult } from './check.ts'
import { parseInput, parseOptions } from './parse.ts'
import { numbersOf } from './sentences.policy.ts'
import { stemsOf } from './words.policy.ts'

const Options = z.strictObject({
  /** An answer that scores less is about something else. */
  min: z.number().min(0).max(1).default(0.22),
})
const Input = z.looseObject({ question: z.string().max(20_000), text: z.string().max(100_000) })

const piecesOf = (stems: readonly string[]): ReadonlyMap<string, number> => {
  const pieces = new Map<string, number>()
  for (const stem of stems) {
    const padded = ` ${stem} `
    for (let at = 0; at + 3 <= padded.length; at++) pieces.set(padded.slice(at, at + 3), (pieces.get(padded.slice(at, at + 3)) ?? 0) + 1)
  }
  return pieces
}

const cosine = (left: ReadonlyMap<string, number>, right: ReadonlyMap<string, number>): number => {
  const weigh = (count: number): number => 1 + Math.log(count)
  let dot = 0
  for (const [piece, count] of left) dot += weigh(count) * (right.has(piece) ? weigh(right.get(piece) ?? 1) : 0)
  const norm = (pieces: ReadonlyMap<string, number>): number =>
    Math.sqrt([...pieces.values()].reduce((sum, count) => sum + weigh(count) ** 2, 0))
  const scale = norm(left) * norm(right)
  return scale === 0 ? 0 : dot / scale
}

/** How far a text takes up a question (Z1). */
export const answerScore = (question: string, text: string): number => {
  const asked = stemsOf(question)
  if (asked.length === 0) return 0 // Z2
  const said = stemsOf(text)
  const found = new Set(said)
  const wanted = new Set([...asked, ...numbersOf(question)])
  const numbers = numbersOf(text)
  const taken = [...wanted].filter((one) => found.has(one) || numbers.has(one)).length / wanted.size
  return Math.round((0.5 * taken + 0.5 * cosine(piecesOf(asked), piecesOf(said))) * 1e4) / 1e4
}

const isEcho = (question: string, text: string): boolean => {
  const [asked, said] = [stemsOf(question), stemsOf(text)]
  const known = new Set(asked)
  return said.length > 0 && said.every((stem) => known.has(stem)) && [...numbersOf(text)].every((number) => numbersOf(question).has(number))
}

export const answers: Check = {
  name: 'answers',
  evaluate: (input, options): CheckResult => {
    const { min } = parseOptions('answers', Options, options)
    const { question, text } = parseInput('answers', Input, input)
    const score = answerScore(question, text)
    const echo = isEcho(question, text)
    const pass = score >= min && !echo
    const reason = echo
      ? 'the answer says nothing that the question does not'
      : `the answer takes up the question with ${score.toFixed(2)}, ${pass ? 'at least' : 'below'} the ${min.toFixed(2)} asked for`
    return { pass, score: echo ? 0 : score, reason, more: { echo } }
  },
}
