// One walk over the tree for every pass: each expression and slot with what it may see.
import type { JsonSchema } from '@baton/contracts/json'
import { blockNames, StepNames } from './block-names.ts'
import type {
  AgentTree,
  BlockTree,
  ContextTree,
  ExprTree,
  FlowTree,
  OutcomeTree,
  RuleTree,
  SlotTree,
  StepTree,
  TriggerTree,
  ValueTree,
} from '../tree.ts'

/** A variable that is there in some places only, and what it stands for. */
export type Bound =
  /** `it` of a gate or an undo: the output of this step. */
  | { readonly from: 'output'; readonly step: StepTree }
  /** `it` of a loop or of the `on` of a vote: the output of a block; null before the first round. */
  | { readonly from: 'block'; readonly block: BlockTree; readonly nullable: boolean }
  /** `it` of a judge or a tie: the outputs of all voters. */
  | { readonly from: 'ballots'; readonly blocks: readonly BlockTree[] }
  /** `it` in the fallback of an agent: what the agent came to. */
  | { readonly from: 'agent'; readonly agent: AgentTree }
  /** An item of the list that `over` gives, seen from where the map stands. */
  | { readonly from: 'item'; readonly over: ExprTree; readonly view: View }
  | { readonly from: 'index' }
  /** `event`: what arrived. `input` of an agent: what it was asked. */
  | { readonly from: 'event'; readonly schema: JsonSchema | undefined }
  /** A list for each buffer of the flow. */
  | { readonly from: 'buffers' }
  | { readonly from: 'fault' }

/** What an expression may name. */
export type View = {
  /** Steps that come before, in this block and around it. */
  readonly steps: ReadonlyMap<string, StepTree>
  /** The step whose own text this is, and its name; its output is not there yet. */
  readonly self: StepTree | undefined
  /** The step whose gate this is. Its output is also `bound.get('it')`, which other places have too. */
  readonly it: StepTree | undefined
  readonly fault: boolean
  /** Variables beside input, params, run and the steps: it, item (or its other name), index, event, buffers, fault. */
  readonly bound: ReadonlyMap<string, Bound>
  /** Whether this is a trigger, which comes before there is a run, an input or a step. */
  readonly trigger: boolean
}

export type Visitor = {
  readonly expression?: (expression: ExprTree, view: View, expects: 'condition' | 'value') => void
  readonly slot?: (slot: SlotTree, step: StepTree, view: View) => void
  readonly outcome?: (outcome: OutcomeTree, targets: ReadonlyMap<string, StepTree>, view: View) => void
  readonly step?: (step: StepTree, view: View) => void
}

/** Calls the visitor for everything in a flow, in the order of the file. */
export const walkFlow = (tree: FlowTree, visitor: Visitor): void => {
  const buffers: ReadonlyMap<string, Bound> =
    Object.keys(tree.buffers).length === 0 ? new Map() : new Map([['buffers', { from: 'buffers' }]])
  const empty: View = { steps: new Map(), self: undefined, it: undefined, fault: false, bound: buffers, trigger: false }
  for (const trigger of tree.triggers) walkTrigger(trigger, { ...empty, trigger: true }, visitor)
  for (const agent of Object.values(tree.agents)) walkAgent(agent, { view: empty, tree, visitor })
  const after = walkSteps(tree.steps, { view: empty, tree, visitor })
  const ended: Walk = {
    view: withFault({ ...empty, steps: after }),
    targets: new StepNames(blockNames(tree.steps), { to: tree.steps.length }),
    tree,
    visitor,
  }
  for (const outcome of [tree.onError, tree.onLimit]) if (outcome !== undefined) walkOutcome(outcome, ended)
  if (tree.output !== undefined) walkValue(tree.output, { ...empty, steps: after }, visitor)
}

type Walk = {
  readonly view: View
  /** Steps a jump may go to: later in the same block. */
  readonly targets: ReadonlyMap<string, StepTree>
  readonly tree: FlowTree
  readonly visitor: Visitor
}

const bind = (view: View, variables: Readonly<Record<string, Bound>>): View => ({
  ...view,
  ...(Object.hasOwn(variables, 'it') ? { it: undefined } : {}),
  bound: new Map([...view.bound, ...Object.entries(variables)]),
})
const withFault = (view: View): View => ({ ...bind(view, { fault: { from: 'fault' } }), fault: true })
const withOutput = (view: View, step: StepTree): View => ({ ...bind(view, { it: { from: 'output', step } }), it: step })

const walkSteps = (steps: readonly StepTree[], { view, ...walk }: Omit<Walk, 'targets'>): ReadonlyMap<string, StepTree> => {
  const names = blockNames(steps)
  for (const [index, step] of steps.entries()) {
    const before = new StepNames(names, { to: index }, view.steps)
    walkStep(step, {
      ...walk,
      view: { ...view, steps: before, self: step },
      targets: new StepNames(names, { from: index + 1, to: steps.length }),
    })
  }
  return new StepNames(names, { to: steps.length }, view.steps)
}

const walkBlock = (block: BlockTree | undefined, walk: Walk): void => {
  if (block !== undefined) walkSteps(block.steps, walk)
}

const walkStep = (step: StepTree, walk: Walk): void => {
  const { view, visitor } = walk
  visitor.step?.(step, view)
  if (step.when !== undefined) visitor.expression?.(step.when, view, 'condition')
  if (step.with !== undefined) walkValue(step.with, view, visitor)
  if (step.cache?.key !== undefined) walkValue(step.cache.key, view, visitor)
  for (const value of step.media ?? []) walkValue(value, view, visitor)
  if (step.context !== undefined) walkContext(step.context, view, visitor)
  walkBody(step, walk)
  walkFallout(step, walk)
}

/** What stands beside the work of a step: its gate, and what happens when it fails, is too slow or is taken back. */
const walkFallout = (step: StepTree, walk: Walk): void => {
  const { view } = walk
  const outcomes = [step.onError, step.onTimeout, step.onLimit].filter((outcome) => outcome !== undefined)
  if (step.failover !== undefined || outcomes.length > 0) {
    const failed = { ...walk, view: withFault(view) }
    for (const block of step.failover ?? []) walkBlock(block, failed)
    for (const outcome of outcomes) walkOutcome(outcome, failed)
  }
  if (step.gate !== undefined) walkRules(step.gate, { ...walk, view: withOutput(view, step) })
  if (step.undo === undefined) return
  const done = new StepNames(blockNames([step]), { to: 1 }, view.steps)
  walkBlock(step.undo, { ...walk, view: { ...withOutput(view, step), steps: done, it: undefined } })
}

const walkBody = (step: StepTree, walk: Walk): void => {
  const { view } = walk
  switch (step.kind) {
    case 'switch':
      if (step.on !== undefined) walk.visitor.expression?.(step.on, view, 'value')
      walkRules(step.rules, walk)
      return
    case 'parallel':
      for (const { block } of step.branches) walkBlock(block, walk)
      return
    case 'map':
      walk.visitor.expression?.(step.over, view, 'value')
      walkBlock(step.each, { ...walk, view: bind(view, { [step.as]: { from: 'item', over: step.over, view }, index: { from: 'index' } }) })
      return
    case 'vote':
      walkVote(step, walk)
      return
    case 'loop':
      walkLoop(step, walk)
      return
    case 'agent':
      walkAgentStep(step, walk)
      return
    default:
      walkLeaf(step, walk)
  }
}

/** The work of a step that holds no others. */
const walkLeaf = (step: StepTree, { view, visitor }: Walk): void => {
  if (step.kind === 'model') for (const slot of step.prompt.slots) visitor.slot?.(slot, step, view)
  if (step.kind === 'set') walkValue(step.value, view, visitor)
  if ((step.kind === 'event' || step.kind === 'emit') && step.key !== undefined) walkValue(step.key, view, visitor)
  if (step.kind !== 'event' || step.match === undefined) return
  visitor.expression?.(step.match, bind(view, { event: { from: 'event', schema: step.returns } }), 'condition')
}

const walkVote = (step: StepTree & { readonly kind: 'vote' }, walk: Walk): void => {
  const { view, visitor } = walk
  const blocks = step.voters.map(({ block }) => block)
  for (const block of blocks) walkBlock(block, walk)
  const [first] = blocks
  if (step.on !== undefined && first !== undefined)
    visitor.expression?.(step.on, bind(view, { it: { from: 'block', block: first, nullable: false } }), 'value')
  const counted = { ...walk, view: bind(view, { it: { from: 'ballots', blocks } }) }
  walkBlock(step.judge, counted)
  if (step.tie !== undefined) walkOutcome(step.tie, counted)
}

const walkLoop = (step: StepTree & { readonly kind: 'loop' }, walk: Walk): void => {
  const round = (nullable: boolean): View =>
    bind(walk.view, { it: { from: 'block', block: step.body, nullable }, index: { from: 'index' } })
  walkBlock(step.body, { ...walk, view: round(true) })
  if (step.until !== undefined) walk.visitor.expression?.(step.until, round(false), 'condition')
}

/** The prompt of an agent is filled by the step that asks it. */
const walkAgentStep = (step: StepTree & { readonly kind: 'agent' }, { view, tree, visitor }: Walk): void => {
  if (step.by !== undefined) visitor.expression?.(step.by, view, 'value')
  for (const { prompt } of agentsOf(step, tree)) for (const slot of prompt.slots) visitor.slot?.(slot, step, view)
}

/** The agents a step may ask: the one it names, or all that are for something. */
export const agentsOf = (step: StepTree & { readonly kind: 'agent' }, tree: FlowTree): readonly AgentTree[] =>
  Object.values(tree.agents).filter((agent) => (step.agent === undefined ? agent.for.length > 0 : agent.name === step.agent))

/** Whether a slot takes a part of the context: one that names a part and no field of it. What the part shows comes when the model is asked. */
export const isFilledByPart = (slot: SlotTree, step: StepTree, tree: FlowTree): boolean => {
  const [root, ...keys] = slot.path
  const agent = step.kind === 'agent' ? agentsOf(step, tree).find(({ prompt }) => prompt.slots.includes(slot)) : undefined
  const context = agent?.context ?? step.context
  return keys.length === 0 && context !== undefined && context.parts.some(({ name }) => name === root)
}

/** An agent stands for itself: `input` is what it was asked, and the steps of the flow are not there. */
const walkAgent = (agent: AgentTree, { view, ...walk }: Omit<Walk, 'targets'>): void => {
  const asked = bind(view, { input: { from: 'event', schema: undefined } })
  if (agent.context !== undefined) walkContext(agent.context, asked, walk.visitor)
  if (agent.fallback === undefined) return
  walkOutcome(agent.fallback, { ...walk, view: withFault(bind(asked, { it: { from: 'agent', agent } })), targets: new Map() })
}

const walkTrigger = (trigger: TriggerTree, view: View, visitor: Visitor): void => {
  const arrived = bind(view, { event: { from: 'event', schema: undefined } })
  if (trigger.kind === 'topic' && trigger.key !== undefined) visitor.expression?.(trigger.key, arrived, 'value')
  if (trigger.when !== undefined) visitor.expression?.(trigger.when, arrived, 'condition')
  if (trigger.input !== undefined) walkValue(trigger.input, arrived, visitor)
}

const walkContext = ({ parts }: ContextTree, view: View, visitor: Visitor): void => {
  for (const { from } of parts) if ('value' in from) walkValue(from.value, view, visitor)
}

const walkRules = (rules: readonly RuleTree[], walk: Walk): void => {
  for (const rule of rules) {
    if (rule.when !== undefined) walk.visitor.expression?.(rule.when, walk.view, 'condition')
    walkOutcome(rule.outcome, walk)
  }
}

const walkOutcome = (outcome: OutcomeTree, walk: Walk): void => {
  walk.visitor.outcome?.(outcome, walk.targets, walk.view)
  if (outcome.then !== 'run') return
  walkSteps(outcome.steps, walk)
}

const walkValue = (value: ValueTree, view: View, visitor: Visitor): void => {
  if ('expr' in value) visitor.expression?.(value.expr, view, 'value')
  else if ('list' in value) for (const item of value.list) walkValue(item, view, visitor)
  else if ('object' in value) for (const [, item] of value.object) walkValue(item, view, visitor)
}
