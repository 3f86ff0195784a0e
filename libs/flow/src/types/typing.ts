// The types of one flow: every variable is what a schema, a kind of step or another expression says it is.
import type { ASTNode } from '@marcbachmann/cel-js'
import { walkFlow, type View } from '../check/walk.ts'
import type { DiagnosticCode } from '../diagnostic.ts'
import { createAnalyser, type Analysis } from '../expression.ts'
import type { Span } from '../source/source.ts'
import { spanInScalar } from '../source/syntax.ts'
import type { ExprTree, FlowTree, SlotTree, StepTree } from '../tree.ts'
import { narrow, NO_FACTS, union, without, type Facts } from './facts.ts'
import { infer } from './infer.ts'
import { layoutOf, type Guard } from './layout.ts'
import { createOutputs, type Outputs } from './outputs.ts'
import type { Site } from './site.ts'
import { ANY, type Type } from './type.ts'
import { variablesOf, type Lookup } from './variables.ts'

/** What a flow says, in the order of its file. */
export type Seen =
  | { readonly is: 'expression'; readonly expr: ExprTree; readonly view: View; readonly expects: 'condition' | 'value' }
  | { readonly is: 'slot'; readonly slot: SlotTree; readonly step: StepTree; readonly view: View }
  | { readonly is: 'step'; readonly step: StepTree; readonly view: View }

/** Where mistakes go; nowhere when a type is only asked for. */
export type Add = (at: Span, code: DiagnosticCode, message: string, fix?: string) => void

/** The types of one flow. */
export type Typing = {
  readonly tree: FlowTree
  readonly seen: readonly Seen[]
  readonly outputs: Outputs
  /** The type of an expression; its mistakes go to `add`. Undefined for what cannot be read. */
  readonly typeOf: (
    expr: ExprTree,
    view: View,
    add?: Add,
  ) => { readonly type: Type; readonly ast: ASTNode; readonly steps: number; readonly at: ASTNode | undefined } | undefined
  /** The type of a variable in a place. */
  readonly variable: Lookup
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
  const names = new Set<string>(['index', 'event', 'buffers'])
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
  const analyse = createAnalyser(names)
  const layout = layoutOf(tree)
  const factsAt = createFacts(analyse)
  const asked = new Map<ExprTree, Type>()
  const expression = (expr: ExprTree, view: View): Type => {
    const type = asked.get(expr) ?? typeOf(expr, view)?.type ?? ANY
    asked.set(expr, type)
    return type
  }
  const outputs = createOutputs({ tree, viewOf: (step) => views.get(step), expression })
  const variable = variablesOf({ tree, outputs, layout, analyse, expression })
  const factsOf = (expr: ExprTree | undefined, view: View): Facts => factsAt(layout.guardsOf(expr, view.self), view)

  const typeOf: Typing['typeOf'] = (expr, view, add) => {
    const analysis = analyse(expr.cel)
    if (!analysis.ok) return undefined
    const site: Site = {
      variable: (name, facts) => variable(name, view, facts),
      isReported: (root, key) =>
        NAMED.has(root) || (root === 'it' && key === 'confidence' && view.it !== undefined && view.it === view.self), // T3
      add: (place, code, message, fix) => add?.(placeIn(expr, place), code, message, fix),
      spend: { steps: 0, times: 1, at: undefined },
    }
    const type = infer(analysis.ast, { infer, site, facts: factsOf(expr, view), locals: NO_LOCALS, times: 1 })
    return { type, ast: analysis.ast, steps: site.spend.steps, at: site.spend.at }
  }
  const isPath = (expr: ExprTree): boolean => {
    const analysis = analyse(expr.cel)
    return analysis.ok && analysis.pure
  }
  return { tree, seen, outputs, typeOf, variable, factsOf, isPath, end: endOf(tree) }
}

const endOf = (tree: FlowTree): View => ({
  steps: new Map(tree.steps.flatMap((step) => (step.name === null ? [] : [[step.name, step] as const]))),
  self: undefined,
  it: undefined,
  fault: false,
  bound: new Map(Object.keys(tree.buffers).length === 0 ? [] : [['buffers', { from: 'buffers' } as const]]),
  trigger: false,
})

/** Variables whose fields the pass over names knows. */
export const NAMED: ReadonlySet<string> = new Set(['input', 'params', 'buffers'])

const NO_LOCALS: ReadonlyMap<string, Type> = new Map()

/** Where a part of an expression stands in its file. */
export const placeIn = ({ cel, at, skip }: ExprTree, place: ASTNode | number): Span => {
  const index = typeof place === 'number' ? place : place.start
  return spanInScalar(at, skip + index, /^[\w$]+|^\S/.exec(cel.slice(index))?.[0] ?? '')
}

/** What the conditions around a place say, each worked out once. What they say of `it` counts only where `it` is the same. */
const createFacts = (analyse: (cel: string) => Analysis): ((guard: Guard | undefined, view: View) => Facts) => {
  const known = new Map<Guard, { readonly gateOf: StepTree | undefined; readonly facts: Facts }>()
  const collect = (guard: Guard | undefined, gateOf: StepTree | undefined): Facts => {
    if (guard === undefined) return NO_FACTS
    const found = known.get(guard)
    if (found !== undefined && found.gateOf === gateOf) return found.facts
    const analysis = analyse(guard.expr.cel)
    const own = analysis.ok ? narrow(analysis.ast, guard.truth) : NO_FACTS
    const facts = union(collect(guard.around, gateOf), guard.gateOf === gateOf ? own : without(own, 'it'))
    known.set(guard, { gateOf, facts })
    return facts
  }
  return (guard, view) => {
    const it = view.bound.get('it')
    return collect(guard, it?.from === 'output' ? it.step : undefined)
  }
}
