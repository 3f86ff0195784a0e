/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
import type { Json } from '@baton/contracts/json'
import { defined } from '../defined.ts'
import { nodePartsOf, type ComposedNode, type LaterNode, type Outcome, type Plan, type PlanNode, type Rule } from '../plan.ts'
import type { FlowTree, StepTree } from '../tree.ts'
import { detailOfNode } from './detail.ts'
import { outlineTreeStep, treeFacts, treeFallbacks, treeOutcome, treeSteps } from './from-tree.ts'
import type { Outline, OutlineOutcome, OutlinePart, OutlineRule, OutlineStep } from './outline.ts'
import { promptText, writtenValue } from './plain.ts'

/** The outline of a plan. Steps that the engine cannot run yet are told in full only with the tree they come from. */
export const outlinePlan = (plan: Plan, tree?: FlowTree): Outline => {
  const trees = new Map(tree === undefined ? [] : treeSteps(tree).map((step) => [step.id, step]))
  const from: From = { plan, trees }
  const { flow, version, hash, limits, params, input, onError, output } = plan
  return {
    flow,
    version,
    hash,
    limits: tree?.limits ?? limits,
    params,
    input,
    steps: blockSteps(plan.entry, from),
    fallbacks: tree === undefined ? [] : treeFallbacks(tree, (step) => outlineStep(step.id, from)),
    facts: { labels: plan.labels, ...defined({ results: plan.resultTopic }), ...(tree === undefined ? {} : treeFacts(tree)) },
    ...defined({
      onError: onError === undefined ? undefined : planOutcome(onError, from),
      onLimit: tree?.onLimit === undefined ? undefined : treeOutcome(tree.onLimit, (step) => outlineStep(step.id, from)),
      output: output === undefined ? undefined : writtenValue(output),
    }),
  }
}

type From = { readonly plan: Plan; readonly trees: ReadonlyMap<string, StepTree> }

const blockSteps = (block: number, from: From): readonly OutlineStep[] => (from.plan.blocks[block] ?? []).map((id) => outlineStep(id, from))

const outlineStep = (id: string, from: From): OutlineStep => {
  const node = from.plan.nodes[id]
  if (node !== undefined) return outlineNode(node, from)
  const tree = from.trees.get(id)
  if (tree !== undefined) return outlineTreeStep(tree, (step) => outlineStep(step.id, from))
  return outlineLater(id, from.plan.later?.[id], from)
}

const outlineNode = (node: PlanNode, from: From): OutlineStep => {
  const { id, name, kind, effect, when, timeoutMs, retry, returns } = node
  return {
    id,
    name,
    kind,
    detail: detailOfNode(node),
    effect,
    gate: (node.gate ?? []).map((rule) => planRule(rule, from)),
    cases: casesOf(node, from),
    parts: nodePartsOf(node).map(({ label, block }) => ({ ...partWords(node, label), steps: blockSteps(block, from) })),
    facts: { with: writtenValue(node.with), ...factsOfNode(node, from.plan) },
    later: false,
    ...defined({
      when,
      timeoutMs,
      retry,
      returns,
      onError: node.onError && planOutcome(node.onError, from),
      onTimeout: node.onTimeout && planOutcome(node.onTimeout, from),
      onLimit: node.onLimit && planOutcome(node.onLimit, from),
    }),
  }
}

/** The role of a part and how it is called, from its label in the plan. */
const partWords = (node: PlanNode, label: string): Pick<OutlinePart, 'role' | 'label'> => {
  if (label.startsWith('branch ')) return { role: 'branch', label: label.slice('branch '.length) }
  if (label === 'each') return { role: 'each', label: node.kind === 'map' ? `each ${node.as}` : 'each' }
  if (label === 'do') return { role: 'round', label: 'each round' }
  if (label === 'judge' || label === 'undo') return { role: label, label }
  const index = Number(/\d+/.exec(label)?.[0] ?? 0)
  if (label.startsWith('failover')) return { role: 'failover', label: `failover ${index + 1}` }
  const weight = node.kind === 'vote' ? (node.voters[index]?.weight ?? 1) : 1
  return { role: 'voter', label: `voter ${index + 1}${weight === 1 ? '' : `, weight ${weight}`}` }
}

const casesOf = (node: PlanNode, from: From): readonly OutlineRule[] => {
  if (node.kind === 'switch') return node.rules.map((rule) => planRule(rule, from))
  return node.kind === 'vote' && node.tie !== undefined ? [{ label: 'tie', outcome: planOutcome(node.tie, from) }] : []
}

const factsOfNode = (node: PlanNode, plan: Plan): { readonly [field: string]: Json } => {
  switch (node.kind) {
    case 'model': {
      const prompt = plan.prompts[node.prompt]
      return { model: node.models, prompt: prompt === undefined ? node.prompt : promptText(prompt) }
    }
    case 'tool':
      return { tool: node.tools }
    case 'retrieve':
      return { retrieve: node.index, top: node.top }
    case 'check':
      return { check: node.checks }
    case 'human':
      return { human: node.human }
    case 'task':
      return { task: node.task }
    case 'switch':
      return { ...defined({ switch: node.on }) }
    case 'set':
      return { set: writtenValue(node.value) }
    default:
      return composedFacts(node)
  }
}

/** What a composed step is told beside its blocks and outcomes. */
const composedFacts = (node: ComposedNode): { readonly [field: string]: Json } => {
  switch (node.kind) {
    case 'parallel':
      return { join: node.join, onFailure: node.onFailure }
    case 'map': {
      const { over, as, concurrency, chunk, max, onFailure } = node
      return { map: over, as, concurrency, chunk, max, onFailure }
    }
    case 'vote':
      return { rule: node.rule, early: node.early, weights: node.voters.map(({ weight }) => weight), ...defined({ on: node.on }) }
    case 'loop':
      return { max: node.max, ...defined({ until: node.until }) }
    case 'wait':
      return { forMs: node.forMs }
    case 'event':
      return { event: node.event, ...defined({ match: node.match, key: node.key && writtenValue(node.key) }) }
    case 'emit':
      return { topic: node.topic, ...defined({ type: node.type, key: node.key && writtenValue(node.key) }) }
    case 'flow':
      return { flow: node.flow, ...defined({ version: node.version }) }
    case 'agent':
      return { ...defined({ agent: node.agent, for: node.by }) }
    case 'team':
      return { planner: node.planner, workers: node.workers, synthesis: node.synthesis, concurrency: node.concurrency }
  }
}

/** A step with fields of a later version, without the tree that says more of them. */
const outlineLater = (id: string, later: LaterNode | undefined, from: From): OutlineStep => {
  if (later?.node !== undefined) return { ...outlineNode(later.node, from), facts: later.step, later: true }
  return { id, name: null, kind: 'set', detail: 'nothing', effect: 'read', gate: [], cases: [], parts: [], facts: {}, later: true }
}

const planRule = (rule: Rule, from: From): OutlineRule => ({
  label: rule.label,
  outcome: planOutcome(rule.outcome, from),
  ...defined({ when: rule.when }),
})

const planOutcome = (outcome: Outcome, from: From): OutlineOutcome => {
  switch (outcome.then) {
    case 'run':
      return { then: 'run', steps: blockSteps(outcome.block, from), after: outcome.after ?? 'next' }
    case 'retry': {
      const prompt = outcome.prompt === undefined ? undefined : from.plan.prompts[outcome.prompt]
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
