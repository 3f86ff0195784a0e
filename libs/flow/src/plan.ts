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
  /** 0–100, where the priority is a number; `priority` is the name nearest to it. */
  readonly urgency?: number
  /** Time until somebody has to have taken it. */
  readonly claimMs?: number
  /** Where it goes when nobody acts in time, each with clocks of its own. */
  readonly chain?: readonly HumanRung[]
  /** One of these roles is needed, and all of these skills. */
  readonly roles?: readonly string[]
  readonly skills?: readonly string[]
  readonly quorum?: { readonly n: number; readonly of: number; readonly distinctRoles: boolean; readonly excludeRequester: boolean }
  /** What silence means at the end of the chain: only what is advisory goes on, flagged as unreviewed. */
  readonly risk?: 'advisory' | 'reversible' | 'irreversible'
  readonly kind?: 'approval' | 'edit' | 'question' | 'label'
  /** Reasons to reject, by name, each with what the model is told. */
  readonly reasons?: { readonly [name: string]: string }
}
export type HumanRung = { readonly queue: string; readonly slaMs: number; readonly claimMs?: number; readonly roles?: readonly string[] }

/** The longest time that people have to decide, all rungs together. */
export const peopleMs = ({ slaMs, onTimeout, chain = [] }: HumanSpec): number =>
  chain.length > 0 ? chain.reduce((sum, rung) => sum + rung.slaMs, slaMs) : slaMs * (onTimeout === 'escalate' ? 2 : 1)

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

/** A guard on what goes into a step and what comes out of it; its options say where it looks and what it does. */
export type GuardSpec = { readonly guard: string; readonly options: JsonObject }

/** One part of what a model gets to see. `cut`: how it is shortened when it does not fit; `never` fails the step instead. */
export type ContextPart = {
  readonly name: string
  readonly from: { readonly value: ValueExpr } | { readonly buffer: string } | { readonly history: true }
  /** 1 is kept longest. */
  readonly priority: number
  /** At most so many, and never less room than so many. */
  readonly tokens?: number
  readonly least?: number
  readonly turns?: number
  readonly cut: 'end' | 'start' | 'middle' | 'summary' | 'never'
}
export type ContextSpec = { readonly tokens?: number; readonly parts: readonly ContextPart[] }

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
  /** When the time of the step is over; before `onError`. */
  readonly onTimeout?: Outcome
  /** When a limit or budget is reached; before `onError`. */
  readonly onLimit?: Outcome
  /** Blocks tried in this order when the step itself fails; before any handler. */
  readonly failover?: readonly number[]
  /** What the step may spend, whatever is done in its place included. */
  readonly budget?: LimitsSpec
  /** Takes the effect back when the run fails later. `sees`: the names its expressions read, kept with the output. */
  readonly undo?: { readonly block: number; readonly sees: readonly string[] }
  readonly guard?: readonly GuardSpec[]
  /** `key`: what makes two calls the same; all arguments where absent. */
  readonly cache?: { readonly ttlMs: number; readonly scope: CacheScope; readonly key?: ValueExpr }
  /** A call that takes longer than `afterMs` is started again beside the first, `max` times at most. */
  readonly hedge?: { readonly afterMs: number; readonly max: number }
  readonly context?: ContextSpec
  readonly media?: readonly ValueExpr[]
  /** The buffer that gets the output as well. */
  readonly writes?: string
  readonly effect: 'read' | 'write' | 'irreversible'
}

/** One agent of a flow: a model with a task, tools and caps. */
export type AgentSpec = {
  readonly name: string
  readonly models: readonly string[]
  readonly prompt: string
  readonly tools: readonly string[]
  /** Types of task it is chosen for. */
  readonly for: readonly string[]
  readonly limits: LimitsSpec
  /** Agents it may hand over to. */
  readonly handoff: readonly string[]
  readonly minConfidence?: number
  /** Prompt with which it checks its own answer. */
  readonly selfCheck?: string
  /** When it is not sure enough, or reaches a cap. */
  readonly fallback?: Outcome
  readonly returns?: JsonSchema
  readonly context?: ContextSpec
}

/** What starts a flow beside a request. `event` is what arrived. */
export type TriggerSpec = { readonly input?: ValueExpr; readonly when?: string } & (
  | { readonly kind: 'topic'; readonly topic: string; readonly key?: string }
  | { readonly kind: 'http'; readonly method: 'GET' | 'POST' | 'PUT'; readonly path: string }
  | { readonly kind: 'schedule'; readonly cron?: string; readonly everyMs?: number; readonly zone: string }
)

/** A step that is made of others, or waits, or speaks to the world outside: nothing a service is asked for. */
export type ComposedBody =
  | {
      readonly kind: 'parallel'
      readonly branches: readonly { readonly name: string; readonly block: number }[]
      readonly join: JoinSpec
      readonly onFailure: OnFailure
    }
  | {
      readonly kind: 'map'
      /** Expression that gives the list. */
      readonly over: string
      readonly as: string
      readonly each: number
      readonly concurrency: number
      readonly chunk: number
      readonly max: number
      readonly onFailure: OnFailure
    }
  | {
      readonly kind: 'vote'
      readonly voters: readonly { readonly block: number; readonly weight: number }[]
      /** What is counted; `it` is a voter's output. Absent: the whole output. */
      readonly on?: string
      readonly rule: 'majority' | 'weighted' | 'judge'
      readonly judge?: number
      readonly tie?: Outcome
      readonly early: boolean
    }
  /** `until` is asked after each round; reaching `max` before it holds is a limit. Without `until` there are `max` rounds. */
  | { readonly kind: 'loop'; readonly body: number; readonly until?: string; readonly max: number }
  | { readonly kind: 'wait'; readonly forMs: number }
  | { readonly kind: 'event'; readonly event: string; readonly match?: string; readonly key?: ValueExpr }
  | { readonly kind: 'emit'; readonly topic: string; readonly type?: string; readonly key?: ValueExpr }
  | { readonly kind: 'flow'; readonly flow: string; readonly version?: string; readonly limits?: LimitsSpec }
  /** One agent by name, or the one whose `for` has the value of an expression. */
  | { readonly kind: 'agent'; readonly agent?: string; readonly by?: string; readonly limits?: LimitsSpec }
  | {
      readonly kind: 'team'
      readonly planner: string
      readonly workers: readonly string[]
      readonly synthesis: string
      readonly concurrency: number
      readonly limits: LimitsSpec
    }
export type ComposedNode = NodeBase & ComposedBody
export const COMPOSED_KINDS = [
  'parallel',
  'map',
  'vote',
  'loop',
  'wait',
  'event',
  'emit',
  'flow',
  'agent',
  'team',
] as const satisfies readonly ComposedBody['kind'][]

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
    | ComposedBody
  )
export type NodeKind = PlanNode['kind']

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
  readonly limits: {
    readonly timeMs: number
    readonly totalMs: number
    readonly steps: number
    readonly costMicroUsd?: number
    readonly tokens?: number
    readonly calls?: number
    /** Flows inside each other. */
    readonly depth?: number
  }
  readonly params: { readonly [name: string]: ParamSpec }
  /** JSON Schema of the input; `true` where the flow declares none. */
  readonly input: JsonSchema
  readonly blocks: readonly (readonly string[])[]
  /** Index of the block to start with. */
  readonly entry: number
  readonly nodes: { readonly [id: string]: PlanNode }
  readonly agents?: { readonly [name: string]: AgentSpec }
  readonly triggers?: readonly TriggerSpec[]
  /** Lists that steps share within a run: entries fit `schema`, and are gone after their time or when there are too many. */
  readonly buffers?: { readonly [name: string]: { readonly schema: JsonSchema; readonly expiresMs: number; readonly items: number } }
  /** The conversation of the session that parts of a context may show. */
  readonly history?: { readonly turns: number; readonly tokens?: number }
  readonly onError?: Outcome
  /** When the run reaches one of its limits; before `onError`. */
  readonly onLimit?: Outcome
  /** Absent: the output of the last step. */
  readonly output?: ValueExpr
  readonly prompts: { readonly [name: string]: PlanPrompt }
  /** Expressions read `leftOut` of a step: the run keeps what contexts left out beside the outputs. */
  readonly leftOut?: true
  /** Topic of results of this flow beside `baton.results`. */
  readonly resultTopic?: string
  readonly labels: { readonly [name: string]: string }
}

/** How freely a model answers; what is not named is the model's own. */
export type Sampling = { readonly temperature?: number; readonly seed?: number }
export type PlanPrompt = {
  readonly parts: readonly PromptPart[]
  readonly system?: readonly PromptPart[]
  /** Goes before what the catalogue pins for the model. */
  readonly sampling?: Sampling
}

/** A block that a node runs, and what for: `branch unsafe`, `each`, `voter[0]`, `judge`, `do`, `failover[0]`, `undo`. */
export type NodePart = { readonly label: string; readonly block: number }

/** The blocks of a node beside those of its outcomes. */
export const nodePartsOf = (node: PlanNode): readonly NodePart[] => [
  ...bodyPartsOf(node),
  ...(node.failover ?? []).map((block, index) => ({ label: `failover[${index}]`, block })),
  ...(node.undo === undefined ? [] : [{ label: 'undo', block: node.undo.block }]),
]

const bodyPartsOf = (node: PlanNode): readonly NodePart[] => {
  switch (node.kind) {
    case 'parallel':
      return node.branches.map(({ name, block }) => ({ label: `branch ${name}`, block }))
    case 'map':
      return [{ label: 'each', block: node.each }]
    case 'vote': {
      const voters = node.voters.map(({ block }, index) => ({ label: `voter[${index}]`, block }))
      return node.judge === undefined ? voters : [...voters, { label: 'judge', block: node.judge }]
    }
    case 'loop':
      return [{ label: 'do', block: node.body }]
    default:
      return []
  }
}

/** The outcomes of a node beside those of its gate and its cases, by what they are for. */
export const nodeOutcomesOf = ({
  onError,
  onTimeout,
  onLimit,
  ...node
}: PlanNode): readonly { readonly label: string; readonly outcome: Outcome }[] => {
  const tie = node.kind === 'vote' ? node.tie : undefined
  const all = { onError, onTimeout, onLimit, tie }
  return Object.entries(all).flatMap(([label, outcome]) => (outcome === undefined ? [] : [{ label, outcome }]))
}
