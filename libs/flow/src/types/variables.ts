// What a name stands for in a place, and whether it may be null there.
import type { JsonSchema } from '@baton/contracts/json'
import type { Bound, View } from '../check/walk.ts'
import type { Analysis } from '../expression.ts'
import type { ExprTree, FlowTree, StepTree } from '../tree.ts'
import { holdsAll, narrow, NO_FACTS, type Facts } from './facts.ts'
import type { Layout } from './layout.ts'
import { LEFT_OUT } from '../expression-scope.ts'
import { FAULT, LEFT_OUT_TYPE, RUN } from './known.ts'
import type { Outputs } from './outputs.ts'
import { typeOfSchema } from './schema-type.ts'
import {
  ANY,
  BOOLEAN,
  INTEGER,
  joinAll,
  listOf,
  notNull,
  NUMBER,
  objectOf,
  orNull,
  STRING,
  withField,
  withMaker,
  type Type,
} from './type.ts'

/** What variables are looked up in. */
export type Scope = {
  readonly tree: FlowTree
  readonly outputs: Outputs
  readonly layout: Layout
  readonly analyse: (cel: string) => Analysis
  readonly expression: (expr: ExprTree, view: View) => Type
}

/** The type of a variable in a place; undefined for one that is not there. */
export type Lookup = (name: string, view: View, facts: Facts) => Type | undefined

const PARAMS: Readonly<Record<FlowTree['params'][string]['type'], Type>> = {
  number: NUMBER,
  integer: INTEGER,
  string: STRING,
  boolean: BOOLEAN,
  duration: NUMBER,
}

/** Looks up variables of a flow. */
export const variablesOf = (scope: Scope): Lookup => {
  const { tree, outputs } = scope
  const input = typeOfSchema(tree.input)
  const params = objectOf(Object.fromEntries(Object.entries(tree.params).map(([name, { type }]) => [name, PARAMS[type]])))
  const made = new Map<StepTree, Type>()
  const madeBy = (step: StepTree): Type => {
    const type = made.get(step) ?? withLeftOut(withMaker(outputs.final(step)), step)
    made.set(step, type)
    return type
  }
  return (name, view, facts) => {
    const bound = view.bound.get(name)
    if (bound !== undefined) return boundType(bound, scope)
    if (name === 'params') return params
    if (name === 'input') return view.trigger ? ANY : input
    if (name === 'run') return view.trigger ? ANY : RUN
    const step = view.steps.get(name)
    return step === undefined ? undefined : asSeen(madeBy(step), step, { view, facts, scope })
  }
}

/** Models and agents see a context, and say what did not fit it. */
const withLeftOut = (type: Type, { kind }: StepTree): Type =>
  kind === 'model' || kind === 'agent' ? withField(type, LEFT_OUT, LEFT_OUT_TYPE) : type

const boundType = (bound: Bound, { tree, outputs, expression }: Scope): Type => {
  switch (bound.from) {
    case 'output':
      return withLeftOut(outputs.own(bound.step), bound.step)
    case 'block':
      return lastRound(outputs.block(bound.block), bound.nullable)
    case 'ballots':
      return listOf(joinAll(bound.blocks.map((block) => outputs.block(block))))
    case 'agent':
      return withField(declared(bound.agent.returns), LEFT_OUT, LEFT_OUT_TYPE)
    case 'item':
      return itemOf(notNull(expression(bound.over, bound.view)))
    case 'index':
      return INTEGER
    case 'event':
      return declared(bound.schema)
    case 'buffers':
      return buffersOf(tree)
    case 'fault':
      return FAULT
  }
}

const declared = (schema: JsonSchema | undefined): Type => typeOfSchema(schema ?? true)

const lastRound = (type: Type, first: boolean): Type => (first ? orNull(type, { why: 'there is none in the first round' }) : type)

const buffersOf = ({ buffers }: FlowTree): Type =>
  objectOf(Object.fromEntries(Object.entries(buffers).map(([name, { schema, items }]) => [name, listOf(typeOfSchema(schema), items)])))

const itemOf = (over: Type): Type => (over.kind === 'list' && over.max !== 0 ? over.of : ANY)

type Sight = { readonly view: View; readonly facts: Facts; readonly scope: Scope }

/** A step's output from a place: null where the step may have been left out, unless a condition around says otherwise. */
const asSeen = (type: Type, step: StepTree, sight: Sight): Type => {
  const { view, scope } = sight
  const ended = view.self === undefined && !view.fault
  const skipped = scope.layout.skipped(step, view.self, ended)
  if (skipped !== undefined) return orNull(type, { why: skipped })
  if (step.when === undefined || ran(step, step.when, sight)) return type
  return orNull(type, { why: `${step.name ?? 'the step'} is skipped unless ${step.when.cel}` })
}

const ran = (step: StepTree, when: ExprTree, { view, facts, scope }: Sight): boolean => {
  if (facts.size === 0) return false
  const condition = scope.analyse(when.cel)
  if (condition.ok && holdsAll(condition.ast, facts)) return true
  // What ran itself only where this step did, proves that it did.
  return [...facts].some((fact) => {
    const other = fact.startsWith('!') ? view.steps.get(fact.slice(1)) : undefined
    const implied = other === undefined || other === step ? NO_FACTS : factsOfRun(other, scope)
    return implied.has(`!${step.name ?? ''}`) || (condition.ok && holdsAll(condition.ast, implied))
  })
}

/** What is known where a step ran. */
const factsOfRun = ({ when }: StepTree, { analyse }: Scope): Facts => {
  const analysis = when === undefined ? undefined : analyse(when.cel)
  return analysis?.ok === true ? narrow(analysis.ast, true) : NO_FACTS
}
