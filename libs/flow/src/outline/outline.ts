// A flow as tools look at it: steps within steps, each with its outcomes, and everything else as plain data.
//   O1. The same plan gives the same outline; places and formatting of the file are not in it.
import type { Json, JsonSchema } from '@baton/contracts/json'
import type { LimitsSpec, NodeKind, ParamSpec, RetrySpec } from '../plan.ts'

export type OutlineOutcome =
  | { readonly then: 'next' | 'end' | 'fail' }
  | { readonly then: 'step'; readonly step: string }
  | { readonly then: 'retry'; readonly attempts: number; readonly models?: readonly string[]; readonly prompt?: string }
  | { readonly then: 'run'; readonly steps: readonly OutlineStep[]; readonly after: 'next' | 'end' | 'fail' }

/** One line of a gate or switch; without `when` it is the else. */
export type OutlineRule = { readonly label: string; readonly when?: string; readonly outcome: OutlineOutcome }

/** Why a block stands inside a step. */
export type PartRole = 'branch' | 'each' | 'voter' | 'judge' | 'round' | 'failover' | 'undo'
export type OutlinePart = { readonly role: PartRole; readonly label: string; readonly steps: readonly OutlineStep[] }

export type OutlineStep = {
  readonly id: string
  readonly name: string | null
  readonly kind: NodeKind
  /** What it does, in a few words: `model strong, else cheap`. */
  readonly detail: string
  readonly effect: 'read' | 'write' | 'irreversible'
  readonly when?: string
  readonly timeoutMs?: number
  readonly retry?: RetrySpec
  readonly returns?: JsonSchema
  readonly gate: readonly OutlineRule[]
  readonly cases: readonly OutlineRule[]
  readonly onError?: OutlineOutcome
  readonly onTimeout?: OutlineOutcome
  readonly onLimit?: OutlineOutcome
  readonly parts: readonly OutlinePart[]
  /** Every other word of the step as data: models, prompt text, tools, queue, arguments. */
  readonly facts: { readonly [field: string]: Json }
}

export type Outline = {
  readonly flow: string
  readonly version: string
  readonly hash: string
  readonly limits: LimitsSpec
  readonly params: { readonly [name: string]: ParamSpec }
  readonly input: JsonSchema
  readonly steps: readonly OutlineStep[]
  readonly onError?: OutlineOutcome
  readonly onLimit?: OutlineOutcome
  /** What happens when an agent is not sure enough. */
  readonly fallbacks: readonly { readonly label: string; readonly outcome: OutlineOutcome }[]
  readonly output?: Json
  /** Agents, buffers, triggers, history, labels, result topic. */
  readonly facts: { readonly [field: string]: Json }
}

/** Every outcome of a step with what leads to it, in the order of the file. */
export const outcomesOf = (
  step: OutlineStep,
): readonly { readonly label: string; readonly when?: string; readonly outcome: OutlineOutcome }[] => [
  ...step.cases,
  ...step.gate,
  ...(step.onError === undefined ? [] : [{ label: 'on error', outcome: step.onError }]),
  ...(step.onTimeout === undefined ? [] : [{ label: 'on timeout', outcome: step.onTimeout }]),
  ...(step.onLimit === undefined ? [] : [{ label: 'on limit', outcome: step.onLimit }]),
]

/** Every step of a block, those inside outcomes and parts included, in the order of the file. */
export const allSteps = (steps: readonly OutlineStep[]): readonly OutlineStep[] =>
  steps.flatMap((step) => [
    step,
    ...step.parts.flatMap((part) => allSteps(part.steps)),
    ...outcomesOf(step).flatMap(({ outcome }) => (outcome.then === 'run' ? allSteps(outcome.steps) : [])),
  ])

/** Every step of a flow, those of its error handler included. */
export const stepsOfOutline = (outline: Outline): readonly OutlineStep[] => [
  ...allSteps(outline.steps),
  ...[outline.onError, outline.onLimit, ...outline.fallbacks.map(({ outcome }) => outcome)].flatMap((outcome) =>
    outcome?.then === 'run' ? allSteps(outcome.steps) : [],
  ),
]
