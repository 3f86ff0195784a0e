/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
// The parts of a tree that a plan does not carry yet: steps for a later version of the engine, agents, buffers, triggers.
import type { Json } from '@baton/contracts/json'
import { defined } from '../defined.ts'
import type { BlockTree, FlowTree, OutcomeTree, RuleTree, StepTree } from '../tree.ts'
import { detailOfTree } from './detail.ts'
import type { Outline, OutlineOutcome, OutlinePart, OutlineRule, OutlineStep } from './outline.ts'
import { plain, promptText } from './plain.ts'

/** How a step inside another one becomes an outline: from the plan where it is there. */
export type Inner = (step: StepTree) => OutlineStep

/** Every step of a tree, however deep. */
export const treeSteps = (tree: FlowTree): readonly StepTree[] => [
  ...tree.steps.flatMap(withInner),
  ...[tree.onError, tree.onLimit, ...Object.values(tree.agents).map(({ fallback }) => fallback)].flatMap(outcomeSteps),
]

const withInner = (step: StepTree): readonly StepTree[] => [
  step,
  ...blocksOf(step).flatMap(({ block }) => block.steps.flatMap(withInner)),
  ...[...rulesOfTree(step).map(({ outcome }) => outcome), step.onError, step.onTimeout, step.onLimit, tieOf(step)].flatMap(outcomeSteps),
]

const outcomeSteps = (outcome: OutcomeTree | undefined): readonly StepTree[] =>
  outcome?.then === 'run' ? outcome.steps.flatMap(withInner) : []

const tieOf = (step: StepTree): OutcomeTree | undefined => (step.kind === 'vote' ? step.tie : undefined)
const rulesOfTree = (step: StepTree): readonly RuleTree[] => [...(step.kind === 'switch' ? step.rules : []), ...(step.gate ?? [])]

type Inside = { readonly role: OutlinePart['role']; readonly label: string; readonly block: BlockTree }

const blocksOf = (step: StepTree): readonly Inside[] => [
  ...bodyBlocks(step),
  ...(step.failover ?? []).map((block, index): Inside => ({ role: 'failover', label: `failover ${index + 1}`, block })),
  ...(step.undo === undefined ? [] : [{ role: 'undo', label: 'undo', block: step.undo } as const]),
]

const bodyBlocks = (step: StepTree): readonly Inside[] => {
  switch (step.kind) {
    case 'parallel':
      return step.branches.map(({ name, block }): Inside => ({ role: 'branch', label: name, block }))
    case 'map':
      return [{ role: 'each', label: `each ${step.as}`, block: step.each }]
    case 'loop':
      return [{ role: 'round', label: 'each round', block: step.body }]
    case 'vote':
      return [
        ...step.voters.map(({ block, weight }, index): Inside => ({
          role: 'voter',
          label: weight === 1 ? `voter ${index + 1}` : `voter ${index + 1}, weight ${weight}`,
          block,
        })),
        ...(step.judge === undefined ? [] : [{ role: 'judge', label: 'judge', block: step.judge } as const]),
      ]
    default:
      return []
  }
}

/** Words of a step that the outline has a place for. */
const PLACED: ReadonlySet<string> = new Set(
  'id name place kind when timeoutMs retry returns gate onError onTimeout onLimit effect undo failover rules branches each body voters judge tie'.split(
    ' ',
  ),
)

const WRITES: ReadonlySet<StepTree['kind']> = new Set(['tool', 'task', 'emit', 'flow', 'agent', 'team'])

/** The outline of a step that is not in the plan's nodes. */
export const outlineTreeStep = (step: StepTree, inner: Inner): OutlineStep => {
  const { id, name, kind, timeoutMs, retry, returns, effect } = step
  const facts = Object.entries(step).flatMap(([key, value]): [string, Json][] => {
    const data = PLACED.has(key) || key === 'at' || key.endsWith('At') ? undefined : plain(value)
    return data === undefined ? [] : [[key, data]]
  })
  const tie = tieOf(step)
  return {
    id,
    name,
    kind,
    detail: detailOfTree(step),
    effect: effect ?? (WRITES.has(kind) ? 'write' : 'read'),
    gate: (step.gate ?? []).map((rule) => treeRule(rule, inner)),
    cases: [
      ...(step.kind === 'switch' ? step.rules.map((rule) => treeRule(rule, inner)) : []),
      ...(tie === undefined ? [] : [{ label: 'tie', outcome: treeOutcome(tie, inner) }]),
    ],
    parts: blocksOf(step).map(({ role, label, block }) => ({ role, label, steps: block.steps.map(inner) })),
    facts: Object.fromEntries(facts),
    later: true,
    ...defined({
      when: step.when?.cel,
      timeoutMs,
      retry,
      returns,
      onError: step.onError === undefined ? undefined : treeOutcome(step.onError, inner),
      onTimeout: step.onTimeout === undefined ? undefined : treeOutcome(step.onTimeout, inner),
      onLimit: step.onLimit === undefined ? undefined : treeOutcome(step.onLimit, inner),
    }),
  }
}

const treeRule = (rule: RuleTree, inner: Inner): OutlineRule => ({
  label: rule.label,
  outcome: treeOutcome(rule.outcome, inner),
  ...defined({ when: rule.equals === undefined ? rule.when?.cel : `== ${JSON.stringify(rule.equals)}` }),
})

export const treeOutcome = (outcome: OutcomeTree, inner: Inner): OutlineOutcome => {
  switch (outcome.then) {
    case 'run':
      return { then: 'run', steps: outcome.steps.map(inner), after: outcome.after ?? 'next' }
    case 'retry':
      return {
        then: 'retry',
        attempts: outcome.attempts,
        ...defined({ models: outcome.models, prompt: outcome.prompt === undefined ? undefined : promptText(outcome.prompt) }),
      }
    case 'step':
      return { then: 'step', step: outcome.step }
    default:
      return { then: outcome.then }
  }
}

/** What agents do when they are not sure enough. */
export const treeFallbacks = (tree: FlowTree, inner: Inner): Outline['fallbacks'] =>
  Object.values(tree.agents).flatMap(({ name, fallback }) =>
    fallback === undefined ? [] : [{ label: `${name} is not sure`, outcome: treeOutcome(fallback, inner) }],
  )

/** Agents, buffers, triggers and history as data. */
export const treeFacts = (tree: FlowTree): { readonly [field: string]: Json } => {
  const { agents, buffers, triggers, history } = tree
  return {
    ...defined({
      agents: Object.keys(agents).length === 0 ? undefined : plain(agents),
      buffers: Object.keys(buffers).length === 0 ? undefined : plain(buffers),
      triggers: triggers.length === 0 ? undefined : plain(triggers),
      history: history === undefined ? undefined : plain(history),
    }),
  }
}
