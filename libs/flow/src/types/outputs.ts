// What steps give: from their `returns`, their kind, and whatever may take their place.
import type { View } from '../check/walk.ts'
import type { BlockTree, ExprTree, FlowTree, OutcomeTree, StepTree, ValueTree } from '../tree.ts'
import { FAILURE, passages, verdict } from './known.ts'
import { typeOfLiteral, typeOfSchema } from './schema-type.ts'
import { ANY, join, joinAll, listOf, NULL, nullFor, objectOf, orNull, widened, type Type } from './type.ts'

/** Types of outputs by step, block and value. */
export type Outputs = {
  /** What a gate looks at: the step's own output. */
  readonly own: (step: StepTree) => Type
  /** What later steps see: the output, or what took its place. Null when the step was left out is said elsewhere. */
  readonly final: (step: StepTree) => Type
  readonly block: (block: Pick<BlockTree, 'steps'>) => Type
  readonly value: (value: ValueTree, view: View) => Type
}

type Parts = {
  readonly tree: FlowTree
  /** What a step sees; undefined for one that no pass has met. */
  readonly viewOf: (step: StepTree) => View | undefined
  readonly expression: (expr: ExprTree, view: View) => Type
}

type Context = Parts & Outputs

/** Types of outputs, each worked out once and when it is asked for. */
export const createOutputs = (parts: Parts): Outputs => {
  const context: Context = {
    ...parts,
    own: remember((step) => (step.returns === undefined ? ownType(step, context) : typeOfSchema(step.returns))),
    final: remember((step) => finalType(step, context)),
    block: (block) => blockType(block, context),
    value: (value, view) => valueType(value, view, context),
  }
  return context
}

const valueType = (value: ValueTree, view: View, { expression, value: typeOf }: Context): Type => {
  if ('expr' in value) return expression(value.expr, view)
  if ('lit' in value) return widened(typeOfLiteral(value.lit))
  if ('list' in value)
    return listOf(value.list.length === 0 ? ANY : joinAll(value.list.map((item) => typeOf(item, view))), value.list.length)
  return { kind: 'object', fields: new Map(value.object.map(([key, field]) => [key, typeOf(field, view)])), open: false }
}

const blockType = ({ steps }: Pick<BlockTree, 'steps'>, { final }: Context): Type => {
  const last = steps.at(-1)
  if (last === undefined) return NULL
  return last.when === undefined ? final(last) : orNull(final(last), { why: `${last.name ?? 'its last step'} may be skipped` })
}

type Replaced = { readonly step: StepTree; readonly by: string }

/** What an outcome puts in the place of the step's output: nothing, null, or the output of a block. */
const standIn = (outcome: OutcomeTree, { step, by }: Replaced, { block }: Context): readonly Type[] => {
  if (outcome.then === 'fail' || outcome.then === 'retry') return []
  if (outcome.then !== 'run')
    return [nullFor(`${by} may go on with ${outcome.then === 'step' ? outcome.step : outcome.then}, without an output`)]
  if (outcome.after === 'fail') return []
  // The last step owes what the step around it returns.
  return [step.returns === undefined ? block(outcome) : typeOfSchema(step.returns)]
}

const ownType = (step: StepTree, context: Context): Type => {
  switch (step.kind) {
    case 'retrieve':
      return passages(step.top)
    case 'check':
      return verdict(step.checks.length)
    case 'set': {
      const view = context.viewOf(step)
      return view === undefined ? ANY : context.value(step.value, view)
    }
    case 'switch':
      return joinAll(step.rules.flatMap(({ outcome }) => standIn(outcome, { step, by: 'a case' }, context)))
    case 'wait':
      return NULL
    case 'agent':
      return returnsOf(step.agent, context)
    case 'team':
      return returnsOf(step.synthesis, context)
    default:
      return composedType(step, context)
  }
}

const returnsOf = (name: string | undefined, { tree }: Context): Type => {
  const agent = name === undefined || !Object.hasOwn(tree.agents, name) ? undefined : tree.agents[name]
  return typeOfSchema(agent?.returns ?? true)
}

const composedType = (step: StepTree, context: Context): Type => {
  const { block } = context
  switch (step.kind) {
    case 'parallel':
      return parallelType(step, context)
    case 'map': {
      const each = block(step.each)
      if (step.onFailure === 'collect') return ANY
      return listOf(step.onFailure === 'null' ? orNull(each, { why: 'one that fails becomes null' }) : each, step.max)
    }
    case 'vote':
      return joinAll(step.voters.map((voter) => block(voter.block)))
    case 'loop':
      return block(step.body)
    default:
      return ANY
  }
}

const parallelType = (step: StepTree & { readonly kind: 'parallel' }, { block }: Context): Type => {
  const why = mayMiss(step)
  const branches = step.branches.map(({ name, block: body }) => {
    const type = block(body)
    return [name, why === undefined ? type : orNull(type, { why })] as const
  })
  const failures = step.onFailure === 'collect' ? { failures: listOf(FAILURE) } : {}
  return objectOf({ ...Object.fromEntries(branches), ...failures })
}

const mayMiss = ({ join: { join: kind }, onFailure }: StepTree & { readonly kind: 'parallel' }): string | undefined => {
  if (onFailure !== 'fail') return 'a branch that fails becomes null'
  return kind === 'all' ? undefined : 'the step does not wait for every branch'
}

/** The output, or what a gate, a handler or a stand-in puts in its place. */
const finalType = (step: StepTree, context: Context): Type => {
  const handlers = [step.onError, step.onTimeout, step.onLimit, step.kind === 'vote' ? step.tie : undefined]
  const others = handlers.flatMap((outcome) => (outcome === undefined ? [] : standIn(outcome, { step, by: 'its handler' }, context)))
  const backups = step.returns === undefined ? (step.failover ?? []).map(context.block) : []
  return [gatedType(step, context), ...others, ...backups].reduce(join)
}

/** Every rule of a gate takes the output or puts another in its place. */
const gatedType = (step: StepTree, context: Context): Type => {
  const given = context.own(step)
  if (step.gate === undefined || step.returns !== undefined) return given
  const types = step.gate.flatMap(({ outcome }): readonly Type[] => {
    if (outcome.then === 'run') return standIn(outcome, { step, by: 'its gate' }, context)
    return outcome.then === 'fail' ? [] : [given]
  })
  return types.length === 0 ? given : joinAll(types)
}

/** A type for each step, once; a step that leads back to itself is unknown there. */
const remember = (work: (step: StepTree) => Type): ((step: StepTree) => Type) => {
  const known = new Map<StepTree, Type>()
  return (step) => {
    const type = known.get(step)
    if (type !== undefined) return type
    known.set(step, ANY)
    const worked = work(step)
    known.set(step, worked)
    return worked
  }
}
