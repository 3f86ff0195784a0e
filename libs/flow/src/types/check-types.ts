// The pass over types: what an expression, a slot or a case can never do with what it is given.
//   T3. What the pass over names or decisions reports is not reported again.
import type { Report } from '../diagnostic.ts'
import type { Span } from '../source/source.ts'
import type { ExprTree, FlowTree } from '../tree.ts'
import { checkSelfChecks } from './check-agents.ts'
import { checkSlot } from './check-slots.ts'
import { checkCases } from './check-cases.ts'
import { checkGiven, checkTrigger, owedOf } from './check-values.ts'
import { describeType, isKnown, scalarOf, type Type } from './type.ts'
import { createTyping, placeIn, type Add, type Seen, type Typing } from './typing.ts'

/** Reports type mistakes: unknown fields, wrong types, values outside an enum, values that may be null, expressions that cost too much. */
export const checkTypes = (tree: FlowTree, report: Report): void => {
  const typing = createTyping(tree)
  const add: Add = (at, code, message, fix) => report.add(at, code, message, fix)
  const steps = typing.seen.flatMap((part) => (part.is === 'step' ? [part.step] : []))
  const owed = owedOf(steps)
  for (const trigger of tree.triggers) checkTrigger(trigger, tree.input, { typing, add })
  checkSelfChecks(tree, steps, add)
  for (const part of typing.seen) {
    if (part.is === 'expression') checkExpression(part, typing, add)
    else if (part.is === 'slot') checkSlot(part, typing, add)
    else checkGiven(part.step, { view: part.view, typing, add, owed })
  }
}

/** Evaluation steps one expression may take. */
const STEPS_MAX = 1_000_000

const checkExpression = (part: Extract<Seen, { is: 'expression' }>, typing: Typing, add: Add): void => {
  const { expr, view, expects } = part
  const read = typing.typeOf(expr, view, add)
  if (read === undefined) return
  const whole = placeIn(expr, 0)
  if (read.steps > STEPS_MAX) {
    const at = read.at === undefined ? whole : placeIn(expr, read.at)
    add(
      at,
      'expression.cost',
      `this may take ${read.steps.toLocaleString('en')} steps; at most ${STEPS_MAX.toLocaleString('en')} are allowed, and a list without a limit counts 1,000`,
      'give the lists a limit in their schema (maxItems), or do the work in a tool',
    )
  }
  if (expects === 'condition') needBoolean(read.type, whole, { cel: expr.cel, add })
  const { self } = view
  if (self?.kind === 'map' && self.over === expr) checkOver(read.type, expr, add)
  if (self?.kind === 'switch' && self.on === expr) checkCases(self, read.type, { pure: typing.isPath(expr), whole, add })
}

const needBoolean = (type: Type, at: Span, { cel, add }: { readonly cel: string; readonly add: Add }): void => {
  if (type.kind === 'null' || type.nullable !== undefined) {
    add(at, 'type.nullable', `this condition may be null: ${type.nullable?.why ?? 'it always is'}`, `${cel} == true`)
    return
  }
  if (!isKnown(type) || scalarOf(type) === 'boolean') return
  add(at, 'type.mismatch', `a condition is true or false; ${cel} is ${describeType(type)}`, conditionFix(type, cel))
}

const conditionFix = (type: Type, cel: string): string | undefined => {
  if (type.kind === 'enum' && typeof type.values[0] === 'string') return `${cel} == ${JSON.stringify(type.values[0])}`
  if (type.kind === 'list') return `size(${cel}) > 0`
  return type.kind === 'object' || type.kind === 'map' ? `${cel} != null` : undefined
}

const checkOver = (type: Type, expr: ExprTree, add: Add): void => {
  const at = placeIn(expr, 0)
  if (type.kind === 'null' || type.nullable !== undefined) {
    add(
      at,
      'type.nullable',
      `${expr.cel} may be null: ${type.nullable?.why ?? 'it always is'}; map goes over a list`,
      `${expr.cel} == null ? [] : ${expr.cel}`,
    )
  } else if (isKnown(type) && type.kind !== 'list') {
    const lists =
      type.kind === 'object' ? [...type.fields].filter(([, field]) => field.kind === 'list').map(([name]) => `=${expr.cel}.${name}`) : []
    add(at, 'type.mismatch', `map goes over a list; ${expr.cel} is ${describeType(type)}`, lists[0])
  }
}
