// Work that the plan has no node for, as a node: a turn of an agent, a call it asked for, a member of a team.
import { Fault } from '@baton/contracts/fault'
import type { AgentSpec, Plan, PlanNode } from '@baton/flow/plan'
import type { Frame, OwnWork } from '../state.ts'

/** The agent of a name. Throws `agent.unknown`. */
export const agentOf = ({ agents = {} }: Plan, name: string): AgentSpec => {
  const agent = Object.hasOwn(agents, name) ? agents[name] : undefined
  if (agent === undefined) throw new Fault('agent.unknown', `the flow has no agent ${name}`, { agent: name })
  return agent
}

const baseOf = ({ nodes }: Plan, id: string): PlanNode => {
  const base = nodes[id]
  if (base === undefined) throw new Fault('flow.invalid', `the plan has no node ${id}`, { node: id })
  return base
}

/** The node of a frame's own work. It takes timeout, retry and effect from the step it belongs to. Throws `flow.invalid` or `agent.unknown`. */
export const ownNode = (plan: Plan, { owner }: Frame, work: OwnWork): PlanNode => {
  const base = baseOf(plan, owner?.nodeId ?? '')
  const { timeoutMs, retry } = base
  const common = {
    id: base.id,
    name: null,
    with: { lit: work.input },
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(retry === undefined ? {} : { retry }),
  }
  switch (work.is) {
    case 'turn': {
      const { models, prompt, returns = base.returns } = agentOf(plan, work.turn.agent)
      return { ...common, kind: 'model', models, prompt, effect: 'read', ...(returns === undefined ? {} : { returns }) }
    }
    case 'call':
      return { ...common, kind: 'tool', tools: [work.call.tool], effect: base.effect }
    case 'agent':
      return { ...common, kind: 'agent', agent: work.agent, effect: base.effect }
  }
}
