/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
import { defined } from '../defined.ts'
import { nodePartsOf, type Outcome, type Plan, type PlanNode, type Rule } from '../plan.ts'
import { detailOfNode } from './detail.ts'
import { factsOfFlow, factsOfNode } from './facts.ts'
import type { Outline, OutlineOutcome, OutlinePart, OutlineRule, OutlineStep } from './outline.ts'
import { promptText, writtenValue } from './plain.ts'

/** The outline of a plan; there is nothing in it that the plan does not say (O1). */
export const outlinePlan = (plan: Plan): Outline => {
  const { flow, version, hash, limits, params, input, onError, onLimit, output } = plan
  return {
    flow,
    version,
    hash,
    limits,
    params,
    input,
    steps: blockSteps(plan.entry, plan),
    fallbacks: Object.values(plan.agents ?? {}).flatMap(({ name, fallback }) =>
      fallback === undefined ? [] : [{ label: `${name} is not sure`, outcome: planOutcome(fallback, plan) }],
    ),
    facts: factsOfFlow(plan),
    ...defined({
      onError: onError && planOutcome(onError, plan),
      onLimit: onLimit && planOutcome(onLimit, plan),
      output: output === undefined ? undefined : writtenValue(output),
    }),
  }
}

const blockSteps = (block: number, plan: Plan): readonly OutlineStep[] =>
  (plan.blocks[block] ?? []).flatMap((id) => {
    const node = plan.nodes[id]
    return node === undefined ? [] : [outlineNode(node, plan)]
  })

const outlineNode = (node: PlanNode, plan: Plan): OutlineStep => {
  const { id, name, kind, effect, when, timeoutMs, retry, returns } = node
  return {
    id,
    name,
    kind,
    detail: detailOfNode(node),
    effect,
    gate: (node.gate ?? []).map((rule) => planRule(rule, plan)),
    cases: casesOf(node, plan),
    parts: nodePartsOf(node).map(({ label, block }) => ({ ...partWords(node, label), steps: blockSteps(block, plan) })),
    facts: { with: writtenValue(node.with), ...factsOfNode(node, plan) },
    ...defined({
      when,
      timeoutMs,
      retry,
      returns,
      onError: node.onError && planOutcome(node.onError, plan),
      onTimeout: node.onTimeout && planOutcome(node.onTimeout, plan),
      onLimit: node.onLimit && planOutcome(node.onLimit, plan),
    }),
  }
}

/** The role of a part and how it is called, from its label in the plan: `branch left`, `voter[0]`, `undo`. */
const partWords = (node: PlanNode, label: string): Pick<OutlinePart, 'role' | 'label'> => {
  const [word = '', name = ''] = label.split(/[ [\]]/)
  switch (word) {
    case 'branch':
      return { role: 'branch', label: name }
    case 'each':
      return { role: 'each', label: node.kind === 'map' ? `each ${node.as}` : 'each' }
    case 'do':
      return { role: 'round', label: 'each round' }
    case 'voter':
      return { role: 'voter', label: `voter ${Number(name) + 1}${weightWords(node, Number(name))}` }
    case 'failover':
      return { role: 'failover', label: `failover ${Number(name) + 1}` }
    default:
      return { role: word === 'judge' ? 'judge' : 'undo', label: word }
  }
}

const weightWords = (node: PlanNode, voter: number): string => {
  const weight = node.kind === 'vote' ? (node.voters[voter]?.weight ?? 1) : 1
  return weight === 1 ? '' : `, weight ${weight}`
}

const casesOf = (node: PlanNode, plan: Plan): readonly OutlineRule[] => {
  if (node.kind === 'switch') return node.rules.map((rule) => planRule(rule, plan))
  return node.kind === 'vote' && node.tie !== undefined ? [{ label: 'tie', outcome: planOutcome(node.tie, plan) }] : []
}

const planRule = (rule: Rule, plan: Plan): OutlineRule => ({
  label: rule.label,
  outcome: planOutcome(rule.outcome, plan),
  ...defined({ when: rule.when }),
})

const planOutcome = (outcome: Outcome, plan: Plan): OutlineOutcome => {
  switch (outcome.then) {
    case 'run':
      return { then: 'run', steps: blockSteps(outcome.block, plan), after: outcome.after ?? 'next' }
    case 'retry': {
      const prompt = outcome.prompt === undefined ? undefined : plan.prompts[outcome.prompt]
      return {
        then: 'retry',
        attempts: outcome.attempts,
        ...defined({ models: outcome.models, prompt: prompt === undefined ? outcome.prompt : promptText(prompt) }),
      }
    }
    case 'step':
      return { then: 'step', step: outcome.step }
    default:
      return { then: outcome.then }
  }
}
