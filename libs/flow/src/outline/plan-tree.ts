/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
// A tree made from a plan alone, so that what looks at trees also sees published flows, whose files are elsewhere.
import { defined } from '../defined.ts'
import type { AgentSpec, ComposedNode, ContextSpec, Outcome, Plan, PlanNode, Rule, TriggerSpec, ValueExpr } from '../plan.ts'
import { createSource, wholeOf, type Span } from '../source/source.ts'
import type {
  AgentTree,
  BlockTree,
  BodyTree,
  ContextTree,
  ExprTree,
  FlowTree,
  OutcomeTree,
  Place,
  PromptTree,
  RuleTree,
  StepTree,
  TriggerTree,
  ValueTree,
} from '../tree.ts'

/** The tree of a plan; every place in it is the start of an empty file. */
export const treeOfPlan = (plan: Plan): FlowTree => {
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
    agents: Object.fromEntries(Object.entries(plan.agents ?? {}).map(([name, agent]) => [name, agentOf(agent, from)])),
    buffers: buffersOf(from),
    triggers: (plan.triggers ?? []).map((trigger) => triggerOf(trigger, from)),
    labels: plan.labels,
    ...defined({
      onError: plan.onError && outcomeOf(plan.onError, 'onError', from),
      onLimit: plan.onLimit && outcomeOf(plan.onLimit, 'onError', from),
      output: plan.output === undefined ? undefined : valueOf(plan.output, from),
      resultTopic: plan.resultTopic,
      history: plan.history,
    }),
  }
}

type From = { readonly plan: Plan; readonly at: Span }

const buffersOf = ({ plan, at }: From): FlowTree['buffers'] =>
  Object.fromEntries(Object.entries(plan.buffers ?? {}).map(([name, buffer]) => [name, { at, ...buffer }]))

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
      onError: node.onError && outcomeOf(node.onError, 'onError', from),
      onTimeout: node.onTimeout && outcomeOf(node.onTimeout, 'onError', from),
      onLimit: node.onLimit && outcomeOf(node.onLimit, 'onError', from),
      failover: node.failover?.map((block) => blockOf(block, 'onError', from)),
      budget: node.budget,
      undo: node.undo && blockOf(node.undo.block, 'undo', from),
      guard: node.guard,
      cache: node.cache && cacheOf(node.cache, from),
      hedge: node.hedge,
      context: node.context && contextOf(node.context, from),
      media: node.media?.map((value) => valueOf(value, from)),
      writes: node.writes,
    }),
  }
}

const cacheOf = ({ key, ...cache }: NonNullable<PlanNode['cache']>, from: From): NonNullable<StepTree['cache']> => ({
  ...cache,
  ...defined({ key: key && valueOf(key, from) }),
})

const contextOf = ({ tokens, parts }: ContextSpec, from: From): ContextTree => ({
  at: from.at,
  parts: parts.map((part) => ({
    ...part,
    at: from.at,
    from: 'value' in part.from ? { value: valueOf(part.from.value, from) } : part.from,
  })),
  ...defined({ tokens }),
})

const blockOf = (block: number, place: Place, from: From): BlockTree => ({ at: from.at, steps: stepsOf(block, place, from) })

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
    default:
      return composedOf(node, from)
  }
}

const composedOf = (node: ComposedNode, from: From): BodyTree => {
  switch (node.kind) {
    case 'parallel': {
      const branches = node.branches.map(({ name, block }) => ({ at: from.at, name, block: blockOf(block, 'branch', from) }))
      return { kind: 'parallel', branches, join: node.join, onFailure: node.onFailure }
    }
    case 'map': {
      const { as, concurrency, chunk, max, onFailure } = node
      const over = expressionOf(node.over, from)
      return { kind: 'map', over, as, each: blockOf(node.each, 'each', from), concurrency, chunk, max, onFailure }
    }
    case 'vote':
      return {
        kind: 'vote',
        voters: node.voters.map(({ block, weight }) => ({ block: blockOf(block, 'branch', from), weight })),
        rule: node.rule,
        early: node.early,
        ...defined({
          on: node.on === undefined ? undefined : expressionOf(node.on, from),
          judge: node.judge === undefined ? undefined : blockOf(node.judge, 'branch', from),
          tie: node.tie && outcomeOf(node.tie, 'gate', from),
        }),
      }
    case 'loop':
      return {
        kind: 'loop',
        body: blockOf(node.body, 'loop', from),
        max: node.max,
        ...defined({ until: node.until === undefined ? undefined : expressionOf(node.until, from) }),
      }
    default:
      return messageOf(node, from)
  }
}

type MessageNode = Exclude<ComposedNode, { readonly kind: 'parallel' | 'map' | 'vote' | 'loop' }>

const messageOf = (node: MessageNode, from: From): BodyTree => {
  switch (node.kind) {
    case 'wait':
      return { kind: 'wait', forMs: node.forMs }
    case 'event': {
      const match = node.match === undefined ? undefined : expressionOf(node.match, from)
      return { kind: 'event', event: node.event, ...defined({ match, key: node.key && valueOf(node.key, from) }) }
    }
    case 'emit':
      return { kind: 'emit', topic: node.topic, ...defined({ type: node.type, key: node.key && valueOf(node.key, from) }) }
    case 'flow':
      return { kind: 'flow', flow: node.flow, ...defined({ version: node.version, limits: node.limits }) }
    case 'agent': {
      const by = node.by === undefined ? undefined : expressionOf(node.by, from)
      return { kind: 'agent', ...defined({ agent: node.agent, by, limits: node.limits }) }
    }
    case 'team': {
      const { planner, workers, synthesis, concurrency, limits } = node
      return { kind: 'team', planner, workers, synthesis, concurrency, limits }
    }
  }
}

const agentOf = (agent: AgentSpec, from: From): AgentTree => {
  const { name, models, tools, limits, handoff, minConfidence, returns, context } = agent
  return {
    at: from.at,
    name,
    models,
    prompt: promptOf(agent.prompt, from),
    tools,
    for: agent.for,
    limits,
    handoff,
    ...defined({
      minConfidence,
      selfCheck: agent.selfCheck === undefined ? undefined : promptOf(agent.selfCheck, from),
      fallback: agent.fallback && outcomeOf(agent.fallback, 'onError', from),
      returns,
      context: context && contextOf(context, from),
    }),
  }
}

const triggerOf = (trigger: TriggerSpec, from: From): TriggerTree => {
  const input = trigger.input && valueOf(trigger.input, from)
  const when = trigger.when === undefined ? undefined : expressionOf(trigger.when, from)
  const common = { at: from.at, ...defined({ input, when }) }
  switch (trigger.kind) {
    case 'topic': {
      const key = trigger.key === undefined ? undefined : expressionOf(trigger.key, from)
      return { ...common, kind: 'topic', topic: trigger.topic, ...defined({ key }) }
    }
    case 'http':
      return { ...common, kind: 'http', method: trigger.method, path: trigger.path }
    case 'schedule':
      return { ...common, kind: 'schedule', zone: trigger.zone, ...defined({ cron: trigger.cron, everyMs: trigger.everyMs }) }
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
  const { parts = [], system, sampling } = plan.prompts[name] ?? {}
  const slots = [...parts, ...(system ?? [])].flatMap((part) => ('slot' in part ? [{ path: part.slot, at }] : []))
  return { at, name, parts, slots, ...defined({ system, sampling }) }
}

const expressionOf = (cel: string, { at }: From): ExprTree => ({ cel, at: { ...at, kind: 'scalar', value: cel, style: 'plain' }, skip: 0 })

const valueOf = (value: ValueExpr, from: From): ValueTree => {
  const { at } = from
  if ('lit' in value) return { at, lit: value.lit }
  if ('cel' in value) return { at, expr: expressionOf(value.cel, from) }
  if ('list' in value) return { at, list: value.list.map((item) => valueOf(item, from)) }
  return { at, object: Object.entries(value.object).map(([key, field]) => [key, valueOf(field, from)] as const) }
}
