import type { Json } from '@baton/contracts/json'
import type { ValueExpr } from './plan.ts'

/** A value with its expressions evaluated. */
export const evaluateValue = (expr: ValueExpr, evaluate: (cel: string) => Json): Json => {
  if ('lit' in expr) return expr.lit
  if ('cel' in expr) return evaluate(expr.cel)
  if ('list' in expr) return expr.list.map((item) => evaluateValue(item, evaluate))
  const object: Record<string, Json> = {}
  for (const key in expr.object) {
    const field = expr.object[key]
    if (field !== undefined) object[key] = evaluateValue(field, evaluate)
  }
  return object
}
