// What goes round has an end that is written down: loops, agents and teams.
import { agentsOf } from '../check/walk.ts'
import type { Report } from '../diagnostic.ts'
import type { LimitsSpec } from '../plan.ts'
import type { FlowTree, StepTree } from '../tree.ts'
import { everyStep, nameOf } from './blocks.ts'

/** Reports loops without a maximum, and agents and teams without limits. */
export const checkCaps = (tree: FlowTree, report: Report): void => {
  const agents = createAgents(tree, report)
  everyStep(tree, (step) => {
    if (step.kind === 'loop' && step.max === undefined)
      report.add(step.at, 'cap.missing', `the loop ${nameOf(step)} has no maximum; "until" may never hold`, 'loop: { max: 5, until: … }')
    if (step.retry !== undefined && !(Number.isFinite(step.retry.attempts) && step.retry.attempts >= 1))
      report.add(step.at, 'cap.missing', `the retry of ${nameOf(step)} has no number of attempts`, 'retry: { attempts: 3 }')
    if (step.kind === 'agent' && !isCapped(step.limits) && !isCapped(step.budget)) agents.use(agentsOf(step, tree).map(({ name }) => name))
    if (step.kind === 'team') checkTeam(step, { agents, report })
  })
}

/** An agent asks and calls until it is done; its time alone does not bound what that costs. */
const isCapped = (limits: LimitsSpec | undefined): boolean =>
  limits !== undefined && [limits.turns, limits.calls, limits.tokens, limits.costMicroUsd].some((cap) => cap !== undefined)

type Agents = { readonly use: (names: readonly string[]) => void }

/** Agents are reported where they are written, once, when somebody uses them without limits of his own. */
const createAgents = (tree: FlowTree, report: Report): Agents => {
  const seen = new Set<string>()
  const use = (names: readonly string[]): void => {
    for (const name of names) {
      const agent = Object.hasOwn(tree.agents, name) ? tree.agents[name] : undefined
      if (agent === undefined || seen.has(name)) continue
      seen.add(name)
      if (!isCapped(agent.limits)) {
        const message = `the agent "${name}" has no limit of turns, calls, tokens or cost`
        report.add(agent.limitsAt ?? agent.at, 'cap.missing', message, 'limits: { turns: 8, cost: 0.05 USD }')
      }
      use(agent.handoff)
      if (agent.fallback?.then === 'step') use([agent.fallback.step])
    }
  }
  return { use }
}

type Team = StepTree & { readonly kind: 'team' }

const checkTeam = (step: Team, { agents, report }: { agents: Agents; report: Report }): void => {
  const { limits, budget } = step
  // What the whole team may spend bounds each of its agents.
  if (isCapped(limits) || isCapped(budget)) return
  agents.use([step.planner, ...step.workers, step.synthesis])
  if (limits.rounds !== undefined || limits.subtasks !== undefined) return
  const message = `the team ${nameOf(step)} has no limit of rounds, subtasks, calls, tokens or cost`
  report.add(step.limitsAt ?? step.at, 'cap.missing', message, 'limits: { rounds: 3, cost: 0.50 USD }')
}
