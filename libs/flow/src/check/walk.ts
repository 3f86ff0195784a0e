// One walk over the tree for every pass: each expression and slot with what it may see.
import type { ExprTree, FlowTree, OutcomeTree, RuleTree, SlotTree, StepTree, ValueTree } from '../tree.ts'

/** What an expression may name. */
export type View = {
  /** Steps that come before, in this block and around it. */
  readonly steps: ReadonlyMap<string, StepTree>
  /** The step whose own text this is, and its name; its output is not there yet. */
  readonly self: StepTree | undefined
  readonly it: StepTree | undefined
  readonly fault: boolean
}

export type Visitor = {
  readonly expression?: (expression: ExprTree, view: View, expects: 'condition' | 'value') => void
  readonly slot?: (slot: SlotTree, step: StepTree, view: View) => void
  readonly outcome?: (outcome: OutcomeTree, targets: ReadonlyMap<string, StepTree>, view: View) => void
  readonly step?: (step: StepTree, view: View) => void
}

/** Calls the visitor for everything in a flow, in the order of the file. */
export const walkFlow = (tree: FlowTree, visitor: Visitor): void => {
  const empty: View = { steps: new Map(), self: undefined, it: undefined, fault: false }
  const after = walkSteps(tree.steps, { view: empty, visitor })
  if (tree.onError !== undefined)
    walkOutcome(tree.onError, { view: { ...empty, steps: after, fault: true }, targets: namesOf(tree.steps), visitor })
  if (tree.output !== undefined) walkValue(tree.output, { ...empty, steps: after }, visitor)
}

type Walk = {
  readonly view: View
  /** Steps a jump may go to: later in the same block. */
  readonly targets: ReadonlyMap<string, StepTree>
  readonly visitor: Visitor
}

const walkSteps = (steps: readonly StepTree[], { view, visitor }: Omit<Walk, 'targets'>): ReadonlyMap<string, StepTree> => {
  const before = new Map(view.steps)
  for (const [index, step] of steps.entries()) {
    walkStep(step, { view: { ...view, steps: new Map(before), self: step }, targets: namesOf(steps.slice(index + 1)), visitor })
    if (step.name !== null) before.set(step.name, step)
  }
  return before
}

const namesOf = (steps: readonly StepTree[]): ReadonlyMap<string, StepTree> =>
  new Map(steps.flatMap((step) => (step.name === null ? [] : [[step.name, step] as const])))

const walkStep = (step: StepTree, { view, targets, visitor }: Walk): void => {
  visitor.step?.(step, view)
  if (step.when !== undefined) visitor.expression?.(step.when, view, 'condition')
  if (step.with !== undefined) walkValue(step.with, view, visitor)
  walkBody(step, { view, targets, visitor })
  if (step.gate !== undefined) walkRules(step.gate, { view: { ...view, it: step }, targets, visitor })
  if (step.onError !== undefined) walkOutcome(step.onError, { view: { ...view, fault: true }, targets, visitor })
}

const walkBody = (step: StepTree, walk: Walk): void => {
  const { view, visitor } = walk
  if (step.kind === 'model') for (const slot of step.prompt.slots) visitor.slot?.(slot, step, view)
  if (step.kind === 'set') walkValue(step.value, view, visitor)
  if (step.kind !== 'switch') return
  if (step.on !== undefined) visitor.expression?.(step.on, view, 'value')
  walkRules(step.rules, walk)
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
