// The plan: what a flow file or the builder compiles to, and the only thing the engine and the workers know of a flow.
//   P1. A plan is JSON; its hash is the SHA-256 of its canonical text without the hash.
//   P2. Nodes are addressed by static path (`answer`, `facts/refund`, `answer/gate[1]`); blocks are lists of node ids.
//   P3. Prompts, schemas and defaults are in the plan: a run needs nothing but its plan and its input.
import type { Json, JsonObject, JsonSchema } from '@baton/contracts/json'

/** A value with expressions in it: a literal, a CEL expression, or an object or list of values. */
export type ValueExpr =
  | { readonly lit: Json }
  | { readonly cel: string }
  | { readonly object: { readonly [key: string]: ValueExpr } }
  | { readonly list: readonly ValueExpr[] }

/** What happens next, wherever something is decided. */
export type Outcome =
  | { readonly then: 'next' }
  | { readonly then: 'end' }
  | { readonly then: 'fail' }
  | { readonly then: 'step'; readonly step: string }
  /** Dispatch the same step again, changed; at most `attempts` times for this rule. */
  | { readonly then: 'retry'; readonly attempts: number; readonly models?: readonly string[]; readonly prompt?: string }
  /** Run a block; its last output becomes the step's output. `after` says how to go on, `next` where absent (`fail` after onError). */
  | { readonly then: 'run'; readonly block: number; readonly after?: 'next' | 'end' | 'fail' }

/** One line of a gate or switch; `when` absent is the else. `label` is what the journal says was chosen. */
export type Rule = { readonly when?: string; readonly label: string; readonly outcome: Outcome }

/** Tries within one dispatch; the service that does the work keeps to it. */
export type RetrySpec = {
  readonly attempts: number
  readonly backoff: 'fixed' | 'exponential'
  readonly delayMs: number
  readonly maxDelayMs: number
  readonly jitter: boolean
}

export type HumanSpec = {
  readonly queue: string
  readonly priority: 'emergency' | 'high' | 'normal' | 'low'
  readonly slaMs: number
  readonly title?: string
  /** What silence means; never consent (E5). `escalate` raises the priority once and waits for another SLA, then fails. */
  readonly onTimeout: 'fail' | 'escalate'
}

/** Which branches a parallel step waits for; `first` is the first that succeeds, `any` the first that ends. */
export type JoinSpec = { readonly join: 'all' | 'any' | 'first' } | { readonly join: 'quorum'; readonly quorum: number }

/** What the failure of one part does: the step fails; the failures are kept beside the outputs; null stands for the output. */
export type OnFailure = 'fail' | 'collect' | 'null'

export type CacheScope = 'run' | 'session' | 'user' | 'tenant'

/** Caps. Reaching one is a routed outcome (`onLimit`), not a crash. */
export type LimitsSpec = {
  readonly timeMs?: number
  readonly totalMs?: number
  readonly steps?: number
  readonly costMicroUsd?: number
  readonly tokens?: number
  readonly calls?: number
  readonly turns?: number
  readonly rounds?: number
  readonly subtasks?: number
  readonly depth?: number
}

type NodeBase = {
  readonly id: string
  /** The variable that later expressions see; null for the anonymous body of a case or rule. */
  readonly name: string | null
  readonly when?: string
  readonly with: ValueExpr
  /** Time of one try, in milliseconds. */
  readonly timeoutMs?: number
  readonly retry?: RetrySpec
  readonly returns?: JsonSchema
  readonly gate?: readonly Rule[]
  readonly onError?: Outcome
  readonly effect: 'read' | 'write' | 'irreversible'
}

export type PlanNode = NodeBase &
  (
    | { readonly kind: 'model'; readonly models: readonly string[]; readonly prompt: string }
    | { readonly kind: 'tool'; readonly tools: readonly string[] }
    | { readonly kind: 'retrieve'; readonly index: string; readonly top: number }
    | { readonly kind: 'check'; readonly checks: readonly { readonly check: string; readonly options: JsonObject }[] }
    | { readonly kind: 'human'; readonly human: HumanSpec }
    | { readonly kind: 'task'; readonly task: string }
    /** `on` present: cases compare its value (`label` holds it, `when` is compiled to the comparison); absent: when/then list. */
    | { readonly kind: 'switch'; readonly on?: string; readonly rules: readonly Rule[] }
    | { readonly kind: 'set'; readonly value: ValueExpr }
  )
export type NodeKind = PlanNode['kind']

/**
 * What the engine cannot run yet: a step of a newer kind or with a field it does not know, or a word at the top of the flow
 * (its id begins with "$"). Enough to check, show and compare; never run.
 */
export type LaterNode = NodeBase & {
  readonly kind: string
  /** The work and the newer fields as data: values as they are in `with`, schemas, prompts by name, blocks as their index. */
  readonly step: JsonObject
  /** The rules of a switch. */
  readonly rules?: readonly Rule[]
  /** Blocks inside, by what they are for: `branch unsafe`, `each`, `voter[0]`, `do`, `failover[0]`, `undo`. */
  readonly parts: readonly { readonly label: string; readonly block: number }[]
  /** Outcomes beside gate and onError: `tie`, `onTimeout`, `onLimit`, `fallback of NAME`. */
  readonly outcomes: readonly { readonly label: string; readonly outcome: Outcome }[]
}

/** Fields of a step that put it among those. */
export const LATER_FIELDS = [
  'guard',
  'failover',
  'cache',
  'hedge',
  'budget',
  'undo',
  'onTimeout',
  'onLimit',
  'context',
  'media',
  'writes',
] as const

export type ParamSpec = {
  readonly type: 'number' | 'integer' | 'string' | 'boolean' | 'duration'
  readonly default: Json
  readonly min?: number
  readonly max?: number
  readonly about?: string
}

/** A prompt after parsing: text and the variables to fill in. `{{ text }}` is `{ slot: ['text'] }`. */
export type PromptPart = { readonly text: string } | { readonly slot: readonly string[] }

export type Plan = {
  readonly formatVersion: 1
  /** namespace/name; `local/FILE` for a flow without an identity. */
  readonly flow: string
  readonly version: string
  readonly hash: string
  readonly limits: { readonly timeMs: number; readonly totalMs: number; readonly steps: number; readonly costMicroUsd?: number }
  readonly params: { readonly [name: string]: ParamSpec }
  /** JSON Schema of the input; `true` where the flow declares none. */
  readonly input: JsonSchema
  readonly blocks: readonly (readonly string[])[]
  /** Index of the block to start with. */
  readonly entry: number
  readonly nodes: { readonly [id: string]: PlanNode }
  /** Nodes of kinds, or with fields, that the engine cannot run yet. A plan that has any is checked and shown, never run. */
  readonly later?: { readonly [id: string]: LaterNode }
  readonly onError?: Outcome
  /** Absent: the output of the last step. */
  readonly output?: ValueExpr
  readonly prompts: { readonly [name: string]: { readonly parts: readonly PromptPart[]; readonly system?: readonly PromptPart[] } }
  /** Topic of results of this flow beside `baton.results`. */
  readonly resultTopic?: string
  readonly labels: { readonly [name: string]: string }
}
