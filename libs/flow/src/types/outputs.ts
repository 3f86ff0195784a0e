// What steps give: from their `returns`, their kind, and whatever may take their place.
import { FAULTS } from '@baton/contracts/fault'
import type { BlockTree, FlowTree, OutcomeTree, StepTree, ValueTree } from '../tree.ts'
import type { View } from '../check/walk.ts'
import { typeOfLiteral, typeOfSchema } from './schema-type.ts'
import { ANY, BOOLEAN, INTEGER, join, joinAll, listOf, NULL, nullFor, NUMBER, objectOf, orNull, STRING, type Type } from './type.ts'

const text = (value: Type): Type => orNull(value, { why: 'not every run has one' })

/** What expressions know of the run. */
export const RUN: Type = objectOf({
  id: STRING,
  requestId: STRING,
  source: STRING,
  tenant: STRING,
  flow: STRING,
  version: STRING,
  priority: STRING,
  labels: { kind: 'map', of: STRING },
  startedAtMs: INTEGER,
  session: text(STRING),
  user: text(STRING),
})

/** What an error handler looks at. */
export const FAULT: Type = objectOf({
  code: { kind: 'enum', values: Object.keys(FAULTS) },
  message: STRING,
  detail: { kind: 'map', of: ANY, absent: true },
})

/** A failure that a parallel step or a map keeps beside the outputs. */
const FAILURE = objectOf({ branch: STRING, code: STRING, message: STRING })

const passages = (top: number): Type =>
  objectOf({ items: listOf(objectOf({ id: STRING, title: STRING, text: STRING, score: NUMBER, rank: NUMBER }), top), score: NUMBER })

/** A single check puts its own findings beside the summary. */
const verdict = (checks: number): Type =>
  objectOf(
    {
      pass: BOOLEAN,
      score: NUMBER,
      reason: STRING,
      checks: listOf(objectOf({ check: STRING, pass: BOOLEAN, score: NUMBER, reason: STRING }, true)),
    },
    checks === 1,
  )

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
  readonly expression: (expr: Extract<ValueTree, { readonly expr: unknown }>['expr'], view: View) => Type
}

/** Types of outputs, each worked out once and when it is asked for. */
export const createOutputs = ({ tree, viewOf, expression }: Parts): Outputs => {
  const own = remember((step) => (step.returns === undefined ? ownType(step) : typeOfSchema(step.returns)))
  const final = remember((step) => withFallout(step))

  const value = (tree_: ValueTree, view: View): Type => {
    if ('expr' in tree_) return expression(tree_.expr, view)
    if ('lit' in tree_) return widened(typeOfLiteral(tree_.lit))
    if ('list' in tree_)
      return listOf(tree_.list.length === 0 ? ANY : joinAll(tree_.list.map((item) => value(item, view))), tree_.list.length)
    return { kind: 'object', fields: new Map(tree_.object.map(([key, field]) => [key, value(field, view)])), open: false }
  }

  const block = ({ steps }: Pick<BlockTree, 'steps'>): Type => {
    const last = steps.at(-1)
    if (last === undefined) return NULL
    const type = final(last)
    return last.when === undefined ? type : orNull(type, { why: `${last.name ?? 'its last step'} may be skipped` })
  }

  /** What an outcome puts in the place of the step's output: nothing, null, or the output of a block. */
  const standIn = (outcome: OutcomeTree, around: StepTree, why: string): readonly Type[] => {
    if (outcome.then === 'fail' || outcome.then === 'retry') return []
    if (outcome.then !== 'run')
      return [nullFor(`${why} may go on with ${outcome.then === 'step' ? outcome.step : outcome.then}, without an output`)]
    if (outcome.after === 'fail') return []
    // The last step owes what the step around it returns.
    return [around.returns === undefined ? block(outcome) : typeOfSchema(around.returns)]
  }

  const switchType = (step: StepTree & { readonly kind: 'switch' }): Type =>
    joinAll(step.rules.flatMap(({ outcome }) => standIn(outcome, step, 'a case')))

  const ownType = (step: StepTree): Type => {
    const view = viewOf(step)
    switch (step.kind) {
      case 'retrieve':
        return passages(step.top)
      case 'check':
        return verdict(step.checks.length)
      case 'set':
        return view === undefined ? ANY : value(step.value, view)
      case 'switch':
        return switchType(step)
      case 'wait':
        return NULL
      case 'agent':
        return typeOfSchema((step.agent === undefined ? undefined : tree.agents[step.agent]?.returns) ?? true)
      case 'team':
        return typeOfSchema(tree.agents[step.synthesis]?.returns ?? true)
      default:
        return composedType(step)
    }
  }

  const composedType = (step: StepTree): Type => {
    switch (step.kind) {
      case 'parallel':
        return parallelType(step)
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

  const parallelType = (step: StepTree & { readonly kind: 'parallel' }): Type => {
    const why =
      step.onFailure === 'fail'
        ? step.join.join === 'all'
          ? undefined
          : 'the step does not wait for every branch'
        : 'a branch that fails becomes null'
    const branches = step.branches.map(({ name, block: body }) => {
      const type = block(body)
      return [name, why === undefined ? type : orNull(type, { why })] as const
    })
    const failures = step.onFailure === 'collect' ? { failures: listOf(FAILURE) } : {}
    return objectOf({ ...Object.fromEntries(branches), ...failures })
  }

  const withFallout = (step: StepTree): Type => {
    const given = own(step)
    const failed = [step.onError, step.onTimeout, step.onLimit].filter((outcome) => outcome !== undefined)
    const tie = step.kind === 'vote' && step.tie !== undefined ? [step.tie] : []
    const others = [...failed, ...tie].flatMap((outcome) => standIn(outcome, step, 'its handler'))
    const backups = step.returns === undefined ? (step.failover ?? []).map(block) : []
    return [gated(step, given), ...others, ...backups].reduce(join)
  }

  /** Every rule of a gate takes the output or puts another in its place. */
  const gated = (step: StepTree, given: Type): Type => {
    if (step.gate === undefined || step.returns !== undefined) return given
    const types = step.gate.flatMap(({ outcome }) =>
      outcome.then === 'run' ? standIn(outcome, step, 'its gate') : outcome.then === 'fail' ? [] : [given],
    )
    return types.length === 0 ? given : joinAll(types)
  }

  return { own, final, block, value }
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

/** A literal stands for its kind: another run may have another. */
const widened = (type: Type): Type => {
  switch (type.kind) {
    case 'enum':
      return typeof type.values[0] === 'string' ? STRING : typeof type.values[0] === 'number' ? NUMBER : BOOLEAN
    case 'list':
      return listOf(widened(type.of), type.max)
    case 'object':
      return { ...type, fields: new Map([...type.fields].map(([key, field]) => [key, widened(field)])) }
    default:
      return type
  }
}
