// The types of one flow: every variable is what a schema, a kind of step or another expression says it is.
import type { ASTNode } from '@marcbachmann/cel-js'
import { walkFlow, type Bound, type View } from '../check/walk.ts'
import type { DiagnosticCode } from '../diagnostic.ts'
import { createAnalyser, type Analysis } from '../expression.ts'
import type { Span } from '../source/source.ts'
import { spanInScalar } from '../source/syntax.ts'
import type { ExprTree, FlowTree, SlotTree, StepTree } from '../tree.ts'
import { holdsAll, narrow, NO_FACTS, union, without, type Facts } from './facts.ts'
import { infer } from './infer.ts'
import { layoutOf, type Guard, type Layout } from './layout.ts'
import { createOutputs, FAULT, RUN, type Outputs } from './outputs.ts'
import { typeOfSchema } from './schema-type.ts'
import type { Site } from './site.ts'
import { ANY, INTEGER, listOf, notNull, NUMBER, objectOf, orNull, STRING, BOOLEAN, withMaker, type Type } from './type.ts'

/** What a flow says, in the order of its file. */
export type Seen =
  | { readonly is: 'expression'; readonly expr: ExprTree; readonly view: View; readonly expects: 'condition' | 'value' }
  | { readonly is: 'slot'; readonly slot: SlotTree; readonly step: StepTree; readonly view: View }
  | { readonly is: 'step'; readonly step: StepTree; readonly view: View }

/** Where mistakes go; nowhere when a type is only asked for. */
export type Add = (at: Span, code: DiagnosticCode, message: string, fix?: string) => void

/** The types of one flow. */
export type Typing = {
  readonly seen: readonly Seen[]
  readonly outputs: Outputs
  /** The type of an expression; its mistakes go to `add`. Undefined for what cannot be read. */
  readonly typeOf: (
    expr: ExprTree,
    view: View,
    add?: Add,
  ) => { readonly type: Type; readonly ast: ASTNode; readonly steps: number; readonly at: ASTNode | undefined } | undefined
  /** The type of a variable in a place. */
  readonly variable: (name: string, view: View, facts: Facts) => Type | undefined
  readonly factsOf: (expr: ExprTree | undefined, view: View) => Facts
  /** Whether an expression is nothing but a path. */
  readonly isPath: (expr: ExprTree) => boolean
  /** What the flow's output sees. */
  readonly end: View
}

/** Reads a flow once; types are worked out when they are asked for. */
export const createTyping = (tree: FlowTree): Typing => {
  const seen: Seen[] = []
  const views = new Map<StepTree, View>()
  const names = new Set<string>(['index', 'event', 'buffers', 'item'])
  const note = (view: View): void => {
    for (const name of view.bound.keys()) names.add(name)
  }
  walkFlow(tree, {
    expression: (expr, view, expects) => {
      note(view)
      seen.push({ is: 'expression', expr, view, expects })
    },
    slot: (slot, step, view) => seen.push({ is: 'slot', slot, step, view }),
    step: (step, view) => {
      if (step.name !== null) names.add(step.name)
      views.set(step, view)
      seen.push({ is: 'step', step, view })
    },
  })
  const analyse = remembered(createAnalyser(names))
  const layout = layoutOf(tree)
  const outputs = createOutputs({ tree, viewOf: (step) => views.get(step), expression: (expr, view) => typeOf(expr, view)?.type ?? ANY })
  const reading: Scope = { tree, outputs, layout, analyse, inputType: typeOfSchema(tree.input), paramTypes: paramTypes(tree) }
  const variable = variablesOf(reading, (expr, view) => typeOf(expr, view)?.type ?? ANY)
  const factsOf = (expr: ExprTree | undefined, view: View): Facts => factsFrom(layout.guardsOf(expr, view.self), view, analyse)

  const typeOf: Typing['typeOf'] = (expr, view, add) => {
    const analysis = analyse(expr.cel)
    if (!analysis.ok) return undefined
    const site: Site = {
      variable: (name, facts) => variable(name, view, facts),
      isReported: (root) => root === 'input' || root === 'params' || root === 'buffers',
      add: (place, code, message, fix) => add?.(placeIn(expr, place), code, message, fix),
      spend: { steps: 0, times: 1, at: undefined },
    }
    const type = infer(analysis.ast, { site, facts: factsOf(expr, view), locals: NO_LOCALS, times: 1 })
    return { type, ast: analysis.ast, steps: site.spend.steps, at: site.spend.at }
  }
  const isPath = (expr: ExprTree): boolean => {
    const analysis = analyse(expr.cel)
    return analysis.ok && analysis.pure
  }
  return { seen, outputs, typeOf, variable, factsOf, isPath, end: endOf(tree) }
}

const endOf = (tree: FlowTree): View => ({
  steps: new Map(tree.steps.flatMap((step) => (step.name === null ? [] : [[step.name, step] as const]))),
  self: undefined,
  it: undefined,
  fault: false,
  bound: new Map(Object.keys(tree.buffers).length === 0 ? [] : [['buffers', { from: 'buffers' } as const]]),
  trigger: false,
})

const NO_LOCALS: ReadonlyMap<string, Type> = new Map()

const remembered = (analyse: (cel: string) => Analysis): ((cel: string) => Analysis) => {
  const known = new Map<string, Analysis>()
  return (cel) => {
    const found = known.get(cel) ?? analyse(cel)
    known.set(cel, found)
    return found
  }
}

/** Where a part of an expression stands in its file. */
export const placeIn = ({ cel, at, skip }: ExprTree, place: ASTNode | number): Span => {
  const index = typeof place === 'number' ? place : place.start
  return spanInScalar(at, skip + index, /^[\w$]+|^\S/.exec(cel.slice(index))?.[0] ?? '')
}

type Scope = {
  readonly tree: FlowTree
  readonly outputs: Outputs
  readonly layout: Layout
  readonly analyse: (cel: string) => Analysis
  readonly inputType: Type
  readonly paramTypes: Type
}

/** What the conditions around a place say. What they say of `it` counts only where `it` is the same. */
const factsFrom = (guards: readonly Guard[], view: View, analyse: (cel: string) => Analysis): Facts => {
  if (guards.length === 0) return NO_FACTS
  const it = view.bound.get('it')
  const gateOf = it?.from === 'output' ? it.step : undefined
  return guards.reduce<Facts>((facts, { expr, truth, gateOf: of }) => {
    const analysis = analyse(expr.cel)
    if (!analysis.ok) return facts
    const known = narrow(analysis.ast, truth)
    return union(facts, of === gateOf ? known : without(known, 'it'))
  }, NO_FACTS)
}

const PARAMS: Readonly<Record<FlowTree['params'][string]['type'], Type>> = {
  number: NUMBER,
  integer: INTEGER,
  string: STRING,
  boolean: BOOLEAN,
  duration: NUMBER,
}
const paramTypes = (tree: FlowTree): Type =>
  objectOf(Object.fromEntries(Object.entries(tree.params).map(([name, { type }]) => [name, PARAMS[type]])))

const variablesOf = (scope: Scope, expression: (expr: ExprTree, view: View) => Type): Typing['variable'] => {
  const { tree, outputs, inputType, paramTypes: params } = scope
  const buffers = objectOf(
    Object.fromEntries(Object.entries(tree.buffers).map(([name, { schema, items }]) => [name, listOf(typeOfSchema(schema), items)])),
  )
  const made = new Map<StepTree, Type>()
  const madeBy = (step: StepTree): Type => {
    const type = made.get(step) ?? withMaker(outputs.final(step))
    made.set(step, type)
    return type
  }

  const boundType = (bound: Bound): Type => {
    switch (bound.from) {
      case 'output':
        return outputs.own(bound.step)
      case 'block': {
        const type = outputs.block(bound.block)
        return bound.nullable ? orNull(type, { why: 'there is none in the first round' }) : type
      }
      case 'ballots':
        return listOf(
          bound.blocks
            .map((block) => outputs.block(block))
            .reduce((a, b) => (a === b ? a : ANY), outputs.block(bound.blocks[0] ?? { steps: [] })),
        )
      case 'agent':
        return typeOfSchema(bound.agent.returns ?? true)
      case 'item': {
        const over = notNull(expression(bound.over, bound.view))
        return over.kind === 'list' && over.max !== 0 ? over.of : ANY
      }
      case 'index':
        return INTEGER
      case 'event':
        return typeOfSchema(bound.schema ?? true)
      case 'buffers':
        return buffers
      case 'fault':
        return FAULT
    }
  }

  return (name, view, facts) => {
    const bound = view.bound.get(name)
    if (bound !== undefined) return boundType(bound)
    if (name === 'params') return params
    if (name === 'input') return view.trigger ? ANY : inputType
    if (name === 'run') return view.trigger ? ANY : RUN
    const step = view.steps.get(name)
    return step === undefined ? undefined : asSeen(madeBy(step), step, { view, facts, scope })
  }
}

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
  for (const fact of facts) {
    const other = fact.startsWith('!') ? view.steps.get(fact.slice(1)) : undefined
    if (other?.when === undefined || other === step) continue
    const analysis = scope.analyse(other.when.cel)
    if (!analysis.ok) continue
    const implied = narrow(analysis.ast, true)
    if (implied.has(`!${step.name ?? ''}`) || (condition.ok && holdsAll(condition.ast, implied))) return true
  }
  return false
}
