// The one port to everything that answers: providers over HTTP, trained classifiers, rules, quoting from documents (B1).
import type { Fault } from '@baton/contracts/fault'
import type { Json, JsonObject, JsonSchema } from '@baton/contracts/json'
import type { Sampling } from '@baton/flow/plan'
import type { ModelFacts } from '@baton/policy/routing'

/** A tool that a model may call. */
export type ToolOffer = {
  readonly name: string
  readonly about?: string
  readonly schema: JsonObject
  /** Absent where nobody could say. */
  readonly effect?: 'read' | 'write' | 'irreversible'
}

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
  /** What comes with the question: pictures, sound, files. Only for models whose capabilities name it. */
  readonly media?: readonly Media[]
  /** Goes before what is pinned for the model in the catalogue. */
  readonly sampling?: Sampling
  /** Tokens that the answer may have, where it is less than the model may write. */
  readonly outputTokensMax?: number
  /**
   * Told of every piece while the answer is written; `text` is empty for signs of life (reasoning, a call being written). Absent: the
   * answer comes whole. The answer that is returned is whole in either case.
   */
  readonly onPiece?: (piece: { readonly text: string }) => void
  readonly signal: AbortSignal
}

/** A picture, sound or file: its bytes, or an address that the provider itself fetches. */
export type Media = { readonly mediaType: string } & ({ readonly base64: string } | { readonly url: string })

export type Usage = {
  readonly inputTokens?: number
  /** Of the input tokens, those that the provider had in its cache. */
  readonly cachedInputTokens?: number
  readonly outputTokens?: number
  readonly costMicroUsd: number
}

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
  /** What the provider says it answered with: the snapshot of the model and its own fingerprint (B19). */
  readonly servedBy?: string
}

/** How often a model may be asked; absent: not limited here. */
export type ModelLimits = {
  readonly requestsPerMinute?: number
  readonly tokensPerMinute?: number
  readonly concurrency?: number
  /** To the first piece of an answer. */
  readonly firstTokenMs?: number
  /** Between two pieces. */
  readonly idleMs?: number
}

/** What is said of a model in the catalogue: for choosing, limits, breakers and reservations. */
export type ModelAbout = ModelFacts & {
  /** The server it is behind, which its neighbours share: limits and breakers of a provider count by it. */
  readonly server: string
  /** The name that the server knows it by, the snapshot where one is pinned. */
  readonly model: string
  readonly limits: ModelLimits
  /** Of all models behind the server together. */
  readonly serverLimits: ModelLimits
  /** Temperature and seed as they are sent: the same question gets the same answer as far as the provider can (B19). */
  readonly sampling: Sampling
}

/** Answers questions. Throws a Fault with a `model.*` or `output.*` code; `detail.retryAfterMs` where the provider named a wait. */
export type Model = {
  readonly name: string
  /** What kind of adapter it is, for meters: `openai`, `anthropic`, `local`, `classifier`, `extractive`, `rules`, `recorded`, `scripted`. */
  readonly provider: string
  /** Whether it answers in this process, in milliseconds, always the same. */
  readonly local: boolean
  readonly invoke: (question: Question) => Promise<Answer>
  /** Present on every model of a catalogue. */
  readonly about?: ModelAbout
}

/** Local work costs no money and has no tokens. */
export const FREE: Usage = { costMicroUsd: 0 }
