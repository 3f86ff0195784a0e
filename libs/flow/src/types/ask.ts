// Types of a flow for other tools: clients, explanations.
import type { FlowTree } from '../tree.ts'
import type { Type } from './type.ts'
import { createTyping } from './typing.ts'

/** The type a step's output has for the expressions behind the last step; undefined for a step that is not there. */
export const typeOfStep = (tree: FlowTree, name: string): Type | undefined => {
  const { outputs, seen } = createTyping(tree)
  const found = seen.find((part) => part.is === 'step' && part.step.name === name)
  return found?.is === 'step' ? outputs.final(found.step) : undefined
}

/** The type of what a flow answers: its `output`, or else what its last step gives. */
export const typeOfOutput = (tree: FlowTree): Type => {
  const { outputs, end } = createTyping(tree)
  return tree.output === undefined ? outputs.block(tree) : outputs.value(tree.output, end)
}
