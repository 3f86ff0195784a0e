// The prompt with which an agent checks its own answer: it has the answer, as `it`, and what the agent was asked with.
import { agentsOf } from '../check/walk.ts'
import { didYouMean } from '../diagnostic.ts'
import type { AgentTree, FlowTree, StepTree } from '../tree.ts'
import { followSlot } from './check-slots.ts'
import { typeOfSchema } from './schema-type.ts'
import type { Add } from './typing.ts'

/** Reports what such a prompt asks for and cannot get. */
export const checkSelfChecks = (tree: FlowTree, steps: readonly StepTree[], add: Add): void => {
  for (const agent of Object.values(tree.agents)) {
    const slots = agent.selfCheck?.slots ?? []
    const names = slots.length === 0 ? undefined : askedWith(agent, { tree, steps })
    for (const slot of slots) {
      const [root = ''] = slot.path
      if (root === 'it') followSlot(slot, typeOfSchema(agent.returns ?? true), { bare: false, add })
      else if (names !== undefined && !names.has(root))
        add(
          slot.at,
          'prompt.slot_unknown',
          `agent "${agent.name}" checks itself with {{ ${slot.path.join('.')} }}, and is not asked with "${root}"${didYouMean(root, ['it', ...names])}`,
          'it',
        )
    }
  }
}

type Flow = { readonly tree: FlowTree; readonly steps: readonly StepTree[] }

/** What an agent is asked with, by all that ask it; undefined where somebody may ask it with anything. */
const askedWith = (agent: AgentTree, { tree, steps }: Flow): ReadonlySet<string> | undefined => {
  const names = new Set(['input', ...agent.prompt.slots.map(({ path }) => path[0] ?? '')])
  if (Object.values(tree.agents).some(({ handoff }) => handoff.includes(agent.name))) return undefined
  for (const step of steps) {
    if (step.kind === 'team' && [step.planner, ...step.workers, step.synthesis].includes(agent.name)) return undefined
    if (step.kind !== 'agent' || step.with === undefined || !agentsOf(step, tree).includes(agent)) continue
    if (!('object' in step.with)) return undefined
    for (const [key] of step.with.object) names.add(key)
  }
  return names
}
