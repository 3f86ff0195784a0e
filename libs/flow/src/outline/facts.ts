// Every other word of a flow as data: what tools print, compare and search, and what has no place of its own in an outline.
import type { JsonObject } from '@baton/contracts/json'
import { defined } from '../defined.ts'
import type { AgentSpec, ComposedNode, ContextSpec, Plan, PlanNode, TriggerSpec } from '../plan.ts'
import { promptText, writtenValue } from './plain.ts'

/** What a step is told beside its blocks, outcomes and times. */
export const factsOfNode = (node: PlanNode, plan: Plan): JsonObject => {
  const { budget, guard, cache, hedge, context, media, writes } = node
  return {
    ...factsOfBody(node, plan),
    ...defined({
      budget,
      guard: guard?.map((one) => ({ ...one })),
      cache: cache && { ...cache, ...defined({ key: cache.key && writtenValue(cache.key) }) },
      hedge,
      context: context && factsOfContext(context),
      media: media?.map(writtenValue),
      writes,
    }),
  }
}

const factsOfContext = ({ tokens, parts }: ContextSpec): JsonObject => ({
  parts: parts.map((part) => ({ ...part, from: 'value' in part.from ? { value: writtenValue(part.from.value) } : part.from })),
  ...defined({ tokens }),
})

const factsOfBody = (node: PlanNode, plan: Plan): JsonObject => {
  switch (node.kind) {
    case 'model':
      return { model: node.models, prompt: textOfPrompt(node.prompt, plan) }
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
      return factsOfComposed(node)
  }
}

/** What a composed step is told beside its blocks and outcomes. */
const factsOfComposed = (node: ComposedNode): JsonObject => {
  switch (node.kind) {
    case 'parallel':
      return { join: node.join, onFailure: node.onFailure }
    case 'map': {
      const { over, as, concurrency, chunk, max, onFailure } = node
      return { map: written(over), as, concurrency, chunk, max, onFailure }
    }
    case 'vote':
      return { rule: node.rule, early: node.early, weights: node.voters.map(({ weight }) => weight), ...defined({ on: written(node.on) }) }
    case 'loop':
      return { max: node.max, ...defined({ until: written(node.until) }) }
    default:
      return factsOfMessage(node)
  }
}

const factsOfMessage = (node: Exclude<ComposedNode, { readonly kind: 'parallel' | 'map' | 'vote' | 'loop' }>): JsonObject => {
  switch (node.kind) {
    case 'wait':
      return { forMs: node.forMs }
    case 'event':
      return { event: node.event, ...defined({ match: written(node.match), key: node.key && writtenValue(node.key) }) }
    case 'emit':
      return { topic: node.topic, ...defined({ type: node.type, key: node.key && writtenValue(node.key) }) }
    case 'flow':
      return { flow: node.flow, ...defined({ version: node.version, limits: node.limits }) }
    case 'agent':
      return { ...defined({ agent: node.agent, for: written(node.by), limits: node.limits }) }
    case 'team': {
      const { planner, workers, synthesis, concurrency, limits } = node
      return { planner, workers, synthesis, concurrency, limits }
    }
  }
}

/** An expression as it is written where values may stand. */
const written = <T extends string | undefined>(cel: T): T | string => (cel === undefined ? cel : `=${cel}`)

const textOfPrompt = (name: string, { prompts }: Plan): string => {
  const prompt = prompts[name]
  return prompt === undefined ? name : promptText(prompt)
}

/** Agents, triggers, buffers, history, labels and the topic of results. */
export const factsOfFlow = (plan: Plan): JsonObject => {
  const agents = Object.values(plan.agents ?? {}).map((agent) => [agent.name, factsOfAgent(agent, plan)] as const)
  return {
    labels: plan.labels,
    ...defined({
      results: plan.resultTopic,
      agents: agents.length === 0 ? undefined : Object.fromEntries(agents),
      buffers: plan.buffers,
      triggers: plan.triggers?.map(factsOfTrigger),
      history: plan.history,
    }),
  }
}

const factsOfAgent = (agent: AgentSpec, plan: Plan): JsonObject => {
  const { models, tools, limits, handoff, minConfidence, selfCheck, returns, context } = agent
  return {
    model: models,
    prompt: textOfPrompt(agent.prompt, plan),
    tools,
    for: agent.for,
    limits,
    handoff,
    ...defined({
      minConfidence,
      selfCheck: selfCheck === undefined ? undefined : textOfPrompt(selfCheck, plan),
      context: context && factsOfContext(context),
      returns,
    }),
  }
}

const factsOfTrigger = (trigger: TriggerSpec): JsonObject => {
  const { input, when, ...source } = trigger
  const key = source.kind === 'topic' ? { ...defined({ key: written(source.key) }) } : {}
  return { ...source, ...key, ...defined({ when: written(when), input: input && writtenValue(input) }) }
}
