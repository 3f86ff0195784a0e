// A flow between its text and its plan: typed, with the place of everything. Passes look at it and report; emit turns it
// into a plan. A pass over types will add what each expression may be; nothing else has to change for it.
import type { Json, JsonObject, JsonSchema } from '@baton/contracts/json'
import type { CacheScope, HumanSpec, JoinSpec, LimitsSpec, OnFailure, ParamSpec, PromptPart, RetrySpec, Sampling } from './plan.ts'
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
  readonly sampling?: Sampling
  readonly slots: readonly SlotTree[]
}

/** Where a step stands: decides what it may see and what it gets when it has no `with`. */
export type Place = 'steps' | 'case' | 'gate' | 'onError' | 'branch' | 'each' | 'loop' | 'undo'

/** A block of steps that gives one output: its last step's. A single body is a block of one step without a name. */
export type BlockTree = { readonly at: Span; readonly steps: readonly StepTree[] }

/** What a model gets to see, in order of priority; parts beyond the limit are cut in the reverse order. */
export type ContextPartTree = {
  readonly at: Span
  readonly name: string
  readonly from: { readonly value: ValueTree } | { readonly buffer: string } | { readonly history: true }
  readonly priority: number
  readonly tokens?: number
  readonly least?: number
  readonly turns?: number
  /** How a part that is too long is shortened; `never`: the step fails instead. */
  readonly cut: 'end' | 'start' | 'middle' | 'summary' | 'never'
}
export type ContextTree = { readonly at: Span; readonly tokens?: number; readonly parts: readonly ContextPartTree[] }

export type AgentTree = {
  readonly at: Span
  readonly name: string
  readonly about?: string
  readonly models: readonly string[]
  readonly prompt: PromptTree
  readonly tools: readonly string[]
  /** Types of task it is chosen for. */
  readonly for: readonly string[]
  readonly limits: LimitsSpec
  readonly limitsAt?: Span
  readonly minConfidence?: number
  readonly selfCheck?: PromptTree
  /** Agents it may hand over to. */
  readonly handoff: readonly string[]
  /** Another agent, or an outcome, when it is not sure enough or reaches a limit. */
  readonly fallback?: OutcomeTree
  readonly context?: ContextTree
  readonly returns?: JsonSchema
}

export type BufferTree = { readonly at: Span; readonly schema: JsonSchema; readonly expiresMs: number; readonly items: number }

export type TriggerTree = { readonly at: Span; readonly input?: ValueTree; readonly when?: ExprTree } & (
  | { readonly kind: 'topic'; readonly topic: string; readonly key?: ExprTree }
  | { readonly kind: 'http'; readonly method: 'GET' | 'POST' | 'PUT'; readonly path: string }
  | { readonly kind: 'schedule'; readonly cron?: string; readonly everyMs?: number; readonly zone: string }
)

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
  readonly effectAt?: Span
  readonly guard?: readonly { readonly guard: string; readonly options: JsonObject }[]
  /** Bodies tried in this order when the step itself fails. */
  readonly failover?: readonly BlockTree[]
  readonly cache?: { readonly ttlMs: number; readonly scope: CacheScope; readonly key?: ValueTree }
  readonly hedge?: { readonly afterMs: number; readonly max: number }
  readonly budget?: LimitsSpec
  readonly undo?: BlockTree
  readonly onTimeout?: OutcomeTree
  readonly onLimit?: OutcomeTree
  readonly context?: ContextTree
  readonly media?: readonly ValueTree[]
  /** The buffer that gets the step's output as well. */
  readonly writes?: string
  readonly writesAt?: Span
}

/** A block and the name of its place in the output. */
export type BranchTree = { readonly at: Span; readonly name: string; readonly block: BlockTree }

export type BodyTree =
  | { readonly kind: 'model'; readonly models: readonly string[]; readonly prompt: PromptTree }
  | { readonly kind: 'tool'; readonly tools: readonly string[] }
  | { readonly kind: 'retrieve'; readonly index: string; readonly top: number }
  | { readonly kind: 'check'; readonly checks: readonly { readonly check: string; readonly options: JsonObject }[] }
  | { readonly kind: 'human'; readonly human: HumanSpec; readonly slaAt: Span }
  | { readonly kind: 'task'; readonly task: string }
  | { readonly kind: 'switch'; readonly on?: ExprTree; readonly rules: readonly RuleTree[] }
  | { readonly kind: 'set'; readonly value: ValueTree }
  | { readonly kind: 'parallel'; readonly branches: readonly BranchTree[]; readonly join: JoinSpec; readonly onFailure: OnFailure }
  | {
      readonly kind: 'map'
      readonly over: ExprTree
      /** The variable that holds the item; `index` holds its number. */
      readonly as: string
      readonly each: BlockTree
      readonly concurrency: number
      readonly chunk: number
      readonly max: number
      readonly onFailure: OnFailure
    }
  | {
      readonly kind: 'vote'
      readonly voters: readonly { readonly block: BlockTree; readonly weight: number }[]
      /** What is counted; `it` is a voter's output. Absent: the whole output. */
      readonly on?: ExprTree
      readonly rule: 'majority' | 'weighted' | 'judge'
      readonly judge?: BlockTree
      readonly tie?: OutcomeTree
      readonly early: boolean
    }
  | {
      readonly kind: 'loop'
      readonly body: BlockTree
      /** Asked after each round; `it` is the round's output. */
      readonly until?: ExprTree
      /** Absent: a mistake that a check reports. */
      readonly max?: number
    }
  | { readonly kind: 'wait'; readonly forMs: number }
  | { readonly kind: 'event'; readonly event: string; readonly match?: ExprTree; readonly key?: ValueTree }
  | { readonly kind: 'emit'; readonly topic: string; readonly type?: string; readonly key?: ValueTree }
  | { readonly kind: 'flow'; readonly flow: string; readonly version?: string; readonly limits?: LimitsSpec }
  /** One agent by name, or the one whose `for` has the value of an expression. */
  | { readonly kind: 'agent'; readonly agent?: string; readonly by?: ExprTree; readonly limits?: LimitsSpec }
  | {
      readonly kind: 'team'
      readonly planner: string
      readonly workers: readonly string[]
      readonly synthesis: string
      readonly concurrency: number
      readonly limits: LimitsSpec
      readonly limitsAt?: Span
    }
export type StepTree = StepBase & BodyTree

export type LimitsTree = LimitsSpec & { readonly timeMs: number; readonly totalMs: number; readonly steps: number }

export type FlowTree = {
  readonly at: Span
  readonly flow: string
  readonly version: string
  readonly limits: LimitsTree
  readonly params: { readonly [name: string]: ParamSpec }
  readonly input: JsonSchema
  readonly steps: readonly StepTree[]
  readonly onError?: OutcomeTree
  readonly onLimit?: OutcomeTree
  readonly agents: { readonly [name: string]: AgentTree }
  readonly buffers: { readonly [name: string]: BufferTree }
  readonly triggers: readonly TriggerTree[]
  /** How much of the session's conversation is kept for the context. */
  readonly history?: { readonly turns: number; readonly tokens?: number }
  readonly output?: ValueTree
  readonly resultTopic?: string
  readonly labels: { readonly [name: string]: string }
}
