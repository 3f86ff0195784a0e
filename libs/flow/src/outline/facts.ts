// Every other word of a flow as data: what tools print, compare and search, and what has no place of its own in an outline.
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts/json'
import { defined } from '../defined.ts'
import type { AgentSpec, ComposedNode, LaterNode, Plan, PlanNode, TriggerSpec } from '../plan.ts'
import { promptText, writtenData, writtenValue } from './plain.ts'

/** What a step is told beside its blocks, outcomes and times. */
export const factsOfNode = (node: PlanNode, plan: Plan): JsonObject => {
  const body = factsOfBody(node, plan)
  return node.budget === undefined ? body : { ...body, budget: node.budget }
}

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

/** The fields of a step that the engine does not know. */
export const factsOfLater = ({ step }: LaterNode): JsonObject =>
  Object.fromEntries(Object.entries(step).map(([field, value]) => [field, WITH_VALUES.has(field) ? writtenData(value) : value]))
const WITH_VALUES: ReadonlySet<string> = new Set(['cache', 'media', 'context'])

/** Agents, triggers, buffers, history, labels and the topic of results. */
export const factsOfFlow = (plan: Plan): JsonObject => {
  const said = (word: string): Json | undefined => plan.later?.[`$${word}`]?.step[word]
  const contexts = said('contexts of agents')
  const agents = Object.values(plan.agents ?? {}).map((agent) => {
    const context = isJsonObject(contexts) ? contexts[agent.name] : undefined
    return [agent.name, factsOfAgent(agent, { plan, context })] as const
  })
  return {
    labels: plan.labels,
    ...defined({
      results: plan.resultTopic,
      agents: agents.length === 0 ? undefined : Object.fromEntries(agents),
      buffers: said('buffers'),
      triggers: plan.triggers?.map(factsOfTrigger),
      history: said('history'),
    }),
  }
}

const factsOfAgent = (agent: AgentSpec, { plan, context }: { readonly plan: Plan; readonly context: Json | undefined }): JsonObject => {
  const { models, tools, limits, handoff, minConfidence, selfCheck, returns } = agent
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
      context: context === undefined ? undefined : writtenData(context),
      returns,
    }),
  }
}

const factsOfTrigger = (trigger: TriggerSpec): JsonObject => {
  const { input, when, ...source } = trigger
  const key = source.kind === 'topic' ? { ...defined({ key: written(source.key) }) } : {}
  return { ...source, ...key, ...defined({ when: written(when), input: input && writtenValue(input) }) }
}
