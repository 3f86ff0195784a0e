// The schema of what a step gives, where it is declared: by itself, or by what does its work.
import type { JsonSchema } from '@baton/contracts/json'
import type { BlockTree, FlowTree, StepTree } from '../tree.ts'
import { agentsOf, type Bound } from './walk.ts'

/** The declared schema of a step's output; undefined where nothing declares it. */
export const outputSchema = (step: StepTree, tree: FlowTree): JsonSchema | undefined => {
  if (step.returns !== undefined) return step.returns
  switch (step.kind) {
    case 'agent': {
      const [first, ...others] = agentsOf(step, tree).map(({ returns }) => returns)
      return others.every((other) => other === first) ? first : undefined
    }
    case 'vote':
      return blockSchema(step.voters[0]?.block, tree)
    case 'loop':
      return blockSchema(step.body, tree)
    case 'parallel': {
      const fields = step.branches.flatMap(({ name, block }) => {
        const schema = blockSchema(block, tree)
        return schema === undefined ? [] : [[name, schema] as const]
      })
      return { type: 'object', properties: Object.fromEntries(fields) }
    }
    default:
      return undefined
  }
}

const blockSchema = (block: BlockTree | undefined, tree: FlowTree): JsonSchema | undefined => {
  const last = block?.steps.at(-1)
  return last === undefined ? undefined : outputSchema(last, tree)
}

/** The declared schema of a variable that is there in some places only. */
export const boundSchema = (bound: Bound | undefined, tree: FlowTree): JsonSchema | undefined => {
  switch (bound?.from) {
    case 'output':
      return outputSchema(bound.step, tree)
    case 'block':
      return blockSchema(bound.block, tree)
    case 'agent':
      return bound.agent.returns
    case 'event':
      return bound.schema
    default:
      return undefined
  }
}
