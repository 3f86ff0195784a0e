// The one port to everything that answers: providers over HTTP, trained classifiers, rules, quoting from documents (B1).
import type { Fault } from '@baton/contracts/fault'
import type { Json, JsonObject, JsonSchema } from '@baton/contracts/json'

/** A tool that a model may call. */
export type ToolOffer = { readonly name: string; readonly about?: string; readonly schema: JsonObject }

/** A call of a tool as a model wrote it: the arguments are text still to be read, the id may be missing. */
export type WrittenCall = { readonly id?: string; readonly tool: string; readonly arguments: string }

/** What was said in a conversation after its prompt. `failed`: the text says what went wrong instead of what the tool gave. */
export type Said =
  | { readonly role: 'user'; readonly text: string }
  | {
      readonly role: 'assistant'
      readonly text: string
      readonly calls: readonly { readonly id: string; readonly tool: string; readonly arguments: JsonObject }[]
    }
  | { readonly role: 'tool'; readonly id: string; readonly tool: string; readonly text: string; readonly failed: boolean }

/** What a question is asked for. Only models that follow a script look at it. */
export type Occasion = {
  readonly step: string
  readonly agent?: string
  readonly turn?: number
  readonly use?: 'turn' | 'check'
  /** Try of the dispatch, from 1. */
  readonly try?: number
}

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
  /** What was said after the prompt, oldest first. */
  readonly conversation?: readonly Said[]
  /** What it may call instead of answering. */
  readonly tools?: readonly ToolOffer[]
  readonly occasion?: Occasion
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
  /** Tools it wants called before it answers; then the text is what it said beside. */
  readonly calls?: readonly WrittenCall[]
}

/** Answers questions. Throws a Fault with a `model.*` or `output.*` code; `detail.retryAfterMs` where the provider named a wait. */
export type Model = {
  readonly name: string
  /** What kind of adapter it is, for meters: `openai`, `classifier`, `extractive`, `rules`, `scripted`. */
  readonly provider: string
  /** Whether it answers in this process, in milliseconds, always the same. */
  readonly local: boolean
  readonly invoke: (question: Question) => Promise<Answer>
}

/** Local work costs no money and has no tokens. */
export const FREE: Usage = { costMicroUsd: 0 }
