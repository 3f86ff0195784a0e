// The outcomes of a flow as a whole: they begin wherever the run stands.
import type { FlowTree } from '../tree.ts'
import { walkForward, type Domain } from './forward.ts'

/** Where the steps of a flow begin: with the first, and with a step that a handler of the flow goes on at. */
export const entriesOf = <State>(tree: FlowTree, start: State): readonly (readonly [number, State])[] => {
  const resumed = [tree.onError, tree.onLimit].flatMap((outcome) =>
    outcome?.then === 'step' ? [tree.steps.findIndex(({ name }) => name === outcome.step)] : [],
  )
  return [0, ...resumed.filter((index) => index > 0)].map((index) => [index, start] as const)
}

/** Goes through the bodies of the flow's handlers and of what agents fall back to. */
export const walkHandlers = <State>(tree: FlowTree, start: State, domain: Domain<State>): void => {
  for (const outcome of [tree.onError, tree.onLimit, ...Object.values(tree.agents).map(({ fallback }) => fallback)])
    if (outcome?.then === 'run') walkForward(outcome.steps, start, domain)
}
