/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
import type { Json } from '@baton/contracts/json'
import { defined } from '../defined.ts'
import type { LaterNode, Outcome, Plan, PlanNode, Rule } from '../plan.ts'
import type { FlowTree, StepTree } from '../tree.ts'
import { detailOfNode } from './detail.ts'
import { outlineTreeStep, treeFacts, treeFallbacks, treeOutcome, treeSteps } from './from-tree.ts'
import type { Outline, OutlineOutcome, OutlineRule, OutlineStep } from './outline.ts'
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
  return outlineLater(id, from.plan.later?.[id])
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
    cases: node.kind === 'switch' ? node.rules.map((rule) => planRule(rule, from)) : [],
    parts: [],
    facts: { with: writtenValue(node.with), ...factsOfNode(node, from.plan) },
    later: false,
    ...defined({ when, timeoutMs, retry, returns, onError: node.onError === undefined ? undefined : planOutcome(node.onError, from) }),
  }
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
  }
}

/** A step of a later version without the tree that says more of it. */
const outlineLater = (id: string, node: LaterNode | undefined): OutlineStep => ({
  id,
  name: node?.name ?? null,
  kind: KINDS.find((kind) => kind === node?.kind) ?? 'set',
  detail: node?.kind ?? 'nothing',
  effect: node?.effect ?? 'read',
  gate: [],
  cases: [],
  parts: [],
  facts: node?.step ?? {},
  later: true,
})

const KINDS = ['parallel', 'map', 'vote', 'loop', 'wait', 'event', 'emit', 'flow', 'agent', 'team'] as const

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
