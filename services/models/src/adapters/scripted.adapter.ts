// A model that says what a file says: for tests, demonstrations and trying a flow out without paying anybody.
//   S1. The same question gets the same answer: only the question decides, and nothing is drawn or counted.
//   S2. It is asked and paid like a provider: tries, time-outs, asking again and keeping answers hold for it.
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '@baton/contracts/fault'
import type { Json, JsonObject } from '@baton/contracts/json'
import type { Tokens } from '@baton/policy/routing'
import type { Model, Question, Usage, WrittenCall } from '../model.ts'
import { findAnswer, type Script, type ScriptedAnswer } from './script.ts'
import { fill, fillText, slotValues } from './script-slots.policy.ts'

/** What tokens are said to cost, in micro-dollars. */
type Cost = (tokens: Tokens) => number

const CHARS_PER_TOKEN = 4
const tokensOf = (chars: number): number => Math.ceil(chars / CHARS_PER_TOKEN)

const sentChars = ({ prompt, system = '', conversation = [] }: Question): number =>
  prompt.length + system.length + conversation.reduce((sum, { text }) => sum + text.length, 0)

const usageOf = (question: Question, written: string, { tokens, cost }: { tokens: ScriptedAnswer['tokens']; cost: Cost }): Usage => {
  const [inputTokens, outputTokens] = tokens ?? [tokensOf(sentChars(question)), tokensOf(written.length)]
  return { inputTokens, outputTokens, costMicroUsd: cost({ input: inputTokens, output: outputTokens }) }
}

const callsOf = (calls: NonNullable<ScriptedAnswer['calls']>, values: JsonObject): readonly WrittenCall[] =>
  calls.map(({ id, tool, arguments: args }) => ({
    tool,
    arguments: typeof args === 'string' ? args : JSON.stringify(fill(args, values)),
    ...(id === undefined ? {} : { id }),
  }))

type Spoken = ({ readonly text: string; readonly calls?: readonly WrittenCall[] } | { readonly value: Json }) & { readonly written: string }

const spoken = (found: ScriptedAnswer, question: Question): Spoken => {
  const values = slotValues(question)
  if (found.answer !== undefined) {
    const value = fill(found.answer, values)
    return { value, written: JSON.stringify(value) }
  }
  const text = fillText(found.text ?? '', values)
  if (found.calls === undefined) return { text, written: text }
  const calls = callsOf(found.calls, values)
  return { text, calls, written: text + JSON.stringify(calls) }
}

/** A model that follows a script (S1, S2). */
export const scriptedModel = (name: string, { script, cost }: { script: Script; cost: Cost }): Model => ({
  name,
  provider: 'scripted',
  local: false,
  invoke: async (question) => {
    const found = findAnswer(script, name, question)
    if (found.delayMs > 0) await sleep(found.delayMs, undefined, { signal: question.signal })
    if (found.fault !== undefined) {
      const { code, message, retryAfterMs } = found.fault
      throw new Fault(code, `${name}: ${message}`, { model: name, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })
    }
    const { written, ...answer } = spoken(found, question)
    return { ...answer, usage: usageOf(question, written, { tokens: found.tokens, cost }) }
  },
})
