// Which tools the agents of a step may call (C6).
//   A1. An agent calls only tools of its list, and is one that the step can reach: its own agent or any it may choose, and those that
//       they hand over to.
import { Fault } from '@baton/contracts'
import type { Plan, PlanNode } from '@baton/flow/plan'

type Agents = NonNullable<Plan['agents']>

const namedBy = (node: PlanNode, agents: Agents): readonly string[] => {
  if (node.kind === 'team') return [node.planner, ...node.workers, node.synthesis]
  if (node.kind !== 'agent') return []
  return node.agent === undefined ? Object.keys(agents) : [node.agent]
}

/** Names of the agents that may do a turn of a step. */
const agentsOf = (node: PlanNode, agents: Agents): ReadonlySet<string> => {
  const reached = new Set(namedBy(node, agents))
  // A set is walked to its end, also what is added on the way.
  for (const name of reached) for (const next of agents[name]?.handoff ?? []) reached.add(next)
  return reached
}

/** Throws `flow.invalid` for a step without agents, `tool.unknown` for a tool that the agent does not have. */
export const checkAgentTool = (
  { agents = {} }: Pick<Plan, 'agents'>,
  node: PlanNode,
  { tool, agent }: { readonly tool: string; readonly agent?: string | undefined },
): void => {
  if (node.kind !== 'agent' && node.kind !== 'team') throw new Fault('flow.invalid', `${node.id} has no agents`, { node: node.id })
  const names = [...agentsOf(node, agents)].filter((name) => agent === undefined || name === agent)
  const allowed = names.some((name) => agents[name]?.tools.includes(tool) === true)
  if (!allowed) throw new Fault('tool.unknown', `no agent of ${node.id} may call ${tool}`, { tool, node: node.id }) // A1
}
