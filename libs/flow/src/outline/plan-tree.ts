/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
// A tree made from a plan alone, so that what looks at trees also sees published flows, whose files are elsewhere.
import { defined } from '../defined.ts'
import type { Outcome, Plan, PlanNode, Rule, ValueExpr } from '../plan.ts'
import { createSource, wholeOf, type Span } from '../source/source.ts'
import type { BodyTree, ExprTree, FlowTree, OutcomeTree, Place, PromptTree, RuleTree, StepTree, ValueTree } from '../tree.ts'

/** The tree of a plan; every place in it is the start of an empty file. Undefined where steps are for a later version. */
export const treeOfPlan = (plan: Plan): FlowTree | undefined => {
  if (plan.later !== undefined && Object.keys(plan.later).length > 0) return undefined
  const at = wholeOf(createSource('plan', ''))
  const from: From = { plan, at }
  return {
    at,
    flow: plan.flow,
    version: plan.version,
    limits: plan.limits,
    params: plan.params,
    input: plan.input,
    steps: stepsOf(plan.entry, 'steps', from),
    agents: {},
    buffers: {},
    triggers: [],
    labels: plan.labels,
    ...defined({
      onError: plan.onError === undefined ? undefined : outcomeOf(plan.onError, 'onError', from),
      output: plan.output === undefined ? undefined : valueOf(plan.output, from),
      resultTopic: plan.resultTopic,
    }),
  }
}

type From = { readonly plan: Plan; readonly at: Span }

const stepsOf = (block: number, place: Place, from: From): readonly StepTree[] =>
  (from.plan.blocks[block] ?? []).flatMap((id) => {
    const node = from.plan.nodes[id]
    return node === undefined ? [] : [stepOf(node, place, from)]
  })

const stepOf = (node: PlanNode, place: Place, from: From): StepTree => {
  const { id, name, timeoutMs, retry, returns, effect } = node
  return {
    id,
    name,
    at: from.at,
    place,
    with: valueOf(node.with, from),
    effect,
    ...bodyOf(node, from),
    ...defined({
      timeoutMs,
      retry,
      returns,
      when: node.when === undefined ? undefined : expressionOf(node.when, from),
      gate: node.gate?.map((rule) => ruleOf(rule, 'gate', from)),
      onError: node.onError === undefined ? undefined : outcomeOf(node.onError, 'onError', from),
    }),
  }
}

const bodyOf = (node: PlanNode, from: From): BodyTree => {
  switch (node.kind) {
    case 'model':
      return { kind: 'model', models: node.models, prompt: promptOf(node.prompt, from) }
    case 'human':
      return { kind: 'human', human: node.human, slaAt: from.at }
    case 'switch':
      return {
        kind: 'switch',
        rules: node.rules.map((rule) => ruleOf(rule, 'case', from)),
        ...defined({ on: node.on === undefined ? undefined : expressionOf(node.on, from) }),
      }
    case 'set':
      return { kind: 'set', value: valueOf(node.value, from) }
    case 'tool':
      return { kind: 'tool', tools: node.tools }
    case 'retrieve':
      return { kind: 'retrieve', index: node.index, top: node.top }
    case 'check':
      return { kind: 'check', checks: node.checks }
    case 'task':
      return { kind: 'task', task: node.task }
  }
}

const ruleOf = (rule: Rule, place: Place, from: From): RuleTree => ({
  at: from.at,
  label: rule.label,
  outcome: outcomeOf(rule.outcome, place, from),
  ...defined({ when: rule.when === undefined ? undefined : expressionOf(rule.when, from) }),
})

const outcomeOf = (outcome: Outcome, place: Place, from: From): OutcomeTree => {
  const { at } = from
  switch (outcome.then) {
    case 'run':
      return { at, then: 'run', steps: stepsOf(outcome.block, place, from), ...defined({ after: outcome.after }) }
    case 'retry': {
      const { attempts, models, prompt } = outcome
      return { at, then: 'retry', attempts, ...defined({ models, prompt: prompt === undefined ? undefined : promptOf(prompt, from) }) }
    }
    case 'step':
      return { at, then: 'step', step: outcome.step }
    default:
      return { at, then: outcome.then }
  }
}

const promptOf = (name: string, { plan, at }: From): PromptTree => {
  const { parts = [], system } = plan.prompts[name] ?? {}
  const slots = [...parts, ...(system ?? [])].flatMap((part) => ('slot' in part ? [{ path: part.slot, at }] : []))
  return { at, name, parts, slots, ...defined({ system }) }
}

const expressionOf = (cel: string, { at }: From): ExprTree => ({ cel, at: { ...at, kind: 'scalar', value: cel, style: 'plain' }, skip: 0 })

const valueOf = (value: ValueExpr, from: From): ValueTree => {
  const { at } = from
  if ('lit' in value) return { at, lit: value.lit }
  if ('cel' in value) return { at, expr: expressionOf(value.cel, from) }
  if ('list' in value) return { at, list: value.list.map((item) => valueOf(item, from)) }
  return { at, object: Object.entries(value.object).map(([key, field]) => [key, valueOf(field, from)] as const) }
}
