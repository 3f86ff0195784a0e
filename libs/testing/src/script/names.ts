// Under which names an asking may be scripted, and which names a flow has at all.
import { didYouMean } from '@baton/flow'
import type { StepCommand } from '@baton/contracts'
import type { Outcome, Plan, PlanNode } from '@baton/flow/plan'
import { BrokenTest } from './scripts.ts'

/** A path without the numbers of items, rounds and turns. */
const withoutNumbers = (path: string): string => path.replaceAll(/\[\d+\]/g, '')

/** Names of an asking without that of who is asked, the nearest first. */
export const stepNamesOf = (command: StepCommand, node: PlanNode): readonly string[] => {
  const { path, turn, call, nodeId, flow } = command
  const places = [`${flow}/${path}`, path, withoutNumbers(path)]
  if (call !== undefined) return places
  if (turn?.use === 'check') return [...places, `${turn.agent}/check`]
  // Voters have no names of their own: that of the vote means all of them.
  const vote = /^(.*)\/voter\[\d+\]$/.exec(path)?.[1]
  if (vote !== undefined) return [...places, vote, withoutNumbers(vote), vote.split('/').at(-1) ?? vote]
  const step = [nodeId, ...(node.name === null ? [] : [node.name])]
  if (turn === undefined) return [...places, ...step]
  // The turns of a team are those of several agents: only a step with one agent is meant by its name.
  return [...places, withoutNumbers(path).replace(/\/turn$/, ''), turn.agent, ...(node.kind === 'agent' ? step : [])]
}

/** Who may be asked, in the order of failover. */
export const askedOf = (command: StepCommand, node: PlanNode, plan: Plan): readonly string[] => {
  const { call, turn, override } = command
  if (call !== undefined) return [call.tool]
  if (override?.models !== undefined) return override.models
  if (turn !== undefined) return plan.agents?.[turn.agent]?.models ?? [turn.agent]
  if (node.kind === 'model') return node.models
  return node.kind === 'check' ? [node.checks.map(({ check }) => check).join(' ')] : ownWhoOf(node)
}

/** Refuses scripts for what none of the plans has. */
export const refuseUnknown = (given: Iterable<string>, plans: readonly Plan[]): void => {
  const known = new Set(plans.flatMap(namesIn))
  for (const name of given) {
    const plain = withoutNumbers(name)
    if (known.has(name) || known.has(plain) || [...known].some((step) => plain.startsWith(`${step}/`))) continue
    throw new BrokenTest(`The test has an answer for ${name}, and the flow has nothing of that name${didYouMean(plain, known)}.`)
  }
}

const namesIn = (plan: Plan): readonly string[] => [
  plan.flow,
  ...Object.values(plan.nodes).flatMap((node) => [node.id, ...(node.name === null ? [] : [node.name]), ...whoIn(node)]),
  ...Object.entries(plan.agents ?? {}).flatMap(([name, { models, tools }]) => [name, ...models, ...tools]),
]

const whoIn = (node: PlanNode): readonly string[] => [...modelsOf(node), ...ownWhoOf(node), ...(node.guard ?? []).map(({ guard }) => guard)]

const ownWhoOf = (node: PlanNode): readonly string[] => {
  switch (node.kind) {
    case 'tool':
      return node.tools
    case 'retrieve':
      return [node.index]
    case 'check':
      return node.checks.map(({ check }) => check)
    case 'human':
      return [node.human.queue]
    case 'task':
      return [node.task]
    case 'flow':
      return [node.flow]
    default:
      return []
  }
}

/** Models of a node, those that it is asked again with included. */
const modelsOf = (node: PlanNode): readonly string[] => {
  const outcomes: readonly (Outcome | undefined)[] = [...(node.gate ?? []).map(({ outcome }) => outcome), node.onError, node.onTimeout]
  const again = outcomes.flatMap((outcome) => (outcome?.then === 'retry' ? (outcome.models ?? []) : []))
  return node.kind === 'model' ? [...node.models, ...again] : again
}
