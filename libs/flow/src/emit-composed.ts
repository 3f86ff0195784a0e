// Steps that are made of others, wait, or speak to the world outside, as they are in a plan; and agents and triggers.
import type { Json } from '@baton/contracts/json'
import { defined } from './defined.ts'
import { emitContext } from './emit-fields.ts'
import { emitValue } from './emit-value.ts'
import { COMPOSED_KINDS, type AgentSpec, type ComposedBody, type Outcome, type TriggerSpec } from './plan.ts'
import type { AgentTree, BlockTree, OutcomeTree, PromptTree, StepTree, TriggerTree } from './tree.ts'

/** Emits what stands inside. `output`: the block owes what the step owes. */
export type Nest = {
  readonly block: (block: BlockTree, owes: 'output' | 'nothing') => number
  readonly outcome: (outcome: OutcomeTree) => Outcome
  readonly prompt: (prompt: PromptTree) => string
}

export type ComposedStep = Extract<StepTree, { readonly kind: ComposedBody['kind'] }>
export type SimpleStep = Exclude<StepTree, ComposedStep>

const KINDS: ReadonlySet<string> = new Set(COMPOSED_KINDS)
export const isComposed = (step: StepTree): step is ComposedStep => KINDS.has(step.kind)

/** What a step of these kinds does. */
export const emitComposed = (step: ComposedStep, nest: Nest): ComposedBody => {
  switch (step.kind) {
    case 'parallel': {
      // Branches run side by side: their order means nothing, so it is not in the hash.
      const sorted = step.branches.toSorted((a, b) => (a.name < b.name ? -1 : 1))
      const branches = sorted.map(({ name, block }) => ({ name, block: nest.block(block, 'nothing') }))
      return { kind: 'parallel', branches, join: step.join, onFailure: step.onFailure }
    }
    case 'map': {
      const { as, concurrency, chunk, max, onFailure } = step
      return { kind: 'map', over: step.over.cel, as, each: nest.block(step.each, 'nothing'), concurrency, chunk, max, onFailure }
    }
    case 'vote':
      return emitVote(step, nest)
    case 'loop':
      // A loop without a cap is a mistake that the passes have reported.
      return { kind: 'loop', body: nest.block(step.body, 'output'), max: step.max ?? 1, ...defined({ until: step.until?.cel }) }
    default:
      return emitSimple(step)
  }
}

type Message = Exclude<ComposedStep, { readonly kind: 'parallel' | 'map' | 'vote' | 'loop' }>

const emitSimple = (step: Message): ComposedBody => {
  switch (step.kind) {
    case 'wait':
      return { kind: 'wait', forMs: step.forMs }
    case 'event':
      return { kind: 'event', event: step.event, ...defined({ match: step.match?.cel, key: step.key && emitValue(step.key) }) }
    case 'emit':
      return { kind: 'emit', topic: step.topic, ...defined({ type: step.type, key: step.key && emitValue(step.key) }) }
    case 'flow':
      return { kind: 'flow', flow: step.flow, ...defined({ version: step.version, limits: step.limits }) }
    case 'agent':
      return { kind: 'agent', ...defined({ agent: step.agent, by: step.by?.cel, limits: step.limits }) }
    case 'team': {
      const { planner, workers, synthesis, concurrency, limits } = step
      return { kind: 'team', planner, workers, synthesis, concurrency, limits }
    }
  }
}

const emitVote = (step: StepTree & { readonly kind: 'vote' }, nest: Nest): ComposedBody => ({
  kind: 'vote',
  voters: step.voters.map(({ block, weight }) => ({ block: nest.block(block, 'output'), weight })),
  rule: step.rule,
  early: step.early,
  ...defined({
    on: step.on?.cel,
    judge: step.judge && nest.block(step.judge, 'output'),
    tie: step.tie && nest.outcome(step.tie),
  }),
})

/** An agent of the flow. */
export const emitAgent = (agent: AgentTree, nest: Nest): AgentSpec => {
  const { name, models, tools, limits, handoff, minConfidence, selfCheck, fallback, returns, context } = agent
  return {
    name,
    models,
    prompt: nest.prompt(agent.prompt),
    tools,
    for: agent.for.toSorted(),
    limits,
    handoff: handoff.toSorted(),
    ...defined({
      minConfidence,
      selfCheck: selfCheck && nest.prompt(selfCheck),
      fallback: fallback && nest.outcome(fallback),
      returns,
      context: context && emitContext(context),
    }),
  }
}

/** A trigger of the flow. */
export const emitTrigger = (trigger: TriggerTree): TriggerSpec => {
  const common = defined({ input: trigger.input && emitValue(trigger.input), when: trigger.when?.cel })
  switch (trigger.kind) {
    case 'topic':
      return { kind: 'topic', topic: trigger.topic, ...common, ...defined({ key: trigger.key?.cel }) }
    case 'http':
      return { kind: 'http', method: trigger.method, path: trigger.path, ...common }
    case 'schedule':
      return { kind: 'schedule', zone: trigger.zone, ...common, ...defined({ cron: trigger.cron, everyMs: trigger.everyMs }) }
  }
}

/** Words in the expressions of a value that is part of a plan; more than its variables, never fewer. */
export const wordsRead = (value: Json | object | undefined, words = new Set<string>()): ReadonlySet<string> => {
  if (typeof value !== 'object' || value === null) return words
  for (const [key, field] of Object.entries(value)) {
    if (EXPRESSIONS.has(key) && typeof field === 'string') for (const [word] of field.matchAll(/[A-Za-z_]\w*/g)) words.add(word)
    else wordsRead(field as Json, words) // Object.entries of plain data
  }
  return words
}
const EXPRESSIONS: ReadonlySet<string> = new Set(['cel', 'when', 'on', 'over', 'until', 'match', 'by'])
