// The one port to everything that answers: providers over HTTP, trained classifiers, rules, quoting from documents (B1).
import type { Fault } from '@baton/contracts/fault'
import type { Json, JsonSchema } from '@baton/contracts/json'

export type Question = {
  /** The prompt with its slots filled. */
  readonly prompt: string
  readonly system?: string
  /** What the step was given (`with`): local models read fields of it, not the prompt. */
  readonly input: Json
  /** What the answer must fit; absent: free text. */
  readonly schema?: JsonSchema
  /** What was wrong with the last answer, for asking again. */
  readonly feedback?: string
  readonly signal: AbortSignal
}

export type Usage = { readonly inputTokens?: number; readonly outputTokens?: number; readonly costMicroUsd: number }

/**
 * Text still to be read, or a value that is JSON already. `confidence` only where the model knows how far to trust itself. `unusable`:
 * the answer was given, and is paid for, but nothing can be made of it.
 */
export type Answer = ({ readonly text: string } | { readonly value: Json }) & {
  readonly usage: Usage
  readonly confidence?: number
  readonly unusable?: Fault
}

/** Answers questions. Throws a Fault with a `model.*` or `output.*` code; `detail.retryAfterMs` where the provider named a wait. */
export type Model = {
  readonly name: string
  /** What kind of adapter it is, for meters: `openai`, `classifier`, `extractive`, `rules`. */
  readonly provider: string
  /** Whether it answers in this process, in milliseconds, always the same. */
  readonly local: boolean
  readonly invoke: (question: Question) => Promise<Answer>
}

/** Local work costs no money and has no tokens. */
export const FREE: Usage = { costMicroUsd: 0 }
