// What the attempts are given for one dispatch, and what they give back.
import type { Fault } from '@baton/contracts/fault'
import type { TrySpec } from '@baton/policy'
import type { ActivationNeed } from '@baton/policy/activation'
import type { StepCommand } from '@baton/contracts'
import type { Answer, Model, Question, Usage } from '../model.ts'
import type { Output } from '../output/structured-output.ts'

/** A person is to decide, and why: no answer of a cascade was good enough. */
export type ForPerson = { readonly need: ActivationNeed; readonly route: string; readonly why: string }

export type Asked<O extends Output = Output> = {
  readonly output: O
  readonly model: Model
  readonly tries: number
  /** All calls of the dispatch together, also those whose answers were thrown away. */
  readonly usage: Usage
  readonly failedOver: readonly string[]
  /** Cheaper answers were not good enough, and this one had to be asked for. */
  readonly escalated?: boolean
  /** The output is a draft for this person. */
  readonly person?: ForPerson
}

/** Nobody gave an output that fits: why, and what was used up all the same. */
export type GivenUp = {
  readonly fault: Fault
  readonly tries: number
  readonly usage: Usage
  readonly failedOver: readonly string[]
  /** Nothing can serve it just now, and nothing was paid: it is worth asking again after so long. */
  readonly deferMs?: number
  /** Nothing holds of what models wrote; this person writes the output. */
  readonly person?: ForPerson
}

export type Dispatch<O extends Output = Output> = {
  readonly command: StepCommand
  /** The step as routes know it. */
  readonly step: string
  /** Models and routes that the step names. */
  readonly names: readonly string[]
  readonly question: Omit<Question, 'signal' | 'onPiece'>
  /** Makes an output of an answer. Throws a Fault with an `output.*` code; `detail.problem` is for the model. */
  readonly read: (answer: Answer) => O
  readonly spec: TrySpec
  readonly signal: AbortSignal
  /** Deliveries of this command so far. */
  readonly delivery: number
  /** What the step says of starting slow calls again. */
  readonly hedge?: { readonly afterMs: number; readonly max: number } | undefined
  /** Asking twice changes nothing outside. */
  readonly harmless: boolean
  /** Somebody reads along. */
  readonly stream?: PieceSink | undefined
}

/** Where the pieces of an answer go while it is written; calls of a dispatch are counted from 1. */
export type PieceSink = {
  readonly piece: (call: number, text: string) => void
  /** The call gave the whole answer, or is void. */
  readonly end: (call: number, how: 'done' | 'broken') => void
}
