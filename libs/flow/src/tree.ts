// A flow between its text and its plan: typed, with the place of everything. Passes look at it and report; emit turns it
// into a plan. A pass over types will add what each expression may be; nothing else has to change for it.
import type { Json, JsonObject, JsonSchema } from '@baton/contracts/json'
import type { HumanSpec, ParamSpec, PromptPart, RetrySpec } from './plan.ts'
import type { ScalarSyntax } from './source/syntax.ts'
import type { Span } from './source/source.ts'

/** A CEL expression in a scalar; its text begins `skip` characters into the scalar's value. */
export type ExprTree = { readonly cel: string; readonly at: ScalarSyntax; readonly skip: number }

export type ValueTree =
  | { readonly at: Span; readonly lit: Json }
  | { readonly at: Span; readonly expr: ExprTree }
  | { readonly at: Span; readonly object: readonly (readonly [string, ValueTree])[] }
  | { readonly at: Span; readonly list: readonly ValueTree[] }

export type OutcomeTree =
  | { readonly at: Span; readonly then: 'next' | 'end' | 'fail' }
  | { readonly at: Span; readonly then: 'step'; readonly step: string }
  | {
      readonly at: Span
      readonly then: 'retry'
      readonly attempts: number
      readonly models?: readonly string[]
      readonly prompt?: PromptTree
    }
  | { readonly at: Span; readonly then: 'run'; readonly steps: readonly StepTree[]; readonly after?: 'next' | 'end' | 'fail' }

/** A rule of a gate or switch. `equals` is the literal of a case, `when` the condition of a list; neither is the else. */
export type RuleTree = {
  readonly at: Span
  readonly when?: ExprTree
  readonly equals?: string | number | boolean | null
  readonly label: string
  readonly outcome: OutcomeTree
}

/** A slot of a prompt with the place of its path. */
export type SlotTree = { readonly path: readonly string[]; readonly at: Span }

/** A prompt in use: its name in the plan, and what it asks for. */
export type PromptTree = {
  readonly at: Span
  readonly name: string
  readonly parts: readonly PromptPart[]
  readonly system?: readonly PromptPart[]
  readonly slots: readonly SlotTree[]
}

/** Where a step stands: decides what it may see and what it gets when it has no `with`. */
export type Place = 'steps' | 'case' | 'gate' | 'onError'

type StepBase = {
  readonly id: string
  readonly name: string | null
  readonly at: Span
  readonly place: Place
  readonly when?: ExprTree
  readonly with?: ValueTree
  readonly timeoutMs?: number
  readonly timeoutAt?: Span
  readonly retry?: RetrySpec
  readonly returns?: JsonSchema
  readonly gate?: readonly RuleTree[]
  readonly onError?: OutcomeTree
  readonly effect?: 'read' | 'write' | 'irreversible'
}

export type BodyTree =
  | { readonly kind: 'model'; readonly models: readonly string[]; readonly prompt: PromptTree }
  | { readonly kind: 'tool'; readonly tools: readonly string[] }
  | { readonly kind: 'retrieve'; readonly index: string; readonly top: number }
  | { readonly kind: 'check'; readonly checks: readonly { readonly check: string; readonly options: JsonObject }[] }
  | { readonly kind: 'human'; readonly human: HumanSpec; readonly slaAt: Span }
  | { readonly kind: 'task'; readonly task: string }
  | { readonly kind: 'switch'; readonly on?: ExprTree; readonly rules: readonly RuleTree[] }
  | { readonly kind: 'set'; readonly value: ValueTree }
export type StepTree = StepBase & BodyTree

export type LimitsTree = { readonly timeMs: number; readonly totalMs: number; readonly steps: number; readonly costMicroUsd?: number }

export type FlowTree = {
  readonly at: Span
  readonly flow: string
  readonly version: string
  readonly limits: LimitsTree
  readonly params: { readonly [name: string]: ParamSpec }
  readonly input: JsonSchema
  readonly steps: readonly StepTree[]
  readonly onError?: OutcomeTree
  readonly output?: ValueTree
  readonly resultTopic?: string
  readonly labels: { readonly [name: string]: string }
}
