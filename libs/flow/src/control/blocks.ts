// The steps inside a step, for passes that look at each step by itself and not at the way through the flow.
import type { AgentTree, BlockTree, FlowTree, OutcomeTree, StepTree } from '../tree.ts'

type Steps = readonly StepTree[]

/** Blocks of a body that are part of its work, in the order of the file. */
const workBlocks = (step: StepTree): readonly BlockTree[] => {
  switch (step.kind) {
    case 'parallel':
      return step.branches.map(({ block }) => block)
    case 'map':
      return [step.each]
    case 'vote':
      return [...step.voters.map(({ block }) => block), ...(step.judge === undefined ? [] : [step.judge])]
    case 'loop':
      return [step.body]
    default:
      return []
  }
}

/** Every outcome a step may come to. */
export const outcomesOf = (step: StepTree): readonly OutcomeTree[] =>
  [
    ...(step.kind === 'switch' ? step.rules.map(({ outcome }) => outcome) : []),
    ...(step.kind === 'vote' ? [step.tie] : []),
    ...(step.gate ?? []).map(({ outcome }) => outcome),
    step.onError,
    step.onTimeout,
    step.onLimit,
  ].filter((outcome) => outcome !== undefined)

const stepsOf = (outcome: OutcomeTree | undefined): Steps => (outcome?.then === 'run' ? outcome.steps : [])

const within = (step: StepTree): Steps => [
  ...workBlocks(step).flatMap(({ steps }) => steps),
  ...outcomesOf(step).flatMap(stepsOf),
  ...(step.failover ?? []).flatMap(({ steps }) => steps),
  ...(step.undo?.steps ?? []),
]

/** Calls `visit` for every step of a flow, at any depth. */
export const everyStep = (tree: FlowTree, visit: (step: StepTree) => void): void => {
  const fallbacks = Object.values(tree.agents).map(({ fallback }: AgentTree) => fallback)
  const open: StepTree[] = [...tree.steps, ...[tree.onError, tree.onLimit, ...fallbacks].flatMap(stepsOf)].toReversed()
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    visit(step)
    open.push(...within(step).toReversed())
  }
}

/** What a message calls a step. */
export const nameOf = ({ name, id }: StepTree): string => `"${name ?? id}"`
